//! `File`: what a component lists, and of what kind it is.
//! Must not know what the files say.

use crate::backend::hls::{CORE_TO_HLS, LIBRARY};
use crate::backend::rtl::{self, CORE_TO_RTL};

/// A file of a component, relative to the component.
pub(super) struct File {
    pub(super) path: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// C++ that is compiled.
    Source,
    /// Verilog.
    Verilog,
    /// SystemVerilog.
    SystemVerilog,
    /// The words of a memory, for Verilog.
    Words,
    /// C++ that is included.
    Header,
    /// Numbers that are included.
    Memory,
    /// Tcl.
    Script,
}

impl File {
    /// The file at `path`, of the kind that its ending says.
    pub(super) fn new(path: impl Into<String>) -> File {
        let path = path.into();
        let kind = match path.rsplit('.').next() {
            Some("hpp" | "h") => Kind::Header,
            Some("dat") => Kind::Memory,
            Some("v") => Kind::Verilog,
            Some("sv") => Kind::SystemVerilog,
            Some("mem") => Kind::Words,
            Some("tcl" | "xdc") => Kind::Script,
            _ => Kind::Source,
        };
        File { path, kind }
    }

    /// Whether it is compiled by itself.
    pub(super) fn is_unit(&self) -> bool {
        self.kind == Kind::Source
    }
}

/// Files of the core `name`, of the shape `tag` if it is a layer.
pub(super) fn of_core(name: &str, tag: Option<&str>, memories: &[String]) -> Vec<File> {
    let mut paths = vec![format!("{name}.cpp")];
    if let Some(tag) = tag {
        paths.push(format!("{CORE_TO_HLS}/shapes/{tag}.cpp"));
        paths.push(format!("{CORE_TO_HLS}/shapes/{tag}.hpp"));
    }
    paths.extend(library(CORE_TO_HLS));
    paths.extend(memories.iter().cloned());
    paths.push("vitis_hls.tcl".to_owned());
    paths.into_iter().map(File::new).collect()
}

/// Files of the core `name` in SystemVerilog, of the shape `tag` if it is a layer.
pub(super) fn of_rtl_core(name: &str, tag: Option<&str>, memories: &[String]) -> Vec<File> {
    let mut paths = vec![format!("{name}.v")];
    paths.extend(tag.map(|tag| format!("{CORE_TO_RTL}/shapes/{tag}.sv")));
    paths.extend(rtl_library(CORE_TO_RTL));
    paths.extend(memories.iter().cloned());
    paths.into_iter().map(File::new).collect()
}

/// Modules of the library, where the folder of RTL sources is `rtl`.
pub(super) fn rtl_library(rtl: &str) -> impl Iterator<Item = String> + '_ {
    let files = rtl::LIBRARY.iter();
    files.map(move |(file, _)| format!("{rtl}/library/{file}"))
}

/// Headers of the library that synthesis reads, where the folder of HLS sources is `hls`: the bundled ones
/// stand in for those that its tool has.
pub(super) fn library(hls: &str) -> impl Iterator<Item = String> + '_ {
    let paths = LIBRARY.iter().map(|(path, _)| *path);
    let own = paths.filter(|path| !path.starts_with("bundled/"));
    own.map(move |path| format!("{hls}/library/{path}"))
}
