//! Models whose names lead nowhere, in circles or to several things, and models that lack something.
//! Must not know how they are tried.

use tract_onnx::pb::GraphProto;

use super::hostile_file::{Case, changed, fine, refused};
use super::proto::File;

pub(crate) fn references() -> Vec<Case> {
    vec![
        refused(
            "a cycle",
            changed(|graph| graph.node[1].input[0] = graph.node[2].output[0].clone()),
            "before it is made",
        ),
        refused(
            "no initializer",
            changed(|graph| drop(graph.initializer.remove(0))),
            "nothing makes",
        ),
        refused(
            "an initializer twice",
            changed(|graph| {
                let copy = graph.initializer[0].clone();
                graph.initializer.push(copy);
            }),
            "the same name",
        ),
        refused(
            "an input twice",
            changed(|graph| {
                let copy = graph.input[0].clone();
                graph.input.push(copy);
            }),
            "the same name",
        ),
    ]
}

/// Names that are there twice, and what is not there.
pub(crate) fn names() -> Vec<Case> {
    let duplicate = |graph: &mut GraphProto| {
        let copy = graph.node[0].clone();
        graph.node.push(copy);
    };
    vec![
        refused(
            "a tensor twice",
            changed(|graph| {
                duplicate(graph);
                graph.node.last_mut().unwrap().name = "other".into();
            }),
            "more than once",
        ),
        refused(
            "node names twice",
            changed(|graph| {
                for node in &mut graph.node {
                    node.name = "same".into();
                }
            }),
            "two nodes are called",
        ),
    ]
}

/// What is not there at all.
pub(crate) fn missing() -> Vec<Case> {
    vec![
        refused(
            "no input",
            changed(|graph| graph.input.clear()),
            "nothing makes",
        ),
        refused(
            "no output",
            changed(|graph| graph.output.clear()),
            "no output",
        ),
        refused(
            "an output that nothing makes",
            changed(|graph| graph.output[0].name = "z".into()),
            "made by no node",
        ),
        refused(
            "no nodes",
            changed(|graph| graph.node.clear()),
            "holds no network",
        ),
        refused(
            "a node without outputs",
            changed(|graph| graph.node[1].output.clear()),
            "no output",
        ),
        refused(
            "too few operands",
            changed(|graph| graph.node[2].input.truncate(1)),
            "inputs",
        ),
        fine(
            "stale shapes inside",
            changed(|graph| {
                let mut file = File::new(13, "");
                file.input(&graph.node[0].output[0], &[7, 7, 7]);
                graph.value_info = file.graph.input;
            }),
        ),
    ]
}
