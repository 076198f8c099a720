//! `QuantizeLinear`, `DequantizeLinear`, and integers that are fed.
//! Must not know other operators.

use tract_onnx::pb::{NodeProto, ValueInfoProto, tensor_proto::DataType as Kind, type_proto};

use super::grid::{Grid, Operands};
use super::{Lowering, Made, optional, required};
use crate::error::{Error, Result};
use crate::qonnx::attribute::Attributes;
use crate::qonnx::linear::element_of;

/// `DynamicQuantizeLinear` finds its scale in every frame.
pub(super) fn dynamic(_: &mut Lowering<'_>, _: &NodeProto) -> Result<()> {
    Err(Error::user("its scale depends on the network's input")
        .help("quantise statically, with calibration data (`quantize_static`): hardware has constant scales"))
}

fn blocks(node: &NodeProto) -> Result<()> {
    match Attributes(node).int("block_size", 0) {
        0 => Ok(()),
        size => Err(Error::user(format!(
            "it quantises in blocks of {size}, which is not supported"
        ))
        .help("quantise per tensor or per axis")),
    }
}

/// A quantiser: its integers stand for reals from here on.
pub(super) fn quantize(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    blocks(node)?;
    let (x, scale) = (required(node, 0, "input")?, required(node, 1, "scale")?);
    if lowering.grids.contains_key(x) {
        return Err(Error::user(format!("it quantises the integers of `{x}`"))
            .help("put a `DequantizeLinear` before it"));
    }
    let stated = Attributes(node).int("output_dtype", 0) as i32;
    let stated = element_of(stated);
    let axis = Attributes(node).int("axis", 1);
    let (operands, element) = lowering.operands((scale, optional(node, 2)), axis, stated)?;
    let bounds = (element.min(), element.max());
    let x = lowering.resolved(x);
    let output = required_output(node)?;
    lowering.quantise(node, "", (x, output), (operands, element), bounds)
}

pub(super) fn required_output(node: &NodeProto) -> Result<&str> {
    let output = node.output.first().filter(|name| !name.is_empty());
    let output = output.ok_or_else(|| Error::user("it has no output"))?;
    Ok(output)
}

/// The reals behind integers: those that the quantiser made, or constants.
pub(super) fn dequantize(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    blocks(node)?;
    let (q, scale) = (required(node, 0, "input")?, required(node, 1, "scale")?);
    let axis = Attributes(node).int("axis", 1);
    let element = lowering.kind(q).and_then(element_of);
    let (operands, _) = lowering.operands((scale, optional(node, 2)), axis, element)?;
    let output = required_output(node)?;
    let Some(grid) = lowering.grids.get(q).cloned() else {
        if lowering.varying.contains(q) {
            return Err(Error::user(format!(
                "its input `{q}` is not the output of a quantiser"
            ))
            .help("`DequantizeLinear` is read behind `QuantizeLinear`, behind quantised operators and on constants"));
        }
        return lowering.dequantise(node, "", q, output.to_owned(), &operands);
    };
    let only = lowering.readers.get(q) == Some(&1);
    let (real, maker) = lowering.meant(node, q, &grid, &operands)?;
    lowering.stand_for(node, only, (&real, maker), output);
    Ok(())
}

impl Lowering<'_> {
    /// The reals that the integers of `q` stand for under these operands, and the place of the node that makes them.
    pub(super) fn meant(
        &mut self,
        node: &NodeProto,
        q: &str,
        grid: &Grid,
        operands: &Operands,
    ) -> Result<(String, Option<usize>)> {
        if self.same(&grid.operands, operands) {
            return Ok((grid.real.clone(), grid.maker));
        }
        let real = self.reals(node, q, "input", operands)?;
        let maker = (real != grid.real).then(|| self.nodes.len() - 1);
        Ok((real, maker))
    }

    /// Lets `real` be what the file calls `output`; under that name if nobody else needs the other.
    pub(super) fn stand_for(
        &mut self,
        node: &NodeProto,
        only: bool,
        (real, maker): (&str, Option<usize>),
        output: &str,
    ) {
        let maker = maker.and_then(|place| self.nodes.get_mut(place));
        let maker = maker.and_then(|maker| maker.output.first_mut());
        match maker.filter(|name| *name == real) {
            Some(name) if only => *name = output.to_owned(),
            _ if self.outputs.contains(output) => {
                let made = Made {
                    op: "Identity",
                    inputs: vec![real.to_owned()],
                    output: output.to_owned(),
                    attributes: Vec::new(),
                };
                self.push(node, "", made);
            }
            _ => {
                self.aliases.insert(output.to_owned(), real.to_owned());
            }
        }
    }

    /// An output of integers gives the reals that they stand for.
    pub(super) fn real_output(&self, output: &mut ValueInfoProto) {
        if self.grids.contains_key(&output.name) {
            set_kind(output, Kind::Float as i32);
        }
    }
}

fn kind(info: &ValueInfoProto) -> Option<i32> {
    let type_proto::Value::TensorType(tensor) = info.r#type.as_ref()?.value.as_ref()?;
    Some(tensor.elem_type)
}

fn set_kind(info: &mut ValueInfoProto, kind: i32) {
    if let Some(type_proto::Value::TensorType(tensor)) =
        info.r#type.as_mut().and_then(|kind| kind.value.as_mut())
    {
        tensor.elem_type = kind;
    }
}

/// Small integers that are fed stand for themselves; a quantiser says so.
pub(super) fn fed(lowering: &mut Lowering<'_>, input: &mut ValueInfoProto) {
    let Some(element) = kind(input).and_then(element_of) else {
        return;
    };
    if element.bits() > 16 {
        return;
    }
    set_kind(input, Kind::Float as i32);
    let origin = NodeProto {
        op_type: "QuantizeLinear".into(),
        ..NodeProto::default()
    };
    let bounds = (element.min(), element.max());
    let real = lowering.fresh(format!("{}.integers", input.name));
    let made = lowering.quantise(
        &origin,
        "",
        (input.name.clone(), &real),
        (Operands::THEMSELVES, element),
        bounds,
    );
    // A scale of 1 always fits.
    if made.is_ok() {
        let grid = Grid {
            real,
            operands: Operands::THEMSELVES,
            element,
            bounds,
            maker: None,
        };
        lowering.grids.insert(input.name.clone(), grid);
    }
}
