//! C++ identifiers for layers, each once.
//! Must not know layers beyond their names.

use std::collections::BTreeSet;

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

/// The stream that the layer with this identifier writes, `input` for the first.
pub(super) fn stream(identifier: &str) -> String {
    format!("{identifier}_out")
}

/// One identifier per name, in order: the name where it is one, else a name near it. None of them is the
/// stream of another.
pub fn identifiers<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken: BTreeSet<String> = RESERVED.iter().map(|word| (*word).to_owned()).collect();
    taken.insert(stream("input"));
    names
        .map(|name| {
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
            while taken.contains(&identifier) || taken.contains(&stream(&identifier)) {
                identifier.push('x');
            }
            taken.extend([identifier.clone(), stream(&identifier)]);
            identifier
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::identifiers;

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
        assert_eq!(identifiers(names.into_iter()), expected);
    }

    #[test]
    fn no_layer_is_called_like_the_stream_of_another() {
        let found = |names: [&'static str; 3]| identifiers(names.into_iter());
        assert_eq!(found(["fc", "fc_out", "a"]), ["fc", "fc_outx", "a"]);
        assert_eq!(found(["fc_out", "fc", "a"]), ["fc_out", "fcx", "a"]);
        assert_eq!(found(["input_out", "a", "b"]), ["input_outx", "a", "b"]);
    }
}
