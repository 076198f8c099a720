//! Made-up stages and projects for the engine's tests.
//! Must not know what real stages do.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::TempDir;

use super::{Event, Options, Outcome, build};
use crate::error::Result;
use crate::manifest::Manifest;
use crate::stage::{Artifacts, Job, Stage};
use crate::tool::Cancel;

/// How a made-up stage plans.
type Plan<'a> = Box<dyn Fn(&dyn Artifacts) -> Result<Vec<Job>> + Sync + 'a>;

/// A stage that plans by a closure.
pub(super) struct Fake<'a> {
    name: &'static str,
    plan: Plan<'a>,
}

impl<'a> Fake<'a> {
    pub(super) fn new(
        name: &'static str,
        plan: impl Fn(&dyn Artifacts) -> Result<Vec<Job>> + Sync + 'a,
    ) -> Self {
        let plan = Box::new(plan);
        Fake { name, plan }
    }
}

impl Stage for Fake<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> u32 {
        1
    }

    fn plan(&self, _: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>> {
        (self.plan)(done)
    }
}

/// A project folder and a cache, both empty.
pub(super) struct World {
    dir: PathBuf,
    /// Removes the folder in the end, if it is ours.
    _temporary: Option<TempDir>,
    pub(super) options: Options,
    pub(super) cancel: Cancel,
    pub(super) events: Mutex<Vec<Event>>,
}

impl World {
    pub(super) fn new() -> World {
        let temporary = tempfile::tempdir().unwrap();
        let mut world = World::at(temporary.path());
        world._temporary = Some(temporary);
        world
    }

    /// The world in the folder `dir`, with what is there already.
    pub(super) fn at(dir: &Path) -> World {
        std::fs::create_dir_all(dir.join("project")).unwrap();
        let options = Options {
            jobs: 2,
            cache_dir: Some(dir.join("cache")),
            ..Options::default()
        };
        World {
            dir: dir.to_owned(),
            _temporary: None,
            options,
            cancel: Cancel::default(),
            events: Mutex::default(),
        }
    }

    pub(super) fn project(&self) -> PathBuf {
        self.dir.join("project")
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.dir.join("cache/v1")
    }

    /// The folder that holds the project and the cache.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where `build/<path>` is.
    pub(super) fn shown(&self, path: &str) -> PathBuf {
        self.project().join("build").join(path)
    }

    pub(super) fn build(&self, stages: &[&dyn Stage]) -> Result<Outcome> {
        self.build_in(&self.project(), stages)
    }

    pub(super) fn build_in(&self, project: &Path, stages: &[&dyn Stage]) -> Result<Outcome> {
        let sink = |event| self.events.lock().unwrap().push(event);
        let manifest = manifest(project);
        build(
            &manifest,
            project,
            stages,
            &self.options,
            &self.cancel,
            &sink,
        )
    }

    /// How many jobs ran and how many were found.
    pub(super) fn counts(&self, stages: &[&dyn Stage]) -> (usize, usize) {
        let outcome = self.build(stages).unwrap();
        (outcome.jobs_run, outcome.jobs_cached)
    }

    /// Names of the jobs that started since the last call.
    pub(super) fn started(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        let names = events.into_iter().filter_map(|event| match event {
            Event::JobStarted { job, .. } => Some(job),
            _ => None,
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

/// Some manifest: the engine only hands it on.
pub(super) fn manifest(dir: &Path) -> Manifest {
    let text =
        "[project]\nname = \"p\"\n[model]\npath = \"m.onnx\"\n[target]\nboard = \"pynq-z2\"\n";
    std::fs::write(dir.join("m.onnx"), "").unwrap();
    crate::manifest::parse(text, "accel.toml", dir, &[]).unwrap()
}

/// Files of a folder, by path, without those that are the engine's own.
pub(super) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = walkdir::WalkDir::new(dir)
        .into_iter()
        .map(|entry| entry.unwrap());
    files
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| {
            let name = entry.path().strip_prefix(dir).unwrap();
            let name = name.to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}
