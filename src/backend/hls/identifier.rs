//! C++ identifiers for layers, each once.
//! Must not know layers beyond their names and how many streams they write.

use std::collections::BTreeSet;

use super::stream::numbered;
use crate::dataflow::Node;

/// Words that a layer's function cannot or should not be called.
const RESERVED: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "asm",
    "auto",
    "bitand",
    "bitor",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "compl",
    "const",
    "constexpr",
    "continue",
    "decltype",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "final",
    "finnp",
    "float",
    "for",
    "friend",
    "goto",
    "hls",
    "if",
    "import",
    "in",
    "inline",
    "input",
    "input_adapter",
    "int",
    "long",
    "main",
    "module",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "nullptr",
    "operator",
    "or",
    "out",
    "output",
    "output_adapter",
    "override",
    "private",
    "protected",
    "public",
    "register",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "std",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "top",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "while",
    "xor",
    "input_edge",
    "output_edge",
    "s_axis",
    "m_axis",
    "exp",
    "log",
    "sin",
    "tanh",
    "read",
    "write",
    "label_select",
    "ap_int",
    "ap_uint",
    "assert",
    "EOF",
    "FINNP_TAP",
    "NULL",
    "size_t",
    "stderr",
    "stdin",
    "stdout",
];

/// The streams that the layer with this identifier writes, `input` for the first: one for each of its copies.
pub fn streams(identifier: &str, copies: usize) -> Vec<String> {
    let writers = numbered(identifier, copies).into_iter();
    writers.map(|writer| format!("{writer}_out")).collect()
}

/// One identifier per layer, in order: its name where that is one, else a name near it. None of them is a
/// stream of another.
pub fn identifiers(nodes: &[Node]) -> Vec<String> {
    let copies = |node: &Node| node.layer.hardware().copies();
    unique(nodes.iter().map(|node| (node.name.as_str(), copies(node))))
}

/// The identifiers of layers that have these names and write so many streams.
fn unique<'a>(layers: impl Iterator<Item = (&'a str, usize)>) -> Vec<String> {
    let mut taken: BTreeSet<String> = RESERVED.iter().map(|word| (*word).to_owned()).collect();
    taken.extend(streams("input", 1));
    layers
        .map(|(name, copies)| {
            let mut plain = String::new();
            for c in name.chars() {
                let c = if c.is_ascii_alphanumeric() { c } else { '_' };
                // Two underscores in a row belong to the compiler.
                if !(c == '_' && plain.ends_with('_')) {
                    plain.push(c);
                }
            }
            let starts_well = plain.starts_with(|c: char| c.is_ascii_alphabetic());
            let mut identifier = match starts_well && !RESERVED.contains(&plain.as_str()) {
                true => plain,
                false => format!("layer_{}", plain.trim_start_matches('_')),
            };
            let mut own = streams(&identifier, copies);
            while taken.contains(&identifier) || own.iter().any(|stream| taken.contains(stream)) {
                identifier.push('x');
                own = streams(&identifier, copies);
            }
            taken.insert(identifier.clone());
            taken.extend(own);
            identifier
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn every_name_becomes_one_of_its_own() {
        let names = ["fc1", "fc.1", "fc_1", "12", "float", "a..b", "top"];
        let expected = [
            "fc1",
            "fc_1",
            "fc_1x",
            "layer_12",
            "layer_float",
            "a_b",
            "layer_top",
        ];
        assert_eq!(unique(names.map(|name| (name, 1)).into_iter()), expected);
    }

    #[test]
    fn no_layer_is_called_like_the_stream_of_another() {
        let found = |names: [&'static str; 3]| unique(names.map(|name| (name, 1)).into_iter());
        assert_eq!(found(["fc", "fc_out", "a"]), ["fc", "fc_outx", "a"]);
        assert_eq!(found(["fc_out", "fc", "a"]), ["fc_out", "fcx", "a"]);
        assert_eq!(found(["input_out", "a", "b"]), ["input_outx", "a", "b"]);
        let forked = unique([("fork_1", 1), ("fork", 2), ("forkx_0_out", 1)].into_iter());
        assert_eq!(forked, ["fork_1", "forkx", "forkx_0_outx"]);
    }
}
