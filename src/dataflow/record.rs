//! Weights and thresholds as safetensors bytes, in the narrowest integers that hold them.
//! Must not know files.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::error::{Error, Result};
use crate::layer::Tensors;
use crate::tensor::Tensor;

/// Little-endian element types that integers are stored in, narrowest first.
const STORAGE: &[(Dtype, usize)] = &[
    (Dtype::I8, 1),
    (Dtype::I16, 2),
    (Dtype::I32, 4),
    (Dtype::I64, 8),
];

/// Serialises a layer's integers. The same integers give the same bytes.
///
/// # Errors
/// A bug if safetensors refuses them.
pub fn write_tensors(tensors: &Tensors) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    if let Some(weights) = &tensors.weights {
        packed.push((
            "weights",
            pack(
                weights.shape(),
                weights.data().iter().map(|v| i64::from(*v)),
            ),
        ));
    }
    if let Some(index) = &tensors.index {
        let entries = index.data().iter().map(|v| i64::from(*v));
        packed.push(("index", pack(index.shape(), entries)));
    }
    if let Some(index) = &tensors.row_index {
        let entries = index.data().iter().map(|v| i64::from(*v));
        packed.push(("row_index", pack(index.shape(), entries)));
    }
    if let Some(thresholds) = &tensors.thresholds {
        packed.push((
            "thresholds",
            pack(thresholds.shape(), thresholds.data().iter().copied()),
        ));
    }
    if let Some(flip) = &tensors.flip {
        packed.push((
            "flip",
            pack(flip.shape(), flip.data().iter().map(|v| i64::from(*v))),
        ));
    }
    let broken = |cause: safetensors::SafeTensorError| {
        Error::bug(format!("weights cannot be stored: {cause}"))
    };
    let views = packed
        .iter()
        .map(|(name, (dtype, shape, bytes))| {
            Ok((
                *name,
                TensorView::new(*dtype, shape.clone(), bytes).map_err(broken)?,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    safetensors::serialize(views, None).map_err(broken)
}

/// Reads what [`write_tensors`] wrote.
///
/// # Errors
/// A bug if the bytes are something else.
pub fn read_tensors(bytes: &[u8]) -> Result<Tensors> {
    let broken = |cause: String| Error::bug(format!("stored weights cannot be read: {cause}"));
    let file = SafeTensors::deserialize(bytes).map_err(|cause| broken(cause.to_string()))?;
    let mut tensors = Tensors::default();
    for (name, view) in file.tensors() {
        let values = unpack(&view).ok_or_else(|| broken(format!("`{name}` is not of integers")))?;
        let shape = view.shape().to_vec();
        let narrow = |values: Vec<i64>| {
            Tensor::new(shape.clone(), values.iter().map(|v| *v as i32).collect())
        };
        match name.as_str() {
            "weights" => tensors.weights = Some(narrow(values)?),
            "index" => tensors.index = Some(narrow(values)?),
            "row_index" => tensors.row_index = Some(narrow(values)?),
            "flip" => tensors.flip = Some(narrow(values)?),
            "thresholds" => tensors.thresholds = Some(Tensor::new(shape, values)?),
            _ => return Err(broken(format!("`{name}` is unknown"))),
        }
    }
    Ok(tensors)
}

fn pack(
    shape: &[usize],
    values: impl Iterator<Item = i64> + Clone,
) -> (Dtype, Vec<usize>, Vec<u8>) {
    let fits = |size: usize| {
        let spare = 64 - 8 * size as u32;
        values.clone().all(|value| value << spare >> spare == value)
    };
    let (dtype, size) = *STORAGE
        .iter()
        .find(|(_, size)| fits(*size))
        .unwrap_or(&STORAGE[3]);
    let bytes = values
        .flat_map(|value| value.to_le_bytes().into_iter().take(size))
        .collect();
    (dtype, shape.to_vec(), bytes)
}

fn unpack(view: &TensorView<'_>) -> Option<Vec<i64>> {
    let (_, size) = STORAGE.iter().find(|(dtype, _)| *dtype == view.dtype())?;
    let values = view.data().chunks_exact(*size).map(|chunk| {
        let fill = if chunk[size - 1] >= 128 { 0xff } else { 0 };
        let mut bytes = [fill; 8];
        bytes[..*size].copy_from_slice(chunk);
        i64::from_le_bytes(bytes)
    });
    Some(values.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_survive_in_every_width() {
        for values in [
            vec![-1i64, 1],
            vec![-129, 127],
            vec![70_000, -1],
            vec![1 << 40, i64::MIN],
        ] {
            let tensors = Tensors {
                index: Some(Tensor::new(vec![1], vec![3]).expect("fits")),
                row_index: Some(Tensor::new(vec![1, 1], vec![-2]).expect("fits")),
                weights: None,
                thresholds: Some(Tensor::new(vec![1, 2], values).expect("fits")),
                flip: Some(Tensor::new(vec![1], vec![1]).expect("fits")),
            };
            let bytes = write_tensors(&tensors).expect("serialises");
            assert_eq!(read_tensors(&bytes).expect("reads"), tensors);
        }
        assert!(read_tensors(b"nonsense").is_err());
    }
}
