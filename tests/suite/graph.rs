//! `finnp graph`: what is drawn of layers and stages.
//! Must not know how a drawing is written.

use std::collections::BTreeSet;

use serde_json::Value;

use super::project::Project;

fn drawn(project: &Project, arguments: &[&str]) -> Value {
    let arguments = [&["graph", "--json"], arguments].concat();
    let output = project.command(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap()
}

#[test]
fn the_layers_are_a_chain_from_input_to_output() {
    let project = Project::example("digits");
    let drawn = drawn(&project, &[]);
    let (nodes, edges) = (list(&drawn, "nodes"), list(&drawn, "edges"));
    assert_eq!(edges.len() + 1, nodes.len());
    let mut at = "in0";
    for edge in edges {
        assert_eq!(edge["from"], at);
        at = edge["to"].as_str().unwrap();
        let bits = edge["bits"].as_u64().unwrap();
        assert_eq!(
            bits % edge["elements_per_word"].as_u64().unwrap(),
            0,
            "{edge}"
        );
        assert!(edge["depth"].as_u64().unwrap() > 0, "{edge}");
    }
    assert_eq!(at, "out0");
    assert_eq!(
        (&edges[0]["element"], &edges[0]["bits"]),
        (&"uint5".into(), &40.into())
    );
    let fc1 = nodes.iter().find(|node| node["name"] == "fc1").unwrap();
    assert_eq!(
        (&fc1["pe"], &fc1["simd"], &fc1["cycles"]),
        (&8.into(), &8.into(), &64.into())
    );
    let slowest: Vec<&Value> = nodes
        .iter()
        .filter(|node| node["bottleneck"] == true)
        .collect();
    assert_eq!((slowest.len(), &slowest[0]["name"]), (1, &"fc2".into()));
    let text = drawn["graph"].as_str().unwrap();
    assert!(
        text.contains(
            "[\"fc2<br/>mvau: 32 x 64<br/>PE 1, SIMD 2<br/>1,024 cycles, the bottleneck\"]"
        ),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "\n    class {} bottleneck\n",
            slowest[0]["id"].as_str().unwrap()
        )),
        "{text}"
    );
    assert!(!project.dir().join("build").exists());
}

#[test]
fn the_stages_show_what_is_cached() {
    let project = Project::example("digits");
    let vague = |drawn: &Value| {
        let nodes = list(drawn, "nodes").iter();
        nodes
            .filter(|node| node["jobs"].is_null() && !node["stage"].is_null())
            .count()
    };
    assert!(vague(&drawn(&project, &["--of", "stages"])) > 0);
    project.build(&[]).expect_success();
    let drawn = drawn(&project, &["--of", "stages", "--format", "dot"]);
    assert_eq!(vague(&drawn), 0);
    let (nodes, edges) = (list(&drawn, "nodes"), list(&drawn, "edges"));
    let ids: BTreeSet<&str> = nodes
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), nodes.len());
    for node in nodes.iter().filter(|node| !node["stage"].is_null()) {
        assert_eq!(node["jobs"], node["cached"], "{node}");
    }
    let id = |key: &str, name: &str| {
        let node = nodes.iter().find(|node| node[key] == name).unwrap();
        node["id"].as_str().unwrap()
    };
    let joined = |from: &str, to: &str| {
        edges
            .iter()
            .any(|edge| edge["from"] == from && edge["to"] == to)
    };
    assert!(joined(id("file", "model.onnx"), id("stage", "import")));
    assert!(joined(id("file", "test.npz"), id("stage", "verify")));
    assert!(joined(id("stage", "generate"), id("stage", "verify")));
    assert!(!joined(id("stage", "verify"), id("stage", "generate")));
    assert!(edges.iter().all(|edge| {
        ["from", "to"]
            .iter()
            .all(|end| ids.contains(edge[*end].as_str().unwrap()))
    }));
    let text = drawn["graph"].as_str().unwrap();
    assert!(
        text.starts_with("digraph \"stages of digits\" {\n") && text.ends_with("}\n"),
        "{text}"
    );
}
