//! `Repair`: what learning makes of a layer, and how it enters the network.
//! Must not know how it was learnt.

use std::collections::BTreeMap;

use super::mask::{Mask, apply};
use crate::error::{Error, Result};
use crate::network::{Binary, Coding, Network, Node, Op, Quant, Rounding, Value, ValueId};
use crate::pass::{Grid, Place, Product, products};
use crate::reference::{Code, Real};
use crate::tensor::{PerChannel, Tensor};

/// New weights of a layer, and a straight line behind each of its sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// Stable name.
    pub layer: String,
    /// `[rows, columns]` in the layer's order, of a depthwise layer `[channels, positions]`: levels of the grid that the layer's weights have; 0 where a mask is.
    pub levels: Vec<i32>,
    /// `[rows]`, above 0: what follows sees `gain * sum + offset` instead of the sum.
    pub gain: Vec<f64>,
    /// `[rows]`, in units of the sum.
    pub offset: Vec<f64>,
}

impl Repair {
    /// Whether what follows sees the sums as they are.
    pub fn is_plain(&self) -> bool {
        self.gain.iter().all(|gain| *gain == 1.0) && self.offset.iter().all(|offset| *offset == 0.0)
    }
}

/// Puts new weights into `network`, behind quantisers that leave them as they are, then `masks`, and the straight lines
/// behind the products as a multiplication and an addition per channel. `input` and `labels` as in
/// [`crate::pass::streamline`].
///
/// # Errors
/// A bug if a repair names no product, or does not fit it; those of streamlining.
pub fn mend(
    mut network: Network,
    (masks, repairs): (&[Mask], &[Repair]),
    input: Option<&Grid>,
    labels: bool,
) -> Result<Network> {
    let before = by_name(products(&network, input, labels)?.1);
    for repair in repairs {
        let product = before.get(&repair.layer).ok_or_else(|| unknown(repair))?;
        weigh(&mut network, repair, product)?;
    }
    let mut network = apply(network, masks)?;
    let bent: Vec<&Repair> = repairs.iter().filter(|repair| !repair.is_plain()).collect();
    if !bent.is_empty() {
        let after = by_name(products(&network, input, labels)?.1);
        for repair in bent {
            let codings = [&before, &after].map(|found| found.get(&repair.layer));
            let [Some(old), Some(new)] = codings else {
                return Err(unknown(repair));
            };
            straighten(&mut network, repair, [&old.coding, &new.coding])?;
        }
    }
    let network = network.living();
    network.verify("mend")?;
    Ok(network)
}

fn by_name(products: Vec<Product>) -> BTreeMap<String, Product> {
    let named = products.into_iter();
    named
        .map(|product| (product.name.clone(), product))
        .collect()
}

fn unknown(repair: &Repair) -> Error {
    Error::bug(format!("`{}` is no matrix product", repair.layer))
}

fn position(network: &Network, repair: &Repair) -> Result<usize> {
    let multiplies = |op: Op| op.is_product() || matches!(op, Op::Conv { .. });
    let is_it = |node: &Node| node.name == repair.layer && multiplies(node.op);
    let at = network.nodes.iter().position(is_it);
    at.ok_or_else(|| unknown(repair))
}

/// Gives a product other weights.
fn weigh(network: &mut Network, repair: &Repair, product: &Product) -> Result<()> {
    let (code, shape) = {
        let real = Real::new(network)?;
        let known = real.constant(product.weights);
        let code = known.and_then(|known| known.code.clone());
        let code = code.ok_or_else(|| Error::bug("the weights of a layer are no integers"))?;
        (code, network.value(product.weights).shape.clone())
    };
    let integers = spread(repair, product.place, code.integers.len())?;
    let values: Vec<f32> = integers
        .iter()
        .enumerate()
        .map(|(at, level)| (code.coding.scale.at(code.channel(at)) * f64::from(*level)) as f32)
        .collect();
    // A level 0 that is kept is none of a bipolar quantiser, so both of its levels must be there already.
    let found = code.integers.data();
    let is_bipolar = found.iter().all(|level| level.abs() == 1)
        && [-1, 1].iter().all(|level| found.contains(level));
    let at = position(network, repair)?;
    let levels = network.constant(
        format!("{}.levels", repair.layer),
        Tensor::new(shape.clone(), values)?,
    );
    let scale = scale(&code, &shape)?;
    let scale = network.constant(format!("{}.levels.scale", repair.layer), scale);
    let (op, onnx, mut inputs) = match is_bipolar {
        true => (Op::BipolarQuant, "BipolarQuant", vec![levels, scale]),
        false => (Op::Quant(QUANT), "Quant", vec![levels, scale]),
    };
    if !is_bipolar {
        for (what, number) in [("zero_point", 0.0), ("bits", bits(&integers))] {
            let name = format!("{}.levels.{what}", repair.layer);
            inputs.push(network.constant(name, Tensor::scalar(number)));
        }
    }
    let output = network.fresh(format!("{}.weights", repair.layer), shape);
    network.insert(
        at,
        (format!("{}.quantise", repair.layer), onnx, op),
        inputs,
        output,
    );
    network.nodes[at + 1].inputs[1] = output;
    Ok(())
}

/// What leaves integers as they are.
const QUANT: Quant = Quant {
    signed: true,
    narrow: false,
    rounding: Rounding::HalfEven,
};

/// Bits that hold all levels; two at least, as one would have no 0.
fn bits(levels: &[i32]) -> f32 {
    let wide = |bits: &u32| {
        let half = 1i64 << (bits - 1);
        let fits = |level: &i32| (-half..half).contains(&i64::from(*level));
        levels.iter().all(fits)
    };
    (2..=32).find(wide).unwrap_or(32) as f32
}

/// The levels in the order of the tensor of the weights.
fn spread(repair: &Repair, place: Place, count: usize) -> Result<Vec<i32>> {
    let rows = repair.gain.len();
    if repair.levels.len() != count || rows == 0 || !count.is_multiple_of(rows) {
        return Err(Error::bug(format!(
            "`{}` got {} weights",
            repair.layer,
            repair.levels.len()
        )));
    }
    let columns = count / rows;
    let mut spread = vec![0; count];
    for (at, level) in repair.levels.iter().enumerate() {
        spread[place.index(at / columns, at % columns)] = *level;
    }
    Ok(spread)
}

/// The scale of weights as a tensor that broadcasts over them.
fn scale(code: &Code, shape: &[usize]) -> Result<Tensor<f32>> {
    match &code.coding.scale {
        PerChannel::Same(scale) => Ok(Tensor::scalar(*scale as f32)),
        PerChannel::Each(scales) => {
            let mut along = vec![1; shape.len()];
            match along.get_mut(code.axis) {
                Some(length) => *length = scales.len(),
                None => along = shape.to_vec(),
            }
            Tensor::new(along, scales.iter().map(|scale| *scale as f32).collect())
        }
    }
}

/// Puts a multiplication and an addition behind a product. Of its codings the first says what the sums stood for when
/// what follows was made, the second what they stand for now.
fn straighten(network: &mut Network, repair: &Repair, [old, new]: [&Coding; 2]) -> Result<()> {
    let at = position(network, repair)?;
    let (output, rows) = (network.nodes[at].output, repair.gain.len());
    let shape = network.value(output).shape.clone();
    let axis = match network.nodes[at].op {
        Op::MatMul => shape.len().saturating_sub(1),
        _ => 1,
    };
    let mut along = vec![1; shape.len()];
    along[axis] = rows;
    let (mut gains, mut offsets) = (Vec::new(), Vec::new());
    for row in 0..rows {
        // old(gain * sum + offset), where the sum is what new has become of it.
        let gain = repair.gain[row] * old.scale.at(row) / new.scale.at(row);
        gains.push(gain as f32);
        let shift = old.scale.at(row) * repair.offset[row] + old.bias.at(row);
        offsets.push((shift - f64::from(gain as f32) * new.bias.at(row)) as f32);
    }
    let readers: Vec<(usize, usize)> = readers(network, output);
    let mut last = output;
    let steps = [
        ("gain", "Mul", Binary::Mul, gains),
        ("offset", "Add", Binary::Add, offsets),
    ];
    for (step, (what, onnx, op, values)) in steps.into_iter().enumerate() {
        let name = format!("{}.{what}", repair.layer);
        let constant = network.constant(name.clone(), Tensor::new(along.clone(), values)?);
        let made = network.fresh(format!("{name}.out"), shape.clone());
        let node = (name, onnx, Op::Binary(op));
        network.insert(at + 1 + step, node, vec![last, constant], made);
        last = made;
    }
    for (node, input) in readers {
        network.nodes[node + 2].inputs[input] = last;
    }
    network
        .outputs
        .iter_mut()
        .filter(|id| **id == output)
        .for_each(|id| *id = last);
    Ok(())
}

/// Nodes, all behind the one that makes it, and their inputs that read a value.
fn readers(network: &Network, id: ValueId) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, node) in network.nodes.iter().enumerate() {
        let inputs = node
            .inputs
            .iter()
            .enumerate()
            .filter(|(_, read)| **read == id);
        found.extend(inputs.map(|(input, _)| (at, input)));
    }
    found
}

impl Network {
    /// Adds a constant under a name like this one.
    fn constant(&mut self, name: String, tensor: Tensor<f32>) -> ValueId {
        let id = self.fresh(name, tensor.shape().to_vec());
        self.values[id.0].constant = Some(tensor);
        id
    }

    /// Adds a tensor under a name like this one.
    fn fresh(&mut self, mut name: String, shape: Vec<usize>) -> ValueId {
        while self.values.iter().any(|value| value.name == name) {
            name.push('_');
        }
        self.add_value(Value {
            name,
            shape,
            constant: None,
        })
    }

    /// Adds a node before the one at `at`, under a name like this one.
    fn insert(
        &mut self,
        at: usize,
        (mut name, onnx, op): (String, &str, Op),
        inputs: Vec<ValueId>,
        output: ValueId,
    ) {
        while self.nodes.iter().any(|node| node.name == name) {
            name.push('_');
        }
        let node = Node {
            name,
            onnx: onnx.to_owned(),
            op,
            permutation: Vec::new(),
            inputs,
            output,
        };
        self.nodes.insert(at, node);
    }
}
