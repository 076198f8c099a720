//! Generator of small networks of one or two windowed operators with every attribute.
//! Must not know what is tested on them.

use super::proto::{Attribute, File};
use super::random::Random;

/// A file under construction.
struct Maker {
    random: Random,
    file: File,
    at: String,
    shape: Vec<usize>,
    /// Padding of SAME is given, so that kernels are dense and pads absent.
    auto: bool,
    /// Padding is given by `pads`.
    explicit: bool,
    /// No sum or mean rounds in f32.
    exact: bool,
}

/// A network and what it is fed.
pub(super) struct Case {
    pub(super) bytes: Vec<u8>,
    pub(super) shape: Vec<usize>,
    pub(super) output: String,
    pub(super) exact: bool,
}

/// `1, channels` and a picture of `axes` axes.
pub(super) fn case(seed: u64) -> Case {
    let mut random = Random::new(seed ^ 0x3117);
    let axes = random.between(1, 2) as usize;
    let mut shape = vec![1, random.between(1, 6) as usize];
    shape.extend((0..axes).map(|_| random.between(3, 9) as usize));
    let opset = *random.pick(&[10, 11, 13, 17, 18]);
    let mut file = File::new(opset, "qonnx.custom_op.general");
    file.version = random.between(1, 2);
    file.input("in", &shape);
    let mut maker = Maker {
        random,
        file,
        at: "in".into(),
        shape: shape.clone(),
        auto: false,
        explicit: true,
        exact: true,
    };
    if maker.random.chance(70) {
        maker.quant();
    }
    let before = maker.random.chance(40);
    if before {
        let x = maker.at.clone();
        maker.at = maker.file.node("Relu", &[&x], &[]);
        if maker.random.chance(50) {
            maker.quant();
        }
    }
    if maker.random.chance(25) {
        maker.pad();
    }
    match maker.random.below(8) {
        0..=3 => maker.conv(),
        4 | 5 => maker.pool("MaxPool"),
        6 => maker.pool("AveragePool"),
        _ => maker.whole(),
    }
    let output = maker.at.clone();
    let wanted = maker.shape.clone();
    maker.file.output(&output, &wanted, false);
    Case {
        bytes: maker.file.bytes(),
        shape,
        output,
        exact: maker.exact,
    }
}

impl Maker {
    fn quant(&mut self) {
        let x = self.at.clone();
        let per_channel = self.random.chance(30);
        let count = if per_channel { self.shape[1] } else { 1 };
        let mut shape = vec![1; self.shape.len()];
        shape[1] = count;
        let scales: Vec<f32> = (0..count)
            .map(|_| *self.random.pick(&[0.25, 0.5, 1.0]))
            .collect();
        let scale = match per_channel {
            true => self.file.constant(&shape, &scales, true),
            false => self.file.constant(&[], &scales, false),
        };
        let zero = self.file.constant(&[], &[0.0], true);
        let bits = self.file.constant(&[], &[4.0], true);
        let signed = self.random.between(0, 1);
        self.at = self.file.custom(
            "Quant",
            &[&x, &scale, &zero, &bits],
            &[
                ("signed", Attribute::Int(signed)),
                ("narrow", Attribute::Int(0)),
                ("rounding_mode", Attribute::Text("ROUND")),
            ],
        );
    }

    fn pad(&mut self) {
        let x = self.at.clone();
        let rank = self.shape.len();
        let axes = rank - 2;
        let ends: Vec<i64> = (0..2 * axes).map(|_| self.random.between(0, 2)).collect();
        let nothing = [0; 2];
        let pads = [&nothing[..], &ends[..axes], &nothing, &ends[axes..]].concat();
        self.at = match self.file.opset {
            10 => self
                .file
                .node("Pad", &[&x], &[("pads", Attribute::Ints(&pads))]),
            18 => {
                let (pads, value) = (
                    self.file.integers(&ends),
                    self.file.constant(&[], &[0.0], true),
                );
                let axes = self
                    .file
                    .integers(&(-(axes as i64)..0).collect::<Vec<i64>>());
                self.file.node("Pad", &[&x, &pads, &value, &axes], &[])
            }
            _ => {
                let pads = self.file.integers(&pads);
                self.file.node("Pad", &[&x, &pads], &[])
            }
        };
        for (axis, length) in self.shape[2..].iter_mut().enumerate() {
            *length += (ends[axis] + ends[axes + axis]) as usize;
        }
    }

    /// Attributes of a window with this kernel; the shape becomes the output's.
    fn window(
        &mut self,
        kernel: &[usize],
        dilated: bool,
    ) -> Vec<(&'static str, Vec<i64>, &'static str)> {
        let axes = kernel.len();
        let strides: Vec<i64> = (0..axes).map(|_| self.random.between(1, 3)).collect();
        let auto = *self
            .random
            .pick(&["", "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
        self.auto = auto.starts_with("SAME");
        let dilations: Vec<i64> = (0..axes)
            .map(|axis| match dilated && !self.auto && kernel[axis] < 3 {
                true => self.random.between(1, 2),
                false => 1,
            })
            .collect();
        let explicit = matches!(auto, "" | "NOTSET");
        self.explicit = explicit;
        let pads: Vec<i64> = (0..2 * axes)
            .map(|place| match explicit {
                true => self.random.between(0, kernel[place % axes] as i64 - 1),
                false => 0,
            })
            .collect();
        for axis in 0..axes {
            let (length, stride) = (self.shape[axis + 2] as i64, strides[axis]);
            let span = (kernel[axis] as i64 - 1) * dilations[axis] + 1;
            let padded = length + pads[axis] + pads[axes + axis];
            self.shape[axis + 2] = match self.auto {
                true => (length + stride - 1) / stride,
                false => (padded - span) / stride + 1,
            } as usize;
        }
        let mut attributes = vec![("strides", strides, "")];
        if explicit {
            attributes.push(("pads", pads, ""));
        }
        if dilations.iter().any(|d| *d > 1) {
            attributes.push(("dilations", dilations, ""));
        }
        if !auto.is_empty() {
            attributes.push(("auto_pad", Vec::new(), auto));
        }
        attributes
    }

    fn kernel(&mut self) -> Vec<usize> {
        let picture = self.shape[2..].to_vec();
        let longest = |length: &usize| 3.min(*length) as i64;
        picture
            .iter()
            .map(|length| self.random.between(1, longest(length)) as usize)
            .collect()
    }

    fn conv(&mut self) {
        let channels = self.shape[1];
        let groups: Vec<usize> = (1..=channels)
            .filter(|g| channels.is_multiple_of(*g))
            .collect();
        let group = *self.random.pick(&groups);
        let filters = group * self.random.between(1, 3) as usize;
        let kernel = self.kernel();
        let shape = [&[filters, channels / group], &kernel[..]].concat();
        let count: usize = shape.iter().product();
        let numbers: Vec<f32> = (0..count)
            .map(|_| self.random.between(-7, 7) as f32 / 4.0)
            .collect();
        let mut weights = self.file.constant(&shape, &numbers, true);
        if self.random.chance(60) {
            weights = self.quantised_weights(&weights, &shape);
        }
        let x = self.at.clone();
        let given = self.window(&kernel, true);
        let mut attributes = list(&given);
        let lengths: Vec<i64> = kernel.iter().map(|v| *v as i64).collect();
        if self.random.chance(50) {
            attributes.push(("kernel_shape", Attribute::Ints(&lengths)));
        }
        if group > 1 || self.random.chance(50) {
            attributes.push(("group", Attribute::Int(group as i64)));
        }
        let mut inputs = vec![x, weights];
        if self.random.chance(40) {
            let bias: Vec<f32> = (0..filters).map(|f| f as f32 / 2.0 - 1.0).collect();
            inputs.push(self.file.constant(&[filters], &bias, false));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.at = self.file.node("Conv", &inputs, &attributes);
        self.shape[1] = filters;
    }

    /// Per filter or with one scale for all.
    fn quantised_weights(&mut self, weights: &str, shape: &[usize]) -> String {
        let mut ones = vec![1; shape.len()];
        ones[0] = if self.random.chance(50) { shape[0] } else { 1 };
        let scales: Vec<f32> = (0..ones[0])
            .map(|_| *self.random.pick(&[0.25, 0.5]))
            .collect();
        let scale = self.file.constant(&ones, &scales, true);
        let zero = self.file.constant(&[], &[0.0], true);
        let bits = self.file.constant(&[], &[4.0], true);
        let narrow = [
            ("signed", Attribute::Int(1)),
            ("narrow", Attribute::Int(1)),
            ("rounding_mode", Attribute::Text("ROUND")),
        ];
        self.file
            .custom("Quant", &[weights, &scale, &zero, &bits], &narrow)
    }

    fn pool(&mut self, op: &str) {
        let kernel = self.kernel();
        let x = self.at.clone();
        let before = self.shape.clone();
        let given = self.window(&kernel, op == "MaxPool");
        let mut attributes = list(&given);
        let lengths: Vec<i64> = kernel.iter().map(|v| *v as i64).collect();
        attributes.push(("kernel_shape", Attribute::Ints(&lengths)));
        let mut padded = self.auto;
        let (mut strides, mut pads, mut dilations) =
            (vec![], vec![0; 2 * kernel.len()], vec![1; kernel.len()]);
        for (name, values, _) in &given {
            match *name {
                "strides" => strides.clone_from(values),
                "pads" => pads.clone_from(values),
                "dilations" => dilations.clone_from(values),
                _ => {}
            }
        }
        padded |= pads.iter().any(|pad| *pad > 0);
        if self.explicit && self.random.chance(30) {
            attributes.push(("ceil_mode", Attribute::Int(1)));
            for (axis, length) in kernel.iter().enumerate() {
                let inside = before[axis + 2] as i64 + pads[axis];
                let room =
                    inside + pads[kernel.len() + axis] - (*length as i64 - 1) * dilations[axis] - 1;
                let steps = (room + strides[axis] - 1) / strides[axis];
                let last = steps * strides[axis] < inside;
                self.shape[axis + 2] = (steps + i64::from(last)) as usize;
                padded |= last;
            }
        }
        if op == "AveragePool" {
            let counts = self.random.between(0, 1);
            attributes.push(("count_include_pad", Attribute::Int(counts)));
            let count: usize = kernel.iter().product();
            self.exact &= count.is_power_of_two() && (counts == 1 || !padded);
        }
        self.at = self.file.node(op, &[&x], &attributes);
        if op == "AveragePool" && self.random.chance(60) {
            self.trunc();
        }
    }

    /// Over the whole picture.
    fn whole(&mut self) {
        let x = self.at.clone();
        let axes = self.shape.len() as i64 - 2;
        let area: usize = self.shape[2..].iter().product();
        let mut shape = self.shape.clone();
        shape[2..].fill(1);
        self.at = match self.random.below(3) {
            0 => self.file.node("GlobalMaxPool", &[&x], &[]),
            1 => {
                self.exact &= area.is_power_of_two();
                self.file.node("GlobalAveragePool", &[&x], &[])
            }
            _ => {
                self.exact &= area.is_power_of_two();
                let list: Vec<i64> = (-axes..0).collect();
                let keep = self.random.between(0, 1);
                if keep == 0 {
                    shape.truncate(2);
                }
                let keep = ("keepdims", Attribute::Int(keep));
                match self.file.opset {
                    18 => {
                        let axes = self.file.integers(&list);
                        self.file.node("ReduceMean", &[&x, &axes], &[keep])
                    }
                    _ => self.file.node(
                        "ReduceMean",
                        &[&x],
                        &[("axes", Attribute::Ints(&list)), keep],
                    ),
                }
            }
        };
        self.shape = shape;
    }

    fn trunc(&mut self) {
        let x = self.at.clone();
        let mut numbers = vec![0.25, 0.0, 8.0];
        if self.file.version == 2 {
            numbers.push(*self.random.pick(&[0.25, 0.5, 1.0]));
        }
        numbers.push(*self.random.pick(&[4.0, 6.0]));
        let mut inputs = vec![x];
        inputs.extend(
            numbers
                .iter()
                .map(|number| self.file.constant(&[], &[*number], true)),
        );
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let mode = *self.random.pick(&["FLOOR", "CEIL", "ROUND"]);
        let mut attributes = vec![("rounding_mode", Attribute::Text(mode))];
        if self.file.version == 2 {
            let signed = self.random.between(0, 1);
            attributes.extend([
                ("signed", Attribute::Int(signed)),
                ("narrow", Attribute::Int(0)),
            ]);
        }
        self.at = self.file.custom("Trunc", &inputs, &attributes);
    }
}

fn list<'a>(given: &'a [(&'static str, Vec<i64>, &'static str)]) -> Vec<(&'a str, Attribute<'a>)> {
    let attribute = |(name, values, text): &'a (&'static str, Vec<i64>, &'static str)| {
        let value = match text.is_empty() {
            true => Attribute::Ints(values),
            false => Attribute::Text(text),
        };
        (*name, value)
    };
    given.iter().map(attribute).collect()
}
