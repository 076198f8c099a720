//! What finnp says: golden outputs, one folder per message, and how it ends.
//! Must not know how anything is computed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::project::{Project, path};

/// Files of a case that are not part of its project.
const OWN: &[&str] = &["cmd", "expect.txt", "code", "use-model"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else if !OWN.iter().any(|own| entry.file_name() == *own) {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The model that `use-model` names: an example, perhaps cut off after so many bytes.
fn use_model(words: &str, folder: &Path) {
    let mut words = words.split_whitespace();
    let example = root().join("examples").join(words.next().unwrap());
    let mut model = fs::read(example.join("model.onnx")).unwrap();
    if let Some(length) = words.next() {
        model.truncate(length.parse().unwrap());
    }
    fs::write(folder.join("model.onnx"), model).unwrap();
}

/// Runs the case in a folder of its own.
fn run(case: &Path, folder: &Path) -> Output {
    let project = folder.join("project");
    fs::create_dir(&project).unwrap();
    copy(case, &project);
    if let Ok(words) = fs::read_to_string(case.join("use-model")) {
        use_model(&words, &project);
    }
    let arguments = fs::read_to_string(case.join("cmd")).unwrap();
    Command::new(env!("CARGO_BIN_EXE_finnp"))
        .args(arguments.split_whitespace())
        .current_dir(project)
        .env("FINNP_CACHE_DIR", folder.join("cache"))
        .env("PATH", path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

/// The number behind every `mark` becomes `N`.
fn without_number(text: &str, mark: &str) -> String {
    let mut parts = text.split(mark);
    let mut result = parts.next().unwrap().to_owned();
    for part in parts {
        let after = part.find(|letter: char| !(letter.is_ascii_digit() || ",.".contains(letter)));
        let number = part[..after.unwrap_or(part.len())].trim_end_matches([',', '.']);
        result += &format!("{mark}N{}", &part[number.len()..]);
    }
    result
}

fn normal(text: &[u8], folder: &Path) -> String {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let text = text.replace(&folder.display().to_string(), "DIR");
    let text = without_number(&text, "\"wall_ms\":");
    without_number(&text, " samples, ")
}

/// What differs from the golden files, which `FINNP_BLESS=1` rewrites.
fn compare(case: &Path) -> Option<String> {
    let folder = TempDir::new().unwrap();
    let output = run(case, folder.path());
    let text = normal(&output.stdout, folder.path()) + &normal(&output.stderr, folder.path());
    let code = format!("{}\n", output.status.code().unwrap());
    if std::env::var_os("FINNP_BLESS").is_some_and(|value| value == "1") {
        fs::write(case.join("expect.txt"), text).unwrap();
        fs::write(case.join("code"), code).unwrap();
        return None;
    }
    let read = |file: &str| fs::read_to_string(case.join(file)).unwrap_or_default();
    let same = read("expect.txt") == text && read("code") == code;
    (!same).then(|| {
        let case = case.display();
        format!("{case} differs (FINNP_BLESS=1 rewrites it); now exit code {code}{text}")
    })
}

#[test]
fn golden_cases() {
    let cases = fs::read_dir(root().join("tests/golden/cli")).unwrap();
    let mut cases: Vec<PathBuf> = cases.map(|case| case.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 30, "the cases are gone");
    let different: Vec<String> = cases.iter().filter_map(|case| compare(case)).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Wherever the file of the model ends, it is the user's problem and no panic.
#[test]
fn a_model_may_end_anywhere() {
    let project = Project::example("digits");
    let model = project.dir().join("model.onnx");
    let whole = fs::read(&model).unwrap();
    for part in 0..24 {
        fs::write(&model, &whole[..whole.len() * part / 24]).unwrap();
        let output = project.command(&["check"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{part} of 24: {said}");
        assert!(said.contains("model.onnx"), "{part} of 24: {said}");
    }
}

fn last_line(output: &Output) -> serde_json::Value {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

#[test]
fn questions_leave_the_project_alone() {
    let project = Project::example("digits");
    for command in ["check", "show"] {
        let output = project.command(&[command, "--json"]).output().unwrap();
        assert_eq!(last_line(&output)["exit"], 0);
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
    }
    assert!(!project.dir().join("build").exists());
    let output = project.command(&["show", "--json"]).output().unwrap();
    let layers = last_line(&output)["layers"].as_array().unwrap().clone();
    assert_eq!(layers[0]["name"], "fc1");
    assert_eq!(layers[0]["pe"], 8);
}

#[test]
fn run_answers_the_same_with_any_number_of_threads() {
    let project = Project::example("digits");
    let (input, output) = (
        project.dir().join("test.npz"),
        project.dir().join("out.npz"),
    );
    let paths = (input.to_str().unwrap(), output.to_str().unwrap());
    let arguments = ["run", paths.0, "-o", paths.1, "--json"];
    let finished = last_line(&project.command(&arguments).output().unwrap());
    assert_eq!(finished["exit"], 0, "{finished}");
    assert_eq!(finished["shape"], serde_json::json!([360, 10]));
    assert!(finished["right"].as_u64().unwrap() > 340, "{finished}");
    let bytes = fs::read(&output).unwrap();
    let single = [&arguments[..], &["--jobs", "1"]].concat();
    project.command(&single).output().unwrap();
    assert_eq!(fs::read(&output).unwrap(), bytes);
    assert!(!project.dir().join("build").exists());
}

/// What a project is made of survives a slip of the hand.
#[test]
fn nothing_is_written_over_what_is_read() {
    let project = Project::example("digits");
    let dir = project.dir();
    for (command, own) in [
        ("run", "test.npz"),
        ("run", "model.onnx"),
        ("run", "accel.toml"),
        ("export", "model.onnx"),
        ("export", "accel.toml"),
        ("export", "test.npz"),
    ] {
        let bytes = fs::read(dir.join(own)).unwrap();
        let arguments = match command {
            "run" => ["run", "test.npz", "-o", own],
            _ => ["export", "--qonnx=import", "-o", own],
        };
        let mut call = project.command(&arguments);
        let output = call.current_dir(&dir).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(own), "{arguments:?}: {said}");
        assert_eq!(fs::read(dir.join(own)).unwrap(), bytes, "{arguments:?}");
    }
}

#[test]
fn a_build_says_what_it_did_and_clean_takes_it_away() {
    let project = Project::example("digits");
    let call = |arguments: &[&str]| {
        let output = project.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap())
    };
    let [said, progress] = call(&["build"]);
    let proof = "function verified (C simulation), timing not verified\n";
    assert!(said.contains(proof), "{said}");
    assert!(
        progress.contains("fold        1 job, 0 cached\n"),
        "{progress}"
    );
    assert_eq!(call(&["build", "--quiet"]), ["", ""]);
    let [dry, _] = call(&["build", "--dry-run", "--set", "layer.fc1.pe=4"]);
    assert!(
        dry.contains("fold        network: layer fc1 pe: 8 -> 4\n"),
        "{dry}"
    );
    call(&["clean"]);
    assert!(!project.dir().join("build").exists());
    let again = project.build(&[]).expect_success();
    assert_eq!(again.finished()["jobs_run"], 0);
}

#[test]
fn a_project_that_is_worked_on_is_waited_for_or_not() {
    let project = Project::example("digits");
    project.build(&["--to", "import"]).expect_success();
    let cancel = finnp::tool::Cancel::default();
    let lock = finnp::build::lock(&project.dir(), true, &cancel, &|_| ()).unwrap();
    for command in ["build", "clean"] {
        let arguments = [command, "--no-wait", "--json"];
        let output = project.command(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(4));
        assert_eq!(last_line(&output)["exit"], 4);
    }
    let output = project.command(&["show"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    drop(lock);
}

#[test]
fn a_signal_ends_a_build_in_order() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let project = Project::example("digits");
        let mut command = project.command(&["build", "--json"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let compiles = |line: &String| line.contains("job_started") && line.contains("\"verify\"");
        let line = lines.by_ref().map(Result::unwrap).find(compiles);
        assert!(line.is_some(), "nothing was compiled");
        kill_process(Pid::from_child(&child), signal).unwrap();
        let last = lines.map(Result::unwrap).last().unwrap();
        let last: serde_json::Value = serde_json::from_str(&last).unwrap();
        assert_eq!(
            (last["event"].as_str(), last["exit"].as_i64()),
            (Some("finished"), Some(code))
        );
        assert_eq!(child.wait().unwrap().code(), i32::try_from(code).ok());
        project.build(&[]).expect_success();
    }
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_finnp"))
        .args(["schema", "accel"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    let mut stream = child.stderr.take().unwrap();
    stream.read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn colours_are_a_choice() {
    let call = |arguments: &[&str], variable: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finnp"));
        command.args(arguments).env(variable, "1");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!call(&["boards"], "TERM").contains('\x1b'));
    assert!(call(&["boards", "--color", "always"], "NO_COLOR").contains('\x1b'));
    assert!(!call(&["--help", "--color=never"], "TERM").contains('\x1b'));
}

#[test]
fn the_operators_that_messages_point_to_are_listed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finnp"));
    let output = command.args(["check", "--operators"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().any(|line| line == "MatMul"), "{text}");
}

#[test]
fn the_version_names_the_sources() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_finnp"));
    let output = command.arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (version, hash) = text.trim_end().split_once(" (").unwrap();
    assert_eq!(version, concat!("finnp ", env!("CARGO_PKG_VERSION")));
    assert_eq!(hash.trim_end_matches(')').len(), 12);
}
