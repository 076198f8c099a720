//! `Blocked`: a node that keeps a network from being read, and what is said of several.
//! Must not know why nodes are refused.

use tract_onnx::pb::NodeProto;

use super::check::label;
use crate::error::Error;

/// A node that cannot become part of the network.
#[derive(Debug, Clone)]
pub struct Blocked {
    /// Its name, else that of its first output; empty where the whole file is to blame.
    pub node: String,
    /// Its operator in the file.
    pub operator: String,
    /// Why, without its name.
    pub error: Error,
    /// As the user is told of it alone.
    named: String,
}

impl Blocked {
    /// A node with the reason why it blocks.
    pub(super) fn new(node: &NodeProto, error: Error) -> Self {
        Blocked {
            node: name_of(node),
            operator: node.op_type.clone(),
            error,
            named: format!("node {}", label(node)),
        }
    }

    /// What no single node is to blame for.
    pub(super) fn file(error: Error) -> Self {
        Blocked {
            node: String::new(),
            operator: String::new(),
            error,
            named: String::new(),
        }
    }
}

/// The name by which a node is known.
pub(super) fn name_of(node: &NodeProto) -> String {
    let output = node.output.first();
    match (node.name.is_empty(), output) {
        (true, Some(output)) => output.clone(),
        _ => node.name.clone(),
    }
}

/// The error for a network with these nodes: the first one, and how many more there are.
pub(super) fn first(blocked: Vec<Blocked>) -> Option<Error> {
    let more = blocked.len().saturating_sub(1);
    let first = blocked.into_iter().next()?;
    Some(first.error.within(first.named).and_more(more))
}
