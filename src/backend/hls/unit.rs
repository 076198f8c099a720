//! `Unit`: a layer in the library's terms, a table from which all its text is written.
//! Must not know any particular layer.

use crate::layer::{Activation, Sliding};
use crate::tensor::DataType;

/// A class template of the library with the parameters of one shape.
pub(super) struct Unit {
    /// File and class template: `mvau` and `Mvau`.
    pub(super) header: &'static str,
    /// Class template.
    pub(super) template: &'static str,
    /// What it is, in one sentence.
    pub(super) title: String,
    /// How fast it is, in one sentence.
    pub(super) pace: String,
    /// Members of the shape: declaration and value.
    pub(super) fields: Vec<(&'static str, String)>,
    /// Memories, in the order of the function's arguments.
    pub(super) memories: Vec<Memory>,
    /// Whether it keeps something from frame to frame, which each layer has for itself.
    pub(super) has_state: bool,
}

/// A memory that a layer holds.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    /// Argument and file: `weights` in `weights.dat`.
    pub(super) name: &'static str,
    /// Type in the class: `Weights`.
    pub(super) class: &'static str,
    /// How synthesis splits it: kind and dimension.
    pub(super) pragmas: &'static [(&'static str, u32)],
}

/// What a layer's function holds, as text: its memories, and what it keeps from frame to frame.
pub(super) struct Held {
    /// Memories as constants, each of which includes its file.
    pub(super) constants: String,
    /// How synthesis splits the memories, and the state.
    pub(super) pragmas: String,
    /// `, weights, thresholds`: what the shape's function takes behind its streams.
    pub(super) arguments: String,
}

/// Weights: all lanes of one step are read at once.
pub(super) const WEIGHTS: Memory = Memory {
    name: "weights",
    class: "Weights",
    pragmas: &[("ARRAY_PARTITION", 2), ("ARRAY_RESHAPE", 3)],
};

/// Kept words: those of all lanes and lists of one step are read at once.
pub(super) const INDEX: Memory = Memory {
    name: "index",
    class: "Indices",
    pragmas: &[("ARRAY_PARTITION", 2), ("ARRAY_RESHAPE", 3)],
};

/// Kept rows: those of all PE are read at once.
pub(super) const ROW_INDEX: Memory = Memory {
    name: "row_index",
    class: "RowIndices",
    pragmas: &[("ARRAY_RESHAPE", 2)],
};

/// Kept columns that all PE share: those of all lanes are read at once.
pub(super) const COLUMN_INDEX: Memory = Memory {
    name: "index",
    class: "Indices",
    pragmas: &[("ARRAY_RESHAPE", 2)],
};

/// Thresholds: all of PE rows are compared at once.
pub(super) const THRESHOLDS: Memory = Memory {
    name: "thresholds",
    class: "Thresholds",
    pragmas: &[("ARRAY_PARTITION", 2), ("ARRAY_PARTITION", 3)],
};

/// One bit per row: whether its count is mirrored.
pub(super) const FLIP: Memory = Memory {
    name: "flip",
    class: "Flip",
    pragmas: &[("ARRAY_PARTITION", 2)],
};

impl Unit {
    /// What the function of a layer of the shape `tag` holds.
    pub(super) fn held(&self, tag: &str) -> Held {
        let [mut constants, mut pragmas, mut arguments] = [const { String::new() }; 3];
        for Memory {
            name,
            class,
            pragmas: splits,
        } in &self.memories
        {
            constants += &format!(
                "    static const {tag}_unit::{class} {name} = {{\n#include \"{name}.dat\"\n    }};\n"
            );
            for (kind, dimension) in *splits {
                pragmas +=
                    &format!("#pragma HLS {kind} variable={name} complete dim={dimension}\n");
            }
            arguments += &format!(", {name}");
        }
        if self.has_state {
            pragmas += &format!("    static {tag}_unit::State state;\n");
            arguments += ", state";
        }
        Held {
            constants,
            pragmas,
            arguments,
        }
    }

    /// A type member.
    pub(super) fn element(name: &'static str, kind: DataType) -> (&'static str, String) {
        (name, class(kind))
    }

    /// A type member: a type, and what its elements are multiplied by.
    pub(super) fn scaled(name: &'static str, kind: DataType, gain: i64) -> (&'static str, String) {
        (name, scaled(kind, gain))
    }

    /// A window and its picture.
    pub(super) fn window(sliding: &Sliding) -> Vec<(&'static str, String)> {
        let (window, [rows, columns]) = (&sliding.window, sliding.output());
        let [top, left, _, _] = window.pads;
        let pairs = [
            ("ROWS", sliding.picture[0]),
            ("COLUMNS", sliding.picture[1]),
            ("CHANNELS", sliding.channels),
            ("KERNEL_ROWS", window.kernel[0]),
            ("KERNEL_COLUMNS", window.kernel[1]),
            ("STRIDE_ROWS", window.stride[0]),
            ("STRIDE_COLUMNS", window.stride[1]),
            ("DILATION_ROWS", window.dilation[0]),
            ("DILATION_COLUMNS", window.dilation[1]),
            ("TOP", top),
            ("LEFT", left),
            ("PLACE_ROWS", rows),
            ("PLACE_COLUMNS", columns),
        ];
        pairs
            .into_iter()
            .map(|(name, value)| Unit::number(name, value))
            .collect()
    }

    /// The thresholds behind an accumulator.
    pub(super) fn activation(activation: Option<&Activation>) -> [(&'static str, String); 3] {
        [
            Unit::number("THRESHOLDS", activation.map_or(0, |a| a.levels)),
            Unit::number(
                "THRESHOLD_BITS",
                activation.map_or(1, |a| a.threshold.bits()),
            ),
            Unit::number("BASE", activation.map_or(0, |a| a.base)),
        ]
    }

    /// A number.
    pub(super) fn number(name: &'static str, value: impl ToString) -> (&'static str, String) {
        (name, value.to_string())
    }
}

/// The library's class for a type.
pub(super) fn class(kind: DataType) -> String {
    match kind {
        DataType::Bipolar => "finnp::Bipolar".into(),
        DataType::Ternary => "finnp::Ternary".into(),
        DataType::Int(bits) => format!("finnp::Int<{bits}>"),
        DataType::Uint(bits) => format!("finnp::Uint<{bits}>"),
    }
}

/// The library's class for a type whose elements are multiplied by `gain`.
pub(super) fn scaled(kind: DataType, gain: i64) -> String {
    format!("finnp::Scaled<{}, {gain}>", class(kind))
}

/// "a 3 x 3 window on 32 x 32 pixels of 64 uint4 channels".
pub(super) fn view(sliding: &Sliding, element: DataType) -> String {
    let ([rows, columns], [height, width]) = (sliding.window.kernel, sliding.picture);
    format!(
        "a {rows} x {columns} window on {height} x {width} pixels of {} {element} channels",
        sliding.channels
    )
}

/// "1 cycle per frame", "12 cycles per frame".
pub(super) fn pace(lanes: &str, cycles: u64) -> String {
    format!(
        "{lanes} a cycle: {cycles} cycle{} per frame.",
        if cycles == 1 { "" } else { "s" }
    )
}
