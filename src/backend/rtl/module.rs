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
    /// Memories: names as in [`crate::backend::memory`]; the parameter of the file is the name in capitals.
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

    /// Bits of an element and what its codes stand for: 0 unsigned, 1 two's complement, 2 bipolar.
    pub(super) fn element(
        [bits, kind]: [&'static str; 2],
        element: DataType,
    ) -> [(&'static str, String); 2] {
        let code = match element {
            DataType::Uint(_) => 0,
            DataType::Int(_) | DataType::Ternary => 1,
            DataType::Bipolar => 2,
        };
        [
            Module::number(bits, element.bits()),
            Module::number(kind, code),
        ]
    }
}
