//! `finnp doctor`: what it says of the machine, and how it ends.
//! Must not know which machine it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use super::project::Project;

/// Runs the command; returns its exit code and the last line of `--json`.
fn asked(mut command: Command) -> (Option<i32>, Value) {
    let output = command.output().unwrap();
    let finished: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        finished["exit"].as_i64(),
        output.status.code().map(i64::from)
    );
    (output.status.code(), finished)
}

#[test]
fn a_machine_that_builds_is_well() {
    let project = Project::example("digits");
    project.build(&["--to", "import"]).expect_success();
    let (code, found) = asked(project.command(&["doctor", "--json"]));
    assert_eq!((code, &found["error"]), (Some(0), &Value::Null));
    let tools = found["tools"].as_array().unwrap();
    assert_eq!(tools.len(), finnp::tool::TOOLS.len());
    let compiler = &tools[0];
    assert_eq!(
        (&compiler["name"], &compiler["works"]),
        (&"c++".into(), &true.into())
    );
    assert!(compiler["version"].is_string() && compiler["path"].is_string());
    for tool in tools.iter().filter(|tool| tool["found"] == false) {
        assert!(tool["install"].is_string(), "{tool}");
    }
    let cache = &found["cache"];
    assert_eq!(
        (&cache["exists"], &cache["problem"]),
        (&true.into(), &Value::Null)
    );
    assert!(cache["bytes"].as_u64().unwrap() > 1000, "{cache}");
    assert!(found["processors"].as_u64().unwrap() > 0);
    let text = project.command(&["doctor"]).output().unwrap().stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("compiles and runs C++17 with the bundled headers\n"),
        "{text}"
    );
}

#[test]
fn what_is_missing_for_a_build_is_a_failure() {
    let project = Project::example("digits");
    let mut command = project.command(&["doctor", "--json"]);
    command.env("PATH", "").env_remove("CXX");
    let (code, found) = asked(command);
    assert_eq!(
        (code, &found["tools"][0]["found"]),
        (Some(3), &false.into())
    );
    assert!(
        found["problems"][0]["help"]
            .as_str()
            .unwrap()
            .contains("install"),
        "{found}"
    );
    let mut command = project.command(&["doctor", "--json", "--cache-dir", "/proc/none"]);
    command.env_remove("CXX");
    let (code, found) = asked(command);
    let error = found["error"].as_str().unwrap();
    assert_eq!(code, Some(3));
    assert!(
        error.starts_with("nothing can be written to the cache in `/proc/none`: "),
        "{error}"
    );
    assert!(!project.cache().exists(), "a question made the cache");
}

/// A compiler may be there, say its version, and still be no use.
#[test]
fn a_compiler_that_compiles_something_else_is_found_out() {
    let project = Project::example("digits");
    let compiler = project.dir().join("compiler");
    for (script, words) in [
        (
            "echo 'x.cpp: error: no C++17'; exit 1",
            "with the bundled headers: exit code 1: x.cpp: error: no C++17",
        ),
        (
            "case \"$*\" in *--version*) ;; *) printf '#!/bin/sh\\nexit 7\\n' > trial; chmod +x trial;; esac",
            "does not run as it should: exit code 7",
        ),
    ] {
        fs::write(&compiler, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = project.command(&["doctor", "--json"]);
        command.env("CXX", &compiler);
        let (code, found) = asked(command);
        assert_eq!(
            (code, &found["tools"][0]["works"]),
            (Some(3), &false.into())
        );
        let error = found["error"].as_str().unwrap();
        assert!(error.ends_with(words), "{error}");
    }
}
