//! Random quantisers, weights and dense layers.
//! Must not know the order in which they are used.

use super::proto::Attribute;
use super::random_network::Chain;

pub(super) const MODES: &[&str] = &[
    "ROUND",
    "HALF_EVEN",
    "CEIL",
    "FLOOR",
    "UP",
    "DOWN",
    "HALF_UP",
    "HALF_DOWN",
];

impl Chain {
    pub(super) fn quantise(&mut self) {
        match self.random.below(10) {
            0 | 1 => {
                let scale = self.scale(self.size);
                let scale_name = self.scalar(scale);
                let at = self.at.clone();
                self.at = self.file.custom("BipolarQuant", &[&at, &scale_name], &[]);
                self.size = f64::from(scale);
            }
            2 | 3 => self.multi_threshold(),
            _ => {
                let mode = *self.random.pick(MODES);
                self.quant(mode);
            }
        }
        self.coded = true;
    }

    pub(super) fn quant(&mut self, mode: &str) {
        let bits = *self.random.pick(&[1, 2, 2, 3, 4, 4, 5, 8]);
        let signed = self.random.chance(60);
        let narrow = self.random.chance(30) && bits > 1;
        let zero = if self.random.chance(25) && bits > 1 {
            self.random.between(-3, 5)
        } else {
            0
        };
        let levels = f64::from(1 << bits).min(16.0);
        let scale = self.scale(3.0 * self.size / levels);
        let names = [
            self.scalar(scale),
            self.scalar(zero as f32),
            self.scalar(bits as f32),
        ];
        let at = self.at.clone();
        let op = if self.random.chance(20) {
            "IntQuant"
        } else {
            "Quant"
        };
        self.at = self.file.custom(
            op,
            &[&at, &names[0], &names[1], &names[2]],
            &[
                ("signed", Attribute::Int(i64::from(signed))),
                ("narrow", Attribute::Int(i64::from(narrow))),
                ("rounding_mode", Attribute::Text(mode)),
            ],
        );
        self.size = f64::from(scale) * levels / 3.0;
        self.coded = true;
    }

    pub(super) fn multi_threshold(&mut self) {
        let steps = *self.random.pick(&[1, 1, 2, 3, 7, 15]);
        let thresholds = self.thresholds(steps);
        let scale = self.scale(1.0);
        let bias = match self.random.below(4) {
            0 => 0.0,
            1 => -scale / 2.0,
            2 => -scale,
            _ => self.value(1.0),
        };
        self.threshold_to(&thresholds, steps, scale, bias);
    }

    /// So many thresholds in a row, for all channels or for each.
    pub(super) fn thresholds(&mut self, steps: usize) -> String {
        let axis = self.channel_axis();
        // Channels are axis 1, so only there can rows differ.
        let rows = if axis == 1 && self.random.chance(60) {
            self.shape[1]
        } else {
            1
        };
        let mut values = Vec::new();
        for _ in 0..rows {
            let mut row: Vec<f32> = (0..steps).map(|_| self.value(self.size)).collect();
            row.sort_by(f32::total_cmp);
            values.extend(row);
        }
        self.constant(&[rows, steps], &values)
    }

    /// How many of so many thresholds are reached, as numbers of that scale and bias.
    pub(super) fn threshold_to(&mut self, thresholds: &str, steps: usize, scale: f32, bias: f32) {
        let at = self.at.clone();
        let mut attributes = vec![
            ("out_scale", Attribute::Float(scale)),
            ("out_bias", Attribute::Float(bias)),
        ];
        if self.signal {
            attributes.push(("data_layout", Attribute::Text("NCW")));
        }
        self.at = self
            .file
            .custom("MultiThreshold", &[&at, thresholds], &attributes);
        self.size = f64::from(scale) * steps as f64 / 2.0;
    }

    /// Quantised weights `[depth, rows]`, or `[rows, depth]` if `turned`.
    fn weights(&mut self, depth: usize, rows: usize, turned: bool) -> String {
        match turned {
            true => self.quantised(&[rows, depth], 0),
            false => self.quantised(&[depth, rows], 1),
        }
    }

    /// Quantised weights of that shape, one row for every index of `axis`.
    pub(super) fn quantised(&mut self, shape: &[usize], axis: usize) -> String {
        let (count, rows) = (shape.iter().product(), shape[axis]);
        let size = self.scale(1.0 / ((count / rows) as f64).sqrt());
        let values: Vec<f32> = (0..count)
            .map(|_| match self.random.below(12) {
                0 => 0.0,
                1 => -0.0,
                _ => self.value(f64::from(size)),
            })
            .collect();
        let float = self.constant(shape, &values);
        let bits = *self.random.pick(&[1, 2, 2, 3, 4, 8]);
        let about = f64::from(size) * 2.0 / f64::from(1 << (bits - 1));
        let scale = match self.random.chance(40) {
            true => {
                let scales: Vec<f32> = (0..rows).map(|_| self.scale(about)).collect();
                let mut along = vec![1; shape.len()];
                along[axis] = rows;
                self.constant(&along, &scales)
            }
            false => {
                let scale = self.scale(about);
                self.scalar(scale)
            }
        };
        if bits == 1 && self.random.chance(70) {
            let weights = self.file.custom("BipolarQuant", &[&float, &scale], &[]);
            return self.masked(weights, shape);
        }
        let (zero, bits) = (self.scalar(0.0), self.scalar(bits as f32));
        let mode = *self.random.pick(MODES);
        let narrow = i64::from(self.random.chance(50));
        let weights = self.file.custom(
            "Quant",
            &[&float, &scale, &zero, &bits],
            &[
                ("signed", Attribute::Int(1)),
                ("narrow", Attribute::Int(narrow)),
                ("rounding_mode", Attribute::Text(mode)),
            ],
        );
        self.masked(weights, shape)
    }

    /// Weights of that shape, some of them pruned: times a mask of single weights, of lines, or of all.
    fn masked(&mut self, weights: String, shape: &[usize]) -> String {
        if self.random.chance(70) {
            return weights;
        }
        let mut shape = match (self.random.below(8), shape) {
            (0, [_, columns]) => vec![1, *columns],
            (1, [rows, ..]) => [&[*rows], &vec![1; shape.len() - 1][..]].concat(),
            (2, [_, columns]) => vec![*columns],
            (3, _) => vec![1; shape.len()],
            _ => shape.to_vec(),
        };
        let kept = *self.random.pick(&[0, 25, 50, 90]);
        let mask: Vec<f32> = (0..shape.iter().product())
            .map(|_| f32::from(u8::from(self.random.chance(kept))))
            .collect();
        if mask.len() == 1 && self.random.chance(50) {
            shape.clear();
        }
        let mask = self.constant(&shape, &mask);
        match self.random.chance(50) {
            true => self.file.node("Mul", &[&mask, &weights], &[]),
            false => self.file.node("Mul", &[&weights, &mask], &[]),
        }
    }

    pub(super) fn layer(&mut self) {
        if self.shape.len() == 4 && self.random.chance(70) || self.signal {
            for _ in 0..self.random.between(0, 3) {
                if self.shape.len() != 4 && !self.signal {
                    break;
                }
                self.window();
                if self.random.chance(30) {
                    self.tail();
                }
                if self.random.chance(50) {
                    self.quantise();
                }
            }
            if !self.coded {
                self.quantise();
            }
        }
        if self.shape.len() > 3 || self.signal || (self.shape.len() > 2 && self.random.chance(70)) {
            self.flatten();
        }
        let depth = self.shape[self.shape.len() - 1];
        let rows = *self.random.pick(&[1, 2, 3, 5, 6, 8, 11, 13, 20]);
        match self.shape.len() == 2 && self.random.chance(50) {
            true => self.gemm(depth, rows),
            false => {
                let turned = self.random.chance(40);
                let mut weights = self.weights(depth, rows, turned);
                if turned {
                    let axes = Attribute::Ints(&[1, 0]);
                    weights = self.file.node("Transpose", &[&weights], &[("perm", axes)]);
                    weights = self.masked(weights, &[depth, rows]);
                }
                self.push("MatMul", &[&weights], &[]);
            }
        }
        let last = self.shape.len() - 1;
        self.shape[last] = rows;
        self.coded = false;
    }

    fn gemm(&mut self, depth: usize, rows: usize) {
        let turned = self.random.chance(60);
        let weights = self.weights(depth, rows, turned);
        let mut attributes = vec![("transB", Attribute::Int(i64::from(turned)))];
        if self.random.chance(40) {
            let alpha = *self.random.pick(&[0.5, 2.0, -1.0, 0.3]);
            attributes.push(("alpha", Attribute::Float(alpha)));
        }
        let mut inputs = vec![weights];
        if self.random.chance(60) || self.file.opset < 11 {
            let values: Vec<f32> = (0..rows).map(|_| self.value(self.size)).collect();
            let shape = if self.random.chance(50) {
                vec![rows]
            } else {
                vec![1, rows]
            };
            inputs.push(self.constant(&shape, &values));
            if self.random.chance(40) {
                let beta = *self.random.pick(&[0.5, 2.0, -1.5]);
                attributes.push(("beta", Attribute::Float(beta)));
            }
        }
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.push("Gemm", &names, &attributes);
    }
}
