//! Signals that only grow, and max-pools of channels that are all the same number: every level is the reference's.
//! Must not know how layers are found.

use finnp::pass::{fuse, streamline};
use finnp::qonnx::import;
use finnp::reference::levels;

use super::proto::{Attribute, File};
use super::pruned::random_frames;

/// A file under construction, and its last tensor.
struct Net {
    file: File,
    at: String,
}

impl Net {
    fn new(shape: &[usize]) -> Self {
        let mut file = File::new(13, "qonnx.custom_op.general");
        file.input("in", shape);
        let mut net = Net {
            file,
            at: "in".into(),
        };
        net.quant();
        net
    }

    fn quantised(&mut self, at: &str) -> String {
        let numbers = [0.5, 0.0, 4.0].map(|number| self.file.constant(&[], &[number], true));
        let inputs = [at, &numbers[0], &numbers[1], &numbers[2]];
        let signed = [("signed", Attribute::Int(1))];
        self.file.custom("Quant", &inputs, &signed)
    }

    fn quant(&mut self) {
        self.at = self.quantised(&self.at.clone());
    }

    fn weights(&mut self, shape: &[usize]) -> String {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|at| (at * 5 % 7) as f32 / 2.0 - 1.5)
            .collect();
        let weights = self.file.constant(shape, &values, true);
        self.quantised(&weights)
    }

    fn push(&mut self, op: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) {
        let all = [&[self.at.as_str()], inputs].concat();
        self.at = self.file.node(op, &all, attributes);
    }

    /// Every tensor of the integer network is the reference's.
    fn exact(mut self, shape: &[usize]) {
        self.file.output(&self.at, shape, false);
        let network = import(&self.file.bytes()).unwrap();
        let dataflow = streamline(&network, None, false).and_then(fuse).unwrap();
        let found = levels::compare(&network, &dataflow, &random_frames(&dataflow)).unwrap();
        assert!(found.equal() && found.tensors.len() > 1, "{found:?}");
    }
}

#[test]
fn a_signal_is_only_upsampled() {
    let mut net = Net::new(&[1, 3, 5]);
    let scales = net.file.constant(&[3], &[1.0, 1.0, 2.0], true);
    let way = [
        ("mode", Attribute::Text("nearest")),
        (
            "coordinate_transformation_mode",
            Attribute::Text("asymmetric"),
        ),
        ("nearest_mode", Attribute::Text("floor")),
    ];
    net.push("Resize", &["", &scales], &way);
    net.exact(&[1, 3, 10]);
}

#[test]
fn a_signal_is_only_convolved_backwards() {
    let mut net = Net::new(&[1, 4, 5]);
    let weights = net.weights(&[4, 3, 3]);
    let strides = [("strides", Attribute::Ints(&[2]))];
    net.push("ConvTranspose", &[&weights], &strides);
    net.quant();
    net.exact(&[1, 3, 11]);
}

/// Products whose second channel is multiplied by 0 before the pool, and added to behind it.
#[test]
fn a_pool_of_a_channel_that_is_one_number() {
    let mut net = Net::new(&[1, 3, 4, 4]);
    let weights = net.weights(&[2, 3, 1, 1]);
    net.push("Conv", &[&weights], &[]);
    let gains = net.file.constant(&[2, 1, 1], &[1.0, 0.0], true);
    net.push("Mul", &[&gains], &[]);
    let window = [
        ("kernel_shape", Attribute::Ints(&[2, 2])),
        ("strides", Attribute::Ints(&[2, 2])),
    ];
    net.push("MaxPool", &[], &window);
    let falling = net.file.constant(&[2, 1, 1], &[-1.0, 1.0], true);
    net.push("Mul", &[&falling], &[]);
    net.quant();
    net.exact(&[1, 2, 2, 2]);
}
