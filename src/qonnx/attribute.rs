//! Attributes of a node: read with their ONNX defaults, and written.
//! Must not know operators.

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use crate::error::{Error, Result};

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

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: kind as i32,
        ..AttributeProto::default()
    }
}

/// Writes an integer or a flag.
pub(super) fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto {
        i: value,
        ..attribute(name, AttributeType::Int)
    }
}

/// Writes a number.
///
/// # Errors
/// A bug where it is no f32.
pub(super) fn float(name: &str, value: f64) -> Result<AttributeProto> {
    let f = value as f32;
    match f64::from(f) == value || value.is_nan() {
        true => Ok(AttributeProto {
            f,
            ..attribute(name, AttributeType::Float)
        }),
        false => Err(Error::bug(format!(
            "its `{name}` is {value}, which is no f32"
        ))),
    }
}

/// Writes a text.
pub(super) fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto {
        s: value.as_bytes().to_vec(),
        ..attribute(name, AttributeType::String)
    }
}

/// Writes a list of integers.
pub(super) fn ints(name: &str, values: Vec<i64>) -> AttributeProto {
    AttributeProto {
        ints: values,
        ..attribute(name, AttributeType::Ints)
    }
}
