//! The nodes of a file that an output depends on: what else is in it, such as what training left, asks for nothing.
//! Must not know operators.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::{ModelProto, NodeProto};

/// The model without nodes that no output depends on. Where graphs are nested all stay, as those inside may read
/// tensors without naming them as inputs.
pub(super) fn needed(mut model: ModelProto) -> ModelProto {
    let Some(graph) = &mut model.graph else {
        return model;
    };
    let nested = |node: &NodeProto| {
        let mut attributes = node.attribute.iter();
        attributes.any(|attribute| attribute.g.is_some() || !attribute.graphs.is_empty())
    };
    if graph.node.iter().any(nested) {
        return model;
    }
    let mut makers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, node) in graph.node.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            makers.entry(name).or_default().push(place);
        }
    }
    let mut wanted: Vec<&str> = graph.output.iter().map(|end| end.name.as_str()).collect();
    // What misses an output is refused for that.
    if !wanted.iter().any(|name| makers.contains_key(name)) {
        return model;
    }
    // What makes nothing is refused for that, too.
    let idle = |node: &NodeProto| node.output.iter().all(String::is_empty);
    let idle = graph.node.iter().enumerate().filter(|(_, node)| idle(node));
    let mut kept: BTreeSet<usize> = idle.map(|(place, _)| place).collect();
    while let Some(name) = wanted.pop() {
        for place in makers.get(name).into_iter().flatten() {
            if kept.insert(*place) {
                wanted.extend(graph.node[*place].input.iter().map(String::as_str));
            }
        }
    }
    let nodes = std::mem::take(&mut graph.node).into_iter().enumerate();
    let nodes = nodes.filter(|(place, _)| kept.contains(place));
    graph.node = nodes.map(|(_, node)| node).collect();
    model
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::{GraphProto, ValueInfoProto};

    fn node(inputs: &[&str], output: &str) -> NodeProto {
        NodeProto {
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            ..NodeProto::default()
        }
    }

    fn left(nodes: Vec<NodeProto>, output: &str) -> Vec<String> {
        let output = ValueInfoProto {
            name: output.to_owned(),
            ..ValueInfoProto::default()
        };
        let graph = GraphProto {
            node: nodes,
            output: vec![output],
            ..GraphProto::default()
        };
        let model = ModelProto {
            graph: Some(graph),
            ..ModelProto::default()
        };
        let nodes = needed(model).graph.map(|graph| graph.node);
        let outputs = nodes.into_iter().flatten().flat_map(|node| node.output);
        outputs.collect()
    }

    /// Whatever the order, and where nodes read each other.
    #[test]
    fn what_no_output_needs_goes() {
        let nodes = || {
            vec![
                node(&["b", "x"], "y"),
                node(&["x", ""], "b"),
                node(&["y"], "dead"),
                node(&["dead", "end"], "end"),
            ]
        };
        assert_eq!(left(nodes(), "y"), ["y", "b"]);
        assert_eq!(left(nodes(), "end"), ["y", "b", "dead", "end"]);
        assert_eq!(left(nodes(), "missing").len(), 4);
    }
}
