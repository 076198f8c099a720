//! Names and types of the streams of a layer's function, and of the ports of a core.
//! Must not know what a layer computes.

use crate::layer::Layer;

/// What the streams on one side are called: `in` alone, or `in_0`, `in_1` and so on.
pub fn numbered(name: &str, count: usize) -> Vec<String> {
    match count {
        1 => vec![name.to_owned()],
        _ => (0..count).map(|at| format!("{name}_{at}")).collect(),
    }
}

/// The streams of a function, those that it reads and those that it writes.
pub(super) struct Streams {
    read: Vec<(String, String)>,
    written: Vec<(String, String)>,
}

impl Streams {
    /// The streams of the function of a layer of the shape `tag`, where `names` are those of both sides.
    pub(super) fn new(layer: &Layer, tag: &str, [read, written]: [&str; 2]) -> Self {
        let hardware = layer.hardware();
        let inputs = hardware.inputs().len();
        let class = |at: usize| match inputs {
            1 => format!("{tag}_unit::Input"),
            _ => format!("{tag}_unit::Input<{at}>"),
        };
        let written = numbered(written, hardware.copies()).into_iter();
        Streams {
            read: numbered(read, inputs)
                .into_iter()
                .enumerate()
                .map(|(at, name)| (class(at), name))
                .collect(),
            written: written
                .map(|name| (format!("{tag}_unit::Output"), name))
                .collect(),
        }
    }

    fn all(&self) -> impl Iterator<Item = &(String, String)> {
        self.read.iter().chain(&self.written)
    }

    /// `Input& in, Output& out`: how they are declared.
    pub(super) fn declared(&self) -> String {
        let declared = self.all().map(|(class, name)| format!("{class}& {name}"));
        declared.collect::<Vec<_>>().join(", ")
    }

    /// `in, out`: how they are passed on.
    pub(super) fn passed(&self) -> String {
        let passed = self.all().map(|(_, name)| name.as_str());
        passed.collect::<Vec<_>>().join(", ")
    }

    /// Their names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.all().map(|(_, name)| name.as_str())
    }

    /// Whether there are more than the two of most layers.
    pub(super) fn are_several(&self) -> bool {
        self.all().count() > 2
    }
}
