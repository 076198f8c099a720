//! `design.xml`: the cores of the network and their connections.
//! Must not know Tcl.

use super::stitch::{Cell, End, Stitched, What};
use super::xml::{Element, empty, node, text};
use super::{CLOCK, FIFO, LIBRARY, READ, RESET, VENDOR, VERSION, WRITTEN, stitched_name};
use crate::backend::hls::Target;
use crate::error::Result;

/// The design behind the network's component: its interfaces are the component's.
///
/// # Errors
/// A bug if it cannot be written.
pub(super) fn design(stitched: &Stitched, target: &Target) -> Result<String> {
    let wires = stitched
        .streams
        .iter()
        .map(|(from, to)| {
            node(
                "interconnection",
                vec![
                    text("name", wire(from)),
                    end("activeInterface", from),
                    end("activeInterface", to),
                ],
            )
        })
        .collect();
    let outer = [(READ, &stitched.input), (WRITTEN, &stitched.output)];
    let outer = outer.map(|(name, inner)| {
        node("hierConnection", vec![end("interface", inner)]).with("interfaceRef", name)
    });
    let mut shared = Vec::new();
    for (at, name) in [CLOCK, RESET].into_iter().enumerate() {
        let mut children = vec![text("name", name)];
        children.extend(stitched.cells.iter().map(|cell| {
            empty("internalPortReference")
                .with("componentRef", &cell.name)
                .with("portRef", cell.clock_and_reset()[at])
        }));
        children.push(empty("externalPortReference").with("portRef", name));
        shared.push(node("adHocConnection", children));
    }
    let root = node(
        "design",
        vec![
            text("vendor", VENDOR),
            text("library", LIBRARY),
            text("name", stitched_name(target)),
            text("version", VERSION),
            node(
                "componentInstances",
                stitched.cells.iter().map(instance).collect(),
            ),
            node("interconnections", wires),
            node("adHocConnections", shared),
            node("hierConnections", outer.into()),
            text(
                "description",
                format!("The cores of the accelerator {}, joined.", target.project),
            ),
        ],
    );
    root.document()
}

/// The name of the connection that begins at `from`: a cell may write several streams.
fn wire(from: &End) -> String {
    let several = from.interface.strip_prefix(WRITTEN);
    format!("from_{}{}", from.cell, several.unwrap_or_default())
}

fn end(name: &'static str, end: &End) -> Element {
    empty(name)
        .with("componentRef", &end.cell)
        .with("busRef", &end.interface)
}

fn instance(cell: &Cell) -> Element {
    let mut children = vec![text("instanceName", &cell.name)];
    match &cell.what {
        What::Core(core) => {
            children.push(empty("componentRef").called([VENDOR, LIBRARY, core, VERSION]));
        }
        What::Fifo { depth, bytes } => {
            children.push(empty("componentRef").called(FIFO));
            let values = [
                ("FIFO_DEPTH", depth.to_string()),
                ("TDATA_NUM_BYTES", bytes.to_string()),
            ];
            let values = values.map(|(name, value)| {
                text("configurableElementValue", value).with("referenceId", name)
            });
            children.push(node("configurableElementValues", values.into()));
        }
    }
    node("componentInstance", children)
}
