//! Random blocks of residual networks: projections with strides, sums of accumulators, values that part in the middle
//! of what lies between a layer and its quantiser, and pools beside convolutions.
//! Must not know what is tested on them.

use super::proto::Attribute;
use super::random_layer::MODES;
use super::random_network::Chain;

impl Chain {
    /// Codes of that scale, from any of the quantisers.
    pub(super) fn coded_to(&mut self, scale: f32) {
        match self.random.below(8) {
            0 => {
                let (name, at) = (self.scalar(scale), self.at.clone());
                self.at = self.file.custom("BipolarQuant", &[&at, &name], &[]);
                self.size = f64::from(scale);
                self.coded = true;
            }
            1 | 2 => {
                let steps = *self.random.pick(&[1, 2, 3, 7]);
                let bias = match self.random.below(4) {
                    0 => 0.0,
                    1 => -scale * steps as f32 / 2.0,
                    2 => -scale,
                    _ => self.value(1.0),
                };
                let thresholds = self.thresholds(steps);
                self.threshold_to(&thresholds, steps, scale, bias);
                self.coded = true;
            }
            _ => self.quant_to(scale),
        }
    }

    /// A scale that an exact sum can have beside `scale`.
    fn beside(&mut self, scale: f32) -> f32 {
        match self.random.chance(40) {
            true => scale,
            false => scale * (self.random.between(-2, 2) as f32).exp2(),
        }
    }

    /// Weights whose rows along `axis` have these scales, one or one for each row.
    fn weights_of(&mut self, shape: &[usize], axis: usize, scales: &[f32]) -> String {
        let count: usize = shape.iter().product();
        let size = f64::from(scales[0]) * 2.0;
        let values: Vec<f32> = (0..count).map(|_| self.value(size)).collect();
        let float = self.constant(shape, &values);
        let mut along = vec![1; shape.len()];
        along[axis] = scales.len();
        let scale = self.constant(&along, scales);
        let (zero, bits) = (self.scalar(0.0), *self.random.pick(&[2.0, 3.0, 4.0]));
        let bits = self.scalar(bits);
        let mode = *self.random.pick(MODES);
        let attributes = [
            ("signed", Attribute::Int(1)),
            ("narrow", Attribute::Int(1)),
            ("rounding_mode", Attribute::Text(mode)),
        ];
        self.file
            .custom("Quant", &[&float, &scale, &zero, &bits], &attributes)
    }

    /// A convolution that pads as its kernel needs.
    fn strided(&mut self, weights: &str, (filters, size): (usize, usize), stride: i64, group: i64) {
        let axes = self.shape.len() - 2;
        let (kernel, strides) = (vec![size as i64; axes], vec![stride; axes]);
        let pads = vec![(size / 2) as i64; 2 * axes];
        let attributes = [
            ("kernel_shape", Attribute::Ints(&kernel)),
            ("strides", Attribute::Ints(&strides)),
            ("pads", Attribute::Ints(&pads)),
            ("group", Attribute::Int(group)),
        ];
        self.push("Conv", &[weights], &attributes);
        self.shape[1] = filters;
        for length in &mut self.shape[2..] {
            *length = (*length - 1) / stride as usize + 1;
        }
    }

    fn convolved(&mut self, filters: usize, size: usize, stride: i64) {
        let own = self.shape[1];
        let fits = |group: &usize| own.is_multiple_of(*group) && filters.is_multiple_of(*group);
        let groups: Vec<usize> = (1..=own).filter(fits).collect();
        let group = match self.random.chance(40) {
            true => *self.random.pick(&groups),
            false => 1,
        };
        let mut shape = vec![filters, own / group];
        shape.extend(vec![size; self.shape.len() - 2]);
        let weights = self.quantised(&shape, 0);
        self.strided(&weights, (filters, size), stride, group as i64);
    }

    /// A max-pool that keeps the size of the picture, or halves it.
    fn pooled(&mut self, stride: i64) {
        let axes = self.shape.len() - 2;
        let (kernel, strides, pads) = (vec![3; axes], vec![stride; axes], vec![1; 2 * axes]);
        let attributes = [
            ("kernel_shape", Attribute::Ints(&kernel)),
            ("strides", Attribute::Ints(&strides)),
            ("pads", Attribute::Ints(&pads)),
        ];
        let coded = self.coded;
        self.push("MaxPool", &[], &attributes);
        self.coded = coded;
        for length in &mut self.shape[2..] {
            *length = (*length - 1) / stride as usize + 1;
        }
    }

    /// The two parts of a sum or of a difference.
    fn summed(&mut self, a: &str, b: &str) {
        let op = if self.random.chance(25) { "Sub" } else { "Add" };
        self.at = self.file.node(op, &[a, b], &[]);
        self.size *= 2.0;
        self.coded = false;
    }

    /// A residual block of a picture: two convolutions beside the picture itself, a pool of it, or a projection.
    pub(super) fn block(&mut self) {
        let scale = self.scale(self.size / 2.0);
        self.quant_to(scale);
        let (start, own) = (self.place(), self.shape[1]);
        let stride = *self.random.pick(&[1, 1, 2]);
        let filters = match self.random.chance(50) {
            true => own,
            false => self.random.between(1, 6) as usize,
        };
        let sizes = [*self.random.pick(&[1, 3]), *self.random.pick(&[1, 3])];
        self.convolved(own, sizes[0], 1);
        self.calm();
        self.quantise();
        self.convolved(filters, sizes[1], stride);
        self.calm();
        let other = self.beside(scale);
        self.coded_to(other);
        let long = self.at.clone();
        self.go(&start);
        match (filters == own, stride, self.random.below(4)) {
            (true, 1, 0..=2) => {}
            (true, _, 0..=1) => self.pooled(stride),
            _ => {
                self.convolved(filters, 1, stride);
                self.calm();
                let other = self.beside(scale);
                self.coded_to(other);
            }
        }
        let short = self.at.clone();
        match self.random.chance(50) {
            true => self.summed(&long, &short),
            false => self.summed(&short, &long),
        }
        self.calm();
    }

    /// Sums of products that nothing quantises before they meet, with the same ratio of scales in every channel.
    pub(super) fn accumulators(&mut self) {
        let start = self.place();
        let (own, rank) = (start.shape[self.channels()], start.shape.len());
        let filters = self.random.between(1, 6) as usize;
        let count = if self.random.chance(50) { filters } else { 1 };
        let scales: Vec<f32> = (0..count).map(|_| self.scale(0.25)).collect();
        let picture = self.is_picture();
        let mut ends = Vec::new();
        for _ in 0..2 {
            self.go(&start);
            let ratio = self.beside(1.0);
            let scales: Vec<f32> = scales.iter().map(|scale| scale * ratio).collect();
            if picture {
                let size = *self.random.pick(&[1, 3]);
                let shape = [&[filters, own][..], &vec![size; rank - 2]].concat();
                let weights = self.weights_of(&shape, 0, &scales);
                self.strided(&weights, (filters, size), 1, 1);
            } else {
                let weights = self.weights_of(&[own, filters], 1, &scales);
                self.push("MatMul", &[&weights], &[]);
                self.shape[rank - 1] = filters;
            }
            if self.random.chance(40) {
                self.affine_bias();
            }
            ends.push(self.at.clone());
        }
        self.size *= own as f64 / 2.0;
        self.summed(&ends[0], &ends[1]);
        if self.random.chance(30) {
            // Read a third time, behind the sum of which it is a part.
            let (a, b) = (self.at.clone(), ends[0].clone());
            self.summed(&a, &b);
        }
        self.calm();
    }

    /// A value with several readers before anything quantises it, and what they make of it.
    pub(super) fn parted(&mut self) {
        let filters = self.random.between(1, 5) as usize;
        self.same_size(filters);
        if self.random.chance(60) {
            self.calm();
        }
        let start = self.place();
        let scale = self.scale(self.size / 2.0);
        let mut sum: Option<String> = None;
        for _ in 0..self.random.between(2, 3) {
            self.go(&start);
            if self.random.chance(50) {
                self.calm();
            }
            if self.random.chance(30) {
                self.quantise();
                self.same_size(filters);
            }
            let other = self.beside(scale);
            self.coded_to(other);
            let end = self.at.clone();
            match sum {
                Some(before) => self.summed(&before, &end),
                None => self.at = end,
            }
            sum = Some(self.at.clone());
        }
        self.coded = false;
    }

    /// Pools and convolutions of different sizes side by side, as they are or once more.
    pub(super) fn inception(&mut self) {
        let start = self.place();
        let scale = self.scale(self.size / 2.0);
        let (mut parts, mut channels) = (Vec::new(), 0);
        for _ in 0..self.random.between(1, 3) {
            self.go(&start);
            match self.random.below(4) {
                0 => self.pooled(1),
                1 => {}
                _ => {
                    let filters = self.random.between(1, 4) as usize;
                    let size = *self.random.pick(&[1, 3]);
                    self.convolved(filters, size, 1);
                    self.calm();
                }
            }
            if !self.coded || self.random.chance(60) {
                let other = self.beside(scale);
                self.coded_to(other);
            }
            for _ in 0..self.random.between(1, 10) / 9 + 1 {
                parts.push(self.at.clone());
                channels += self.shape[1];
            }
        }
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let axis = [("axis", Attribute::Int(1))];
        self.at = self.file.node("Concat", &names, &axis);
        self.shape[1] = channels;
        self.coded = false;
    }

    /// A residual block in a branch of another one.
    pub(super) fn nested(&mut self) {
        let start = self.place();
        let scale = self.scale(self.size / 2.0);
        self.residual();
        self.coded_to(scale);
        let inner = self.at.clone();
        self.go(&start);
        let other = self.beside(scale);
        self.coded_to(other);
        let outer = self.at.clone();
        self.summed(&inner, &outer);
    }
}
