//! Single values: what was given, what its key takes, and what becomes of it.
//! Must not know of sections, nor of values that depend on each other.

use std::path::Path;

use toml::de::{DeArray, DeInteger, DeValue};

use super::form::{LONGEST_SIDE, MOST};
use super::key::{Form, Key};
use super::problem;
use crate::board;
use crate::error::Error;
use crate::tensor::DataType;

/// A value as it was given, in the types of TOML.
#[derive(Debug, Clone)]
pub(super) enum Given {
    Text(String),
    /// The number, if it fits, and its spelling.
    Integer(Option<i64>, String),
    Float(f64, String),
    Flag(bool),
    /// A list of anything.
    List(List),
    /// Of a type that no key takes.
    Other(&'static str),
}

/// A list as it was given.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// Its integers, if it holds nothing else.
    integers: Option<Vec<i64>>,
    /// Its numbers, if it holds nothing else.
    numbers: Option<Vec<f64>>,
    spelling: String,
}

/// A value that its key takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Number(f64),
    Flag(bool),
    Pair([u32; 2]),
    Numbers(Vec<f64>),
}

/// Why a key does not take a value: words under it, and the problem.
type Refusal = (&'static str, Error);

impl Given {
    /// The value without its borrow.
    pub(super) fn of(value: &DeValue<'_>) -> Given {
        match value {
            DeValue::String(text) => Given::Text(text.to_string()),
            DeValue::Integer(number) => Given::Integer(integer(number), number.to_string()),
            DeValue::Float(number) => Given::Float(real(number.as_str()), number.to_string()),
            DeValue::Boolean(flag) => Given::Flag(*flag),
            DeValue::Array(list) => Given::List(list_of(list)),
            other => Given::Other(other.type_str()),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Given::Text(_) => "string",
            Given::Integer(..) => "integer",
            Given::Float(..) => "float",
            Given::Flag(_) => "boolean",
            Given::List(..) => "array",
            Given::Other(name) => name,
        }
    }
}

/// The parser has accepted it, so the one thing left is a form that Rust does not read.
fn real(spelling: &str) -> f64 {
    spelling.parse().unwrap_or(f64::NAN)
}

fn list_of(list: &DeArray<'_>) -> List {
    let items = || list.iter().map(|item| item.get_ref());
    let integers: Option<Vec<i64>> = items()
        .map(|item| match item {
            DeValue::Integer(number) => integer(number),
            _ => None,
        })
        .collect();
    let numbers: Option<Vec<(f64, String)>> = items()
        .map(|item| match item {
            DeValue::Integer(number) => {
                let value = integer(number).map_or_else(|| real(number.as_str()), |n| n as f64);
                Some((value, number.to_string()))
            }
            DeValue::Float(number) => Some((real(number.as_str()), number.to_string())),
            _ => None,
        })
        .collect();
    let spelling = match (&integers, &numbers) {
        (Some(integers), _) => format!("{integers:?}"),
        (None, Some(numbers)) => {
            let words: Vec<&str> = numbers.iter().map(|(_, word)| word.as_str()).collect();
            format!("[{}]", words.join(", "))
        }
        (None, None) => String::new(),
    };
    List {
        integers,
        numbers: numbers.map(|numbers| numbers.into_iter().map(|(value, _)| value).collect()),
        spelling,
    }
}

fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// What `given` means for `key`; files are looked for in `dir`.
pub(super) fn check(key: &Key, given: &Given, dir: &Path) -> Result<Value, Refusal> {
    match (key.form, given) {
        (Form::Integer(low, high), Given::Integer(number, spelling)) => number
            .filter(|number| (low..=high).contains(number))
            .map(Value::Integer)
            .ok_or_else(|| ("out of range", problem::out_of_range(key, spelling))),
        (Form::Flag, Given::Flag(flag)) => Ok(Value::Flag(*flag)),
        (Form::Pair | Form::Amount, Given::List(list)) if list.integers.is_some() => {
            pair(key, list, u32::MAX).map(Value::Pair)
        }
        (Form::Size, Given::List(list)) if list.integers.is_some() => {
            pair(key, list, LONGEST_SIDE).map(Value::Pair)
        }
        (Form::Amount, Given::Integer(number, spelling)) => number
            .filter(|number| (1..=MOST).contains(number))
            .map(Value::Integer)
            .ok_or_else(|| ("out of range", problem::out_of_range(key, spelling))),
        (Form::Size, Given::Integer(number, spelling)) => number
            .filter(|number| (1..=i64::from(LONGEST_SIDE)).contains(number))
            .map(Value::Integer)
            .ok_or_else(|| ("out of range", problem::out_of_range(key, spelling))),
        (Form::PerChannel { positive }, Given::List(list)) if list.numbers.is_some() => {
            let numbers = list.numbers.as_deref().unwrap_or_default();
            per_channel(key, numbers, positive, &list.spelling)
        }
        (Form::PerChannel { positive }, Given::Integer(number, spelling)) => {
            let number = number.map_or_else(|| real(spelling), |number| number as f64);
            per_channel(key, &[number], positive, spelling)
        }
        (Form::PerChannel { positive }, Given::Float(number, spelling)) => {
            per_channel(key, &[*number], positive, spelling)
        }
        (Form::Number | Form::NumberOr(_) | Form::Share, Given::Integer(number, spelling)) => {
            // An integer too long for 64 bits is still a number.
            let number = number.map_or_else(|| spelling.parse().unwrap_or(f64::NAN), |n| n as f64);
            positive(key, number, spelling)
        }
        (Form::Number | Form::NumberOr(_) | Form::Share, Given::Float(number, spelling)) => {
            positive(key, *number, spelling)
        }
        (Form::NumberOr(word), Given::Text(text)) if text == word => Ok(Value::Text(text.clone())),
        (Form::NumberOr(_), Given::Text(text)) => {
            let is = format!("`{text:?}`");
            Err(("neither", problem::wrong_type(key, &is)))
        }
        (form, Given::Text(text)) if form.is_text() => {
            text_of(key, text, dir).map(|()| Value::Text(text.clone()))
        }
        _ => Err((
            "wrong type",
            problem::wrong_type(key, &problem::noun(given.type_name())),
        )),
    }
}

fn pair(key: &Key, list: &List, most: u32) -> Result<[u32; 2], Refusal> {
    let lengths: Vec<u32> = list
        .integers
        .iter()
        .flatten()
        .filter_map(|&length| u32::try_from(length).ok())
        .filter(|length| (1..=most).contains(length))
        .collect();
    match (lengths[..].try_into(), &list.integers) {
        (Ok(pair), Some(all)) if all.len() == 2 => Ok(pair),
        _ => Err((
            "not two of them",
            problem::out_of_range(key, &list.spelling),
        )),
    }
}

fn per_channel(
    key: &Key,
    numbers: &[f64],
    positive: bool,
    spelling: &str,
) -> Result<Value, Refusal> {
    let fits = |number: &f64| match positive {
        true => NUMBERS.contains(number),
        false => number.abs() <= *NUMBERS.end(),
    };
    match numbers.iter().all(fits) && !numbers.is_empty() {
        true => Ok(Value::Numbers(numbers.to_vec())),
        false => Err(("out of range", problem::out_of_range(key, spelling))),
    }
}

/// Beyond these bounds no quantity of a design lies, and products of two would not be numbers.
const NUMBERS: std::ops::RangeInclusive<f64> = 1e-30..=1e30;

fn positive(key: &Key, number: f64, spelling: &str) -> Result<Value, Refusal> {
    let most = if matches!(key.form, Form::Share) {
        1.0
    } else {
        f64::INFINITY
    };
    if NUMBERS.contains(&number) && number <= most {
        Ok(Value::Number(number))
    } else {
        Err(("out of range", problem::out_of_range(key, spelling)))
    }
}

fn text_of(key: &Key, text: &str, dir: &Path) -> Result<(), Refusal> {
    match key.form {
        Form::Name => name(key, text),
        Form::Pattern if text.is_empty() => {
            let error = Error::user(format!("`{}` is empty", key.name));
            Err((
                "matches no layer",
                error.help("write `\"*\"` to match every layer"),
            ))
        }
        Form::Text if text.is_empty() => Err((
            "no name",
            Error::user(format!("`{}` is empty", key.name))
                .help(format!("write for example `{}`", key.line())),
        )),
        Form::File | Form::Path => file(key, text, dir),
        Form::DataType => data_type(key, text),
        Form::Board if board::find(text).is_none() => {
            let names: Vec<&str> = board::all()
                .iter()
                .map(|board| board.name.as_str())
                .collect();
            Err(("no such board", problem::not_one_of(key, text, &names)))
        }
        Form::Choice(words) if !words.contains(&text) => {
            Err(("not known", problem::not_one_of(key, text, words)))
        }
        _ => Ok(()),
    }
}

fn name(key: &Key, text: &str) -> Result<(), Refusal> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let error = match text.chars().find(|&c| !allowed(c)) {
        Some(c) => Error::user(format!(
            "`{}` must not contain `{}`",
            key.name,
            c.escape_debug()
        )),
        None if text.is_empty() => Error::user(format!("`{}` is empty", key.name)),
        None => return Ok(()),
    };
    Err((
        "not a name",
        error.help("use letters, digits, `-` and `_`, such as `\"digits\"`"),
    ))
}

fn file(key: &Key, text: &str, dir: &Path) -> Result<(), Refusal> {
    let path = dir.join(text);
    let (label, error) = if text.is_empty() {
        ("no path", Error::user(format!("`{}` is empty", key.name)))
    } else if matches!(key.form, Form::Path) {
        if path.is_file() || path.is_dir() {
            return Ok(());
        }
        (
            "not found",
            Error::user(format!("there is no file and no folder `{text}`")),
        )
    } else if path.is_dir() {
        (
            "not a file",
            Error::user(format!("`{text}` is a folder, not a file")),
        )
    } else if !path.is_file() {
        (
            "not found",
            Error::user(format!("there is no file `{text}`")),
        )
    } else {
        return Ok(());
    };
    Err((
        label,
        error.help("paths are relative to the folder of `accel.toml`"),
    ))
}

fn data_type(key: &Key, text: &str) -> Result<(), Refusal> {
    let allowed = match text.parse() {
        Ok(DataType::Uint(bits)) => (1..=16).contains(&bits),
        Ok(DataType::Int(bits)) => (2..=16).contains(&bits),
        Ok(DataType::Bipolar | DataType::Ternary) => true,
        Err(_) => false,
    };
    if allowed {
        return Ok(());
    }
    let error = Error::user(format!("unknown {} {} `{text}`", key.section, key.name));
    Err((
        "no such type",
        error.help("the types are `uint1` to `uint16`, `int2` to `int16`, `bipolar` and `ternary`"),
    ))
}
