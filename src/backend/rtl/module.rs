//! `Module`: a layer in the library's terms, a table from which all its text is written.
//! Must not know any particular layer.

use crate::layer::Activation;
use crate::tensor::DataType;

/// A module of the library with the parameters of one shape.
pub(super) struct Module {
    /// Its name, which is its file's.
    pub(super) name: &'static str,
    /// What it is, in one sentence.
    pub(super) title: String,
    /// Parameters and their values.
    pub(super) parameters: Vec<(&'static str, String)>,
    /// Memories: names as in [`crate::layer::memories`]; the parameter of the file is the name in capitals.
    pub(super) memories: Vec<&'static str>,
}

impl Module {
    /// A number.
    pub(super) fn number(name: &'static str, value: impl ToString) -> (&'static str, String) {
        (name, value.to_string())
    }

    /// What an activation adds to the parameters: LEVELS is 0 where there is none.
    pub(super) fn activation(activation: Option<&Activation>) -> Vec<(&'static str, String)> {
        vec![
            Module::number("LEVELS", activation.map_or(0, |a| a.levels)),
            Module::number(
                "THRESHOLD_BITS",
                activation.map_or(1, |a| a.threshold.bits()),
            ),
            Module::number("BASE", activation.map_or(0, |a| a.base)),
            Module::number("STEP", activation.map_or(1, |a| a.step)),
        ]
    }

    /// Bits of a weight and what its codes stand for: as for an element, and 3 for ternary.
    pub(super) fn weight(weight: DataType) -> [(&'static str, String); 2] {
        match weight {
            DataType::Ternary => [Module::number("W_BITS", 2), Module::number("W_KIND", 3)],
            _ => Module::element(["W_BITS", "W_KIND"], weight),
        }
    }

    /// Memories of a matrix unit besides those that it always has.
    pub(super) fn memories(
        always: &[&'static str],
        activation: Option<&Activation>,
    ) -> Vec<&'static str> {
        let more: &[&str] = match activation {
            Some(_) => &["thresholds", "flip"],
            None => &[],
        };
        [always, more].concat()
    }

    /// A number of 64 bits that may be negative.
    pub(super) fn wide(name: &'static str, value: i64) -> (&'static str, String) {
        (name, Module::literal(64, value))
    }

    fn literal(bits: u32, value: i64) -> String {
        match value {
            0.. => format!("{bits}'sd{value}"),
            _ => format!("-{bits}'sd{}", value.unsigned_abs()),
        }
    }

    /// Numbers side by side, so many bits each, the first one in the lowest.
    pub(super) fn numbers(
        name: &'static str,
        bits: u32,
        values: impl DoubleEndedIterator<Item = i64>,
    ) -> (&'static str, String) {
        let literal = |value| Module::literal(bits, value);
        let all: Vec<String> = values.rev().map(literal).collect();
        (name, format!("{{{}}}", all.join(", ")))
    }

    /// What codes of a type stand for: 0 unsigned, 1 two's complement, 2 bipolar.
    pub(super) fn code_kind(element: DataType) -> u8 {
        match element {
            DataType::Uint(_) => 0,
            DataType::Int(_) | DataType::Ternary => 1,
            DataType::Bipolar => 2,
        }
    }

    /// Bits of an element and what its codes stand for.
    pub(super) fn element(
        [bits, kind]: [&'static str; 2],
        element: DataType,
    ) -> [(&'static str, String); 2] {
        [
            Module::number(bits, element.bits()),
            Module::number(kind, Module::code_kind(element)),
        ]
    }
}
