//! Constants of the file while it is lowered: their types and contents, and types that tract does not know.
//! Must not know operators.

use tract_onnx::pb::{GraphProto, TensorProto, tensor_proto::DataType as Kind};

use super::Lowering;
use crate::error::{Error, Result};
use crate::qonnx::constant;
use crate::qonnx::linear::{INT4, UINT4};
use crate::tensor::Tensor;

/// Constants of more elements are no scales.
const MOST: i64 = 1 << 20;

/// Rewrites all tensors of four bits in eight.
pub(super) fn unpack_all(graph: &mut GraphProto) -> Result<()> {
    let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
    let inside = attributes.filter_map(|attribute| attribute.t.as_mut());
    for tensor in graph.initializer.iter_mut().chain(inside) {
        unpack(tensor)?;
    }
    Ok(())
}

/// Rewrites a tensor of four bits per element in eight.
///
/// # Errors
/// A user error where it holds fewer elements than it claims.
fn unpack(tensor: &mut TensorProto) -> Result<()> {
    let signed = match tensor.data_type {
        INT4 => true,
        UINT4 => false,
        _ => return Ok(()),
    };
    let count: i64 = tensor.dims.iter().product();
    // Raw data has two elements in a byte, and so have the numbers of the other form.
    let packed: Vec<u8> = match tensor.raw_data.is_empty() {
        true => tensor.int32_data.iter().map(|pair| *pair as u8).collect(),
        false => std::mem::take(&mut tensor.raw_data),
    };
    let nibbles = packed.iter().flat_map(|pair| [pair & 15, pair >> 4]);
    let wide = |nibble: u8| match signed && nibble >= 8 {
        true => nibble | 0xf0,
        false => nibble,
    };
    tensor.raw_data = nibbles.take(count as usize).map(wide).collect();
    tensor.int32_data.clear();
    if tensor.raw_data.len() as i64 != count {
        return Err(Error::user(format!(
            "tensor `{}` claims the shape {:?} and holds {} elements",
            tensor.name,
            tensor.dims,
            tensor.raw_data.len()
        ))
        .help("the file is damaged: export it again"));
    }
    // Zero-points tell the type of what is quantised: the number of the type is kept in the text.
    tensor.doc_string = format!("{FOUR_BITS}{}", tensor.data_type);
    tensor.data_type = if signed { Kind::Int8 } else { Kind::Uint8 } as i32;
    Ok(())
}

/// Opens the text of a tensor that had four bits.
const FOUR_BITS: &str = "finnp: type ";

impl Lowering<'_> {
    /// Number of the type that a constant of the file has there.
    pub(super) fn kind(&self, name: &str) -> Option<i32> {
        let tensor = self.tensors.get(name)?;
        let four = match tensor.doc_string.strip_prefix(FOUR_BITS) {
            Some("21") => Some(UINT4),
            Some("22") => Some(INT4),
            _ => None,
        };
        Some(four.unwrap_or(tensor.data_type))
    }

    /// Shape and elements of a small constant of the file; `None` where it is computed.
    pub(super) fn contents(&self, name: &str) -> Option<(Vec<i64>, Vec<f64>)> {
        let tensor = self.tensors.get(name).copied();
        let tensor = tensor.or_else(|| self.added.get(name))?;
        if tensor.dims.iter().product::<i64>() > MOST {
            return None;
        }
        Some((tensor.dims.clone(), constant::elements(tensor)?))
    }

    /// A constant of real numbers that the file does not have; returns its name.
    pub(super) fn real(&mut self, name: String, shape: &[i64], values: &[f64]) -> Result<String> {
        let name = self.fresh(name);
        let single = values.iter().map(|value| *value as f32).collect();
        let shape = shape.iter().map(|length| *length as usize).collect();
        let tensor = Tensor::new(shape, single)?;
        self.added
            .insert(name.clone(), constant::real(&name, &tensor));
        Ok(name)
    }
}
