//! Import: the model file becomes a `Network`.
//! Must not know the cache.

use super::{Artifacts, Input, Inputs, Job, NETWORK, Outputs, Stage};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::qonnx;

/// The stage.
pub(super) struct Import;

impl Stage for Import {
    fn name(&self) -> &'static str {
        "import"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, _: &dyn Artifacts) -> Result<Vec<Job>> {
        let blame = Blame::new(manifest);
        // A protobuf message ends at 2 GiB; nothing larger is read into memory.
        let size = std::fs::metadata(&manifest.model.path).map_or(0, |found| found.len());
        if size >= 1 << 31 {
            let error = Error::user(format!(
                "the model file has {size} bytes, more than an ONNX file can have"
            ));
            return Err(blame.on(error.help(
                "keep large weights in a file beside the model, or check what this file is",
            )));
        }
        let job = Job::compute(NETWORK, move |inputs| {
            import(inputs).map_err(|error| blame.on(error))
        });
        Ok(vec![
            job.input("model.onnx", Input::File(manifest.model.path.clone()))
                .shown_in("network"),
        ])
    }
}

fn import(inputs: &Inputs) -> Result<Outputs> {
    let network = qonnx::import(inputs.bytes("model.onnx")?)?;
    let (graph, constants) = network.to_bytes()?;
    Ok(Outputs::from([
        ("graph.json".to_owned(), graph),
        ("constants.safetensors".to_owned(), constants),
    ]))
}

/// Points failures that lie in the model at the line of the manifest that names it.
#[derive(Clone)]
pub(super) struct Blame {
    place: crate::error::Place,
}

impl Blame {
    pub(super) fn new(manifest: &Manifest) -> Self {
        Blame {
            place: manifest.place("model.path").label("in this model"),
        }
    }

    pub(super) fn on(&self, error: Error) -> Error {
        match error.place().is_some() {
            true => error,
            false => error.at(self.place.clone()),
        }
    }
}
