//! Tensors of the file as f32, exactly: read and written.
//! Must not know operators.

use tract_onnx::data_resolver::MmapDataResolver;
use tract_onnx::pb::tensor_proto::DataType as Kind;
use tract_onnx::pb::{TensorProto, tensor_proto};

use tract_onnx::tensor::load_tensor;
use tract_onnx::tract_core::prelude::{DatumType, Tensor as TractTensor};

use super::external;
use super::linear::{INT4, UINT4};
use crate::error::{Error, Result, catch};
use crate::tensor::Tensor;

/// Refuses what would make a reader allocate or follow something that is not in the file.
///
/// # Errors
/// A user error that names the tensor.
pub(super) fn check(proto: &TensorProto) -> Result<()> {
    if external::is_external(proto) {
        return Err(Error::user(format!(
            "tensor `{}` keeps its data in another file",
            proto.name
        ))
        .help(
            "name the file of the model itself, not gzipped, with its external data beside it; or save it as one file",
        ));
    }
    let elements = proto.dims.iter().try_fold(1usize, |count, &length| {
        usize::try_from(length)
            .ok()
            .and_then(|length| count.checked_mul(length))
    });
    let Some((_, bits, typed)) = TYPES.iter().find(|entry| entry.0 == proto.data_type) else {
        return Err(Error::user(format!(
            "tensor `{}` has the ONNX type number {}, which is not read",
            proto.name, proto.data_type
        ))
        .help("export the model in single precision, or quantise it to integers"));
    };
    let stored = match proto.raw_data.is_empty() {
        false => proto.raw_data.len(),
        true => typed(proto),
    };
    // Four bits share a byte in both forms.
    let needed = elements.and_then(|count| match (*bits, proto.raw_data.is_empty()) {
        (4, _) => Some(count.div_ceil(2)),
        (_, true) => Some(count),
        (bits, false) => count.checked_mul(bits / 8),
    });
    match needed {
        Some(needed) if needed == stored => Ok(()),
        _ => Err(Error::user(format!(
            "tensor `{}` claims the shape {:?} and holds {stored} {}",
            proto.name,
            proto.dims,
            if proto.raw_data.is_empty() {
                "numbers"
            } else {
                "bytes"
            }
        ))
        .help("the file is damaged: export it again")),
    }
}

/// How many numbers a tensor holds outside its raw data.
type Typed = fn(&TensorProto) -> usize;

/// Types that are read by their number in the file, with the bits of an element.
const TYPES: &[(i32, usize, Typed)] = &[
    (Kind::Float as i32, 32, |proto| proto.float_data.len()),
    (Kind::Double as i32, 64, |proto| proto.double_data.len()),
    (Kind::Float16 as i32, 16, |proto| proto.int32_data.len()),
    (Kind::Int8 as i32, 8, |proto| proto.int32_data.len()),
    (Kind::Uint8 as i32, 8, |proto| proto.int32_data.len()),
    (Kind::Int16 as i32, 16, |proto| proto.int32_data.len()),
    (Kind::Uint16 as i32, 16, |proto| proto.int32_data.len()),
    (Kind::Int32 as i32, 32, |proto| proto.int32_data.len()),
    (Kind::Bool as i32, 8, |proto| proto.int32_data.len()),
    (Kind::Int64 as i32, 64, |proto| proto.int64_data.len()),
    (Kind::Uint32 as i32, 32, |proto| proto.uint64_data.len()),
    (Kind::Uint64 as i32, 64, |proto| proto.uint64_data.len()),
    (INT4, 4, |proto| proto.int32_data.len()),
    (UINT4, 4, |proto| proto.int32_data.len()),
];

/// Reads a tensor of the file.
///
/// # Errors
/// A user error for element types that are not read.
pub(super) fn load(proto: &TensorProto) -> Result<TractTensor> {
    let loaded = catch(|| load_tensor(&MmapDataResolver, proto, None));
    let unreadable =
        |cause: String| Error::user(format!("tensor `{}` cannot be read: {cause}", proto.name));
    match loaded {
        Ok(Ok(tensor)) => Ok(tensor),
        Ok(Err(cause)) => Err(unreadable(cause.root_cause().to_string())),
        Err(panic) => Err(unreadable(panic)),
    }
}

/// A tensor that tract has read, as f32.
///
/// # Errors
/// A user error where an element is not exactly an f32, or is not a finite number.
pub(super) fn convert(name: &str, tensor: &TractTensor) -> Result<Tensor<f32>> {
    let unreadable = |what: &str| Error::user(format!("constant `{name}` {what}"));
    let wide = tensor.cast_to_dt(DatumType::F64).map_err(|_| {
        unreadable(&format!(
            "has the type {:?}, which is not a number",
            tensor.datum_type()
        ))
    })?;
    let view = wide
        .to_plain_array_view::<f64>()
        .map_err(|_| unreadable("cannot be read"))?;
    let mut data = Vec::with_capacity(view.len());
    for &value in view.iter() {
        let narrow = value as f32;
        if !value.is_finite() {
            return Err(unreadable(&format!("holds {value}")));
        }
        if f64::from(narrow) != value {
            return Err(unreadable(&format!("holds {value}, which is no f32"))
                .help("export the model in single precision"));
        }
        data.push(narrow);
    }
    Tensor::new(tensor.shape().to_vec(), data)
}

/// Elements of a tensor of the file as numbers; none where they are no numbers.
pub(super) fn elements(proto: &TensorProto) -> Option<Vec<f64>> {
    let wide = load(proto)
        .ok()?
        .cast_to_dt(DatumType::F64)
        .ok()?
        .into_owned();
    let view = wide.to_plain_array_view::<f64>().ok()?;
    Some(view.iter().copied().collect())
}

/// The integers of a vector that tract has read; none where it holds something else.
pub(super) fn list(tensor: &TractTensor) -> Option<Vec<i64>> {
    let wide = tensor.cast_to_dt(DatumType::I64).ok()?;
    let view = wide.to_plain_array_view::<i64>().ok()?;
    let integer = tensor.datum_type().is_integer() || tensor.datum_type() == DatumType::TDim;
    (integer && view.ndim() <= 1).then(|| view.iter().copied().collect())
}

/// Writes an initializer.
pub(super) fn real(name: &str, tensor: &Tensor<f32>) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: lengths(tensor.shape()),
        data_type: tensor_proto::DataType::Float as i32,
        raw_data: tensor.data().iter().flat_map(|v| v.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

/// Writes a list of integers, such as a shape, as an initializer.
pub(super) fn integers(name: &str, values: &[usize]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: vec![values.len() as i64],
        data_type: tensor_proto::DataType::Int64 as i32,
        raw_data: lengths(values)
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect(),
        ..TensorProto::default()
    }
}

fn lengths(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&length| length as i64).collect()
}
