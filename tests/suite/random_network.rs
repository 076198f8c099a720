//! Generator of random quantised networks with everything that multi-layer perceptrons are made of.
//! Must not know what is tested on them.

use finnp::network::Coding;
use finnp::pass::Grid;
use finnp::tensor::{DataType, PerChannel};

use super::proto::{Attribute, File};
use super::random::Random;

/// A chain of operators under construction.
pub(super) struct Chain {
    pub(super) random: Random,
    pub(super) file: File,
    /// The last tensor and its shape.
    pub(super) at: String,
    pub(super) shape: Vec<usize>,
    /// About how large its values are.
    pub(super) size: f64,
    /// All scales are powers of two, so that ties are everywhere.
    pub(super) ties: bool,
    /// No operator but a quantiser rounds in f32, if scales are powers of two.
    pub(super) exact: bool,
    /// The last tensor is an activation that a product may read.
    pub(super) coded: bool,
    /// Tensors of three axes are signals: channels are axis 1.
    pub(super) signal: bool,
}

/// A network and what it is fed.
pub(crate) struct Case {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// What arrives; none where the first operator is a quantiser.
    pub(crate) grid: Option<Grid>,
    /// Name of the output.
    pub(crate) output: String,
    /// Whether the network ends in an arg-max.
    pub(crate) labels: bool,
}

impl Case {
    /// The beginning of a manifest that says what arrives: more sections may follow.
    pub(crate) fn manifest(&self) -> String {
        let mut manifest =
            String::from("[project]\nname = \"random\"\n[model]\npath = \"model.onnx\"\n");
        if let Some(grid) = &self.grid {
            let (scale, bias) = (grid.coding.scale.at(0), grid.coding.bias.at(0));
            let zero_point = (-bias / scale).round();
            manifest += &format!(
                "[input]\ntype = \"{}\"\nscale = {scale:?}\nzero_point = {zero_point}\n",
                grid.element
            );
        }
        manifest
    }
}

impl Chain {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let opset = *random.pick(&[9, 11, 12, 13, 15, 17]);
        let domain = *random.pick(&[
            "qonnx.custom_op.general",
            "onnx.brevitas",
            "finn.custom_op.general",
        ]);
        let ties = random.chance(40);
        let mut shape = vec![1, *random.pick(&[1, 2, 3, 5, 7, 9, 12, 16, 17, 23, 31])];
        let signal = random.chance(8);
        if random.chance(50) || signal {
            shape = vec![1];
            let large = random.chance(50);
            let most = if large { [5, 9, 8] } else { [4, 4, 3] };
            for most in &most[usize::from(signal)..] {
                shape.push(random.between(1, *most) as usize);
            }
        }
        let mut file = File::new(opset, domain);
        file.input("in", &shape);
        Chain {
            random,
            file,
            at: "in".into(),
            shape,
            size: 1.0,
            ties,
            exact: false,
            coded: false,
            signal,
        }
    }

    /// A positive number near `about`; a power of two where ties are wanted.
    pub(super) fn scale(&mut self, about: f64) -> f32 {
        match self.ties {
            true => about.max(1e-6).log2().round().exp2() as f32,
            false => (about * self.random.number(0.7, 1.4)).max(1e-6) as f32,
        }
    }

    /// A number up to about `size`, on a coarse binary grid where ties are wanted.
    pub(super) fn value(&mut self, size: f64) -> f32 {
        let value = self.random.number(-1.5, 1.5) * size;
        match self.ties {
            true => {
                let step = (size.max(1e-6).log2().floor() - 3.0).exp2();
                ((value / step).round() * step) as f32
            }
            false => value as f32,
        }
    }

    pub(super) fn gain(&mut self) -> f32 {
        match self.random.below(10) {
            0 => 0.0,
            1 => -0.0,
            2..=4 => -self.scale(1.0),
            _ => self.scale(1.0),
        }
    }

    fn mask(&mut self) -> f32 {
        *self.random.pick(&[0.0, 1.0])
    }

    /// A constant, stored in one of several ways.
    pub(super) fn constant(&mut self, shape: &[usize], values: &[f32]) -> String {
        match self.random.below(4) {
            0 => self.file.constant_node(shape, values),
            kind => self.file.constant(shape, values, kind == 1),
        }
    }

    pub(super) fn scalar(&mut self, value: f32) -> String {
        let rank = self.random.below(3);
        let shape = vec![1; rank.min(self.shape.len())];
        self.constant(&shape, &[value])
    }

    pub(super) fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    pub(super) fn channel_axis(&self) -> usize {
        if self.shape.len() == 4 || self.signal {
            1
        } else {
            self.shape.len() - 1
        }
    }

    /// A shape that broadcasts to one value per channel.
    fn channel_shape(&mut self) -> Vec<usize> {
        let axis = self.channel_axis();
        let mut shape: Vec<usize> = vec![1; self.shape.len()];
        shape[axis] = self.shape[axis];
        if self.random.chance(50) {
            shape.remove(0);
        }
        shape
    }

    /// One value, one per channel, or one per element.
    fn operand(&mut self, make: fn(&mut Self) -> f32) -> String {
        let shape = match self.random.below(10) {
            0..=2 => {
                let value = make(self);
                return self.scalar(value);
            }
            3 => self.shape.clone(),
            _ => self.channel_shape(),
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| make(self)).collect();
        self.constant(&shape, &values)
    }

    pub(super) fn push(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) {
        let mut all = vec![self.at.as_str()];
        all.extend(inputs);
        let all: Vec<String> = all.into_iter().map(str::to_owned).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        self.at = self.file.node(op, &all, attributes);
        self.coded = false;
    }

    pub(super) fn affine(&mut self) {
        // Scales that differ per channel cannot be added up; mostly a quantiser follows them.
        let mut kept = self.coded;
        match self.random.below(5) {
            0 => {
                kept &= self.random.chance(5);
                let masked = self.random.chance(20);
                let gain = self.operand(if masked { Chain::mask } else { Chain::gain });
                self.push("Mul", &[&gain], &[]);
            }
            1 => self.affine_bias(),
            2 => {
                let bias = self.operand(|chain| chain.value(chain.size));
                self.push("Sub", &[&bias], &[]);
            }
            3 => {
                kept &= self.random.chance(5);
                let divisor = self.operand(|chain| chain.scale(1.0));
                self.push("Div", &[&divisor], &[]);
            }
            _ => {
                kept = false;
                let bias = self.operand(|chain| chain.value(chain.size));
                let at = self.at.clone();
                self.at = self.file.node("Sub", &[&bias, &at], &[]);
            }
        }
        self.coded = kept;
    }

    /// A number that is added to all, or one to each channel.
    pub(super) fn affine_bias(&mut self) {
        let bias = self.operand(|chain| chain.value(chain.size));
        self.push("Add", &[&bias], &[]);
    }

    pub(super) fn batch_norm(&mut self) {
        // The parameters lie along axis 1, whatever the rank.
        let channels = self.shape[1];
        let mut parameters = Vec::new();
        for kind in 0..4 {
            let values: Vec<f32> = (0..channels)
                .map(|_| match kind {
                    0 if self.exact => self.gain(),
                    0 => self.gain() * self.size as f32,
                    3 if self.exact => (self.random.between(-1, 1) as f32 * 2.0).exp2(),
                    3 => (self.size * self.size) as f32 * self.random.number(0.3, 2.0) as f32,
                    _ => self.value(self.size),
                })
                .collect();
            parameters.push(self.constant(&[channels], &values));
        }
        let names: Vec<&str> = parameters.iter().map(String::as_str).collect();
        let epsilon = match self.exact {
            true => 0.0,
            false => *self.random.pick(&[1e-5, 1e-3]),
        };
        self.push(
            "BatchNormalization",
            &names,
            &[("epsilon", Attribute::Float(epsilon))],
        );
    }

    fn clip(&mut self) {
        let (low, high) = (-self.scale(self.size), self.scale(self.size));
        match self.file.opset < 11 {
            true => self.push(
                "Clip",
                &[],
                &[
                    ("min", Attribute::Float(low)),
                    ("max", Attribute::Float(high)),
                ],
            ),
            false => {
                let low = self.file.constant(&[], &[low], false);
                let high = self.file.constant(&[], &[high], true);
                match self.random.below(3) {
                    0 => self.push("Clip", &[&low], &[]),
                    1 => self.push("Clip", &["", &high], &[]),
                    _ => self.push("Clip", &[&low, &high], &[]),
                }
            }
        }
    }

    pub(super) fn curve(&mut self) {
        let slope = Attribute::Float(self.random.number(0.0, 0.5) as f32);
        let kinds = if self.exact { 2 } else { 13 };
        match self.random.below(kinds) {
            1 if self.exact => self.clip(),
            0 | 1 => self.push("Relu", &[], &[]),
            2 => self.push("LeakyRelu", &[], &[("alpha", slope)]),
            3 | 4 => self.clip(),
            5 => self.push("Sigmoid", &[], &[]),
            6 => self.push("Tanh", &[], &[]),
            7 => self.push("HardSigmoid", &[], &[("alpha", slope)]),
            8 => self.push("Elu", &[], &[("alpha", slope)]),
            9 => self.push("Selu", &[], &[]),
            10 => self.push("Softplus", &[], &[]),
            11 => self.push("Softsign", &[], &[]),
            _ => {
                let slope = self.operand(|chain| chain.scale(0.25));
                self.push("PRelu", &[&slope], &[]);
            }
        }
        self.size = self.size.min(2.0);
    }

    /// What changes nothing but names and shapes.
    fn idle(&mut self) {
        let kept = self.coded;
        match self.random.below(6) {
            0 => self.push("Identity", &[], &[]),
            1 => self.push("Dropout", &[], &[]),
            2 if self.shape.len() == 2 && !self.signal => {
                let count = self.elements();
                let divisor = (1..=count)
                    .rev()
                    .find(|d| count.is_multiple_of(*d) && *d <= self.random.below(5) + 1);
                let first = divisor.unwrap_or(1);
                self.reshape(vec![1, first, count / first]);
            }
            3 => self.flatten(),
            4 if self.shape.len() == 4 && self.shape[1] == 1 => {
                self.push(
                    "Transpose",
                    &[],
                    &[("perm", Attribute::Ints(&[0, 2, 3, 1]))],
                );
                self.shape = vec![1, self.shape[2], self.shape[3], 1];
            }
            _ => {}
        }
        self.coded = kept;
    }

    fn reshape(&mut self, shape: Vec<usize>) {
        let lengths: Vec<i64> = shape.iter().map(|&length| length as i64).collect();
        let target = self.file.integers(&lengths);
        self.push("Reshape", &[&target], &[]);
        self.shape = shape;
    }

    pub(super) fn flatten(&mut self) {
        let kept = self.coded;
        match self.random.chance(50) {
            true => self.push("Flatten", &[], &[]),
            false => {
                let target = self.file.integers(&[1, -1]);
                self.push("Reshape", &[&target], &[]);
            }
        }
        self.shape = vec![1, self.elements()];
        self.signal = false;
        self.coded = kept;
    }

    /// Operators between two layers.
    pub(super) fn tail(&mut self) {
        for _ in 0..self.random.below(5) {
            match self.random.below(10) {
                0..=3 => self.affine(),
                4 | 5 => self.batch_norm(),
                6 | 7 => self.curve(),
                _ => self.idle(),
            }
        }
    }

    /// What the host feeds: a grid of the manifest, or nothing where the first operator is a quantiser.
    pub(super) fn begin(&mut self) -> Option<Grid> {
        if self.random.chance(35) {
            match self.random.chance(20) {
                true => {
                    let scale = self.scale(1.0);
                    let scale = self.scalar(scale);
                    let at = self.at.clone();
                    self.at = self.file.custom("BipolarQuant", &[&at, &scale], &[]);
                    self.coded = true;
                }
                false => self.quant("ROUND"),
            }
            return None;
        }
        let element = *self.random.pick(&[
            DataType::Uint(8),
            DataType::Int(8),
            DataType::Uint(1),
            DataType::Uint(5),
            DataType::Int(3),
            DataType::Bipolar,
            DataType::Ternary,
        ]);
        let scale = f64::from(self.scale(2.0 / element.max() as f64));
        let zero = if self.random.chance(30) {
            self.random.between(-3, 9)
        } else {
            0
        };
        self.coded = true;
        Some(Grid {
            element,
            coding: Coding {
                scale: PerChannel::Same(scale),
                bias: PerChannel::Same(-scale * zero as f64),
            },
        })
    }

    pub(super) fn finish(&mut self) -> bool {
        for _ in 0..self.random.below(3) {
            self.affine();
        }
        let axis = self.shape.len() as i64 - 1;
        let axis = || [("axis", Attribute::Int(axis))];
        match self.random.below(6) {
            0 if !self.exact => self.push("Softmax", &[], &axis()),
            1 => {
                let mut attributes = axis().into_iter().collect::<Vec<_>>();
                let keep = self.random.chance(50);
                attributes.push(("keepdims", Attribute::Int(i64::from(keep))));
                self.push("ArgMax", &[], &attributes);
                match keep {
                    true => *self.shape.last_mut().unwrap() = 1,
                    false => drop(self.shape.pop()),
                }
                return true;
            }
            _ => {}
        }
        false
    }

    /// The network that ends here.
    pub(super) fn case(mut self, grid: Option<Grid>, labels: bool) -> Case {
        self.file.output(&self.at, &self.shape, labels);
        Case {
            bytes: self.file.bytes(),
            grid,
            output: self.at,
            labels,
        }
    }
}

/// The network of that seed: always the same.
pub(crate) fn case(seed: u64) -> Case {
    let mut chain = Chain::new(seed);
    let grid = chain.begin();
    let layers = chain.random.between(1, 5);
    for layer in 0..layers {
        chain.tail();
        if !chain.coded {
            chain.quantise();
        }
        for _ in 0..chain.random.below(2) {
            chain.idle();
        }
        if chain.random.chance(15) {
            chain.affine();
        }
        if layer > 0 || chain.random.chance(90) {
            if !chain.coded {
                chain.quantise();
            }
            chain.layer();
        }
    }
    if chain.random.chance(70) {
        chain.tail();
    }
    if chain.random.chance(30) {
        chain.quantise();
    }
    let labels = chain.finish();
    if chain.at == "in" || chain.random.chance(20) {
        chain.push("Identity", &[], &[]);
    }
    chain.case(grid, labels)
}
