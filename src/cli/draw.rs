//! `Drawing`: boxes and arrows as Mermaid or DOT text, whatever their names are.
//! Must not know what they stand for.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

/// Boxes and arrows.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    /// What it shows.
    pub(super) title: String,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
}

/// How a box looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// A part.
    Plain,
    /// The part that matters most.
    Marked,
    /// What is not known yet.
    Vague,
    /// Something outside.
    End,
}

/// A box.
#[derive(Debug, Serialize)]
pub(super) struct Node {
    /// Letters and digits, its own alone.
    pub(super) id: String,
    #[serde(skip)]
    pub(super) look: Look,
    #[serde(skip)]
    pub(super) lines: Vec<String>,
    /// The same for programs.
    #[serde(flatten)]
    pub(super) data: Value,
}

/// An arrow between two boxes.
#[derive(Debug, Serialize)]
pub(super) struct Edge {
    pub(super) from: String,
    pub(super) to: String,
    #[serde(skip)]
    pub(super) lines: Vec<String>,
    /// Whether it is only supposed to be there.
    #[serde(skip)]
    pub(super) vague: bool,
    /// The same for programs.
    #[serde(flatten)]
    pub(super) data: Value,
}

impl Drawing {
    /// As a Mermaid flow chart.
    pub(super) fn mermaid(&self) -> String {
        // A text of JSON is one of YAML.
        let title = Value::from(plain(&self.title));
        let mut text = format!("---\ntitle: {title}\n---\nflowchart TD\n");
        for Node {
            id, look, lines, ..
        } in &self.nodes
        {
            let label = label(lines);
            let _ = match look {
                Look::End => writeln!(text, "    {id}([{label}])"),
                _ => writeln!(text, "    {id}[{label}]"),
            };
        }
        for edge in &self.edges {
            let Edge { from, to, .. } = edge;
            let arrow = if edge.vague { "-.->" } else { "-->" };
            let _ = match edge.lines.is_empty() {
                true => writeln!(text, "    {from} {arrow} {to}"),
                false => writeln!(text, "    {from} {arrow}|{}| {to}", label(&edge.lines)),
            };
        }
        for (look, name, style) in [
            (Look::Marked, "bottleneck", "stroke:#c00,stroke-width:3px"),
            (Look::Vague, "unknown", "stroke-dasharray:5 5"),
        ] {
            let ids = self.nodes.iter().filter(|node| node.look == look);
            let ids: Vec<&str> = ids.map(|node| node.id.as_str()).collect();
            if !ids.is_empty() {
                let ids = ids.join(",");
                let _ = writeln!(text, "    classDef {name} {style}\n    class {ids} {name}");
            }
        }
        text
    }

    /// As a graph for the programs of Graphviz.
    pub(super) fn dot(&self) -> String {
        let title = quoted(&self.title);
        let mut text = format!(
            "digraph {title} {{\n    label={title};\n    labelloc=t;\n    node [shape=box];\n"
        );
        for node in &self.nodes {
            let label = quoted(&node.lines.join("\n"));
            let look = match node.look {
                Look::Plain => "",
                Look::Marked => ", color=red, penwidth=3",
                Look::Vague => ", style=dashed",
                Look::End => ", style=rounded",
            };
            let _ = writeln!(text, "    {} [label={label}{look}];", node.id);
        }
        for edge in &self.edges {
            let label = quoted(&edge.lines.join("\n"));
            let look = if edge.vague { ", style=dashed" } else { "" };
            let Edge { from, to, .. } = edge;
            let _ = writeln!(text, "    {from} -> {to} [label={label}{look}];");
        }
        text + "}\n"
    }
}

/// `text` without line breaks and other characters that control something.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Lines as a label of Mermaid. All that may mean something there is written as the number of its character.
fn label(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    format!("\"{}\"", lines.join("<br/>"))
}

fn escaped(line: &str) -> String {
    let line = plain(line);
    let mut letters = line.chars().peekable();
    let mut escaped = String::new();
    let mut inside = false;
    while let Some(letter) = letters.next() {
        // Beside a space these may begin a list or emphasis of Markdown.
        let joins = inside && letters.peek().is_some_and(|next| next.is_alphanumeric());
        inside = letter.is_alphanumeric();
        match letter {
            ' ' | ',' | ':' | '=' | '/' => escaped.push(letter),
            '.' | '-' | '_' if joins => escaped.push(letter),
            _ if inside => escaped.push(letter),
            _ => {
                let _ = write!(escaped, "#{};", u32::from(letter));
            }
        }
    }
    escaped
}

/// A text of DOT; line breaks stay.
fn quoted(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| plain(line).replace('\\', "\\\\").replace('"', "\\\""))
        .collect();
    format!("\"{}\"", lines.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing(name: &str) -> Drawing {
        let node = |id: &str, look: Look| Node {
            id: id.to_owned(),
            look,
            lines: vec![name.to_owned(), "second".to_owned()],
            data: Value::Null,
        };
        let edge = |from: &str, to: &str, vague: bool| Edge {
            from: from.to_owned(),
            to: to.to_owned(),
            lines: if vague {
                Vec::new()
            } else {
                vec![name.to_owned()]
            },
            vague,
            data: Value::Null,
        };
        Drawing {
            title: name.to_owned(),
            nodes: vec![
                node("a", Look::End),
                node("b", Look::Marked),
                node("c", Look::Vague),
            ],
            edges: vec![edge("a", "b", false), edge("b", "c", true)],
        }
    }

    #[test]
    fn shapes_and_arrows_are_told_apart() {
        assert_eq!(
            drawing("x").mermaid(),
            "---\ntitle: \"x\"\n---\nflowchart TD\n    a([\"x<br/>second\"])\n    b[\"x<br/>second\"]\n    c[\"x<br/>second\"]\n\
             \u{20}   a -->|\"x\"| b\n    b -.-> c\n    classDef bottleneck stroke:#c00,stroke-width:3px\n    class b bottleneck\n\
             \u{20}   classDef unknown stroke-dasharray:5 5\n    class c unknown\n"
        );
        assert_eq!(
            drawing("x").dot(),
            "digraph \"x\" {\n    label=\"x\";\n    labelloc=t;\n    node [shape=box];\n    a [label=\"x\\nsecond\", style=rounded];\n\
             \u{20}   b [label=\"x\\nsecond\", color=red, penwidth=3];\n    c [label=\"x\\nsecond\", style=dashed];\n\
             \u{20}   a -> b [label=\"x\"];\n    b -> c [label=\"\", style=dashed];\n}\n"
        );
    }

    /// Outside of labels there are only words of the two languages and ids, whatever names say.
    #[test]
    fn names_cannot_leave_their_labels() {
        let hostile = "end\"]; x-->y <b>|`#quot;\\\" }\n1. %%{init}%%\r\u{2028}--- é";
        let without = |text: &str, escape: bool| {
            let mut inside = false;
            let mut letters = text.chars();
            let mut outside = String::new();
            while let Some(letter) = letters.next() {
                match letter {
                    '\\' if escape && inside => drop(letters.next()),
                    '"' => inside = !inside,
                    _ if !inside => outside.push(letter),
                    _ => {}
                }
            }
            assert!(!inside, "{text}");
            outside
        };
        let (drawn, harmless) = (drawing(hostile), drawing("x"));
        // The title is a text of YAML, in which a backslash escapes.
        let split = |text: String| {
            let (title, rest) = text.split_once("\nflowchart").unwrap_or_default();
            (without(title, true), without(rest, false))
        };
        assert_eq!(split(drawn.mermaid()), split(harmless.mermaid()));
        assert_eq!(without(&drawn.dot(), true), without(&harmless.dot(), true));
        assert_eq!(
            drawn.mermaid().lines().count(),
            harmless.mermaid().lines().count()
        );
        assert_eq!(drawn.dot().lines().count(), harmless.dot().lines().count());
    }

    #[test]
    fn labels_hold_no_marks_of_markdown_or_html() {
        let label = label(&[
            "1. a_b _c_ <b>".to_owned(),
            "- fc1.to.fc2, 2 x 3".to_owned(),
        ]);
        let expected = "\"1#46; a_b #95;c#95; #60;b#62;<br/>#45; fc1.to.fc2, 2 x 3\"";
        assert_eq!(label, expected);
    }
}
