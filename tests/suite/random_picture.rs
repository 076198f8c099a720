//! Random convolutions and pools.
//! Must not know the order in which they are used.

use super::proto::Attribute;
use super::random_network::Chain;

/// A window on the last axes of a tensor, with the shape that it makes.
struct Window {
    kernel: Vec<i64>,
    strides: Vec<i64>,
    dilations: Vec<i64>,
    pads: Vec<i64>,
    output: Vec<usize>,
}

impl Chain {
    /// A convolution or a pool on a picture or a signal; a pool where nothing else may read the tensor.
    pub(super) fn window(&mut self) {
        match (self.coded, self.random.below(10)) {
            (_, 0..=1) => self.max_pool(),
            (true, 2) if !self.exact => self.average_pool(),
            (true, _) => self.convolution(),
            (false, _) => self.max_pool(),
        }
    }

    fn a_window(&mut self, dilated: bool, padded: usize) -> Window {
        let picture = self.shape[2..].to_vec();
        let mut window = Window {
            kernel: Vec::new(),
            strides: Vec::new(),
            dilations: Vec::new(),
            pads: vec![0; 2 * picture.len()],
            output: Vec::new(),
        };
        for (axis, &length) in picture.iter().enumerate() {
            let kernel = self.random.between(1, 3.min(length as i64));
            let mut dilation = 1;
            if dilated && kernel > 1 && (kernel - 1) * 2 < length as i64 {
                dilation = self.random.between(1, 2);
            }
            let stride = *self.random.pick(&[1, 1, 2, 3]);
            let span = (kernel - 1) * dilation + 1;
            let mut padded_length = length as i64;
            for side in [axis, axis + picture.len()] {
                if self.random.chance(padded) {
                    window.pads[side] = self.random.between(0, (kernel - 1).min(2));
                    padded_length += window.pads[side];
                }
            }
            window
                .output
                .push(((padded_length - span) / stride + 1) as usize);
            window.kernel.push(kernel);
            window.strides.push(stride);
            window.dilations.push(dilation);
        }
        window
    }

    fn convolution(&mut self) {
        let padded = if self.random.chance(35) { 70 } else { 0 };
        let window = self.a_window(true, padded);
        let channels = self.shape[1];
        let (group, filters) = match self.random.below(10) {
            0..=3 => (channels, channels),
            4 => (channels, 2 * channels),
            5 if channels.is_multiple_of(2) => (2, 2 * self.random.between(1, 3) as usize),
            _ => (1, *self.random.pick(&[1, 2, 3, 4, 6, 8])),
        };
        let kernel = window.kernel.iter().map(|&length| length as usize);
        let shape: Vec<usize> = [filters, channels / group]
            .into_iter()
            .chain(kernel)
            .collect();
        let weights = self.quantised(&shape, 0);
        let mut inputs = vec![weights];
        if self.random.chance(40) {
            let values: Vec<f32> = (0..filters).map(|_| self.value(self.size)).collect();
            inputs.push(self.constant(&[filters], &values));
        }
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let attributes = [
            ("kernel_shape", Attribute::Ints(&window.kernel)),
            ("strides", Attribute::Ints(&window.strides)),
            ("dilations", Attribute::Ints(&window.dilations)),
            ("pads", Attribute::Ints(&window.pads)),
            ("group", Attribute::Int(group as i64)),
        ];
        self.push("Conv", &names, &attributes);
        self.shape = [&[1, filters], &window.output[..]].concat();
    }

    fn max_pool(&mut self) {
        let coded = self.coded;
        let window = self.a_window(false, 30);
        let attributes = [
            ("kernel_shape", Attribute::Ints(&window.kernel)),
            ("strides", Attribute::Ints(&window.strides)),
            ("pads", Attribute::Ints(&window.pads)),
        ];
        self.push("MaxPool", &[], &attributes);
        self.shape = [&[1, self.shape[1]], &window.output[..]].concat();
        self.coded = coded;
    }

    fn average_pool(&mut self) {
        if self.random.chance(40) {
            self.push("GlobalAveragePool", &[], &[]);
            self.shape[2..].fill(1);
        } else {
            let window = self.a_window(false, 0);
            let attributes = [
                ("kernel_shape", Attribute::Ints(&window.kernel)),
                ("strides", Attribute::Ints(&window.strides)),
            ];
            self.push("AveragePool", &[], &attributes);
            self.shape = [&[1, self.shape[1]], &window.output[..]].concat();
        }
        self.coded = self.random.chance(50);
    }
}
