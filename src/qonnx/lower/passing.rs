//! Standard operators that read integers of quantised tensors: the grid travels along, or changes by a rule.
//! Must not know how integers are made.

use tract_onnx::pb::{NodeProto, tensor_proto::DataType as Kind};

use super::grid::{Grid, Operands};
use super::linear::required_output;
use super::{Lowering, optional, required};
use crate::error::{Error, Result};
use crate::qonnx::attribute::Attributes;
use crate::qonnx::linear::element_of;
use crate::tensor::DataType;

type Pass = fn(&mut Lowering<'_>, &NodeProto) -> Result<()>;

/// What reads integers, and how.
const OPERATORS: &[(&str, Pass)] = &[
    ("Reshape", elsewhere),
    ("Flatten", elsewhere),
    ("Squeeze", elsewhere),
    ("Unsqueeze", elsewhere),
    ("Expand", elsewhere),
    ("Identity", along),
    ("Dropout", along),
    ("MaxPool", along),
    ("GlobalMaxPool", along),
    ("Slice", elsewhere),
    ("Gather", elsewhere),
    ("Split", elsewhere),
    ("Resize", along),
    ("Upsample", along),
    ("DepthToSpace", elsewhere),
    ("SpaceToDepth", elsewhere),
    ("Transpose", transpose),
    ("Concat", concat),
    ("Relu", clip),
    ("Clip", clip),
    ("Pad", pad),
    ("Cast", cast),
    ("Add", arithmetic),
    ("Sub", arithmetic),
    ("Mul", arithmetic),
    ("ArgMax", compared),
    ("Shape", plain),
];

/// An operator of the file that reads integers.
pub(super) fn pass(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let standard = matches!(node.domain.as_str(), "" | "ai.onnx");
    let entry = OPERATORS.iter().find(|entry| entry.0 == node.op_type);
    match entry.filter(|_| standard) {
        Some((_, pass)) => pass(lowering, node),
        None => {
            let read = node
                .input
                .iter()
                .find(|name| lowering.grids.contains_key(*name));
            Err(Error::user(format!(
                "it reads the integers of `{}`",
                read.map_or("?", String::as_str)
            ))
            .help("put a `DequantizeLinear` before it, or use the quantised operator of that kind"))
        }
    }
}

fn grid(lowering: &Lowering<'_>, node: &NodeProto) -> Result<Grid> {
    let name = required(node, 0, "input")?;
    let grid = lowering.grids.get(name).cloned();
    grid.ok_or_else(|| {
        Error::user(format!(
            "it reads integers beside `{name}`, which is not quantised"
        ))
        .help("quantise all that it reads in the same way")
    })
}

/// Keeps the node; its outputs have the grid.
fn carried(lowering: &mut Lowering<'_>, node: &NodeProto, grid: &Grid) {
    let maker = lowering.keep(node);
    for output in node.output.iter().filter(|name| !name.is_empty()) {
        let single = node.output.len() == 1;
        let grid = Grid {
            real: output.clone(),
            maker: single.then_some(maker),
            ..grid.clone()
        };
        lowering.grids.insert(output.clone(), grid);
    }
}

fn along(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let grid = grid(lowering, node)?;
    carried(lowering, node, &grid);
    Ok(())
}

/// Elements move to other places, which a scale for all of them survives.
fn elsewhere(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let grid = grid(lowering, node)?;
    one_for_all(lowering, &grid)?;
    carried(lowering, node, &grid);
    Ok(())
}

fn one_for_all(lowering: &Lowering<'_>, grid: &Grid) -> Result<()> {
    match lowering.differ(&grid.operands) {
        false => Ok(()),
        true => Err(
            Error::user("it moves integers whose scale differs along an axis")
                .help("put it before the `QuantizeLinear`, or quantise per tensor"),
        ),
    }
}

fn transpose(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let mut grid = grid(lowering, node)?;
    if one_for_all(lowering, &grid).is_err() {
        let permutation = Attributes(node).ints("perm");
        let rank = permutation.len() as i64;
        let axis = grid.operands.axis;
        let axis = if axis < 0 { axis + rank } else { axis };
        let moved = permutation.iter().position(|from| *from == axis);
        let moved = moved.ok_or_else(|| {
            Error::user("it does not say where the axis of the scales goes")
                .help("give it a `perm`, or quantise per tensor")
        })?;
        grid.operands.axis = moved as i64;
    }
    carried(lowering, node, &grid);
    Ok(())
}

fn concat(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let first = grid(lowering, node)?;
    let mut bounds = first.bounds;
    for name in node.input.iter().skip(1) {
        let other = lowering.grids.get(name);
        match other {
            Some(other) if lowering.same(&first.operands, &other.operands) => {
                bounds = (bounds.0.min(other.bounds.0), bounds.1.max(other.bounds.1));
            }
            _ => {
                return Err(Error::user(format!(
                    "it joins integers of which those of `{name}` mean something else"
                ))
                .help("quantise all that it reads with one scale and zero-point"));
            }
        }
    }
    carried(lowering, node, &Grid { bounds, ..first });
    Ok(())
}

/// `Clip` and `Relu` leave fewer integers.
fn clip(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let grid = grid(lowering, node)?;
    let (low, high) = match node.op_type.as_str() {
        "Relu" => (Some(0), None),
        _ => (
            bound(lowering, node, 1, "min")?,
            bound(lowering, node, 2, "max")?,
        ),
    };
    let (least, most) = grid.bounds;
    let bounds = (
        low.map_or(least, |low| low.max(least)),
        high.map_or(most, |high| high.min(most)),
    );
    if bounds.0 >= bounds.1 {
        return Err(Error::user(format!(
            "it leaves one integer or none: {} to {}",
            bounds.0, bounds.1
        )));
    }
    let output = required_output(node)?;
    let only = lowering.readers.get(node.input[0].as_str()) == Some(&1);
    let maker = grid.maker.and_then(|place| lowering.nodes.get_mut(place));
    if let Some(maker) = maker.filter(|maker| only && maker.op_type == "QuantizeLinear") {
        for (name, value) in [("low", bounds.0), ("high", bounds.1)] {
            let attribute = maker.attribute.iter_mut().find(|a| a.name == name);
            attribute
                .into_iter()
                .for_each(|attribute| attribute.i = value);
        }
        maker.output = vec![output.to_owned()];
        let grid = Grid {
            real: output.to_owned(),
            bounds,
            ..grid
        };
        lowering.grids.insert(output.to_owned(), grid);
        return Ok(());
    }
    let meaning = (grid.operands, grid.element);
    lowering.quantise(node, "", (grid.real, output), meaning, bounds)
}

/// A bound, as an input or as an attribute.
fn bound(
    lowering: &Lowering<'_>,
    node: &NodeProto,
    slot: usize,
    name: &str,
) -> Result<Option<i64>> {
    let Some(input) = optional(node, slot) else {
        let attribute = Attributes(node).optional_float(name);
        return Ok(attribute.map(|value| value as i64));
    };
    match lowering.contents(input) {
        Some((_, values)) if values.len() == 1 => Ok(Some(values[0] as i64)),
        _ => Err(Error::user(format!(
            "its {name} `{input}` is not a constant number"
        ))),
    }
}

/// Padding is real 0, which is the zero-point.
fn pad(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let grid = grid(lowering, node)?;
    let value = match optional(node, 2) {
        Some(name) => lowering.contents(name).map(|(_, values)| values),
        None => Some(vec![Attributes(node).float("value", 0.0)]),
    };
    let zero = match &grid.operands.zero {
        Some(name) => lowering.contents(name).map(|(_, values)| values),
        None => Some(vec![0.0]),
    };
    match (value, zero) {
        (Some(value), Some(zero)) if value.len() == 1 && zero.iter().all(|z| *z == value[0]) => {}
        (value, zero) => {
            return Err(Error::user(format!(
                "it pads with the integers {value:?}, and real 0 is {zero:?}"
            ))
            .help("pad with the zero-point"));
        }
    }
    let mut node = node.clone();
    node.attribute.retain(|attribute| attribute.name != "value");
    if let Some(value) = node.input.get_mut(2) {
        value.clear();
    }
    carried(lowering, &node, &grid);
    Ok(())
}

/// Integers as wider ones keep their meaning; as reals they stand for themselves.
fn cast(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let grid = grid(lowering, node)?;
    let (name, output) = (required(node, 0, "input")?, required_output(node)?);
    let kind = Attributes(node).int("to", 0) as i32;
    let kinds = [Kind::Float, Kind::Double, Kind::Float16];
    if kinds.iter().any(|float| *float as i32 == kind) {
        let only = lowering.readers.get(name) == Some(&1);
        let (real, maker) = lowering.meant(node, name, &grid, &Operands::THEMSELVES)?;
        lowering.stand_for(node, only, (&real, maker), output);
        return Ok(());
    }
    let element = match element_of(kind) {
        _ if kind == Kind::Int64 as i32 => Some(DataType::Int(63)),
        element => element,
    };
    let fits = element
        .filter(|element| element.contains(grid.bounds.0) && element.contains(grid.bounds.1));
    let Some(element) = fits else {
        return Err(Error::user(format!(
            "it turns integers from {} to {} into ONNX type number {kind}, which does not hold them",
            grid.bounds.0, grid.bounds.1
        )));
    };
    let grid = Grid {
        real: grid.real,
        element,
        maker: None,
        ..grid
    };
    lowering.grids.insert(output.to_owned(), grid);
    Ok(())
}

/// Integers that stand for themselves can be computed with.
fn arithmetic(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let mut inputs = Vec::new();
    for name in &node.input {
        match lowering.grids.get(name) {
            Some(grid) if grid.element.bits() < 32 => {
                return Err(Error::user(format!(
                    "it computes with the {} integers of `{name}`, and such sums begin anew where the type ends",
                    grid.element
                ))
                .help("put a `Cast` to int32 before it"));
            }
            Some(grid) if grid.operands == Operands::THEMSELVES => inputs.push(name.clone()),
            None if !lowering.varying.contains(name) => {
                let Some((shape, values)) = lowering.contents(name) else {
                    return Err(Error::user(format!("its operand `{name}` is computed"))
                        .help("fold constants before the export"));
                };
                inputs.push(lowering.real(format!("{name}.real"), &shape, &values)?);
            }
            _ => {
                return Err(Error::user(format!(
                    "it computes with the integers of `{name}`, which have a scale or a zero-point"
                ))
                .help("put a `DequantizeLinear` before it"));
            }
        }
    }
    let maker = lowering.keep(&NodeProto {
        input: inputs,
        ..node.clone()
    });
    let output = required_output(node)?;
    lowering.accumulated(output, maker);
    Ok(())
}

/// The order of integers is that of reals where they all mean the same.
fn compared(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    let grid = grid(lowering, node)?;
    one_for_all(lowering, &grid)?;
    plain(lowering, node)
}

/// The result is no quantised tensor.
fn plain(lowering: &mut Lowering<'_>, node: &NodeProto) -> Result<()> {
    lowering.keep(node);
    Ok(())
}

impl Lowering<'_> {
    /// Says that the reals `output` of a node are 32-bit integers that stand for themselves.
    pub(super) fn accumulated(&mut self, output: &str, maker: usize) {
        let element = DataType::Int(32);
        let grid = Grid {
            real: output.to_owned(),
            operands: Operands::THEMSELVES,
            element,
            bounds: (element.min(), element.max()),
            maker: Some(maker),
        };
        self.grids.insert(output.to_owned(), grid);
    }
}
