//! Random networks all the way: random pruning and folding, generated, compiled, simulated, equal.
//! `FINNP_BUILDS=n` tries n seeds. Must not know how any stage works.

use std::fs;

use super::project::Project;
use super::random::Random;
use super::random_network::case;

/// Networks in an ordinary run.
const BUILDS: u64 = 12;

#[test]
fn whatever_is_accepted_is_built_and_simulated() {
    let count = std::env::var("FINNP_BUILDS")
        .ok()
        .and_then(|n| n.parse().ok());
    let mut built = 0;
    for seed in 0..count.unwrap_or(BUILDS) {
        built += u64::from(attempt(seed));
    }
    assert!(
        built * 2 > count.unwrap_or(BUILDS),
        "only {built} networks were built"
    );
}

/// Whether the network of that seed was built; what is refused is refused as the user's to change.
fn attempt(seed: u64) -> bool {
    let case = case(seed);
    let mut random = Random::new(seed ^ 0xbead);
    let mut manifest = case.manifest();
    manifest += "[target]\nboard = \"zcu104\"\n";
    manifest += &match random.chance(50) {
        true => format!("fps = {}\n", random.pick(&[10_000, 300_000, 1_000_000])),
        false => String::new(),
    };
    if random.chance(60) {
        let pattern = random.pick(&["bcr-col", "bcr", "channel"]);
        let density = random.pick(&[0.5, 0.25, 0.3, 0.8]);
        manifest += &format!("[prune]\npattern = \"{pattern}\"\ndensity = {density}\n");
    }
    let project = Project::new(&manifest);
    fs::write(project.dir().join("model.onnx"), &case.bytes).unwrap();
    let call = project.build(&[]);
    match call.code {
        0 => {
            let summary = project.json("summary.json");
            assert_eq!(summary["simulation"]["frames"], 16, "seed {seed}");
            true
        }
        // Too fast for the layers, or not supported: in words, with nothing half-built.
        1 | 2 => {
            let error = call.finished()["error"].as_str().unwrap().to_owned();
            println!("seed {seed}: {error}");
            assert!(!error.contains("differs"), "seed {seed}: {error}");
            assert!(!project.dir().join("build/summary.json").exists());
            false
        }
        code => panic!(
            "seed {seed} ended with {code}: {:?} {}",
            call.finished(),
            call.stderr
        ),
    }
}
