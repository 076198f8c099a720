//! `Ends`: the one stream that enters the accelerator, and the one that leaves it.
//! Must not know text.

use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};
use crate::layer::Port;

/// The words at the accelerator's edges: those of the layer that reads its input, and of the one that writes its
/// output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Where frames enter.
    pub input: Port,
    /// Where frames leave.
    pub output: Port,
}

impl Ends {
    /// The ends of a network.
    ///
    /// # Errors
    /// A user error where there are several inputs or outputs, which it names; a design error where there is no
    /// layer between them.
    pub fn of(dataflow: &Dataflow) -> Result<Ends> {
        let (fed, read) = Ends::streams(dataflow)?;
        let reader = dataflow.consumers(fed).next();
        let input = reader.and_then(|node| {
            let slot = node.inputs.iter().position(|id| *id == fed)?;
            node.layer.hardware().inputs().get(slot).copied()
        });
        let writer = dataflow.producer(read);
        match (input, writer.map(|node| node.layer.hardware().output())) {
            (Some(input), Some(output)) => Ok(Ends { input, output }),
            _ => Err(Error::design(
                "the network has no layer that runs in hardware",
            )),
        }
    }
}

impl Ends {
    /// The streams at the ends of a network, whatever is between them.
    ///
    /// # Errors
    /// A user error where there are several inputs or outputs, which it names.
    pub fn streams(dataflow: &Dataflow) -> Result<(StreamId, StreamId)> {
        let inputs = dataflow.inputs.iter();
        let inputs: Vec<_> = inputs.map(|end| (end.name.as_str(), end.stream)).collect();
        let outputs = dataflow.outputs.iter();
        let outputs: Vec<_> = outputs.map(|end| (end.name.as_str(), end.stream)).collect();
        Ok((only("input", &inputs)?, only("output", &outputs)?))
    }
}

/// The only one of the ends.
fn only<T: Copy>(kind: &str, ends: &[(&str, T)]) -> Result<T> {
    match ends {
        [(_, end)] => Ok(*end),
        [] => Err(Error::user(format!("the network has no {kind}"))),
        _ => {
            let names: Vec<String> = ends.iter().map(|(name, _)| format!("`{name}`")).collect();
            let names = names.join(", ");
            Err(Error::user(format!(
                "the network has {} {kind}s, {names}: an accelerator has one stream at each end",
                ends.len()
            ))
            .help(format!(
                "export the network with one {kind}: one project for each part that has one, or the {kind}s \
                 joined to one tensor"
            )))
        }
    }
}
