//! A trial of the C++ compiler: a small program with every header of the library, compiled and run.
//! Must not know what the compiler is for.

use std::fs;
use std::path::Path;

use crate::backend::hls::{LIBRARY, include_flags};
use crate::error::{Error, Result};
use crate::tool::{self, Cancel, Exit, Found, Process};

const SOURCE: &str = "main.cpp";
const PROGRAM: &str = "trial";

/// What the program does with the types that stand in for those of HLS tools, in the words of C++17.
const BODY: &str = "
template <class... Values> constexpr int sum(Values... values) { return (values + ...); }

int main() {
    ap_uint<7> wraps = 100;
    wraps += 100;
    hls::stream<int> stream;
    stream.write(sum(1, 2, 3));
    return wraps == 72 && stream.read() == 6 ? 0 : 1;
}
";

/// Compiles and runs the program.
///
/// # Errors
/// A tool error that tells what went wrong; [`crate::error::Kind::Interrupted`].
pub(super) fn compiler(found: &Found, cancel: &Cancel) -> Result<()> {
    let folder = tempfile::tempdir()
        .map_err(|cause| Error::io("create a folder in", &std::env::temp_dir(), &cause))?;
    let dir = folder.path();
    let mut source = String::new();
    for (path, text) in LIBRARY {
        write(&dir.join("library").join(path), text)?;
        source += &format!("#include \"{path}\"\n");
    }
    write(&dir.join(SOURCE), &(source + BODY))?;
    let args = [
        "-std=c++17",
        "-O1",
        "-Wno-unknown-pragmas",
        SOURCE,
        "-o",
        PROGRAM,
    ];
    let args = found.lead.iter().cloned().chain(args.map(str::to_owned));
    let args: Vec<String> = args.chain(include_flags()).collect();
    run(&found.path, &args, dir, cancel)
        .map_err(|error| error.within("it does not compile C++17 with the bundled headers"))?;
    run(&dir.join(PROGRAM), &[], dir, cancel)
        .map_err(|error| error.within("what it compiled does not run as it should"))
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|cause| Error::io("write", path, &cause))
}

fn run(program: &Path, args: &[String], dir: &Path, cancel: &Cancel) -> Result<()> {
    let log = dir.join("log");
    let process = Process {
        program,
        args,
        dir,
        temporary: dir,
        keeps: &[],
        log: &log,
    };
    let exit = tool::run(&process, cancel)?;
    if exit == Exit::Code(0) {
        return Ok(());
    }
    let said = fs::read(&log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines.clone().find(|line| line.contains("error"));
    let line = telling.or_else(|| lines.next());
    let line = line.map_or_else(String::new, |line| format!(": {line}"));
    Err(Error::tool(format!("{exit}{line}")))
}
