//! `finnp explain` and `build --dry-run`: which lines of keys changed, what followed, and where it ended.
//! Must not know how keys are made or compared.

use std::fs;

use serde_json::{Value, json};

use super::project::Project;

/// What `finnp explain` says, with `HEX` for the beginnings of digests.
fn said(project: &Project, about: &[&str]) -> String {
    let arguments = [&["explain"], about].concat();
    let output = project.command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let is_digest = |word: &str| word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let mut plain = String::new();
    for word in text.split_inclusive(|letter: char| !letter.is_ascii_alphanumeric()) {
        let end = word.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric());
        let digest = is_digest(&word[..word.len() - end.len()]);
        plain += &if digest {
            format!("HEX{end}")
        } else {
            word.to_owned()
        };
    }
    plain
}

fn told(project: &Project, about: &[&str]) -> Value {
    let arguments = [&["explain", "--json"], about].concat();
    let output = project.command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// All jobs of an explanation, with their stages.
fn jobs(told: &Value) -> Vec<(&str, &Value)> {
    let stages = told["stages"].as_array().unwrap().iter();
    let jobs = stages.flat_map(|stage| {
        let jobs = stage["jobs"].as_array().unwrap().iter();
        jobs.map(|job| (stage["stage"].as_str().unwrap(), job))
    });
    jobs.collect()
}

fn job<'a>(told: &'a Value, stage: &str, name: &str) -> &'a Value {
    let mut jobs = jobs(told).into_iter();
    let found = jobs.find(|(of, job)| *of == stage && job["job"] == name);
    found.unwrap_or_else(|| panic!("no `{name}` of {stage}")).1
}

#[test]
fn a_changed_layer_is_told_in_the_words_of_its_keys() {
    let project = Project::example("digits");
    let text = said(&project, &[]);
    assert!(text.starts_with("a build now would be the first here and run at least 5 jobs\n\nimport      1 job: would run\nquantize    1 job: may run\nprune       1 job: may run\n"), "{text}");
    project.build(&[]).expect_success();
    project.edit("pe = 8", "pe = 4");
    let text = said(&project, &["fold"]);
    let words = "a build now would run 1 job; compared with the last build:\n\nfold\n  network: would run\n    layer fc1 pe: 8 -> 4\n";
    assert_eq!(text, words);
    let text = said(&project, &["fc1"]);
    for words in [
        "at least 1 job; compared with the last build:\n",
        "\nfold\n  network: would run\n    layer fc1 pe: 8 -> 4\n",
        "\ngenerate\n  its jobs depend on what runs before it\n",
    ] {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    project.build(&[]).expect_success();
    let words = "nothing would run now; the last build that ran anything, compared with the one before:\n\nfold\n  network: ran\n    layer fc1 pe: 8 -> 4\n    outputs: other bytes: ";
    let text = said(&project, &["fold"]);
    assert!(text.starts_with(words), "{text}");
    let text = said(&project, &["fc1"]);
    for words in [
        "\nfold\n  network: ran\n    layer fc1 pe: 8 -> 4\ngenerate\n",
        "\n  memory fc1: ran\n    input layer.json: other contents (HEX.. -> HEX..), layers/fc1/layer.json from `network` of fold\n    because of `network` of fold: layer fc1 pe: 8 -> 4\n",
        "\n    because of `network` of fold: layer fc1 pe: 8 -> 4, through `source fc1` of generate, `compile fc1` of verify\n",
        "\n    outputs: other bytes: cycles.json; as before: output.npy\n",
    ] {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    assert!(!text.contains("source fc2"), "{text}");
    let text = said(&project, &["fc2"]);
    assert!(
        text.contains("\n  memory fc2, source fc2: not touched\n"),
        "{text}"
    );
    let told = told(&project, &["fc1"]);
    assert_eq!(
        (&told["basis"], &told["layer"]),
        (&json!("last_build"), &json!("fc1"))
    );
    let reason = json!({"kind": "fact", "name": "layer fc1 pe", "old": "8", "new": "4", "words": "layer fc1 pe: 8 -> 4"});
    assert_eq!(job(&told, "fold", "network")["why"], json!([reason]));
    let cause = json!({"stage": "fold", "job": "network", "reason": reason, "through": [{"stage": "generate", "job": "source fc1"}]});
    assert_eq!(
        job(&told, "verify", "compile fc1")["because"],
        json!([cause])
    );
    let outputs = &job(&told, "verify", "simulate fc1")["outputs"];
    assert_eq!(outputs["same"], json!(["output.npy"]));
    assert_eq!(outputs["changed"], json!(["cycles.json"]));
}

/// Another goal gives the same folding here: `fold` runs, and nothing behind it.
#[test]
fn what_is_cut_off_early_is_named() {
    let project = Project::example("digits");
    project.build(&[]).expect_success();
    project.edit("fps = 100000", "fps = 100001");
    assert_eq!(project.build(&[]).expect_success().ran(), ["fold network"]);
    let told = told(&project, &[]);
    let fold = job(&told, "fold", "network");
    let words = json!("goal: at most 1440 cycles -> at most 1439 cycles");
    assert_eq!(
        (&fold["status"], &fold["cut_off"]),
        (&json!("ran"), &json!(true))
    );
    assert_eq!(fold["why"][0]["words"], words);
    let spared = fold["spared"].as_array().unwrap();
    for step in [
        json!({"stage": "generate", "job": "top"}),
        json!({"stage": "summary", "job": "network"}),
    ] {
        assert!(spared.contains(&step), "{step} is not in {spared:?}");
    }
    let others = jobs(&told)
        .into_iter()
        .filter(|(stage, _)| *stage != "fold");
    for (stage, job) in others {
        assert_eq!(job["status"], "untouched", "{stage} {job}");
    }
    let text = said(&project, &[]);
    let words = "\nfold        1 job: ran\n            goal: at most 1440 cycles -> at most 1439 cycles\n            cut off after `network`: the same bytes as before; not touched behind that: ";
    assert!(text.contains(words), "{text}");
    assert!(
        text.contains("\nsummary     1 job: not touched\n"),
        "{text}"
    );
}

/// A model that says another name of its producer is another file and the same network.
#[test]
fn another_model_file_is_the_root_of_what_runs() {
    let project = Project::example("digits");
    project.build(&["--to", "streamline"]).expect_success();
    let model = project.dir().join("model.onnx");
    let mut bytes = fs::read(&model).unwrap();
    bytes.extend([0x12, 1, b'x']);
    fs::write(&model, &bytes).unwrap();
    let text = said(&project, &["streamline"]);
    let words = "streamline\n  network: may run\n    after `network` of prune\n    because of `network` of import: input model.onnx: other contents (HEX.. -> HEX..), through `network` of quantize, `network` of prune\n";
    assert!(text.ends_with(words), "{text}");
    project.build(&["--to", "streamline"]).expect_success();
    let text = said(&project, &["import"]);
    let words = "import\n  network: ran\n    input model.onnx: other contents (HEX.. -> HEX..)\n    cut off: all 2 outputs have the same bytes as before; not touched behind that: `network` of quantize, `network` of prune, `network` of streamline\n";
    assert!(text.ends_with(words), "{text}");
}

#[test]
fn a_dry_run_says_why_in_the_same_words() {
    let project = Project::example("digits");
    project.build(&[]).expect_success();
    project.edit("scale = 0.0625", "scale = 0.125");
    // Streamlined already, so that more stages can be planned.
    assert!(
        project
            .command(&["show"])
            .output()
            .unwrap()
            .status
            .success()
    );
    let dry = project.build(&["--dry-run"]).expect_success();
    let event = |stage: &str, name: &str| {
        let mut events = dry.events.iter();
        let wanted = |event: &&Value| {
            event["event"] == "would_run" && event["stage"] == stage && event["job"] == name
        };
        events.find(wanted).cloned()
    };
    assert_eq!(event("streamline", "network"), None);
    let event = event("verify", "inputs").expect("samples are read again");
    let words = event["why"][0]["words"].as_str().unwrap();
    assert!(
        words.starts_with("input graph.json: other contents ("),
        "{words}"
    );
    assert!(words.ends_with("), from `network` of reorder"), "{words}");
    let reason = &event["because"][0]["reason"];
    assert_eq!(reason["words"], "input.scale: 0.0625 -> 0.125");
    let output = project.command(&["build", "--dry-run"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("verify      inputs: "));
    let cause = "; because of `network` of streamline: input.scale: 0.0625 -> 0.125, through `network` of reorder";
    assert!(line.is_some_and(|line| line.ends_with(cause)), "{text}");
}

/// A density of one layer: the line of the manifest that changed, what runs because of it, and where it ends.
#[test]
fn a_changed_density_is_named_and_followed_to_where_it_ends() {
    let project = Project::example("digits");
    project.edit(
        "[verify]",
        "[prune]\npattern = \"bcr-col\"\ndensity = 0.5\n\n[[layer]]\nmatch = \"fc3\"\ndensity = 0.5\n\n[verify]",
    );
    project.build(&[]).expect_success();
    project.edit(
        "match = \"fc3\"\ndensity = 0.5",
        "match = \"fc3\"\ndensity = 0.25",
    );
    let words = "a build now would run 1 job; compared with the last build:\n\nprune\n  network: would run\n    layer fc3 density: 0.5 -> 0.25\n";
    assert_eq!(said(&project, &["prune"]), words);
    let ran = project.build(&[]).expect_success().ran();
    let words = "nothing would run now; the last build that ran anything, compared with the one before:\n\nprune\n  network: ran\n    layer fc3 density: 0.5 -> 0.25\n    outputs: other bytes: ";
    let text = said(&project, &["prune"]);
    assert!(text.starts_with(words), "{text}");
    // The order of the channels before fc3 may change, those before fc2 cannot: it ends there.
    assert!(!ran.contains(&"generate memory fc1".to_owned()), "{ran:?}");
    let text = said(&project, &[]);
    for words in [
        "import      1 job: not touched\n",
        "prune       1 job: ran\n            layer fc3 density: 0.5 -> 0.25\n",
        "streamline  1 job: ran\n            because of `network` of prune: layer fc3 density: 0.5 -> 0.25\n",
        "link        1 job: not touched\n",
    ] {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
    let text = said(&project, &["fc1"]);
    assert!(
        text.contains("  memory fc1, source fc1: not touched\n"),
        "{text}"
    );
    assert!(text.contains("reorder\n  network: ran\n"), "{text}");
    assert!(
        text.contains("cut off: all 2 outputs have the same bytes as before"),
        "{text}"
    );
    // Another way to say the same ends at the first stage that reads it.
    project.edit("density = 0.25", "keep = 2\nblock = [5, 8]");
    project.build(&[]).expect_success();
    let text = said(&project, &[]);
    for words in [
        "prune       1 job: ran\n            layer fc3 block: [5, 8] (added)\n            layer fc3 density: 0.25 (removed)\n            layer fc3 keep: 2 (added)\n",
        "cut off",
        "streamline  1 job: not touched\n",
        "reorder     1 job: not touched\n",
    ] {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
}
