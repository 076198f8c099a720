//! Import: the model file becomes a `Network`.
//! Must not know the cache.

use super::model;
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
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
        let imported = blame.clone();
        let job = Job::compute(NETWORK, move |inputs| {
            import(inputs).map_err(|error| imported.on(error))
        });
        let job = model::reads(job, manifest).map_err(|error| blame.on(error))?;
        Ok(vec![job.shown_in("network")])
    }
}

fn import(inputs: &Inputs) -> Result<Outputs> {
    let network = qonnx::import(&model::whole(inputs)?)?;
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
