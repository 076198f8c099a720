//! Tests that a build killed at any moment does no harm: this test program starts itself and kills it.
//! Must not know what the engine is doing at that moment.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use finnp_cache::{Durability, Store};

use super::fixture::{Fake, World, files};
use crate::stage::{Job, Outputs};

/// Names the folder to the process that will be killed.
const FOLDER: &str = "FINNP_TEST_CRASH_FOLDER";

fn stage(name: &'static str, before: Option<&'static str>) -> Fake<'static> {
    Fake::new(name, move |_| {
        let one = |number: usize| {
            let job = Job::compute(format!("j{number}"), move |_| {
                std::thread::sleep(Duration::from_millis(5));
                let text =
                    |part: &str| format!("{name} {number} {part} ").repeat(3000).into_bytes();
                let outputs = ["a", "b"].map(|part| (part.to_owned(), text(part)));
                Ok(Outputs::from(outputs))
            });
            let job = job.line("number", number.to_string());
            let job = job.shown_in(format!("{name}/{number}"));
            match before {
                Some(before) => job.output_of("in", before, format!("j{number}"), "a"),
                None => job,
            }
        };
        Ok((0..10).map(one).collect())
    })
}

fn build(world: &World) -> (usize, usize) {
    world.counts(&[&stage("one", None), &stage("two", Some("one"))])
}

#[test]
fn victim() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        build(&World::at(Path::new(&folder)));
    }
}

#[test]
fn a_build_killed_at_any_moment_does_no_harm() {
    let clean = World::new();
    assert_eq!(build(&clean), (20, 0));
    let program = std::env::current_exe().unwrap();
    let name = concat!(module_path!(), "::victim");
    let name = name.split_once("::").unwrap().1;
    for turn in 0..16 {
        let world = World::new();
        // More than once, so that what is left of one is found by the next.
        for again in 0..3 {
            let child = duct::cmd(&program, [name, "--exact"])
                .env(FOLDER, world.dir())
                .stdout_null()
                .stderr_null()
                .unchecked()
                .start()
                .unwrap();
            std::thread::sleep(Duration::from_micros(4000 + 1500 * turn + 700 * again));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let (run, cached) = build(&world);
        assert_eq!(run + cached, 20);
        assert_eq!(files(&world.shown("")), files(&clean.shown("")));
        assert_eq!(build(&world), (0, 20));
        let cache = world.dir().join("cache");
        let store = Store::open(&cache, Durability::Fast).unwrap();
        assert!(store.verify().unwrap().is_clean());
        let left = std::fs::read_dir(world.cache().join("tmp")).unwrap();
        assert_eq!(left.count(), 0);
    }
}
