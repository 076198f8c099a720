//! Random networks whose branches part and meet again.
//! Must not know what is tested on them.

use super::proto::Attribute;
use super::random_layer::MODES;
use super::random_network::{Case, Chain};

/// Where a chain stands.
#[derive(Clone)]
pub(super) struct Place {
    at: String,
    pub(super) shape: Vec<usize>,
    size: f64,
    coded: bool,
}

impl Chain {
    pub(super) fn place(&self) -> Place {
        Place {
            at: self.at.clone(),
            shape: self.shape.clone(),
            size: self.size,
            coded: self.coded,
        }
    }

    pub(super) fn go(&mut self, place: &Place) {
        self.at = place.at.clone();
        self.shape = place.shape.clone();
        (self.size, self.coded) = (place.size, place.coded);
    }

    pub(super) fn is_picture(&self) -> bool {
        self.shape.len() == 4 || self.signal
    }

    /// A quantiser of that scale.
    pub(super) fn quant_to(&mut self, scale: f32) {
        let bits = *self.random.pick(&[1, 2, 2, 3, 4, 5]);
        let signed = self.random.chance(50);
        let narrow = self.random.chance(30) && bits > 1;
        let zero = match self.random.chance(20) && bits > 1 {
            true => self.random.between(-3, 5),
            false => 0,
        };
        let mode = *self.random.pick(MODES);
        let numbers = [scale, zero as f32, bits as f32];
        let names = numbers.map(|number| self.scalar(number));
        let at = self.at.clone();
        let inputs = [at.as_str(), &names[0], &names[1], &names[2]];
        let attributes = [
            ("signed", Attribute::Int(i64::from(signed))),
            ("narrow", Attribute::Int(i64::from(narrow))),
            ("rounding_mode", Attribute::Text(mode)),
        ];
        self.at = self.file.custom("Quant", &inputs, &attributes);
        self.size = f64::from(scale) * f64::from(1 << bits).min(16.0) / 3.0;
        self.coded = true;
    }

    /// A layer that keeps the shape but for its channels, on codes.
    pub(super) fn same_size(&mut self, channels: usize) {
        let (rank, own) = (self.shape.len(), self.shape[self.channels()]);
        if !self.is_picture() {
            let weights = self.quantised(&[own, channels], 1);
            self.push("MatMul", &[&weights], &[]);
            self.shape[rank - 1] = channels;
            return;
        }
        let axes = rank - 2;
        let wide = self.random.chance(50);
        let kernel = vec![if wide { 3 } else { 1 }; axes];
        let pads = vec![i64::from(wide); 2 * axes];
        let depthwise = own == channels && self.random.chance(30);
        let depth = if depthwise { 1 } else { own };
        let shape = [&[channels, depth], &kernel[..]].concat();
        let weights = self.quantised(&shape, 0);
        let kernel: Vec<i64> = kernel.iter().map(|length| *length as i64).collect();
        let attributes = [
            ("kernel_shape", Attribute::Ints(&kernel)),
            ("pads", Attribute::Ints(&pads)),
            (
                "group",
                Attribute::Int(if depthwise { own as i64 } else { 1 }),
            ),
        ];
        self.push("Conv", &[&weights], &attributes);
        self.shape[1] = channels;
    }

    pub(super) fn channels(&self) -> usize {
        if self.is_picture() {
            1
        } else {
            self.shape.len() - 1
        }
    }

    /// Operators without another shape.
    pub(super) fn calm(&mut self) {
        for _ in 0..self.random.below(3) {
            match self.random.below(4) {
                0 | 1 => self.affine(),
                2 if self.shape.len() > 1 => self.batch_norm(),
                _ => self.curve(),
            }
        }
    }

    /// A branch from codes to codes of that scale, or to whatever a quantiser makes of them.
    fn branch(&mut self, channels: usize, scale: Option<f32>) {
        let own = self.shape[self.channels()];
        let layers = self.random.below(3).max(usize::from(own != channels));
        for layer in 0..layers {
            self.same_size(channels);
            self.calm();
            if layer + 1 < layers {
                self.quantise();
            }
        }
        match scale {
            None if layers == 0 && self.random.chance(50) => {}
            None => self.quantise(),
            // The branch itself, or what a product adds up.
            Some(_) if self.random.chance(10) && self.coded => {}
            Some(scale) => self.coded_to(scale),
        }
    }

    /// Scales of branches: the same, powers of two apart, or any.
    fn scales(&mut self, count: usize) -> (Vec<f32>, bool) {
        let about = self.size;
        let first = self.scale(about / 2.0);
        let kind = self.random.below(10);
        let scales = (0..count).map(|_| match kind {
            0..=3 => first,
            4..=7 => first * (self.random.between(-2, 3) as f32).exp2(),
            _ => self.scale(about / 2.0),
        });
        (scales.collect(), kind < 8)
    }

    /// Branches that are added up.
    pub(super) fn residual(&mut self) {
        let start = self.place();
        let channels = self.shape[self.channels()];
        let count = if self.random.chance(20) { 3 } else { 2 };
        let (scales, _) = self.scales(count);
        let related = self.random.chance(85);
        let mut sum: Option<(String, f64)> = None;
        for scale in scales {
            self.go(&start);
            self.branch(channels, related.then_some(scale));
            let (end, size) = (self.at.clone(), self.size);
            sum = Some(match sum {
                None => (end, size),
                Some((before, larger)) => {
                    let op = if self.random.chance(25) { "Sub" } else { "Add" };
                    let swapped = self.random.chance(50);
                    let pair = if swapped {
                        [&end, &before]
                    } else {
                        [&before, &end]
                    };
                    (
                        self.file.node(op, &pair.map(String::as_str), &[]),
                        size + larger,
                    )
                }
            });
        }
        (self.at, self.size) = sum.unwrap();
        self.coded = related && self.random.chance(30);
    }

    /// Branches side by side.
    fn side_by_side(&mut self) {
        let start = self.place();
        let axis = self.channels();
        let count = self.random.between(2, 3) as usize;
        let (scales, related) = self.scales(count);
        let (mut parts, mut channels, mut size) = (Vec::new(), 0, 0f64);
        for scale in scales {
            self.go(&start);
            let own = *self.random.pick(&[1, 2, 3, start.shape[axis]]);
            self.branch(own, Some(scale));
            channels += self.shape[axis];
            size = size.max(self.size);
            parts.push(self.at.clone());
        }
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let axis_name = [("axis", Attribute::Int(axis as i64))];
        self.at = self.file.node("Concat", &names, &axis_name);
        self.shape[axis] = channels;
        self.size = size;
        self.coded = related && self.random.chance(40);
    }

    /// A value and itself.
    fn twice(&mut self) {
        let at = self.at.clone();
        self.at = self.file.node("Add", &[&at, &at], &[]);
        self.size *= 2.0;
        self.coded = self.random.chance(50);
    }

    /// What no output depends on.
    fn dead(&mut self) {
        let place = self.place();
        self.same_size(2);
        match self.random.below(3) {
            0 => self.quantise(),
            1 => self.push("Softmax", &[], &[]),
            _ => {}
        }
        self.go(&place);
    }

    fn upsample(&mut self) {
        let axes = self.shape.len() - 2;
        let factors: Vec<usize> = (0..axes)
            .map(|_| self.random.between(1, 3) as usize)
            .collect();
        if self.file.opset < 11 || self.elements() > 400 {
            return;
        }
        let mut scales = vec![1.0, 1.0];
        scales.extend(factors.iter().map(|factor| *factor as f32));
        let scales = self.constant(&[axes + 2], &scales);
        let (coordinates, nearest) = *self.random.pick(&[
            ("asymmetric", "floor"),
            ("half_pixel", "round_prefer_floor"),
            ("half_pixel", "round_prefer_ceil"),
            ("pytorch_half_pixel", "round_prefer_floor"),
            ("tf_half_pixel_for_nn", "floor"),
        ]);
        let coded = self.coded;
        let attributes = [
            ("mode", Attribute::Text("nearest")),
            (
                "coordinate_transformation_mode",
                Attribute::Text(coordinates),
            ),
            ("nearest_mode", Attribute::Text(nearest)),
        ];
        // Before version 13 the region, which nothing looks at, is no option.
        let region = match self.file.opset < 13 {
            true => self.file.constant(&[0], &[], true),
            false => String::new(),
        };
        self.push("Resize", &[&region, &scales], &attributes);
        for (length, factor) in self.shape[2..].iter_mut().zip(&factors) {
            *length *= factor;
        }
        self.coded = coded;
    }

    fn transposed(&mut self) {
        if self.elements() > 400 {
            return;
        }
        let channels = self.shape[1];
        let axes = self.shape.len() - 2;
        let divisors: Vec<usize> = (1..=channels)
            .filter(|group| channels.is_multiple_of(*group))
            .collect();
        let group = match self.random.chance(40) {
            true => *self.random.pick(&divisors),
            false => 1,
        };
        let filters = group * *self.random.pick(&[1, 1, 2, 3]);
        let [mut kernel, mut strides, mut dilations, mut more, mut ends] =
            [const { Vec::new() }; 5];
        let mut begins: Vec<i64> = Vec::new();
        for axis in 0..axes {
            let (size, stride) = (self.random.between(1, 4), self.random.between(1, 3));
            let dilation = *self.random.pick(&[1, 1, 1, 2]);
            let span = (size - 1) * dilation + 1;
            let [begin, end] = [0, 1].map(|_| self.random.between(0, size - 1));
            let extra = self.random.between(0, stride - 1);
            let made = (self.shape[axis + 2] as i64 - 1) * stride + span + extra - begin - end;
            // What is cropped away leaves something.
            let (begin, end) = if made > 0 { (begin, end) } else { (0, 0) };
            let made = (self.shape[axis + 2] as i64 - 1) * stride + span + extra - begin - end;
            self.shape[axis + 2] = made as usize;
            kernel.push(size);
            strides.push(stride);
            dilations.push(dilation);
            more.push(extra);
            begins.push(begin);
            ends.push(end);
        }
        let shape: Vec<usize> = [channels, filters / group]
            .into_iter()
            .chain(kernel.iter().map(|length| *length as usize))
            .collect();
        let by_input = group == channels && self.random.chance(50);
        let weights = self.quantised(&shape, usize::from(!by_input));
        let mut inputs = vec![weights];
        if self.random.chance(40) {
            let values: Vec<f32> = (0..filters).map(|_| self.value(self.size)).collect();
            inputs.push(self.constant(&[filters], &values));
        }
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let pads = [begins, ends].concat();
        let attributes = [
            ("kernel_shape", Attribute::Ints(&kernel)),
            ("strides", Attribute::Ints(&strides)),
            ("dilations", Attribute::Ints(&dilations)),
            ("pads", Attribute::Ints(&pads)),
            ("output_padding", Attribute::Ints(&more)),
            ("group", Attribute::Int(group as i64)),
        ];
        self.push("ConvTranspose", &names, &attributes);
        self.shape[1] = filters;
    }

    /// Something that no chain has.
    fn fork(&mut self) {
        match (self.random.below(20), self.is_picture()) {
            (0..=4, _) => self.residual(),
            (5 | 6, _) => self.side_by_side(),
            (7, _) => self.twice(),
            (8, _) => self.dead(),
            (9, true) => self.upsample(),
            (10 | 11, true) => self.transposed(),
            (12..=14, true) => self.block(),
            (15, true) => self.inception(),
            (12 | 16 | 17, _) => self.accumulators(),
            (13 | 18, _) => self.parted(),
            (14 | 19, _) => self.nested(),
            _ => self.residual(),
        }
    }
}

/// The network of that seed: always the same.
pub(crate) fn branched(seed: u64) -> Case {
    grown(Chain::new(seed))
}

/// The network of that seed where no operator rounds but quantisers, and all scales are powers of two.
pub(crate) fn branched_exactly(seed: u64) -> Case {
    let mut chain = Chain::new(seed ^ 0xe4ac7);
    (chain.ties, chain.exact) = (true, true);
    grown(chain)
}

fn grown(mut chain: Chain) -> Case {
    let grid = chain.begin();
    for _ in 0..chain.random.between(1, 3) {
        if !chain.coded {
            chain.calm();
            chain.quantise();
        }
        if chain.is_picture() && chain.random.chance(40) {
            chain.window();
            if !chain.coded {
                chain.quantise();
            }
        }
        chain.fork();
        if chain.random.chance(60) {
            chain.calm();
        }
    }
    if chain.random.chance(60) {
        if !chain.coded {
            chain.quantise();
        }
        chain.layer();
    }
    if chain.random.chance(30) {
        chain.quantise();
    }
    let labels = chain.finish();
    if chain.at == "in" {
        chain.push("Identity", &[], &[]);
    }
    chain.case(grid, labels)
}
