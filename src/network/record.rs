//! A network as bytes: a readable `graph.json` and its constants as safetensors.
//! Must not know files.

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::graph::Network;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

impl Network {
    /// `graph.json` and `constants.safetensors`. The same network gives the same bytes.
    ///
    /// # Errors
    /// A bug if they cannot be written.
    pub fn to_bytes(&self) -> Result<(Vec<u8>, Vec<u8>)> {
        let mut graph = serde_json::to_vec_pretty(self).map_err(|cause| broken(&cause))?;
        graph.push(b'\n');
        let bytes: Vec<(usize, &[usize], Vec<u8>)> = self
            .values
            .iter()
            .enumerate()
            .filter_map(|(id, value)| Some((id, value.constant.as_ref()?)))
            .map(|(id, c)| {
                (
                    id,
                    c.shape(),
                    c.data().iter().flat_map(|v| v.to_le_bytes()).collect(),
                )
            })
            .collect();
        let views = bytes
            .iter()
            .map(|(id, shape, data)| {
                let view = TensorView::new(Dtype::F32, shape.to_vec(), data);
                Ok((
                    key(*id, &self.values[*id].name),
                    view.map_err(|cause| broken(&cause))?,
                ))
            })
            .collect::<Result<Vec<_>>>()?;
        let constants = safetensors::serialize(views, None).map_err(|cause| broken(&cause))?;
        Ok((graph, constants))
    }

    /// Reads what [`Network::to_bytes`] wrote.
    ///
    /// # Errors
    /// A bug if the bytes are something else.
    pub fn from_bytes(graph: &[u8], constants: &[u8]) -> Result<Network> {
        let mut network: Network = serde_json::from_slice(graph).map_err(|cause| broken(&cause))?;
        let file = SafeTensors::deserialize(constants).map_err(|cause| broken(&cause))?;
        for (id, value) in network.values.iter_mut().enumerate() {
            let Ok(view) = file.tensor(&key(id, &value.name)) else {
                continue;
            };
            let numbers = view.data().chunks_exact(4);
            let data = numbers
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect();
            value.constant = Some(Tensor::new(view.shape().to_vec(), data)?);
        }
        network.verify("reading a stored network")?;
        Ok(network)
    }
}

/// Name of a constant in the file: the tensor's, made unique by its number.
fn key(id: usize, name: &str) -> String {
    format!("{id:04} {name}")
}

fn broken(cause: &dyn std::fmt::Display) -> Error {
    Error::bug(format!("a network cannot be stored or read: {cause}"))
}
