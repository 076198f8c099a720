//! Layers too large to be simulated whole: a part of the picture by default, all of it with `--full`.
//! Must not know how the part is chosen.

use std::fs;

use serde_json::{Value, json};

use super::project::Project;
use super::proto::{Attribute, File};
use super::random::Random;

/// Two products on each of `pixels` pixels, with quantisers around the first.
fn network(pixels: usize) -> Project {
    let mut file = File::new(13, "qonnx.custom_op.general");
    let mut random = Random::new(5);
    let quant = |file: &mut File, at: &str, scale: f32, bits: f32| {
        let names = [scale, 0.0, bits].map(|value| file.constant(&[], &[value], false));
        let inputs = [at, &names[0], &names[1], &names[2]];
        file.custom("Quant", &inputs, &[("signed", Attribute::Int(1))])
    };
    file.input("in", &[1, pixels, 32]);
    let mut at = quant(&mut file, "in", 0.5, 4.0);
    for [columns, rows] in [[32, 64], [64, 16]] {
        let values: Vec<f32> = (0..rows * columns)
            .map(|_| random.between(-3, 3) as f32)
            .collect();
        let weights = file.constant(&[columns, rows], &values, false);
        let weights = quant(&mut file, &weights, 1.0, 3.0);
        at = file.node("MatMul", &[&at, &weights], &[]);
        if rows == 64 {
            at = quant(&mut file, &at, 8.0, 4.0);
        }
    }
    file.output(&at, &[1, pixels, 16], false);
    let project = Project::new(
        "[project]\nname = \"large\"\n[model]\npath = \"model.onnx\"\n\
         [target]\nboard = \"zcu104\"\nfps = 600\n",
    );
    fs::write(project.dir().join("model.onnx"), file.bytes()).unwrap();
    project
}

/// Layers of the summary with the pixels and frames that were simulated; converters are left out.
fn layers(summary: &Value) -> Vec<(u64, u64, u64)> {
    let layers = summary["simulation"]["layers"].as_array().unwrap();
    let number = |layer: &Value, key: &str| layer[key].as_u64().unwrap();
    layers
        .iter()
        .filter(|layer| !layer["name"].as_str().unwrap().contains(".to."))
        .map(|layer| {
            let [pixels, all, frames] =
                ["pixels", "of_pixels", "frames"].map(|key| number(layer, key));
            assert!(number(layer, "elements").is_multiple_of(pixels * frames));
            (pixels, all, frames)
        })
        .collect()
}

#[test]
fn large_layers_are_simulated_in_part_unless_all_is_asked_for() {
    let project = network(8192);
    let call = project.build(&[]).expect_success();
    let ran = call.ran();
    assert!(
        ran.iter().any(|job| job.ends_with(" as a whole")),
        "{ran:?}"
    );
    let summary = project.json("summary.json");
    let parts = layers(&summary);
    assert_eq!(parts.len(), 2, "{summary}");
    for (pixels, all, frames) in &parts {
        assert!(pixels < all && *all == 8192 && *frames == 2, "{parts:?}");
    }
    let network = &summary["simulation"]["network"];
    assert_eq!(network["status"], "simulated");
    assert_eq!(network["frames"], 1);
    let left_out = summary["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 3, "{left_out:?}");
    assert_eq!(call.finished()["left_out"], summary["left_out"]);
    assert!(project.build(&[]).expect_success().ran().is_empty());

    let ran = project.build(&["--full"]).expect_success().ran();
    assert!(ran.iter().any(|job| job == "verify trace"), "{ran:?}");
    let ended = |job: &String| job.starts_with("verify") || job.starts_with("summary");
    assert!(ran.iter().all(ended), "{ran:?}");
    let summary = project.json("summary.json");
    let all = layers(&summary);
    assert!(
        all.iter()
            .all(|(pixels, of, frames)| pixels == of && *frames > 2),
        "{all:?}"
    );
    assert!(summary["simulation"]["network"]["frames"].as_u64().unwrap() > 2);
    assert!(project.build(&["--full"]).expect_success().ran().is_empty());
    // What a part gave is still known.
    assert!(project.build(&[]).expect_success().ran().is_empty());
}

#[test]
fn a_network_beyond_the_budget_is_not_simulated_and_that_is_said() {
    let project = network(16384);
    let call = project.build(&[]).expect_success();
    let ran = call.ran();
    let whole = |job: &&String| job.contains("the network") || job.contains("as a whole");
    assert_eq!(ran.iter().filter(whole).count(), 0, "{ran:?}");
    let summary = project.json("summary.json");
    let network = &summary["simulation"]["network"];
    assert_eq!(network["status"], json!("not simulated"));
    let reason = network["reason"].as_str().unwrap();
    assert!(reason.contains("`finnp build --full`"), "{reason}");
    let said = summary["left_out"].as_array().unwrap();
    let last = said.last().unwrap().as_str().unwrap();
    assert!(last.starts_with("the whole network was not simulated: "));
    assert_eq!(summary["levels"]["samples"], 16);
}
