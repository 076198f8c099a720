//! Quantise: a float network becomes one with explicit quantisers, of the bits that are asked for, on samples alone.
//!
//! What is affine behind a product is folded into it. Then the network is walked twice at once: as it is, and as it has
//! become so far. Each tensor that a product reads, an addition joins or a pool sums gets a quantiser, its channels
//! equalised where readers take that; each product gets levels for its weights that give the sums of the float network
//! best on what the quantised one reads, and a bias that corrects the mean. Must not know stages or files.

mod activation;
mod batch;
mod draft;
mod emit;
mod equal;
mod moments;
mod plain;
mod report;
mod scale;
mod shape;
mod student;
mod want;
mod weigh;

pub use report::{OfLayer, OfTensor, Report};

use crate::error::{Error, Result};
use crate::manifest::Bits;
use crate::network::Network;
use crate::pass::Grid;
use batch::Batch;
use plain::Plain;
use student::Student;

/// Bits of the first and the last layer where nothing else is said.
pub const ENDS: u32 = 8;

/// Numbers that one tensor of all samples may have; of large pictures fewer samples are used than there are.
const MOST: usize = 1 << 28;

/// What a network is to become.
pub struct Wishes<'a> {
    /// Bits of weights where nothing else is said.
    pub weights: u32,
    /// Bits of what layers read where nothing else is said.
    pub activations: u32,
    /// What is said of the node of a name.
    pub of: &'a dyn Fn(&str) -> Bits,
}

impl Wishes<'_> {
    /// Bits of the weights of a node, and of what it reads.
    fn bits(&self, name: &str, [first, last]: [bool; 2]) -> [u32; 2] {
        let said = (self.of)(name);
        let unless = |end: bool, bits: u32| if end { ENDS } else { bits };
        [
            said.weights.unwrap_or(unless(first || last, self.weights)),
            said.activations.unwrap_or(unless(last, self.activations)),
        ]
    }
}

/// Refuses a network whose products have float weights and no quantiser anywhere, which `[quantize]` is for.
///
/// # Errors
/// A user error that names the first such product, and says what to add.
pub fn refuse_float(network: &Network) -> Result<()> {
    if network.nodes.iter().any(|node| plain::quantises(node.op)) {
        return Ok(());
    }
    let is_whole = |x: &f32| x.fract() == 0.0 && x.abs() <= 128.0;
    let float = network.nodes.iter().find(|node| {
        let weights = node.inputs.get(1).map(|id| &network.value(*id).constant);
        let Some(Some(weights)) = weights else {
            return false;
        };
        plain::is_product(node.op) && !weights.data().iter().all(is_whole)
    });
    let Some(node) = float else { return Ok(()) };
    Err(Error::user(format!(
        "the network is a float network: it has no quantiser, and the weights of node `{}` ({}) are real numbers",
        node.name, node.onnx
    ))
    .help("have finnp quantise it on samples:\n[quantize]\nweights = 8\nactivations = 8\n\n[calibration]\npath = \"train.npz\"\nsamples = 250"))
}

/// Quantises `network`, whose one input gets the integers of `grid`: `frames`, each in row-major order of its tensor.
/// Of large pictures the first of them are used, as many as memory holds; the report says how many.
///
/// # Errors
/// A user error for a network that is quantised already or has several inputs, and for samples that tell too little.
pub fn quantise(
    network: &Network,
    wishes: &Wishes<'_>,
    grid: &Grid,
    frames: &[Vec<i64>],
) -> Result<(Network, Report)> {
    let plain = Plain::new(network)?;
    let [input] = plain.network.inputs[..] else {
        return Err(Error::user("networks with exactly one input are supported"));
    };
    // Both networks keep what some node reads and makes of all samples at once.
    let largest = plain
        .network
        .values
        .iter()
        .filter(|value| value.constant.is_none());
    let largest = largest
        .map(|value| value.shape.iter().product::<usize>())
        .max();
    let most = (MOST / largest.unwrap_or(1).max(1)).max(1);
    let frames = &frames[..frames.len().min(most)];
    let read = frames.iter().map(|frame| {
        let real = frame.iter().map(|level| grid.coding.real(*level, 0) as f32);
        real.collect()
    });
    let read = Batch {
        frames: read.collect(),
    };
    let mut student = Student::new(&plain, wishes);
    student.report.samples = frames.len();
    student.feed(input, read)?;
    for at in 0..plain.network.nodes.len() {
        student.pass(at)?;
    }
    let (network, report) = student.finish();
    network.verify("quantise")?;
    Ok((network, report))
}
