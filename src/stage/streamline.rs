//! Streamline: the `Network` becomes an integer `Dataflow`.
//! Must not know the cache.

use super::import::Blame;
use super::record::{CONSTANTS, GRAPH, write};
use super::{Artifacts, Inputs, Job, NETWORK, Outputs, Stage};
use crate::backend::hls;
use crate::error::Result;
use crate::manifest::{self, Manifest};
use crate::network::{Coding, Network};
use crate::pass::{self, Grid};
use crate::tensor::PerChannel;

/// The stage.
pub(super) struct Streamline;

impl Stage for Streamline {
    fn name(&self) -> &'static str {
        "streamline"
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, manifest: &Manifest, _: &dyn Artifacts) -> Result<Vec<Job>> {
        let blame = Blame::new(manifest);
        let grid = manifest.input.grid.as_ref().map(grid);
        let labels = manifest.output.labels;
        let job = Job::compute(NETWORK, move |inputs| {
            streamline(inputs, grid.as_ref(), labels).map_err(|error| blame.on(error))
        });
        Ok(vec![
            job.line("input", manifest.canonical("input"))
                .line("output", manifest.canonical("output"))
                .output_of(GRAPH, "prune", NETWORK, GRAPH)
                .output_of(CONSTANTS, "prune", NETWORK, CONSTANTS)
                .shown_in("dataflow/integer"),
        ])
    }
}

fn streamline(inputs: &Inputs, grid: Option<&Grid>, labels: bool) -> Result<Outputs> {
    let network = Network::from_bytes(inputs.bytes(GRAPH)?, inputs.bytes(CONSTANTS)?)?;
    let dataflow = pass::fuse(pass::streamline(&network, grid, labels)?)?;
    // What no backend builds is said here, before anybody works for it.
    hls::Ends::streams(&dataflow)?;
    write(&dataflow, true)
}

/// The manifest's grid as a coding: `scale * (q - zero_point)`.
pub(super) fn grid(grid: &manifest::Grid) -> Grid {
    Grid {
        element: grid.data_type,
        coding: Coding {
            scale: PerChannel::Same(grid.scale),
            bias: PerChannel::Same(if grid.zero_point == 0 {
                0.0
            } else {
                -grid.scale * grid.zero_point as f64
            }),
        },
    }
}
