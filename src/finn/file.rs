//! The text of a configuration as names and values in their order, and which of the two kinds it is.
//! Must not know what names mean.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::error::{Error, Result};

/// A configuration of FINN.
#[derive(Debug, Clone, PartialEq)]
pub enum Config {
    /// Attributes by layer.
    Folding(Vec<(String, Value)>),
    /// Options of a build, the fields of `DataflowBuildConfig`.
    Build(Vec<(String, Value)>),
}

/// Names and values in the order of the file: layers stand in the order of the network.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names with values")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Entries, A::Error> {
                let mut entries: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if entries.iter().any(|(other, _)| *other == name) {
                        let twice = format!("`{name}` is there twice");
                        return Err(serde::de::Error::custom(twice));
                    }
                    entries.push((name, value));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// Reads a configuration called `name`: YAML if the name ends so, else JSON.
///
/// # Errors
/// A user error for a text that is neither, or that is no configuration of FINN.
pub fn read(name: &str, text: &str) -> Result<Config> {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    if end == "py" {
        return Err(
            Error::user(format!("`{name}` is a program, which finnp does not run")).help(
                "let it write its configuration: `open(\"build.json\", \"w\").write(cfg.to_json())`",
            ),
        );
    }
    let yaml = matches!(end.to_lowercase().as_str(), "yaml" | "yml");
    let entries: std::result::Result<Entries, String> = match yaml {
        true => serde_saphyr::from_str(text).map_err(|cause| cause.without_snippet().to_string()),
        false => serde_json::from_str(text).map_err(|cause| cause.to_string()),
    };
    let Entries(entries) = entries.map_err(|cause| {
        let language = if yaml { "YAML" } else { "JSON" };
        let cause = cause.lines().next().unwrap_or_default();
        Error::user(format!("`{name}` cannot be read as {language}: {cause}"))
            .help("FINN's folding and build configurations are JSON, or YAML in a file that ends in `.yaml`")
    })?;
    let folds = |(_, value): &(String, Value)| value.is_object();
    match entries.is_empty() {
        true => Err(Error::user(format!("`{name}` says nothing"))),
        false if entries.iter().all(folds) => Ok(Config::Folding(entries)),
        false => Ok(Config::Build(entries)),
    }
}
