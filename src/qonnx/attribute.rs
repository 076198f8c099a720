//! Attributes of a node, read with their ONNX defaults.
//! Must not know operators.

use tract_onnx::pb::{AttributeProto, NodeProto};

/// Attributes by name.
pub(super) struct Attributes<'a>(pub(super) &'a NodeProto);

impl Attributes<'_> {
    fn find(&self, name: &str) -> Option<&AttributeProto> {
        self.0
            .attribute
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// An integer.
    pub(super) fn int(&self, name: &str, default: i64) -> i64 {
        self.find(name).map_or(default, |attribute| attribute.i)
    }

    /// A flag, 0 or 1 in the file.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.int(name, i64::from(default)) != 0
    }

    /// A number, exactly as the f32 in the file.
    pub(super) fn float(&self, name: &str, default: f32) -> f64 {
        f64::from(self.find(name).map_or(default, |attribute| attribute.f))
    }

    /// A number that may be absent.
    pub(super) fn optional_float(&self, name: &str) -> Option<f64> {
        self.find(name).map(|attribute| f64::from(attribute.f))
    }

    /// A text.
    pub(super) fn text(&self, name: &str, default: &str) -> String {
        self.find(name).map_or_else(
            || default.to_owned(),
            |attribute| String::from_utf8_lossy(&attribute.s).into_owned(),
        )
    }

    /// A list of integers; empty if absent.
    pub(super) fn ints(&self, name: &str) -> Vec<i64> {
        self.find(name)
            .map(|attribute| attribute.ints.clone())
            .unwrap_or_default()
    }
}
