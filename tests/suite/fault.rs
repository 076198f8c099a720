//! Accidents around a build: foreign files, links, damage, unreadable manifests.
//! Must not know how the engine guards against them.

use std::fs;
use std::os::unix::fs::symlink;

use super::project::Project;

#[test]
fn a_folder_with_foreign_files_is_neither_filled_nor_emptied() {
    let project = Project::example("digits");
    let build = project.dir().join("build");
    fs::create_dir(&build).unwrap();
    fs::write(build.join("important"), "mine").unwrap();
    for command in ["build", "clean"] {
        let output = project.command(&[command]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert_eq!(fs::read_dir(&build).unwrap().count(), 1, "{command}");
    }
    fs::remove_file(build.join("important")).unwrap();
    project.build(&["--to", "fold"]).expect_success();
}

#[test]
fn links_inside_the_build_lead_nowhere() {
    let project = Project::example("digits");
    project.build(&["--to", "generate"]).expect_success();
    let expected = project.built();
    let (layers, elsewhere) = (
        project.dir().join("build/hls/layers"),
        project.dir().join("elsewhere"),
    );
    fs::rename(&layers, &elsewhere).unwrap();
    symlink(&elsewhere, &layers).unwrap();
    fs::remove_file(elsewhere.join("fc1/weights.dat")).unwrap();
    let left = fs::read_dir(elsewhere.join("fc1")).unwrap().count();
    project.build(&["--to", "fold"]).expect_success();
    assert_eq!(
        fs::read_dir(elsewhere.join("fc1")).unwrap().count(),
        left,
        "files outside were removed"
    );
    project.build(&["--to", "generate"]).expect_success();
    assert_eq!(
        fs::read_dir(elsewhere.join("fc1")).unwrap().count(),
        left,
        "files outside were written"
    );
    assert!(!layers.is_symlink());
    assert!(project.built() == expected);
}

/// One flipped byte in each blob of the cache in turn: the next build repairs it and says so.
#[test]
fn a_damaged_cache_is_repaired_on_the_way() {
    let project = Project::example("digits");
    project.build(&[]).expect_success();
    let expected = project.built();
    let mut blobs = Vec::new();
    for folder in fs::read_dir(project.cache().join("v1/cas")).unwrap() {
        let files = fs::read_dir(folder.unwrap().path()).unwrap();
        blobs.extend(files.map(|file| file.unwrap().path()));
    }
    blobs.sort();
    for blob in blobs.iter().step_by(7) {
        let mut bytes = fs::read(blob).unwrap();
        let Some(byte) = bytes.last_mut() else {
            continue;
        };
        *byte ^= 1;
        fs::remove_file(blob).unwrap();
        fs::write(blob, bytes).unwrap();
    }
    project.build(&[]).expect_success();
    fs::remove_dir_all(project.dir().join("build")).unwrap();
    project.build(&[]).expect_success();
    assert!(project.built() == expected);
}

#[test]
fn what_nobody_could_read_is_refused_without_it() {
    let project = Project::example("digits");
    let manifest = project.dir().join("accel.toml");
    let far = format!("name = {}3", " ".repeat(70_000));
    for text in [far, format!("a = {}", "[".repeat(100_000))] {
        fs::write(&manifest, text).unwrap();
        let output = project.command(&["check"]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            (10..10_000).contains(&output.stderr.len()),
            "{} bytes",
            output.stderr.len()
        );
    }
}
