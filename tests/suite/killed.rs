//! Builds that are killed at random moments, and several builds at once: what comes after is as if nothing was.
//! `FINNP_KILLS=n` kills n builds. Must not know what a build is doing when it is killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use finnp_cache::{Durability, Store};
use rustix::process::{Pid, Signal, kill_process};

use super::project::Project;
use super::random::Random;

/// Kills in an ordinary run.
const KILLS: usize = 50;

/// What is there when a build that will be killed starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Nothing.
    Nothing,
    /// What another design left in `build/`; nothing in the cache.
    OtherBuild,
    /// Everything in the cache; no `build/`.
    Cache,
    /// Contents in the cache and nothing that says what they are; what another design left in `build/`.
    Contents,
    /// Nothing, and another build of a copy that uses the same cache and is not killed.
    Companion,
}

const STARTS: [Start; 5] = [
    Start::Nothing,
    Start::OtherBuild,
    Start::Cache,
    Start::Contents,
    Start::Companion,
];

/// Two designs, so that one finds what the other left.
const DESIGNS: [&str; 2] = ["pe = 8", "pe = 4"];

type Files = BTreeMap<String, Vec<u8>>;

/// A project with the design, never built.
fn project(design: usize) -> Project {
    let project = Project::example("digits");
    project.edit(DESIGNS[0], DESIGNS[design]);
    project
}

/// What a clean build of each design shows, and how long it takes.
fn clean() -> Vec<(Files, Duration)> {
    let designs = 0..DESIGNS.len();
    let clean = designs.map(|design| {
        let project = project(design);
        let start = Instant::now();
        project.build(&[]).expect_success();
        (project.built(), start.elapsed())
    });
    clean.collect()
}

fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => panic!("{cause}"),
        _ => {}
    }
}

/// All processes below one, as the kernel lists them at this moment.
fn descendants(id: u32) -> Vec<Pid> {
    let mut parents: Vec<(u32, u32)> = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // `id (name) state parent ...`, and a name may hold anything.
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split(' ').nth(2));
        let own = entry.file_name().to_string_lossy().parse();
        if let (Some(Ok(parent)), Ok(own)) = (parent.map(str::parse), own) {
            parents.push((own, parent));
        }
    }
    let mut found = vec![id];
    let mut at = 0;
    while at < found.len() {
        let own = parents.iter().filter(|(_, parent)| *parent == found[at]);
        found.extend(own.map(|(own, _)| *own).collect::<Vec<u32>>());
        at += 1;
    }
    let ids = found.into_iter().skip(1);
    ids.filter_map(|id| Pid::from_raw(i32::try_from(id).unwrap()))
        .collect()
}

/// Kills a build, with all that it started or without; what is left of it may go on working.
fn kill(build: &mut Child, all: bool) -> Vec<Pid> {
    let children = descendants(build.id());
    build.kill().unwrap();
    for child in children.iter().filter(|_| all) {
        let _ = kill_process(*child, Signal::KILL);
    }
    build.wait().unwrap();
    children
}

/// Waits until processes are gone that nobody else waits for.
fn gone(processes: &[Pid]) {
    let end = Instant::now() + Duration::from_secs(60);
    let runs = |id: &Pid| {
        let stat = fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero()));
        let state = stat
            .ok()
            .and_then(|stat| Some(stat.rsplit_once(") ")?.1.chars().next()));
        !matches!(state.flatten(), None | Some('Z' | 'X'))
    };
    while processes.iter().any(runs) {
        assert!(Instant::now() < end, "a compiler does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Brings the project to where a build starts that will be killed. Returns how long a build takes from there.
fn prepare(start: Start, project: &Project, design: usize, clean: Duration) -> Duration {
    let (cache, build) = (project.cache(), project.dir().join("build"));
    project.edit(DESIGNS[1 - design], DESIGNS[design]);
    match start {
        Start::Nothing | Start::Companion => {
            remove(&cache);
            remove(&build);
        }
        Start::OtherBuild => remove(&cache),
        Start::Contents => remove(&cache.join("v1/action")),
        Start::Cache => {
            project.build(&[]).expect_success();
            remove(&build);
            let begin = Instant::now();
            project.build(&[]).expect_success();
            let length = begin.elapsed();
            remove(&build);
            return length;
        }
    }
    clean
}

fn check(project: &Project, expected: &Files, what: &str) {
    let built = project.built();
    let wrong = expected.keys().chain(built.keys());
    let wrong: Vec<&String> = wrong
        .filter(|file| built.get(*file) != expected.get(*file))
        .collect();
    assert!(wrong.is_empty(), "{what}: {wrong:?} differ");
    let store = Store::open(&project.cache(), Durability::Fast).unwrap();
    let verified = store.verify().unwrap();
    assert!(
        verified.is_clean() && verified.records > 20,
        "{what}: {verified:?}"
    );
    drop(store);
    let left = fs::read_dir(project.cache().join("v1/tmp")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{what}: {left:?} are left");
}

#[test]
fn a_build_killed_at_a_random_moment_does_no_harm() {
    let count = std::env::var("FINNP_KILLS")
        .ok()
        .and_then(|n| n.parse().ok());
    let clean = clean();
    let own = project(0);
    own.build(&[]).expect_success();
    let mut design = 0;
    let mut random = Random::new(7);
    let (mut cut, mut orphans) = (0, 0);
    for round in 0..count.unwrap_or(KILLS) {
        let start = STARTS[round % STARTS.len()];
        design = 1 - design;
        let length = prepare(start, &own, design, clean[design].1);
        let moment = length.mul_f64(random.number(0.0, 1.0));
        let all = random.chance(50);
        let what = format!("round {round}: {start:?}, killed after {moment:?}");
        let companion = project(design);
        let cache = own.cache();
        let shared = ["--cache-dir", cache.to_str().unwrap()];
        let mut build = own.command(&["build"]);
        let mut build = build
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let left = std::thread::scope(|scope| {
            let beside =
                (start == Start::Companion).then(|| scope.spawn(|| companion.build(&shared)));
            std::thread::sleep(moment);
            cut += usize::from(build.try_wait().unwrap().is_none());
            let left = kill(&mut build, all);
            if let Some(beside) = beside {
                beside.join().unwrap().expect_success();
                assert!(
                    companion.built() == clean[design].0,
                    "{what}: the other build differs"
                );
            }
            left
        });
        orphans += usize::from(!all && !left.is_empty());
        if start == Start::Cache || random.chance(30) {
            // What the killed build left belongs to another design than the next one.
            own.edit(DESIGNS[design], DESIGNS[1 - design]);
            design = 1 - design;
        }
        let what = format!("{what}, then design {design}");
        own.build(&[]).expect_success();
        check(&own, &clean[design].0, &what);
        gone(&left);
        check(&own, &clean[design].0, &format!("{what}, later"));
        let again = own.build(&[]).expect_success();
        assert_eq!(again.finished()["jobs_run"], 0, "{what}");
    }
    println!("{cut} builds were cut off, {orphans} of them left compilers behind");
}

/// Builds at once: all end well, with the right result, and no job runs twice.
fn at_once(projects: &[&Project], arguments: &[&str], expected: &Files, jobs: u64) {
    let calls = std::thread::scope(|scope| {
        let calls = projects
            .iter()
            .map(|project| scope.spawn(|| project.build(arguments)));
        let calls: Vec<_> = calls.collect();
        calls
            .into_iter()
            .map(|call| call.join().unwrap())
            .collect::<Vec<_>>()
    });
    let ran = calls.into_iter().map(|call| {
        let call = call.expect_success();
        call.finished()["jobs_run"].as_u64().unwrap()
    });
    assert_eq!(ran.sum::<u64>(), jobs);
    for project in projects {
        assert!(project.built() == *expected);
    }
}

#[test]
fn builds_at_once_share_the_work() {
    let first = project(0);
    let jobs = first.build(&[]).expect_success().finished()["jobs_run"]
        .as_u64()
        .unwrap();
    let expected = first.built();
    for number in [2, 4] {
        let one = project(0);
        at_once(&vec![&one; number], &[], &expected, jobs);
        check(&one, &expected, "one project");
        let copies: Vec<Project> = (0..number).map(|_| project(0)).collect();
        let cache = copies[0].cache();
        let shared = ["--cache-dir", cache.to_str().unwrap()];
        at_once(&copies.iter().collect::<Vec<_>>(), &shared, &expected, jobs);
        check(&copies[0], &expected, "copies");
    }
}
