//! How `QuantizeLinear` and `DequantizeLinear` of a network are written: as the standard operators, with integers in
//! the types that they had. Must not know other operators.

use tract_onnx::pb::{AttributeProto, NodeProto, TensorProto};

use super::attribute::int;
use super::export::{Writer, value_info};
use super::linear::kind_of;
use crate::error::{Error, Result};
use crate::network::{Linear, Network, Node, Op, ValueId};
use crate::tensor::{DataType, Tensor};

/// The first version of the standard operators that has the types of all quantisers.
pub(super) fn version(network: &Network) -> i64 {
    let versions = network.nodes.iter().filter_map(|node| match node.op {
        Op::QuantizeLinear(linear) | Op::DequantizeLinear(linear) => kind_of(linear.element),
        _ => None,
    });
    versions.map(|(_, version)| version).max().unwrap_or(0)
}

/// Number of a type in the file.
fn kind(element: DataType) -> Result<i32> {
    let found = kind_of(element).map(|(kind, _)| kind);
    found.ok_or_else(|| Error::bug(format!("ONNX has no integers of the type {element}")))
}

/// An initializer of integers.
fn integers(name: &str, tensor: &Tensor<f64>, element: DataType) -> Result<TensorProto> {
    let strange = |value: &&f64| value.fract() != 0.0 || !element.contains(**value as i64);
    if let Some(bad) = tensor.data().iter().find(strange) {
        return Err(Error::user(format!(
            "`{name}` holds {bad}, which is no integer of the type {element}"
        )));
    }
    let bytes = tensor.data().iter().map(|value| *value as i64);
    let width = (element.bits() as usize).div_ceil(8);
    let mut raw_data: Vec<u8> = bytes
        .flat_map(|value| value.to_le_bytes().into_iter().take(width))
        .collect();
    if element.bits() == 4 {
        let pairs = raw_data.chunks(2);
        let packed = pairs.map(|pair| pair[0] & 15 | pair.get(1).map_or(0, |high| high << 4));
        raw_data = packed.collect();
    }
    Ok(TensorProto {
        name: name.to_owned(),
        dims: tensor.shape().iter().map(|length| *length as i64).collect(),
        data_type: kind(element)?,
        raw_data,
        ..TensorProto::default()
    })
}

/// A standard node that is written.
struct Written {
    op: &'static str,
    suffix: &'static str,
    input: Vec<String>,
    output: String,
    attribute: Vec<AttributeProto>,
}

impl Writer<'_> {
    /// `QuantizeLinear`, a `Clip` where it has fewer integers than its type, and `DequantizeLinear`.
    pub(super) fn pair(&mut self, node: &Node, linear: Linear) -> Result<()> {
        let element = linear.element;
        if element.bits() > 16 {
            return Err(Error::user(format!(
                "it has the integers {} to {}, and ONNX quantises to at most 16 bits",
                linear.low, linear.high
            )));
        }
        let shape = &self.network.value(node.output).shape;
        let (x, scale) = (self.read(node.inputs[0]), self.read(node.inputs[1]));
        let zero = self.typed(node.inputs[2], element)?;
        let output = self.name(node.output);
        let axis = || vec![int("axis", linear.axis as i64)];
        let mut integers = self.unique(&format!("{output}.quantized"));
        self.note(value_info(&integers, shape, kind(element)?));
        self.standard(
            node,
            Written {
                op: "QuantizeLinear",
                suffix: "",
                input: vec![x, scale.clone(), zero.clone()],
                output: integers.clone(),
                attribute: axis(),
            },
        );
        if (linear.low, linear.high) != (element.min(), element.max()) {
            integers = self.clipped(node, linear, integers)?;
        }
        self.standard(
            node,
            Written {
                op: "DequantizeLinear",
                suffix: ".dequantize",
                input: vec![integers, scale, zero],
                output,
                attribute: axis(),
            },
        );
        Ok(())
    }

    fn clipped(&mut self, node: &Node, linear: Linear, integers: String) -> Result<String> {
        let element = linear.element;
        if element.bits() < 8 {
            return Err(Error::user(format!(
                "it has the integers {} to {} only, and ONNX clips none of the type {element}",
                linear.low, linear.high
            )));
        }
        let output = self.name(node.output);
        let mut input = vec![integers];
        for (name, value) in [("low", linear.low), ("high", linear.high)] {
            let name = self.unique(&format!("{output}.{name}"));
            let bound = self::integers(&name, &Tensor::scalar(value as f64), element)?;
            input.push(self.add(bound));
        }
        let clipped = self.unique(&format!("{output}.clipped"));
        let shape = &self.network.value(node.output).shape;
        self.note(value_info(&clipped, shape, kind(element)?));
        self.standard(
            node,
            Written {
                op: "Clip",
                suffix: ".clip",
                input,
                output: clipped.clone(),
                attribute: Vec::new(),
            },
        );
        Ok(clipped)
    }

    /// `DequantizeLinear` of a constant.
    pub(super) fn constant_integers(&mut self, node: &Node, linear: Linear) -> Result<()> {
        let element = linear.element;
        let x = match node.inputs.get(3) {
            None => self.typed(node.inputs[0], element)?,
            Some(fine) => self.whole(node.inputs[0], *fine, element)?,
        };
        let scale = self.read(node.inputs[1]);
        let zero = self.typed(node.inputs[2], element)?;
        let output = self.name(node.output);
        self.standard(
            node,
            Written {
                op: "DequantizeLinear",
                suffix: "",
                input: vec![x, scale, zero],
                output,
                attribute: vec![int("axis", linear.axis as i64)],
            },
        );
        Ok(())
    }

    fn standard(&mut self, node: &Node, written: Written) {
        let name = format!("{}{}", node.name, written.suffix);
        self.node_proto(NodeProto {
            input: written.input,
            output: vec![written.output],
            name,
            op_type: written.op.into(),
            attribute: written.attribute,
            ..NodeProto::default()
        });
    }

    /// The name of a constant that is read as integers.
    fn typed(&mut self, id: ValueId, element: DataType) -> Result<String> {
        if let Some(name) = self.integers_of.get(&(id, element)) {
            return Ok(name.clone());
        }
        let own = self.name(id);
        let Some(tensor) = &self.network.value(id).constant else {
            return Err(Error::user(format!("its integers `{own}` are computed"))
                .help("fold constants before the export"));
        };
        let name = match std::mem::replace(&mut self.written[id.0], true) {
            false => own,
            true => self.unique(&format!("{own}.{element}")),
        };
        let wide = tensor.map(|value| f64::from(*value));
        let tensor = integers(&name, &wide, element)?;
        self.add(tensor);
        self.integers_of.insert((id, element), name.clone());
        Ok(name)
    }

    /// The sum of two constants as one.
    fn whole(&mut self, coarse: ValueId, fine: ValueId, element: DataType) -> Result<String> {
        if let Some(name) = self.integers_of.get(&(coarse, element)) {
            return Ok(name.clone());
        }
        let own = self.name(coarse);
        let (first, second) = (self.network.value(coarse), self.network.value(fine));
        let (Some(first), Some(second)) = (&first.constant, &second.constant) else {
            return Err(Error::user(format!("its integers `{own}` are computed")));
        };
        let pairs = first.data().iter().zip(second.data());
        let sums = pairs.map(|(a, b)| f64::from(*a) + f64::from(*b)).collect();
        let sums = Tensor::new(first.shape().to_vec(), sums)?;
        let name = self.unique(own.strip_suffix(".coarse").unwrap_or(&own));
        let tensor = integers(&name, &sums, element)?;
        self.add(tensor);
        self.integers_of.insert((coarse, element), name.clone());
        Ok(name)
    }
}
