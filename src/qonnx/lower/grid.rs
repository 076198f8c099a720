//! `Grid`: what the integers of a tensor of the file stand for, and how reals move from one grid to another.
//! Must not know which operators read them.

use tract_onnx::pb::NodeProto;

use super::{Lowering, Made};
use crate::error::{Error, Result};
use crate::qonnx::linear::{attributes, element_of, quantised};
use crate::tensor::DataType;

/// Scale and zero-point as the file has them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operands {
    /// Tensor of the scale; none where integers stand for themselves.
    pub(super) scale: Option<String>,
    /// Tensor of the zero-point; none where it is 0.
    pub(super) zero: Option<String>,
    /// The axis along which they differ, as in the file.
    pub(super) axis: i64,
}

impl Operands {
    /// Integers that stand for themselves.
    pub(super) const THEMSELVES: Operands = Operands {
        scale: None,
        zero: None,
        axis: 1,
    };
}

/// An integer tensor of the file.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    /// The tensor of the reals that the integers stand for.
    pub(super) real: String,
    /// What they mean.
    pub(super) operands: Operands,
    /// Type of the integers in the file.
    pub(super) element: DataType,
    /// Smallest and largest of them.
    pub(super) bounds: (i64, i64),
    /// Place of the node that makes the reals.
    pub(super) maker: Option<usize>,
}

impl Lowering<'_> {
    /// The scale, zero-point and integer type that these inputs say; the zero-point tells the type, else
    /// it is `default`.
    pub(super) fn operands(
        &self,
        (scale, zero): (&str, Option<&str>),
        axis: i64,
        default: Option<DataType>,
    ) -> Result<(Operands, DataType)> {
        for name in [Some(scale), zero].into_iter().flatten() {
            if self.varying.contains(name) {
                return Err(
                    Error::user(format!("its `{name}` depends on the network's input")).help(
                        "quantise statically, with calibration data: hardware has constant scales",
                    ),
                );
            }
        }
        if self
            .contents(scale)
            .is_some_and(|(dims, values)| dims.len() > 1 && values.len() > 1)
        {
            return Err(Error::user(format!(
                "its scale `{scale}` has more than one axis: quantisation in blocks is not supported"
            ))
            .help("quantise per tensor or per axis"));
        }
        let element = match (zero.map(|name| self.kind(name)), default) {
            (Some(Some(kind)), _) => element_of(kind).ok_or_else(|| {
                Error::user(format!("its zero-point has the ONNX type number {kind}, which is no integer type of at most 32 bits"))
                    .help("quantise to int4, uint4, int8, uint8, int16 or uint16")
            })?,
            (_, Some(element)) => element,
            (Some(None), None) => return Err(Error::user("its zero-point is computed")
                .help("fold constants before the export")),
            (None, None) => DataType::Uint(8),
        };
        let operands = Operands {
            scale: Some(self.resolved(scale)),
            zero: zero.map(str::to_owned),
            axis,
        };
        Ok((operands, element))
    }

    /// Whether both mean the same.
    pub(super) fn same(&self, a: &Operands, b: &Operands) -> bool {
        let contents = |name: &Option<String>, none: f64| match name {
            Some(name) => self.contents(name).map(|(_, values)| values),
            None => Some(vec![none]),
        };
        let equal = |a: &Option<String>, b: &Option<String>, none: f64| {
            a == b
                || matches!((contents(a, none), contents(b, none)), (Some(a), Some(b)) if alike(&a, &b))
        };
        let aligned = a.axis == b.axis || !(self.differ(a) || self.differ(b));
        aligned && equal(&a.scale, &b.scale, 1.0) && equal(&a.zero, &b.zero, 0.0)
    }

    /// Whether scale or zero-point may differ along an axis.
    pub(super) fn differ(&self, operands: &Operands) -> bool {
        let named = [&operands.scale, &operands.zero].into_iter().flatten();
        let mut contents = named.map(|name| self.contents(name));
        contents.any(|contents| contents.is_none_or(|(_, values)| values.len() != 1))
    }

    /// Writes a `QuantizeLinear` of `x` whose integers the file calls `output`.
    pub(super) fn quantise(
        &mut self,
        origin: &NodeProto,
        suffix: &str,
        (x, output): (String, &str),
        (operands, element): (Operands, DataType),
        bounds: (i64, i64),
    ) -> Result<()> {
        let scale = match &operands.scale {
            Some(scale) => scale.clone(),
            None => self.real(format!("{output}.scale"), &[], &[1.0])?,
        };
        let zero = match &operands.zero {
            Some(zero) => zero.clone(),
            None => self.no_zero(&scale, output)?,
        };
        let made = Made {
            op: "QuantizeLinear",
            inputs: vec![x, scale, zero],
            output: output.to_owned(),
            attributes: attributes(quantised(element, bounds), bounds, operands.axis),
        };
        let maker = self.push(origin, suffix, made);
        let grid = Grid {
            real: output.to_owned(),
            operands,
            element,
            bounds,
            maker: Some(maker),
        };
        self.grids.insert(output.to_owned(), grid);
        Ok(())
    }

    /// The tensor of the reals that the integers of `name` stand for, under these operands: a constant is
    /// dequantised, what was quantised otherwise is converted.
    pub(super) fn reals(
        &mut self,
        origin: &NodeProto,
        name: &str,
        what: &str,
        operands: &Operands,
    ) -> Result<String> {
        if let Some(grid) = self.grids.get(name).cloned() {
            return match self.same(&grid.operands, operands) {
                true => Ok(grid.real),
                false => self.converted(origin, name, &grid, operands),
            };
        }
        if self.varying.contains(name) {
            return Err(Error::user(format!(
                "its {what} `{name}` is not the output of a quantiser"
            ))
            .help("every tensor that it reads must come from `QuantizeLinear` or a quantised operator"));
        }
        let output = self.fresh(format!("{name}.{what}"));
        self.dequantise(origin, &format!(".{what}"), name, output.clone(), operands)?;
        Ok(output)
    }

    /// Writes a `DequantizeLinear` of the constant `name`.
    pub(super) fn dequantise(
        &mut self,
        origin: &NodeProto,
        suffix: &str,
        name: &str,
        output: String,
        operands: &Operands,
    ) -> Result<()> {
        let kind = self
            .kind(name)
            .or_else(|| operands.zero.as_deref().and_then(|zero| self.kind(zero)));
        let element = match kind {
            Some(kind) => element_of(kind).ok_or_else(|| {
                Error::user(format!("`{name}` has the ONNX type number {kind}, which is no integer type of at most 32 bits"))
                    .help("quantise to int4, uint4, int8, uint8, int16 or uint16, and biases to int32")
            })?,
            None => DataType::Int(32),
        };
        let scale = match &operands.scale {
            Some(scale) => scale.clone(),
            None => self.real(format!("{output}.scale"), &[], &[1.0])?,
        };
        let zero = match &operands.zero {
            Some(zero) => zero.clone(),
            None => self.no_zero(&scale, &output)?,
        };
        let (coarse, fine) = self.split(name)?;
        let made = Made {
            op: "DequantizeLinear",
            inputs: [coarse, scale, zero].into_iter().chain(fine).collect(),
            output,
            attributes: attributes(element, (element.min(), element.max()), operands.axis),
        };
        self.push(origin, suffix, made);
        Ok(())
    }

    /// A zero-point of 0, of the scale's shape.
    fn no_zero(&mut self, scale: &str, output: &str) -> Result<String> {
        let shape = match self.contents(scale) {
            Some((shape, _)) => shape,
            None => self.products.get(scale).cloned().unwrap_or_default(),
        };
        let count = shape.iter().product::<i64>();
        let zeros = vec![0.0; usize::try_from(count).unwrap_or(0)];
        self.real(format!("{output}.zero_point"), &shape, &zeros)
    }

    /// The integers of a grid, less `zero`, as reals.
    pub(super) fn integers(
        &mut self,
        origin: &NodeProto,
        name: &str,
        what: &str,
        zero: Option<&str>,
        axis: i64,
    ) -> Result<String> {
        let operands = Operands {
            zero: zero.map(str::to_owned),
            axis,
            ..Operands::THEMSELVES
        };
        self.reals(origin, name, what, &operands)
    }
}

/// Whether two lists agree, where one number stands for any number of it.
fn alike(a: &[f64], b: &[f64]) -> bool {
    match (a, b) {
        ([one], many) | (many, [one]) => many.iter().all(|value| value == one),
        _ => a == b,
    }
}
