//! `Core`: what is synthesised alone and has a name of its own, with its streams.
//! Must not know who connects cores.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::file::{File, of_core, of_rtl_core};
use crate::backend::hls::{self, Target};
use crate::backend::{CorePart, Language, rtl};
use crate::error::{Error, Result};
use crate::layer::{Layer, Port};

/// A layer with its memories, or an edge of the accelerator. Cores of one name are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// Kind of layer, shape and beginning of the digest of the memories.
    pub name: String,
    /// What it is, in one sentence.
    pub title: String,
    /// The streams that it reads.
    pub inputs: Vec<Side>,
    /// The streams that it writes.
    pub outputs: Vec<Side>,
    /// What it is written in.
    pub language: Language,
    part: Part,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Layer { layer: Layer, tag: String },
    Input(Port),
    Output(Port),
}

/// A stream as ports: TDATA in whole bytes, TVALID and TREADY.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side {
    /// Bytes of TDATA; synthesis fills the word of a stream up to whole ones with zeros.
    pub bytes: u64,
    /// What else says where frames end.
    pub marks: Marks,
}

/// What a stream carries besides TDATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// Nothing.
    None,
    /// TLAST.
    Last,
    /// TKEEP, TSTRB and TLAST.
    Bytes,
}

impl Side {
    /// The stream between two layers.
    pub fn inner(port: Port) -> Self {
        Side {
            bytes: port.word_bits().div_ceil(8),
            marks: Marks::None,
        }
    }

    /// The stream at an edge.
    pub fn edge(port: Port) -> Self {
        Side {
            marks: Marks::Bytes,
            ..Side::inner(port)
        }
    }
}

impl Core {
    /// The core of a layer; `memories` are the digests of its memories' contents, by file.
    ///
    /// # Errors
    /// A bug if its record cannot be written.
    pub fn layer(
        layer: &Layer,
        memories: &BTreeMap<String, String>,
        language: Language,
    ) -> Result<Core> {
        let tag = hls::tag(layer)?;
        let memories = memories.iter();
        let memories = memories.map(|(file, digest)| format!("{file} {digest}\n"));
        let text: String = [mark(language).to_owned()]
            .into_iter()
            .chain(memories)
            .collect();
        let hardware = layer.hardware();
        Ok(Core {
            name: format!("{tag}_{}", short(text.as_bytes())),
            title: hls::title(layer),
            inputs: hardware.inputs().into_iter().map(Side::inner).collect(),
            outputs: vec![Side::inner(hardware.output()); hardware.copies()],
            language,
            part: Part::Layer {
                layer: layer.clone(),
                tag,
            },
        })
    }

    /// The core of a layer under the name that [`Core::layer`] gave it.
    ///
    /// # Errors
    /// A bug if its record cannot be written.
    pub fn named(layer: &Layer, name: &str, language: Language) -> Result<Core> {
        let mut core = Core::layer(layer, &BTreeMap::new(), language)?;
        name.clone_into(&mut core.name);
        Ok(core)
    }

    /// The core where frames enter.
    ///
    /// # Errors
    /// A bug if the port cannot be written.
    pub fn input(port: Port, language: Language) -> Result<Core> {
        Ok(Core {
            name: format!("input_edge_{}", short(&record(port, language)?)),
            title: format!("Where frames enter: {} {}.", port.elements(), port.element),
            inputs: vec![Side::edge(port)],
            outputs: vec![Side::inner(port)],
            language,
            part: Part::Input(port),
        })
    }

    /// The core where frames leave.
    ///
    /// # Errors
    /// A bug if the port cannot be written.
    pub fn output(port: Port, language: Language) -> Result<Core> {
        Ok(Core {
            name: format!("output_edge_{}", short(&record(port, language)?)),
            title: format!("Where frames leave: {} {}.", port.elements(), port.element),
            inputs: vec![Side::inner(port)],
            outputs: vec![Side::edge(port)],
            language,
            part: Part::Output(port),
        })
    }

    /// What the backend makes it from.
    fn part(&self) -> CorePart<'_> {
        match &self.part {
            Part::Layer { layer, tag } => CorePart::Layer { layer, tag },
            Part::Input(port) => CorePart::Input(*port),
            Part::Output(port) => CorePart::Output(*port),
        }
    }

    /// Files that it is synthesised from, relative to its folder.
    pub(super) fn files(&self) -> Vec<File> {
        let (tag, layer) = match &self.part {
            Part::Layer { layer, tag } => (Some(tag.as_str()), Some(layer)),
            Part::Input(_) | Part::Output(_) => (None, None),
        };
        let memories = layer.map_or_else(Vec::new, |layer| self.memories(layer));
        let memories: Vec<String> = memories.into_iter().map(|(_, beside)| beside).collect();
        match self.language {
            Language::Cpp => of_core(&self.name, tag, &memories),
            Language::SystemVerilog => of_rtl_core(&self.name, tag, &memories),
        }
    }

    /// The shape that it is an instance of, if it is a layer.
    pub(super) fn shapes(&self) -> Vec<&str> {
        match &self.part {
            Part::Layer { tag, .. } => vec![tag],
            Part::Input(_) | Part::Output(_) => Vec::new(),
        }
    }

    /// Files of the memories of its layer: as they are generated, and as they lie beside its source.
    pub fn memories(&self, layer: &Layer) -> Vec<(String, String)> {
        match self.language {
            Language::Cpp => {
                let files = hls::memory_files(layer).into_iter();
                files.map(|file| (file.clone(), file)).collect()
            }
            Language::SystemVerilog => {
                let files = rtl::memory_files(layer).into_iter();
                files
                    .map(|file| (file.clone(), rtl::core_memory(&self.name, &file)))
                    .collect()
            }
        }
    }

    /// `(file, text)` of its source and, in C++, of the script that synthesises it. Its memories lie beside them.
    pub fn sources(&self, target: &Target) -> Vec<(String, String)> {
        if self.language == Language::SystemVerilog {
            let source = rtl::core_source(self.part(), &self.name);
            return vec![(format!("{}.v", self.name), source)];
        }
        let files = self.files();
        let units: Vec<String> = files
            .iter()
            .filter(|file| file.is_unit())
            .map(|file| file.path.clone())
            .collect();
        vec![
            (
                format!("{}.cpp", self.name),
                hls::core_source(self.part(), &self.name),
            ),
            (
                "vitis_hls.tcl".to_owned(),
                hls::core_script(target, &self.name, &units),
            ),
        ]
    }
}

fn record(port: Port, language: Language) -> Result<Vec<u8>> {
    let record = serde_json::to_vec(&port).map_err(|cause| Error::bug(cause.to_string()))?;
    Ok([mark(language).as_bytes(), &record].concat())
}

/// What tells cores apart that differ in nothing but their language.
fn mark(language: Language) -> &'static str {
    match language {
        Language::Cpp => "",
        Language::SystemVerilog => "SystemVerilog\n",
    }
}

/// The beginning of a digest: enough to tell the cores of all networks apart.
fn short(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(4).map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::layer::WidthConverter;
    use crate::tensor::DataType;

    fn layer() -> Layer {
        Layer::WidthConverter(WidthConverter {
            element: DataType::Int(3),
            pixels: 1,
            channels: 12,
            from: 4,
            to: 6,
        })
    }

    #[test]
    fn streams_are_of_whole_bytes() {
        let core = Core::layer(&layer(), &BTreeMap::new(), Language::Cpp).unwrap();
        assert_eq!((core.inputs[0].bytes, core.outputs[0].bytes), (2, 3));
        let port = layer().hardware().input();
        let (enters, leaves) = (
            Core::input(port, Language::Cpp).unwrap(),
            Core::output(port, Language::Cpp).unwrap(),
        );
        let sides = [&enters, &leaves].map(|core| [core.inputs[0], core.outputs[0]]);
        let sides = sides.concat();
        let marked = sides.iter().map(|side| side.marks == Marks::Bytes);
        let frames: Vec<bool> = marked.collect();
        assert_eq!(frames, [true, false, false, true]);
        assert!(sides.iter().all(|side| side.bytes == 2));
    }

    #[test]
    fn cores_are_called_by_all_that_they_hold() {
        let called = |digest: &str, language| {
            let memories = BTreeMap::from([("weights.dat".to_owned(), digest.to_owned())]);
            Core::layer(&layer(), &memories, language).unwrap().name
        };
        let name = |digest: &str| called(digest, Language::Cpp);
        assert_ne!(name("1"), called("1", Language::SystemVerilog));
        assert_eq!(name("1"), name("1"));
        assert_ne!(name("1"), name("2"));
        assert!(name("1").starts_with("width_converter_"), "{}", name("1"));
    }
}
