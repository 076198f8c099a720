//! `Form`: the values that a key takes, and the words for them.
//! Must not know which keys there are, nor how values are read.

/// The largest integer of keys that count something.
pub(super) const MOST: i64 = u32::MAX as i64;

/// The longest side that a picture is brought to.
pub(super) const LONGEST_SIDE: u32 = 16_384;

/// The values that a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Letters, digits, `-` and `_`.
    Name,
    /// Any text but the empty one.
    Pattern,
    /// Any text but the empty one, told from [`Form::Pattern`] by what it names.
    Text,
    /// Path of an existing file, relative to the folder of the manifest.
    File,
    /// Path of an existing file or folder, relative to the folder of the manifest.
    Path,
    /// An integer type of a tensor's elements.
    DataType,
    /// A board of the board table.
    Board,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// An integer within these bounds, both included.
    Integer(i64, i64),
    /// A number above 0, from 1e-30 to 1e30.
    Number,
    /// A finite number above 0, or this word.
    NumberOr(&'static str),
    /// A number above 0 and at most 1.
    Share,
    /// A list of two integers of at least 1.
    Pair,
    /// An integer of at least 1, or a list of two of them.
    Amount,
    /// A side of a picture, or a list of its height and width, each from 1 to 16384.
    Size,
    /// A number from -1e30 to 1e30, or a list of them, one for each channel; above 0 if `positive`.
    PerChannel {
        /// Whether only numbers from 1e-30 are taken.
        positive: bool,
    },
}

impl Form {
    /// What is expected, as the end of a sentence that starts with "must be".
    pub fn expects(self) -> String {
        match self {
            Form::Name => "a name of letters, digits, `-` and `_`".to_owned(),
            Form::Pattern => {
                "a name of layers in quotes, such as `\"fc1\"` or `\"block?.*\"`".to_owned()
            }
            Form::Text => "a text in quotes".to_owned(),
            Form::File => "a path in quotes".to_owned(),
            Form::Path => "a path in quotes, of a file or a folder".to_owned(),
            Form::DataType => {
                "a type in quotes, such as `\"uint8\"`, `\"int4\"` or `\"bipolar\"`".to_owned()
            }
            Form::Board => "the name of a board in quotes".to_owned(),
            Form::Choice(words) => choice(words),
            Form::Flag => "`true` or `false`".to_owned(),
            Form::Integer(low, MOST) => format!("an integer of at least {low}"),
            Form::Integer(low, high) => format!("an integer from {low} to {high}"),
            Form::Number => "a number above 0".to_owned(),
            Form::NumberOr(word) => format!("a number above 0 or `\"{word}\"`"),
            Form::Share => "a number above 0 and at most 1".to_owned(),
            Form::Pair => "a list of two integers of at least 1".to_owned(),
            Form::Amount => "an integer of at least 1, or a list of two of them".to_owned(),
            Form::Size => format!("an integer from 1 to {LONGEST_SIDE}, or a list of two of them"),
            Form::PerChannel { positive: false } => {
                "a number, or a list of one for each channel".to_owned()
            }
            Form::PerChannel { positive: true } => {
                "a number above 0, or a list of one for each channel".to_owned()
            }
        }
    }

    /// Whether every value is a string.
    pub fn is_text(self) -> bool {
        use Form::{Board, Choice, DataType, File, Name, Path, Pattern, Text};
        matches!(
            self,
            Name | Pattern | Text | File | Path | DataType | Board | Choice(_)
        )
    }
}

fn choice(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    quoted.join(" or ")
}
