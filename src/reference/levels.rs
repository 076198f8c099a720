//! The integers of a dataflow against the f64 reference of the network, at every tensor that a stream carries.
//! Must not know stages.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::integer::Integers;
use super::known::{Code, Known};
use super::real::Real;
use crate::dataflow::{Dataflow, Output};
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::network::Network;
use crate::tensor::Tensor;

/// How many elements of one tensor were compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Name of the network's tensor.
    pub tensor: String,
    /// Elements of all samples.
    pub compared: u64,
    /// Elements that were not equal.
    pub differing: u64,
}

/// One element that was not equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Name of the network's tensor.
    pub tensor: String,
    /// Index of the sample.
    pub sample: usize,
    /// Row-major position in the tensor.
    pub element: usize,
    /// The dataflow's integer; at an output, its real value.
    pub hardware: f64,
    /// The reference's.
    pub reference: f64,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Number of samples.
    pub samples: usize,
    /// Tensors in the order of their streams, then the outputs.
    pub tensors: Vec<Tally>,
    /// The first difference: of the first sample that has one, the one farthest upstream.
    pub first: Option<Difference>,
}

impl Levels {
    /// Whether all was equal.
    pub fn equal(&self) -> bool {
        self.first.is_none()
    }
}

/// What one sample contributes.
struct Sample {
    counts: Vec<(u64, u64)>,
    first: Option<Difference>,
}

/// Compares, on all cores. `frames` are samples in row-major order of the network's only input.
///
/// # Errors
/// A user error for several inputs; a bug where frames do not fit, or where the reference has no integers
/// for a tensor that a stream carries.
pub fn compare(network: &Network, dataflow: &Dataflow, frames: &[Vec<i64>]) -> Result<Levels> {
    let real = Real::new(network)?;
    let comparison = Comparison::new(network, dataflow, &real);
    let together = comparison.integers.side_by_side();
    let mut samples: Vec<Sample> = Vec::with_capacity(frames.len());
    for some in frames.chunks(together) {
        let first = samples.len();
        let compared = some
            .par_iter()
            .enumerate()
            .map(|(position, frame)| comparison.sample(first + position, frame))
            .collect::<Result<Vec<Sample>>>()?;
        samples.extend(compared);
    }
    let mut tensors: Vec<Tally> = comparison
        .names
        .iter()
        .map(|name| Tally {
            tensor: (*name).to_owned(),
            compared: 0,
            differing: 0,
        })
        .collect();
    for sample in &samples {
        for (tally, (compared, differing)) in tensors.iter_mut().zip(&sample.counts) {
            tally.compared += compared;
            tally.differing += differing;
        }
    }
    Ok(Levels {
        samples: frames.len(),
        tensors,
        first: samples.into_iter().find_map(|sample| sample.first),
    })
}

/// The network's only input as the reference is fed: the integers and what they stand for.
pub(super) fn fed(dataflow: &Dataflow, frame: &[i64]) -> Result<Known> {
    let [input] = &dataflow.inputs[..] else {
        return Err(Error::user("networks with exactly one input are supported"));
    };
    Ok(Known::coded(Code {
        integers: Tensor::new(input.shape.clone(), frame.to_vec())?,
        coding: input.coding.clone(),
        axis: 0,
    }))
}

struct Comparison<'a> {
    network: &'a Network,
    dataflow: &'a Dataflow,
    real: &'a Real<'a>,
    integers: Integers<'a>,
    /// Compared tensors, the outputs last.
    names: Vec<&'a str>,
    /// By tensor, its position in `names`.
    places: BTreeMap<&'a str, usize>,
    /// By position in `names`, whether only some of the tensor's channels flow.
    partial: Vec<bool>,
}

impl<'a> Comparison<'a> {
    fn new(network: &'a Network, dataflow: &'a Dataflow, real: &'a Real<'a>) -> Self {
        let computed: Vec<&str> = real
            .nodes()
            .iter()
            .map(|node| network.value(node.output).name.as_str())
            .collect();
        let carried = dataflow
            .streams
            .iter()
            .filter_map(|stream| stream.value.as_deref());
        let mut names: Vec<&str> = Vec::new();
        for name in carried.filter(|name| computed.contains(name)) {
            // Behind a width converter a tensor is carried once more.
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let places = names.iter().enumerate().map(|(i, name)| (*name, i));
        let places = places.collect();
        let partial = |name: &&str| {
            let mut streams = dataflow.streams.iter();
            streams.any(|s| s.value.as_deref() == Some(*name) && s.kept.is_some())
        };
        let partial = names.iter().map(partial).collect();
        names.extend(dataflow.outputs.iter().map(|output| output.name.as_str()));
        Comparison {
            network,
            dataflow,
            real,
            integers: Integers::new(dataflow),
            names,
            places,
            partial,
        }
    }

    fn sample(&self, sample: usize, frame: &[i64]) -> Result<Sample> {
        let mut carried: Vec<Vec<(usize, i64)>> = vec![Vec::new(); self.places.len()];
        let outputs = self
            .integers
            .run(&self.integers.streamed(frame)?, |id, frame| {
                let stream = self.dataflow.stream(id);
                let place = stream.value.as_deref().and_then(|v| self.places.get(v));
                if let Some(place) = place {
                    let mut pairs: Vec<(usize, i64)> =
                        stream.indices().zip(frame.iter().copied()).collect();
                    pairs.sort_unstable();
                    carried[*place] = pairs;
                }
            })?;
        let mut found = Sample {
            counts: vec![(0, 0); self.names.len()],
            first: None,
        };
        let mut failure = None;
        let inputs = vec![fed(self.dataflow, frame)?];
        let expected = self.real.run(inputs, |node, known| {
            let name = self.network.value(node.output).name.as_str();
            if let Some(&place) = self.places.get(name) {
                match &known.code {
                    Some(code) => {
                        self.carried(&mut found, place, sample, &carried[place], code);
                    }
                    None => failure = Some(name),
                }
            }
        })?;
        if let Some(name) = failure {
            return Err(Error::bug(format!(
                "the reference has no integers for `{name}`"
            )));
        }
        let outputs = self.integers.real(&outputs)?;
        let outputs = self.dataflow.outputs.iter().zip(outputs).zip(&expected);
        for (position, ((output, hardware), reference)) in outputs.enumerate() {
            let place = self.places.len() + position;
            let pairs = self.output(output, &hardware, &reference.real);
            self.count(&mut found, place, sample, hardware.len(), pairs.into_iter());
        }
        Ok(found)
    }

    /// Compares what a stream carries, as row-major index and integer, with the integers of its tensor.
    fn carried(
        &self,
        found: &mut Sample,
        place: usize,
        sample: usize,
        carried: &[(usize, i64)],
        code: &Code,
    ) {
        let integers = code.integers.data();
        let (compared, differing) = &mut found.counts[place];
        *compared += carried.len() as u64;
        for (element, integer) in carried {
            let reference = integers.get(*element);
            if reference == Some(integer) {
                continue;
            }
            *differing += 1;
            found.first.get_or_insert_with(|| Difference {
                tensor: self.names[place].to_owned(),
                sample,
                element: *element,
                hardware: *integer as f64,
                reference: reference.map_or(f64::NAN, |integer| *integer as f64),
            });
        }
        if carried.len() != integers.len() && !self.partial[place] {
            *differing += integers.len().abs_diff(carried.len()) as u64;
            found.first.get_or_insert_with(|| Difference {
                tensor: self.names[place].to_owned(),
                sample,
                element: carried.len(),
                hardware: f64::NAN,
                reference: f64::NAN,
            });
        }
    }

    /// Whether elements of an output differ, and both sides of each.
    fn output(
        &self,
        output: &Output,
        hardware: &Tensor<f64>,
        reference: &Tensor<f64>,
    ) -> Vec<(bool, f64, f64)> {
        let producer = self.dataflow.producer(output.stream);
        let layer = producer.map(|node| &node.layer);
        match layer {
            // Labels that the network itself does not compute: the class must be a largest one.
            Some(Layer::LabelSelect(select)) if reference.len() != hardware.len() => {
                let classes = reference.data().chunks_exact(select.channels);
                let each = hardware.data().iter().zip(classes).map(|(label, classes)| {
                    let most = classes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let best = classes.iter().position(|class| *class == most);
                    let chosen = classes.get(*label as usize);
                    let best = best.map_or(f64::NAN, |best| best as f64);
                    (chosen != Some(&most), *label, best)
                });
                each.collect()
            }
            _ => {
                let pairs = hardware.data().iter().zip(reference.data());
                let differ = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
                pairs.map(|(a, b)| (differ(*a, *b), *a, *b)).collect()
            }
        }
    }

    fn count(
        &self,
        found: &mut Sample,
        place: usize,
        sample: usize,
        elements: usize,
        pairs: impl ExactSizeIterator<Item = (bool, f64, f64)>,
    ) {
        let (compared, differing) = &mut found.counts[place];
        *compared += pairs.len() as u64;
        // Elements that only one side has can never be equal.
        *differing += (elements - pairs.len().min(elements)) as u64;
        let mut note = |element, hardware, reference| {
            found.first.get_or_insert_with(|| Difference {
                tensor: self.names[place].to_owned(),
                sample,
                element,
                hardware,
                reference,
            });
        };
        if pairs.len() != elements {
            note(pairs.len(), f64::NAN, f64::NAN);
        }
        for (element, (differs, hardware, reference)) in pairs.enumerate() {
            if differs {
                *differing += 1;
                note(element, hardware, reference);
            }
        }
    }
}
