//! The Python executor of QONNX, which reads the files that finnp exports.
//! Must not know what is compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use finnp::data::{Array, Arrays, Values, write_npz};
use tempfile::TempDir;

/// A file to run.
pub(crate) struct Job {
    pub(crate) bytes: Vec<u8>,
    /// Shape of its only input.
    pub(crate) shape: Vec<usize>,
    /// Reals by sample.
    pub(crate) samples: Vec<Vec<f64>>,
    /// Names of the tensors that are wanted of every sample.
    pub(crate) each: Vec<String>,
    /// Names of wanted tensors that do not depend on the input.
    pub(crate) once: Vec<String>,
}

/// Wanted tensors by name: their elements in every sample, or once.
pub(crate) type Answer = BTreeMap<String, Vec<Vec<f64>>>;

/// The Python with the packages of `tests/requirements.txt`; `None`, said aloud, where there is none.
pub(crate) fn python() -> Option<PathBuf> {
    match std::env::var_os("FINNP_PYTHON") {
        Some(program) => Some(program.into()),
        None if std::env::var("CI").as_deref() == Ok("true") => {
            panic!("FINNP_PYTHON names no Python: run the tests with `tests/run`")
        }
        None => {
            eprintln!(
                "SKIPPED: FINNP_PYTHON names no Python with what tests/requirements.txt lists (`tests/run` does)"
            );
            None
        }
    }
}

/// Runs all jobs in one process; `None` without Python.
pub(crate) fn execute(jobs: &[Job]) -> Option<Vec<Answer>> {
    let python = python()?;
    let folder = TempDir::new().unwrap();
    let path = |number: usize, kind: &str| folder.path().join(format!("{number}.{kind}"));
    for (number, job) in jobs.iter().enumerate() {
        fs::write(path(number, "onnx"), &job.bytes).unwrap();
        let wanted = serde_json::json!({ "each": job.each, "once": job.once });
        fs::write(path(number, "json"), wanted.to_string()).unwrap();
        let mut shape = vec![job.samples.len()];
        shape.extend(&job.shape);
        let x = Array {
            shape,
            values: Values::Real(job.samples.concat()),
        };
        fs::write(path(number, "npz"), write_npz(&[("x", &x)]).unwrap()).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/other_executor.py");
    let mut command = Command::new(python);
    let output = command.arg(script).arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let jobs = jobs.iter().enumerate();
    let answers = jobs.map(|(number, job)| answer(job, &path(number, "out.npz")));
    Some(answers.collect())
}

fn answer(job: &Job, path: &Path) -> Answer {
    let mut arrays = Arrays::open(path).unwrap();
    let names = job.each.iter().chain(&job.once).enumerate();
    names
        .map(|(number, name)| {
            let array = arrays.read(&format!("t{number}")).unwrap();
            let values = match array.values {
                Values::Real(values) => values,
                Values::Integer(values) => values.into_iter().map(|v| v as f64).collect(),
            };
            let samples = match number < job.each.len() {
                true => job.samples.len(),
                false => 1,
            };
            let values = values.chunks(values.len() / samples);
            (name.clone(), values.map(<[f64]>::to_vec).collect())
        })
        .collect()
}
