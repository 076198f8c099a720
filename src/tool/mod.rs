//! The tools of the machine: which there are, where they are found and what version they say they have.
//! Must not know what they are used for: no graphs, no stages.

mod cancel;
mod cxx;
mod find;
mod run;
mod verilator;
mod vitis_hls;
mod vitis_run;
mod vivado;
mod yosys;

pub use cancel::Cancel;
pub use find::{Found, find, is_installed};
pub use run::{Exit, Process, run};

/// A program that is not part of finnp.
#[derive(Debug)]
pub struct Tool {
    /// Name by which jobs ask for it.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// What can be done where it is installed.
    pub unlocks: &'static str,
    /// Environment variable that overrides the candidates: a program and arguments that always come first.
    pub variable: Option<&'static str>,
    /// Names under which it is looked for in `PATH`; the first that is found is taken.
    pub candidates: &'static [&'static str],
    /// Arguments that make it print its version on the first line.
    pub version_args: &'static [&'static str],
    /// The oldest version that will do: the first two numbers of what it says.
    pub least: Option<[u32; 2]>,
    /// Environment variables that it needs beside the usual ones, such as those of its licence.
    pub keeps: &'static [&'static str],
    /// How to install it.
    pub install: &'static str,
}

/// All tools that a job may ask for.
pub const TOOLS: &[&Tool] = &[
    &cxx::CXX,
    &verilator::VERILATOR,
    &vitis_hls::VITIS_HLS,
    &vitis_run::VITIS_RUN,
    &vivado::VIVADO,
    &yosys::YOSYS,
];
