//! The C++ compiler of the machine.
//! Must not know what is compiled.

use super::Tool;

/// The C++ compiler: `$CXX` or the first of the usual names.
pub(super) const CXX: Tool = Tool {
    name: "c++",
    title: "C++ compiler",
    unlocks: "verification of the generated hardware by C simulation",
    variable: Some("CXX"),
    candidates: &["c++", "g++", "clang++"],
    version_args: &["--version"],
    least: None,
    keeps: &[],
    install: "install a C++ compiler, such as the package `g++`, or name one in the variable `CXX`",
};
