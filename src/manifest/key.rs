//! The table of everything that a manifest may say: reading, schema, canonical text and the reference in the book follow it.
//! Must not know how values are read or what they are used for.

pub use super::form::Form;
use super::form::MOST;
use super::join::joined;
pub use super::section::{SECTIONS, Section};
use super::{calibration, quantize, training};

/// A key of a section.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Section that the key belongs to.
    pub section: &'static str,
    /// Name before the equals sign.
    pub name: &'static str,
    /// What values it takes.
    pub form: Form,
    /// What holds where the key is absent.
    pub absent: Absent,
    /// A value that is right in form, as it is written.
    pub example: &'static str,
    /// What it means, as a sentence.
    pub about: &'static str,
}

/// What holds where a key is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The key must be there whenever its section is, and the section always if it is needed.
    Error,
    /// Nothing: the matter is left to finnp, or to another key.
    Open,
    /// This text.
    Text(&'static str),
    /// This integer.
    Integer(i64),
    /// This truth value.
    Flag(bool),
    /// The default of the board, as a number.
    OfBoard,
}

/// Forms in which weights are removed.
pub const PATTERNS: &[&str] = &["none", "bcr-col", "bcr", "channel"];
/// What multiplies.
pub const MULTIPLIERS: &[&str] = &["lut", "dsp"];
/// Languages in which hardware is written.
pub const BACKENDS: &[&str] = &["hls", "rtl", "auto"];
/// What synthesises layers for their resources.
pub const SYNTHESES: &[&str] = &["none", "yosys"];
/// Ways to find the weights to remove.
pub const METHODS: &[&str] = &["magnitude", "obs", "gradual", "admm"];

/// The keys, section by section.
pub const KEYS: &[Key] = &joined::<
    { OWN.len() + calibration::KEYS.len() + training::KEYS.len() + 2 * quantize::KEYS.len() },
>(OWN, &MORE);

/// Keys that have a file of their own, and the section whose keys they stand behind.
const MORE: [(&[u8], &[Key]); 4] = [
    (b"target", &quantize::KEYS),
    (b"data", &calibration::KEYS),
    (b"data", &training::KEYS),
    (b"layer", &quantize::OF_LAYERS),
];

/// The keys but for those that have a file of their own.
const OWN: &[Key] = &[
    Key {
        section: "project",
        name: "name",
        form: Form::Name,
        absent: Absent::Error,
        example: "\"digits\"",
        about: "Name of the project and of the accelerator's top module.",
    },
    Key {
        section: "model",
        name: "path",
        form: Form::File,
        absent: Absent::Error,
        example: "\"model.onnx\"",
        about: "The ONNX file, relative to the folder of the manifest.",
    },
    Key {
        section: "input",
        name: "type",
        form: Form::DataType,
        absent: Absent::Open,
        example: "\"uint8\"",
        about: "Integer type of the elements that arrive.",
    },
    Key {
        section: "input",
        name: "scale",
        form: Form::Number,
        absent: Absent::Open,
        example: "0.00392156862745098",
        about: "Step of the grid: the integer q stands for the real number scale * (q - zero_point).",
    },
    Key {
        section: "input",
        name: "zero_point",
        form: Form::Integer(i32::MIN as i64, i32::MAX as i64),
        absent: Absent::Integer(0),
        example: "0",
        about: "The integer that stands for 0.",
    },
    Key {
        section: "input",
        name: "layout",
        form: Form::Choice(&["NHWC", "NCHW"]),
        absent: Absent::Text("NCHW"),
        example: "\"NHWC\"",
        about: "Order of the axes of the arrays that are given to finnp and to the drivers.",
    },
    Key {
        section: "output",
        name: "labels",
        form: Form::Flag,
        absent: Absent::Flag(false),
        example: "true",
        about: "Whether the accelerator emits the index of the greatest value instead of the values.",
    },
    Key {
        section: "target",
        name: "board",
        form: Form::Board,
        absent: Absent::Error,
        example: "\"alveo-u280\"",
        about: "The board, one of those that `finnp boards` lists.",
    },
    Key {
        section: "target",
        name: "clock_mhz",
        form: Form::Number,
        absent: Absent::OfBoard,
        example: "144",
        about: "Clock of the accelerator in MHz, at most the board's maximum; the board's default if absent.",
    },
    Key {
        section: "target",
        name: "fps",
        form: Form::NumberOr("max"),
        absent: Absent::Open,
        example: "100000",
        about: "Frames per second to reach with the least hardware, or as many as the board allows; left to finnp if absent.",
    },
    Key {
        section: "target",
        name: "backend",
        form: Form::Choice(BACKENDS),
        absent: Absent::Text("hls"),
        example: "\"rtl\"",
        about: "Language of the hardware: C++ for Vitis HLS (hls), SystemVerilog whose every cycle is simulated with Verilator (rtl), or SystemVerilog for every layer that has a module (auto, at present all).",
    },
    Key {
        section: "target",
        name: "multiplier",
        form: Form::Choice(MULTIPLIERS),
        absent: Absent::Text("lut"),
        example: "\"dsp\"",
        about: "What multiplies in SystemVerilog where weights and inputs have 2 to 8 bits: look-up tables, or DSP slices of UltraScale+, each for several rows.",
    },
    Key {
        section: "target",
        name: "synthesis",
        form: Form::Choice(SYNTHESES),
        absent: Absent::Text("none"),
        example: "\"yosys\"",
        about: "What tells the resources of every layer in SystemVerilog beside the model: nothing, or synthesis with Yosys (boards of UltraScale+).",
    },
    Key {
        section: "prune",
        name: "pattern",
        form: Form::Choice(PATTERNS),
        absent: Absent::Text("none"),
        example: "\"bcr-col\"",
        about: "Form in which weights are removed: balanced blocks that keep some of their columns (bcr-col), or of their rows and columns (bcr), or whole channels.",
    },
    Key {
        section: "prune",
        name: "method",
        form: Form::Choice(METHODS),
        absent: Absent::Text("magnitude"),
        example: "\"magnitude\"",
        about: "How the weights to remove are found: by their size (magnitude), or by what their loss costs on the samples of [calibration], which the other weights then make up for (obs); or by training on these samples, while weights go little by little (gradual) or are pulled to where the pattern allows them (admm).",
    },
    Key {
        section: "prune",
        name: "density",
        form: Form::Share,
        absent: Absent::Open,
        example: "0.25",
        about: "Share of the weights (of the channels, if these are removed) that is kept; finnp chooses blocks that come near it.",
    },
    Key {
        section: "prune",
        name: "block",
        form: Form::Pair,
        absent: Absent::Open,
        example: "[4, 16]",
        about: "Rows, and entries of a column lane, of a block (bcr: entries of a row lane and of a column lane); left to finnp if absent.",
    },
    Key {
        section: "prune",
        name: "keep",
        form: Form::Amount,
        absent: Absent::Open,
        example: "4",
        about: "Entries of each lane that a block keeps (bcr: [rows, columns]); takes the place of density.",
    },
    Key {
        section: "prune",
        name: "lanes",
        form: Form::Amount,
        absent: Absent::Open,
        example: "32",
        about: "Column lanes on which the kept weights are balanced: they divide the columns, and SIMD divides them (bcr: or [rows, columns], where row lanes divide the rows, and PE them); left to finnp if absent.",
    },
    Key {
        section: "data",
        name: "path",
        form: Form::Path,
        absent: Absent::Error,
        example: "\"test.npz\"",
        about: "Where the samples are: a file .npz or .npy, a file of images in IDX format (also gzipped), an archive .zip of pictures (JPEG, PNG), or a folder of them.",
    },
    Key {
        section: "data",
        name: "labels",
        form: Form::File,
        absent: Absent::Open,
        example: "\"labels.csv\"",
        about: "Where their classes are: a table .csv, a file of labels in IDX format (also gzipped) or a file .npy; if absent the array y of the .npz, or the sub-folders of the pictures in the order of their names.",
    },
    Key {
        section: "data",
        name: "x",
        form: Form::Text,
        absent: Absent::Open,
        example: "\"x_test\"",
        about: "Name of the array of samples in a file .npz; x or input if absent.",
    },
    Key {
        section: "data",
        name: "y",
        form: Form::Text,
        absent: Absent::Open,
        example: "\"y_test\"",
        about: "Name of the array of classes in a file .npz; y or label if absent.",
    },
    Key {
        section: "data",
        name: "file_column",
        form: Form::Text,
        absent: Absent::Text("file"),
        example: "\"file\"",
        about: "Column of labels.csv with the names of the pictures, whose order is that of the samples.",
    },
    Key {
        section: "data",
        name: "label_column",
        form: Form::Text,
        absent: Absent::Text("label"),
        example: "\"label\"",
        about: "Column of labels.csv with the classes.",
    },
    Key {
        section: "data",
        name: "label_offset",
        form: Form::Integer(i32::MIN as i64, i32::MAX as i64),
        absent: Absent::Integer(0),
        example: "1",
        about: "Added to every label: 1 for networks whose class 0 is the background.",
    },
    Key {
        section: "data",
        name: "skip",
        form: Form::Integer(0, MOST),
        absent: Absent::Integer(0),
        example: "5000",
        about: "How many samples at the start of the set are left out.",
    },
    Key {
        section: "data",
        name: "samples",
        form: Form::Integer(1, MOST),
        absent: Absent::Open,
        example: "1000",
        about: "How many samples are used at most; all of them if absent.",
    },
    Key {
        section: "data",
        name: "resize",
        form: Form::Size,
        absent: Absent::Open,
        example: "[224, 224]",
        about: "Height and width that pictures are resized to, or the length of the shorter side alone; bilinear, averaging where they shrink.",
    },
    Key {
        section: "data",
        name: "crop",
        form: Form::Size,
        absent: Absent::Open,
        example: "224",
        about: "Height and width that are then cut out of the middle, or both as one number.",
    },
    Key {
        section: "data",
        name: "channels",
        form: Form::Choice(&["RGB", "BGR", "grey"]),
        absent: Absent::Open,
        example: "\"BGR\"",
        about: "Channels of the pictures and their order; if absent grey for images in IDX format and RGB for all others.",
    },
    Key {
        section: "data",
        name: "mean",
        form: Form::PerChannel { positive: false },
        absent: Absent::Open,
        example: "[0.485, 0.456, 0.406]",
        about: "Mean of the pixels: a pixel p, 0 to 255, stands for the real number (p / 255 - mean) / std; 0 if absent. Given for arrays of integers, it makes pixels of them.",
    },
    Key {
        section: "data",
        name: "std",
        form: Form::PerChannel { positive: true },
        absent: Absent::Open,
        example: "[0.229, 0.224, 0.225]",
        about: "Standard deviation of the pixels, see mean; 1 if absent.",
    },
    Key {
        section: "verify",
        name: "inputs",
        form: Form::File,
        absent: Absent::Error,
        example: "\"test.npz\"",
        about: "A file .npz with the array x and perhaps y, relative to the folder of the manifest.",
    },
    Key {
        section: "verify",
        name: "samples",
        form: Form::Integer(1, MOST),
        absent: Absent::Open,
        example: "256",
        about: "How many of the inputs are used at most; all of them if absent.",
    },
    Key {
        section: "layer",
        name: "match",
        form: Form::Pattern,
        absent: Absent::Error,
        example: "\"fc1\"",
        about: "Names of layers; * stands for any characters, ? for one.",
    },
    Key {
        section: "layer",
        name: "pe",
        form: Form::Integer(1, MOST),
        absent: Absent::Open,
        example: "8",
        about: "What is processed at once: rows of a weight matrix, or channels; see the layers.",
    },
    Key {
        section: "layer",
        name: "simd",
        form: Form::Integer(1, MOST),
        absent: Absent::Open,
        example: "16",
        about: "What is processed at once: columns of a weight matrix, or positions of a window; see the layers.",
    },
    Key {
        section: "layer",
        name: "backend",
        form: Form::Choice(BACKENDS),
        absent: Absent::Open,
        example: "\"hls\"",
        about: "As in [target], for these layers.",
    },
    Key {
        section: "layer",
        name: "multiplier",
        form: Form::Choice(MULTIPLIERS),
        absent: Absent::Open,
        example: "\"dsp\"",
        about: "As in [target], for these layers.",
    },
    Key {
        section: "layer",
        name: "pattern",
        form: Form::Choice(PATTERNS),
        absent: Absent::Open,
        example: "\"none\"",
        about: "As in [prune], for these layers.",
    },
    Key {
        section: "layer",
        name: "density",
        form: Form::Share,
        absent: Absent::Open,
        example: "0.5",
        about: "As in [prune], for these layers.",
    },
    Key {
        section: "layer",
        name: "block",
        form: Form::Pair,
        absent: Absent::Open,
        example: "[4, 16]",
        about: "As in [prune], for these layers.",
    },
    Key {
        section: "layer",
        name: "keep",
        form: Form::Amount,
        absent: Absent::Open,
        example: "8",
        about: "As in [prune], for these layers.",
    },
    Key {
        section: "layer",
        name: "lanes",
        form: Form::Amount,
        absent: Absent::Open,
        example: "16",
        about: "As in [prune], for these layers.",
    },
];

/// Sections that every manifest has.
pub fn is_needed(section: &str) -> bool {
    matches!(section, "project" | "model" | "target")
}

/// The section of that name.
pub fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// The key of that name in that section.
pub fn key(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter()
        .find(|key| key.section == section && key.name == name)
}

/// The keys of a section, in the order of the table.
pub fn keys_of(section: &str) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.section == section)
}

impl Section {
    /// The section's header as it is written.
    pub fn header(&self) -> String {
        if self.list {
            format!("[[{}]]", self.name)
        } else {
            format!("[{}]", self.name)
        }
    }
}

impl Key {
    /// The key with a value that is right in form, as a line of a manifest.
    pub fn line(&self) -> String {
        format!("{} = {}", self.name, self.example)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_section_and_is_there_once() {
        for (index, one) in KEYS.iter().enumerate() {
            assert!(section(one.section).is_some(), "{}", one.section);
            let same = |other: &Key| other.section == one.section && other.name == one.name;
            assert!(!KEYS[index + 1..].iter().any(same), "{}", one.name);
            assert!(one.about.ends_with('.'));
        }
    }
}
