//! Packages: IP-XACT descriptions and Vivado Tcl of a folded `Dataflow`, as text.
//! Must not know the disk or processes.

mod component;
mod core;
mod design;
mod file;
mod outside;
mod stitch;
mod synth;
mod tcl;
mod whole;
mod xml;

pub use component::core_component;
pub use core::{Core, Marks, Side};
pub use stitch::{Cell, Cores, End, Stitched, What};
pub use synth::{CHECKPOINT, CONSTRAINTS, TIMING, UTILISATION};
pub use whole::{accelerator, accelerator_memory};

use crate::backend::Language;
use crate::backend::hls::{Target, ip_name};
use crate::dataflow::Dataflow;
use crate::error::Result;
use component::network_component;
use design::design;
use synth::{constraints, synthesise};
use tcl::{link, package_cores, stitch};

/// Vendor of everything that is packaged.
const VENDOR: &str = "finnp";
/// Library of everything that is packaged, in whichever language.
const LIBRARY: &str = "accelerator";
/// Version of everything that is packaged: what differs has another name.
const VERSION: &str = "1.0";
/// Stream that is read, of every core and of the network.
const READ: &str = "s_axis";
/// Stream that is written, of every core and of the network.
const WRITTEN: &str = "m_axis";
/// Clock of every core and of the network.
const CLOCK: &str = "ap_clk";
/// Reset of every core and of the network, active low.
const RESET: &str = "ap_rst_n";
/// The FIFO of Vivado's catalogue.
const FIFO: [&str; 4] = ["xilinx.com", "ip", "axis_data_fifo", "2.0"];
/// Scripts of the network, beside its component.
const SCRIPTS: [&str; 4] = ["package_ip.tcl", "stitch.tcl", "synth.tcl", CONSTRAINTS];

/// Script that runs them all, where cores of two languages are joined.
const LINK: &str = "link.tcl";

/// Name of the network that is joined from cores.
fn stitched_name(target: &Target) -> String {
    format!("{}_stitched", ip_name(&target.project))
}

/// `(file, text)` of all that describes and builds the network from its cores, beside the folder `cores`.
///
/// # Errors
/// As [`Stitched::new`].
pub fn network(
    dataflow: &Dataflow,
    cores: &Cores,
    target: &Target,
) -> Result<Vec<(String, String)>> {
    let stitched = Stitched::new(dataflow, cores)?;
    let component = network_component(dataflow, cores, target)?;
    let mut files = vec![
        ("component.xml", component),
        ("design.xml", design(&stitched, target)?),
        ("package_ip.tcl", package_cores(cores, target)),
        ("stitch.tcl", stitch(&stitched, target)),
        ("synth.tcl", synthesise(target)),
        (CONSTRAINTS, constraints(target, CLOCK)),
    ];
    if !cores.are_in(Language::Cpp) {
        files.push((LINK, link(target)));
    }
    let files = files.into_iter();
    Ok(files.map(|(name, text)| (name.to_owned(), text)).collect())
}
