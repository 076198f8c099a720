//! Modules that Verilator compiles, and what they write when.
//! Must not know layers in particular.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use finnp::backend::rtl::{BENCH, LIBRARY, bench_source, memories, shape_source};
use finnp::layer::{Layer, Port, Tensors};
use tempfile::TempDir;

/// The module of a layer as a program.
pub(crate) struct Bench {
    folder: TempDir,
    inputs: Vec<Port>,
    output: Port,
    copies: usize,
}

/// What a module wrote: for each copy of its output the elements of all frames, and the cycle of every word.
pub(crate) struct Written {
    pub(crate) elements: Vec<i64>,
    pub(crate) cycles: Vec<u64>,
}

/// Whether there is Verilator; said aloud where there is none outside CI.
pub(crate) fn verilator() -> bool {
    let found = Command::new("verilator").arg("--version").output().is_ok();
    assert!(
        found || std::env::var("CI").as_deref() != Ok("true"),
        "there is no `verilator`: run the tests with `tests/run`"
    );
    if !found {
        eprintln!("SKIPPED: there is no `verilator` (`tests/run` installs it)");
    }
    found
}

fn run(command: &mut Command, what: &str) -> Output {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {said}");
    output
}

/// Verilator's own part of every program, compiled once for each version of it.
pub(crate) fn runtime() -> (PathBuf, PathBuf) {
    let root = run(
        Command::new("verilator").args(["--getenv", "VERILATOR_ROOT"]),
        "verilator",
    );
    let include = PathBuf::from(String::from_utf8(root.stdout).unwrap().trim()).join("include");
    let version = run(Command::new("verilator").arg("--version"), "verilator").stdout;
    let version = String::from_utf8(version).unwrap();
    let version: String = version.chars().filter(char::is_ascii_digit).collect();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let object = folder.join(format!("verilated-{version}.o"));
    if !object.exists() {
        let own = tempfile::tempdir_in(folder).unwrap();
        let mut objects = Vec::new();
        for name in ["verilated", "verilated_threads"] {
            let source = include.join(format!("{name}.cpp"));
            objects.push(own.path().join(format!("{name}.o")));
            let mut cxx = compiler(&include);
            cxx.args(["-O2", "-c"]).arg(source).arg("-o");
            run(cxx.arg(objects.last().unwrap()), name);
        }
        let joined = own.path().join("joined.o");
        let mut cxx = compiler(&include);
        run(
            cxx.args(["-r", "-nostdlib", "-o"])
                .arg(&joined)
                .args(&objects),
            "c++ -r",
        );
        // Tests run at once; the last one wins, and all are equal.
        fs::rename(joined, &object).unwrap();
    }
    (include, object)
}

/// The compiler of C++, as for what Verilator writes.
pub(crate) fn compiler(include: &Path) -> Command {
    let mut cxx = Command::new("c++");
    cxx.args([
        "-std=c++17",
        "-DVERILATOR=1",
        "-DVM_TRACE=0",
        "-DVM_COVERAGE=0",
        "-DVM_SC=0",
    ]);
    cxx.arg("-I").arg(include);
    cxx.arg("-I").arg(include.join("vltstd"));
    cxx
}

/// Writes the sources of a module beside the library.
pub(crate) fn write_sources(layer: &Layer, folder: &Path) -> String {
    for (name, text) in LIBRARY {
        fs::write(folder.join(name), text).unwrap();
    }
    let (file, text) = shape_source(layer).unwrap();
    fs::write(folder.join(&file), text).unwrap();
    file.trim_end_matches(".sv").to_owned()
}

/// Compiles the module `top`, whose file lies in `folder` beside the library and `main.cpp`, to the program
/// `simulate`. Every warning is an error.
/// `given` are further arguments.
pub(crate) fn compile(folder: &Path, top: &str, given: &[String]) {
    let mut verilate = Command::new("verilator");
    verilate.args(["--cc", "-Wall", "--prefix", "Vdut", "--Mdir", "obj", "-O3"]);
    verilate.args(["--x-assign", "unique", "--x-initial", "unique"]);
    verilate.args(["--no-assert", "--top-module", top]);
    verilate.args(given);
    verilate.arg(format!("{top}.sv")).current_dir(folder);
    run(&mut verilate, top);
    let objects = folder.join("obj");
    let mut names: Vec<String> = fs::read_dir(&objects)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".cpp"))
        .collect();
    // What runs once comes last, and is not optimised.
    names.sort_by_key(|name| (name.contains("Slow"), name.clone()));
    let once = names.iter().position(|name| name.contains("Slow"));
    let mut all = String::from("#include \"../main.cpp\"\n");
    for (at, name) in names.iter().enumerate() {
        if Some(at) == once {
            all += "#pragma GCC optimize (\"O0\")\n";
        }
        all += &format!("#include \"{name}\"\n");
    }
    fs::write(objects.join("all.cc"), all).unwrap();
    let (include, runtime) = runtime();
    let mut cxx = compiler(&include);
    cxx.args(["-Og", "-I.", "-Iobj", "obj/all.cc"]).arg(runtime);
    cxx.args(["-o", "simulate", "-lpthread"]);
    run(cxx.current_dir(folder), "c++");
}

impl Bench {
    /// Compiles the module of a layer whose FIFOs hold `depth` words.
    pub(crate) fn new(layer: &Layer, tensors: &Tensors, depth: usize) -> Self {
        Bench::with(layer, tensors, depth, &[], &[])
    }

    /// The same with names that are defined, and with files beside the library.
    pub(crate) fn with(
        layer: &Layer,
        tensors: &Tensors,
        depth: usize,
        defined: &[&str],
        files: &[(&str, &str)],
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let top = write_sources(layer, folder.path());
        for (name, text) in memories(layer, tensors).unwrap() {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let copies = layer.hardware().copies();
        let depths = finnp::backend::hls::numbered("DEPTH", copies).into_iter();
        let depths = depths.map(|name| format!("-G{name}={depth}"));
        let defined = defined.iter().map(|name| format!("-D{name}"));
        let given: Vec<String> = depths.chain(defined).collect();
        Bench::compiled(folder, layer, &top, &given)
    }

    /// Compiles the module `top`, which has the ports of the layer's own and lies in `folder` with all that it needs.
    pub(crate) fn compiled(folder: TempDir, layer: &Layer, top: &str, given: &[String]) -> Self {
        fs::write(folder.path().join("main.cpp"), bench_source(layer).unwrap()).unwrap();
        fs::write(folder.path().join(BENCH.0), BENCH.1).unwrap();
        compile(folder.path(), top, given);
        let hardware = layer.hardware();
        Bench {
            folder,
            inputs: hardware.inputs(),
            output: hardware.output(),
            copies: hardware.copies(),
        }
    }

    /// Feeds the frames of each input, and expects as many frames in each copy of the output.
    pub(crate) fn run(
        &self,
        inputs: &[Vec<Vec<i64>>],
        options: &[&str],
    ) -> Result<Vec<Written>, String> {
        let path = |name: String| self.folder.path().join(name);
        let mut program = Command::new(path("simulate".to_owned()));
        program.args(options).current_dir(self.folder.path());
        for (at, (port, frames)) in self.inputs.iter().zip(inputs).enumerate() {
            let file = path(format!("in_{at}.bin"));
            fs::write(&file, port.words_of(&frames.concat())).unwrap();
            program.arg(file);
        }
        let written = |copy: usize| format!("out_{copy}.bin");
        for copy in 0..self.copies {
            program.arg(path(written(copy)));
        }
        let output = program.output().unwrap();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {said}", output.status));
        }
        let read = |copy: usize| {
            let words = fs::read(path(written(copy))).unwrap();
            let cycles = fs::read(path(format!("{}.cycles", written(copy)))).unwrap();
            let cycle = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
            Written {
                elements: self.output.elements_of(&words),
                cycles: cycles.chunks(8).map(cycle).collect(),
            }
        };
        Ok((0..self.copies).map(read).collect())
    }
}
