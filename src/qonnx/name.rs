//! Stable layer names from what survives in the file.
//! Must not count nodes.

use std::collections::BTreeSet;

/// Longest name; longer ones keep their end, which tells more than their beginning.
const LONGEST: usize = 80;

/// Hands out names, each once.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

/// What a name can be taken from.
pub(super) struct Source<'a> {
    /// Name of the node; may be empty.
    pub(super) node: &'a str,
    /// ONNX operator type.
    pub(super) operator: &'a str,
    /// Name of the weight parameter, if the node has one.
    pub(super) weight: Option<&'a str>,
    /// Name of the first output.
    pub(super) output: &'a str,
}

impl Names {
    /// The stable name of a node. A name that is taken gets the output's name as suffix.
    pub(super) fn stable(&mut self, source: &Source<'_>) -> String {
        let weight = source
            .weight
            .map(|name| name.strip_suffix(".weight").unwrap_or(name));
        let candidates = [
            clean(&from_path(source.node, source.operator)),
            weight.map(clean).unwrap_or_default(),
            clean(source.output),
        ];
        let first = candidates
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_else(|| "layer".into());
        if self.taken.insert(first.clone()) {
            return first;
        }
        let mut name = clean(&format!("{first}.{}", source.output));
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }
}

/// Operators that a layer is named after: the node keeps only the path that leads to it.
const LAYERS: &[&str] = &["MatMul", "Gemm", "Conv"];

/// `/features/3/MatMul` is `features.3`; `MatMul_16` stays, as it has no better part.
fn from_path(node: &str, operator: &str) -> String {
    let mut parts: Vec<&str> = node.split('/').filter(|part| !part.is_empty()).collect();
    let is_operator = |part: &str| {
        LAYERS.contains(&operator)
            && part.strip_prefix(operator).is_some_and(|rest| {
                rest.trim_start_matches('_')
                    .bytes()
                    .all(|b| b.is_ascii_digit())
            })
    };
    if parts.len() > 1 && parts.last().is_some_and(|part| is_operator(part)) {
        parts.pop();
    }
    parts.join(".")
}

/// Keeps what is safe in a file name on any system, and not too much of it.
fn clean(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let end = safe.len().saturating_sub(LONGEST);
    safe[end..].trim_start_matches(['.', '-', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(node: &str, operator: &str, weight: Option<&str>, output: &str) -> String {
        Names::default().stable(&Source {
            node,
            operator,
            weight,
            output,
        })
    }

    #[test]
    fn names_come_from_what_survives() {
        assert_eq!(name("/fc1/MatMul", "MatMul", None, "12"), "fc1");
        assert_eq!(
            name("/features/features.3/Gemm_1", "Gemm", None, "12"),
            "features.features.3"
        );
        assert_eq!(
            name("/fc1/Transpose", "Transpose", None, "12"),
            "fc1.Transpose"
        );
        assert_eq!(name("MatMul_16", "MatMul", None, "12"), "MatMul_16");
        assert_eq!(
            name("", "MatMul", Some("features.3.weight"), "12"),
            "features.3"
        );
        assert_eq!(name("", "MatMul", None, "12"), "12");
        assert_eq!(name("../../etc/passwd", "MatMul", None, "12"), "etc.passwd");
        assert_eq!(name("naïve layer", "MatMul", None, "12"), "na_ve_layer");
        assert_eq!(name("", "MatMul", None, ""), "layer");
        assert!(name(&"x".repeat(500), "MatMul", None, "1").len() <= LONGEST);
    }

    #[test]
    fn collisions_get_the_outputs_name() {
        let mut names = Names::default();
        let source = |output| Source {
            node: "fc",
            operator: "MatMul",
            weight: None,
            output,
        };
        assert_eq!(names.stable(&source("a")), "fc");
        assert_eq!(names.stable(&source("b")), "fc.b");
        assert_eq!(names.stable(&source("b")), "fc.b_");
    }
}
