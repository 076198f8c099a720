//! Tests of explanations with made-up stages: what changed, how it spread, and where it ended.
//! Must not know any real stage.
#![allow(clippy::unwrap_used)]

use std::fs;

use super::{Basis, Explanation, JobStory, Status, because};
use crate::build::fixture::{Fake, World};
use crate::build::{self, Event};
use crate::error::{Error, Kind};
use crate::stage::{Input, Job, Outputs, Stage};

/// What `stage` makes of its inputs: the first letter of each.
fn first(name: &str) -> Job {
    Job::compute(name, |inputs| {
        let letters = inputs.0.values().map(|bytes| bytes[0]);
        Ok(Outputs::from([("out".to_owned(), letters.collect())]))
    })
}

/// `read` takes the files `a` and `b`; `cut` has a job for the first letter of each and for a fact about
/// layer `a`, which stands in the file `fact`; `join` reads both, and fails if they begin with `!`.
fn stages(world: &World) -> [Fake<'static>; 3] {
    let folder = world.project();
    let file = move |name: &str| folder.join(name);
    let read = Fake::new("read", move |_| {
        let copy = |name: &str| {
            let job = Job::compute(name, |inputs| {
                Ok(Outputs::from([(
                    "out".to_owned(),
                    inputs.bytes("in")?.to_vec(),
                )]))
            });
            job.input("in", Input::File(file(name))).line("job", name)
        };
        Ok(vec![copy("a"), copy("b")])
    });
    let folder = world.project();
    let cut = Fake::new("cut", move |_| {
        let fact = fs::read_to_string(folder.join("fact")).unwrap();
        let a = first("first a").output_of("whole", "read", "a", "out");
        let b = first("first b").output_of("whole", "read", "b", "out");
        Ok(vec![a.line("layer a pe", fact), b])
    });
    let join = Fake::new("join", |_| {
        let job = Job::compute("all", |inputs| match inputs.bytes("a")? {
            b"!" => Err(Error::design("it does not fit")),
            letter => Ok(Outputs::from([("out".to_owned(), letter.to_vec())])),
        });
        Ok(vec![
            job.output_of("a", "cut", "first a", "out")
                .output_of("b", "cut", "first b", "out"),
        ])
    });
    [read, cut, join]
}

fn write(world: &World, name: &str, text: &str) {
    fs::write(world.project().join(name), text).unwrap();
}

fn world() -> World {
    let world = World::new();
    for (name, text) in [("a", "one"), ("b", "two"), ("fact", "8")] {
        write(&world, name, text);
    }
    world
}

fn explain(world: &World, about: Option<&str>) -> crate::error::Result<Explanation> {
    let [read, cut, join] = stages(world);
    let stages: [&dyn Stage; 3] = [&read, &cut, &join];
    let project = world.project();
    let manifest = crate::build::fixture::manifest(&project);
    build::explain(
        &manifest,
        &project,
        &stages,
        &world.options,
        &world.cancel,
        &|_| {},
        about,
    )
}

fn build(world: &World) -> crate::error::Result<build::Outcome> {
    let [read, cut, join] = stages(world);
    world.build(&[&read, &cut, &join])
}

fn find<'a>(explanation: &'a Explanation, stage: &str, job: &str) -> &'a JobStory {
    let mut stages = explanation.stages.iter();
    let story = stages.find(|story| story.stage == stage).unwrap();
    story.jobs.iter().find(|story| story.job == job).unwrap()
}

/// The reasons and causes of a job in words, without digests.
fn words(explanation: &Explanation, stage: &str, job: &str) -> Vec<String> {
    let story = find(explanation, stage, job);
    let why = story.why.iter().map(super::Reason::alike);
    why.chain(because(&story.because)).collect()
}

#[test]
fn a_change_is_told_at_its_place_and_where_it_leads() {
    let world = world();
    build(&world).unwrap();
    write(&world, "a", "two");
    let before = explain(&world, None).unwrap();
    assert_eq!((before.basis, before.would_run), (Basis::BuildNow, 3));
    assert_eq!(
        words(&before, "read", "a"),
        ["input in: other contents, file a"]
    );
    let root = "because of `a` of read: input in: other contents";
    let told = words(&before, "join", "all");
    assert_eq!(told[0], "after `first a` of cut");
    assert!(
        told[1].starts_with(root) && told[1].ends_with(", file a, through `first a` of cut"),
        "{told:?}"
    );
    assert_eq!(find(&before, "join", "all").status, Status::Waits);
    build(&world).unwrap();
    let after = explain(&world, None).unwrap();
    assert_eq!(
        (after.basis, after.first, after.older),
        (Basis::LastBuild, false, false)
    );
    let told = words(&after, "join", "all");
    assert_eq!(
        told[0],
        "input a: other contents, out from `first a` of cut"
    );
    assert!(told[1].starts_with(root), "{told:?}");
    assert_eq!(find(&after, "cut", "first b").status, Status::Untouched);
    assert!(find(&after, "cut", "first b").why.is_empty());
}

#[test]
fn equal_bytes_end_an_explanation() {
    let world = world();
    build(&world).unwrap();
    write(&world, "a", "other");
    write(&world, "fact", "4");
    build(&world).unwrap();
    let told = explain(&world, None).unwrap();
    let job = find(&told, "cut", "first a");
    assert_eq!((job.status, job.cut_off), (Status::Ran, true));
    assert_eq!(words(&told, "cut", "first a")[0], "layer a pe: 8 -> 4");
    let spared: Vec<&str> = job.spared.iter().map(|step| step.job.as_str()).collect();
    assert_eq!(spared, ["all"]);
    let read = find(&told, "read", "a");
    assert!(!read.cut_off && read.spared.is_empty());
    assert_eq!(find(&told, "join", "all").status, Status::Untouched);
}

#[test]
fn stages_and_layers_are_found_by_name() {
    let world = world();
    let error = explain(&world, Some("a_layer")).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    build(&world).unwrap();
    let jobs = |about: &str| -> Vec<String> {
        let told = explain(&world, Some(about)).unwrap();
        let stages = told.stages.iter();
        stages
            .flat_map(|story| {
                story
                    .jobs
                    .iter()
                    .map(|job| format!("{} {}", story.stage, job.job))
            })
            .collect()
    };
    assert_eq!(jobs("cut"), ["cut first a", "cut first b"]);
    assert_eq!(jobs("a"), ["read a", "cut first a"]);
    let error = explain(&world, Some("jion")).unwrap_err();
    assert_eq!(error.remedy(), Some("did you mean `join`?"));
}

#[test]
fn what_failed_is_told_until_it_is_mended() {
    let world = world();
    build(&world).unwrap();
    write(&world, "a", "!");
    build(&world).err().unwrap();
    let told = explain(&world, Some("join")).unwrap();
    assert_eq!(told.basis, Basis::BuildNow);
    let told = words(&told, "join", "all");
    assert_eq!(told[0], "it failed in the last build");
    assert_eq!(
        told[1],
        "input a: other contents, out from `first a` of cut"
    );
    // What ran in the failed build is in the cache, and is told all the same.
    assert!(
        told[2].starts_with("because of `a` of read: input in"),
        "{told:?}"
    );
    write(&world, "a", "one");
    let told = explain(&world, None).unwrap();
    assert_eq!(
        (told.basis, told.failed, told.older),
        (Basis::LastBuild, true, true)
    );
    assert_eq!(find(&told, "join", "all").status, Status::Failed);
    write(&world, "a", "!!");
    write(&world, "b", "new");
    build(&world).err().unwrap();
    write(&world, "a", "1");
    build(&world).unwrap();
    let told = explain(&world, Some("join")).unwrap();
    let told = words(&told, "join", "all");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[2].starts_with("because of `a` of read"), "{told:?}");
    assert!(told[3].starts_with("because of `b` of read"), "{told:?}");
}

/// Stages that a build with `--to` left out keep what they were; their reasons reach over it.
#[test]
fn builds_of_a_part_break_no_chain() {
    let mut world = world();
    build(&world).unwrap();
    write(&world, "a", "two");
    world.options.to = Some("cut".to_owned());
    build(&world).unwrap();
    let told = explain(&world, Some("cut")).unwrap();
    assert_eq!(told.basis, Basis::LastBuild);
    assert_eq!(find(&told, "cut", "first a").status, Status::Ran);
    world.options.to = None;
    let told = explain(&world, None).unwrap();
    assert_eq!((told.basis, told.would_run), (Basis::BuildNow, 1));
    assert_eq!(find(&told, "cut", "first a").status, Status::Untouched);
    build(&world).unwrap();
    let told = explain(&world, None).unwrap();
    let told = words(&told, "join", "all");
    assert!(
        told[1].starts_with("because of `a` of read: input in"),
        "{told:?}"
    );
}

#[test]
fn what_is_lost_is_said_to_be() {
    let world = world();
    build(&world).unwrap();
    let keys = fs::read_to_string(world.shown(".keys.json")).unwrap();
    // Not the contents of `b`: a job whose outputs another one makes again need not run.
    write(&world, "a", "three");
    build(&world).unwrap();
    // The record of the action that read the first `a`.
    let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
    let action = keys["read"]["a"].as_str().unwrap();
    let record = world.cache().join("action").join(&action[..2]).join(action);
    fs::remove_file(record).unwrap();
    let told = explain(&world, None).unwrap();
    let gone = "the cache has no record of its last run, so what changed is not known";
    assert_eq!(words(&told, "read", "a"), [gone]);
    assert!(words(&told, "cut", "first a")[1].ends_with(gone));
    fs::remove_dir_all(world.shown("")).unwrap();
    assert_eq!(explain(&world, None).unwrap().basis, Basis::Nothing);
    assert_eq!(explain(&world, Some("a")).unwrap().basis, Basis::Nothing);
    build(&world).unwrap();
    assert_eq!(explain(&world, None).unwrap().basis, Basis::Nothing);
    for blob in walkdir::WalkDir::new(world.cache().join("cas")) {
        let blob = blob.unwrap();
        if blob.file_type().is_file() {
            fs::remove_file(blob.path()).unwrap();
        }
    }
    let told = explain(&world, Some("read")).unwrap();
    assert_eq!(words(&told, "read", "a"), ["the cache lost its outputs"]);
    build(&world).unwrap();
    let told = explain(&world, Some("read")).unwrap();
    assert_eq!(told.basis, Basis::LastBuild);
    assert_eq!(words(&told, "read", "a"), ["the cache lost its outputs"]);
}

#[test]
fn equal_jobs_have_one_runner() {
    let world = world();
    let stage = || {
        Fake::new("s", |_| {
            let twin = |name: &str| first(name).input("in", Input::Bytes(b"x"[..].into()));
            Ok(vec![twin("p"), twin("q")])
        })
    };
    let project = world.project();
    let manifest = crate::build::fixture::manifest(&project);
    let told = || {
        let stage = stage();
        let told = build::explain(
            &manifest,
            &project,
            &[&stage],
            &world.options,
            &world.cancel,
            &|_| {},
            None,
        );
        let told = told.unwrap();
        assert_eq!(find(&told, "s", "q").same_as.as_deref(), Some("p"));
        (find(&told, "s", "p").status, find(&told, "s", "q").status)
    };
    assert_eq!(told(), (Status::WouldRun, Status::Equal));
    world.build(&[&stage()]).unwrap();
    assert_eq!(told(), (Status::Ran, Status::Equal));
    assert!(
        world
            .events
            .lock()
            .unwrap()
            .iter()
            .any(|event| matches!(event, Event::Finished { .. }))
    );
}
