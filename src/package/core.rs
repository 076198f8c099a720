//! `Core`: what is synthesised alone and has a name of its own, with its streams.
//! Must not know who connects cores.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::file::{File, of_core};
use crate::backend::hls::{self, CorePart, Target};
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
    /// Whether it has TKEEP, TSTRB and TLAST too: the accelerator's own edges do.
    pub frames: bool,
}

impl Side {
    /// The stream between two layers.
    pub fn inner(port: Port) -> Self {
        Side {
            bytes: port.word_bits().div_ceil(8),
            frames: false,
        }
    }

    /// The stream at an edge.
    pub fn edge(port: Port) -> Self {
        Side {
            frames: true,
            ..Side::inner(port)
        }
    }
}

impl Core {
    /// The core of a layer; `memories` are the digests of its memories' contents, by file.
    ///
    /// # Errors
    /// A bug if its record cannot be written.
    pub fn layer(layer: &Layer, memories: &BTreeMap<String, String>) -> Result<Core> {
        let tag = hls::tag(layer)?;
        let text: String = memories
            .iter()
            .map(|(file, digest)| format!("{file} {digest}\n"))
            .collect();
        let hardware = layer.hardware();
        Ok(Core {
            name: format!("{tag}_{}", short(text.as_bytes())),
            title: hls::title(layer),
            inputs: hardware.inputs().into_iter().map(Side::inner).collect(),
            outputs: vec![Side::inner(hardware.output()); hardware.copies()],
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
    pub fn named(layer: &Layer, name: &str) -> Result<Core> {
        let mut core = Core::layer(layer, &BTreeMap::new())?;
        name.clone_into(&mut core.name);
        Ok(core)
    }

    /// The core where frames enter.
    ///
    /// # Errors
    /// A bug if the port cannot be written.
    pub fn input(port: Port) -> Result<Core> {
        Ok(Core {
            name: format!("input_edge_{}", short(&record(port)?)),
            title: format!("Where frames enter: {} {}.", port.elements(), port.element),
            inputs: vec![Side::edge(port)],
            outputs: vec![Side::inner(port)],
            part: Part::Input(port),
        })
    }

    /// The core where frames leave.
    ///
    /// # Errors
    /// A bug if the port cannot be written.
    pub fn output(port: Port) -> Result<Core> {
        Ok(Core {
            name: format!("output_edge_{}", short(&record(port)?)),
            title: format!("Where frames leave: {} {}.", port.elements(), port.element),
            inputs: vec![Side::inner(port)],
            outputs: vec![Side::edge(port)],
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
        match &self.part {
            Part::Layer { layer, tag } => of_core(&self.name, Some(tag), &hls::memory_files(layer)),
            Part::Input(_) | Part::Output(_) => of_core(&self.name, None, &[]),
        }
    }

    /// `(file, text)` of its source and of the script that synthesises it. Its memories lie beside them.
    pub fn sources(&self, target: &Target) -> Vec<(String, String)> {
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

fn record(port: Port) -> Result<Vec<u8>> {
    serde_json::to_vec(&port).map_err(|cause| Error::bug(cause.to_string()))
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
        let core = Core::layer(&layer(), &BTreeMap::new()).unwrap();
        assert_eq!((core.inputs[0].bytes, core.outputs[0].bytes), (2, 3));
        let port = layer().hardware().input();
        let (enters, leaves) = (Core::input(port).unwrap(), Core::output(port).unwrap());
        let sides = [&enters, &leaves].map(|core| [core.inputs[0], core.outputs[0]]);
        let sides = sides.concat();
        let frames: Vec<bool> = sides.iter().map(|side| side.frames).collect();
        assert_eq!(frames, [true, false, false, true]);
        assert!(sides.iter().all(|side| side.bytes == 2));
    }

    #[test]
    fn cores_are_called_by_all_that_they_hold() {
        let name = |digest: &str| {
            let memories = BTreeMap::from([("weights.dat".to_owned(), digest.to_owned())]);
            Core::layer(&layer(), &memories).unwrap().name
        };
        assert_eq!(name("1"), name("1"));
        assert_ne!(name("1"), name("2"));
        assert!(name("1").starts_with("width_converter_"), "{}", name("1"));
    }
}
