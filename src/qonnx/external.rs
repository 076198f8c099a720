//! Tensors that a model keeps in files beside it: which files, and how their bytes come into the model.
//! Must not know the disk, nor what the tensors are for.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};

use prost::Message;
use tract_onnx::pb::{ModelProto, TensorProto, tensor_proto};

use super::oracle::parse;
use crate::error::{Error, Result};

/// Longest name of a file.
const LONGEST: u64 = 4096;

/// Most files beside a model.
const MOST: usize = 1000;

/// Names of the files that the model in `reader` keeps tensors in, as they stand there. Reads little more than
/// these names, whatever the size of the model; of what is no model it says as much as it finds.
///
/// # Errors
/// A user error for more files than any model has.
pub fn locations(reader: &mut (impl Read + Seek)) -> Result<BTreeSet<String>> {
    let mut found = Found::default();
    // Damage shows when the model is decoded.
    let _ = model(reader, &mut found);
    match found.0.len() > MOST {
        false => Ok(found.0),
        true => Err(Error::user(format!(
            "the model keeps its tensors in more than {MOST} files"
        ))
        .help("save the model with one file of external data")),
    }
}

#[derive(Default)]
struct Found(BTreeSet<String>);

type Scanned = std::io::Result<()>;

/// Visits the fields of a message that ends at `end`; those with a length are stepped over afterwards.
fn fields<R: Read + Seek>(
    reader: &mut R,
    end: u64,
    mut visit: impl FnMut(&mut R, u64, u64) -> Scanned,
) -> Scanned {
    while reader.stream_position()? < end {
        let key = varint(reader)?;
        match key & 7 {
            0 => drop(varint(reader)?),
            1 => drop(reader.seek_relative(8)),
            5 => drop(reader.seek_relative(4)),
            2 => {
                let length = varint(reader)?;
                let next = reader.stream_position()?.saturating_add(length).min(end);
                visit(reader, key >> 3, next)?;
                let ahead = next as i64 - reader.stream_position()? as i64;
                reader.seek_relative(ahead)?;
            }
            _ => return Err(std::io::ErrorKind::InvalidData.into()),
        }
    }
    Ok(())
}

fn varint(reader: &mut impl Read) -> std::io::Result<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 127) << shift;
        if byte[0] < 128 {
            return Ok(value);
        }
    }
    Err(std::io::ErrorKind::InvalidData.into())
}

/// Numbers of the fields on the way: graph, initializer, node, attribute, tensor, external data.
fn model<R: Read + Seek>(reader: &mut R, found: &mut Found) -> Scanned {
    let end = reader.seek(SeekFrom::End(0))?;
    reader.seek(SeekFrom::Start(0))?;
    fields(reader, end, |reader, field, end| match field {
        7 => fields(reader, end, |reader, field, end| match field {
            5 => tensor(reader, end, found),
            1 => fields(reader, end, |reader, field, end| match field {
                5 => fields(reader, end, |reader, field, end| match field {
                    5 => tensor(reader, end, found),
                    _ => Ok(()),
                }),
                _ => Ok(()),
            }),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })
}

fn tensor<R: Read + Seek>(reader: &mut R, end: u64, found: &mut Found) -> Scanned {
    fields(reader, end, |reader, field, end| {
        if field != 13 || found.0.len() > MOST {
            return Ok(());
        }
        let (mut key, mut value) = (String::new(), String::new());
        fields(reader, end, |reader, field, end| {
            let length = end.saturating_sub(reader.stream_position()?);
            let text = match field {
                1 => &mut key,
                2 => &mut value,
                _ => return Ok(()),
            };
            if length <= LONGEST {
                reader.by_ref().take(length).read_to_string(text)?;
            }
            Ok(())
        })?;
        if key == "location" {
            found.0.insert(plain(&value).to_owned());
        }
        Ok(())
    })
}

/// A location without the folder that it begins in.
fn plain(location: &str) -> &str {
    let mut plain = location;
    while let Some(rest) = plain.strip_prefix("./") {
        plain = rest.trim_start_matches('/');
    }
    plain
}

/// The model with the tensors of `files`, by the name that the model has for each file, inside it.
///
/// # Errors
/// A user error where a tensor lies outside its file, or its file is not there.
pub fn whole<'m>(model: &'m [u8], files: &BTreeMap<String, &[u8]>) -> Result<Cow<'m, [u8]>> {
    if files.is_empty() {
        return Ok(Cow::Borrowed(model));
    }
    let mut model: ModelProto = parse(model)?;
    if let Some(graph) = &mut model.graph {
        let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
        let inside = attributes.filter_map(|attribute| attribute.t.as_mut());
        for tensor in graph.initializer.iter_mut().chain(inside) {
            embed(tensor, files)?;
        }
    }
    Ok(Cow::Owned(model.encode_to_vec()))
}

/// Whether a tensor keeps its data in a file.
pub(super) fn is_external(tensor: &TensorProto) -> bool {
    tensor.data_location == Some(tensor_proto::DataLocation::External as i32)
}

fn embed(tensor: &mut TensorProto, files: &BTreeMap<String, &[u8]>) -> Result<()> {
    if !is_external(tensor) {
        return Ok(());
    }
    let refused = |what: String| {
        Error::user(format!("tensor `{}` {what}", tensor.name))
            .help("save the model again, with its external data beside it")
    };
    let entry = |key: &str| {
        let entry = tensor.external_data.iter().find(|entry| entry.key == key);
        entry.map(|entry| entry.value.as_str())
    };
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => match text.parse::<usize>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(refused(format!(
                "has the {key} `{text}`, which is no number"
            ))),
        },
    };
    let location = plain(entry("location").unwrap_or_default());
    let file = files.get(location).ok_or_else(|| {
        refused(format!(
            "keeps its data in `{location}`, which is not there"
        ))
    })?;
    let offset = number("offset")?.unwrap_or(0);
    let rest = file.len().checked_sub(offset);
    let length = number("length")?.or(rest).unwrap_or(0);
    let end = offset.checked_add(length);
    let Some(bytes) = end.and_then(|end| file.get(offset..end)) else {
        return Err(refused(format!(
            "keeps {length} bytes at {offset} of `{location}`, which has {}",
            file.len()
        )));
    };
    tensor.raw_data = bytes.to_vec();
    tensor.external_data.clear();
    tensor.data_location = None;
    Ok(())
}
