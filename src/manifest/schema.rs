//! JSON Schema of the manifest, drawn from the table of keys, for editors that check and complete TOML.
//! Must not know how manifests are read.

use serde_json::{Map, Value, json};

use super::form::LONGEST_SIDE;
use super::key::{Absent, Form, Key, SECTIONS, Section, is_needed, keys_of};
use crate::board;

/// JSON Schema (draft 2020-12) of `accel.toml`, ending in a line break.
pub fn schema() -> String {
    let mut properties = Map::new();
    for section in SECTIONS {
        properties.insert(section.name.to_owned(), of_section(section));
    }
    let needed = SECTIONS
        .iter()
        .map(|section| section.name)
        .filter(|name| is_needed(name));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "accel.toml",
        "description": "Manifest of a finnp project.",
        "type": "object",
        "properties": properties,
        "required": needed.collect::<Vec<_>>(),
        "additionalProperties": false,
    });
    format!("{schema:#}\n")
}

fn of_section(section: &Section) -> Value {
    let mut properties = Map::new();
    for key in keys_of(section.name) {
        properties.insert(key.name.to_owned(), of_key(key));
    }
    let required = keys_of(section.name).filter(|key| key.absent == Absent::Error);
    let required: Vec<&str> = required.map(|key| key.name).collect();
    let mut table = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    if section.name == "input" {
        table["dependentRequired"] = json!({
            "type": ["scale"],
            "scale": ["type"],
            "zero_point": ["type", "scale"],
        });
    }
    if section.list {
        table = json!({ "type": "array", "items": table });
    }
    table["description"] = json!(section.about);
    table
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_form(key.form);
    schema["description"] = json!(key.about);
    match key.absent {
        Absent::Text(text) => schema["default"] = json!(text),
        Absent::Integer(number) => schema["default"] = json!(number),
        Absent::Flag(flag) => schema["default"] = json!(flag),
        Absent::Error | Absent::Open | Absent::OfBoard => {}
    }
    schema
}

fn of_form(form: Form) -> Value {
    match form {
        Form::Name => json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]+$" }),
        Form::Pattern | Form::Text | Form::File | Form::Path => {
            json!({ "type": "string", "minLength": 1 })
        }
        Form::DataType => {
            let pattern = "^(uint([1-9]|1[0-6])|int([2-9]|1[0-6])|bipolar|ternary)$";
            json!({ "type": "string", "pattern": pattern })
        }
        Form::Board => {
            let names: Vec<&str> = board::all()
                .iter()
                .map(|board| board.name.as_str())
                .collect();
            json!({ "type": "string", "enum": names })
        }
        Form::Choice(words) => json!({ "type": "string", "enum": words }),
        Form::Flag => json!({ "type": "boolean" }),
        Form::Integer(low, high) => json!({ "type": "integer", "minimum": low, "maximum": high }),
        Form::Number => json!({ "type": "number", "exclusiveMinimum": 0 }),
        Form::NumberOr(word) => json!({
            "anyOf": [{ "type": "number", "exclusiveMinimum": 0 }, { "const": word }]
        }),
        Form::Share => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        Form::Pair => json!({
            "type": "array",
            "items": { "type": "integer", "minimum": 1, "maximum": u32::MAX },
            "minItems": 2,
            "maxItems": 2,
        }),
        Form::Amount => {
            let one = json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX });
            json!({
                "anyOf": [one, { "type": "array", "items": one, "minItems": 2, "maxItems": 2 }]
            })
        }
        Form::Size => {
            let side = json!({ "type": "integer", "minimum": 1, "maximum": LONGEST_SIDE });
            json!({
                "anyOf": [side, { "type": "array", "items": side, "minItems": 2, "maxItems": 2 }]
            })
        }
        Form::PerChannel { positive } => {
            let number = match positive {
                true => json!({ "type": "number", "exclusiveMinimum": 0 }),
                false => json!({ "type": "number" }),
            };
            json!({ "anyOf": [number, { "type": "array", "items": number, "minItems": 1 }] })
        }
    }
}
