//! A project in a folder of its own with a cache of its own, and the finnp that builds it.
//! Must not know what is tested.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A folder with `accel.toml` and a cache, both gone in the end.
pub struct Project {
    folder: TempDir,
}

/// What a call of finnp did.
pub struct Call {
    /// Exit code.
    pub code: i32,
    /// Events of `--json`, in order.
    pub events: Vec<serde_json::Value>,
    /// What it said on standard error.
    pub stderr: String,
}

impl Project {
    /// A project whose manifest is `manifest`.
    pub fn new(manifest: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let project = Project { folder };
        fs::create_dir(project.dir()).unwrap();
        fs::write(project.dir().join("accel.toml"), manifest).unwrap();
        project
    }

    /// A copy of an example, without its build.
    pub fn example(name: &str) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name);
        let project = Project::new("");
        for entry in fs::read_dir(source).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), project.dir().join(entry.file_name())).unwrap();
            }
        }
        project
    }

    /// Its folder.
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// Its cache.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Replaces text in the manifest, which must hold it.
    pub fn edit(&self, from: &str, to: &str) {
        let path = self.dir().join("accel.toml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "the manifest has no `{from}`");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }

    /// finnp with these arguments, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finnp"));
        command.arg("-C").arg(self.dir()).args(args);
        command
            .env("FINNP_CACHE_DIR", self.cache())
            .env("PATH", path())
            .env_remove("FINNP_BLESS");
        command
    }

    /// Runs `finnp build --json` with further arguments.
    pub fn build(&self, args: &[&str]) -> Call {
        let args: Vec<&str> = [&["build", "--json"], args].concat();
        Call::of(self.command(&args).output().unwrap())
    }

    /// All files of `build/` with their contents, without those that are the engine's own.
    pub fn built(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.dir().join("build"), "", &mut files);
        files
    }

    /// One file of `build/` as JSON.
    pub fn json(&self, file: &str) -> serde_json::Value {
        serde_json::from_slice(&fs::read(self.dir().join("build").join(file)).unwrap()).unwrap()
    }
}

/// `PATH` without the tools that would synthesise for hours.
pub fn path() -> OsString {
    let has = |folder: &PathBuf, tool: &str| folder.join(tool).exists();
    let tools = ["vivado", "vitis_hls", "vitis-run"];
    let all = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&all).filter(|folder| !tools.iter().any(|tool| has(folder, tool)));
    std::env::join_paths(folders).unwrap()
}

fn collect(folder: &Path, name: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let own = entry.file_name().into_string().unwrap();
        if own.starts_with('.') {
            continue;
        }
        let path = format!("{name}{own}");
        match entry.file_type().unwrap().is_dir() {
            true => collect(&entry.path(), &format!("{path}/"), files),
            false => drop(files.insert(path, fs::read(entry.path()).unwrap())),
        }
    }
}

impl Call {
    /// Reads what `--json` printed.
    pub fn of(output: Output) -> Self {
        let stdout = String::from_utf8(output.stdout).unwrap();
        Call {
            code: output.status.code().unwrap_or(-1),
            events: stdout
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The last event.
    pub fn finished(&self) -> &serde_json::Value {
        let last = self.events.last().unwrap();
        assert_eq!(last["event"], "finished");
        last
    }

    /// Jobs that ran, as `stage job`, sorted.
    pub fn ran(&self) -> Vec<String> {
        let mut jobs: Vec<String> = self
            .events
            .iter()
            .filter(|event| event["event"] == "job_finished" && event["cached"] == false)
            .map(|event| {
                format!(
                    "{} {}",
                    event["stage"].as_str().unwrap(),
                    event["job"].as_str().unwrap()
                )
            })
            .collect();
        jobs.sort();
        jobs
    }

    /// Fails the test unless the call went well.
    pub fn expect_success(self) -> Self {
        assert_eq!(self.code, 0, "{:?}\n{}", self.events.last(), self.stderr);
        self
    }
}
