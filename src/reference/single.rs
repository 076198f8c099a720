//! The f32 run of a file, by tract or by another executor, against the integers of a dataflow: a second opinion,
//! which may differ where a value lies within rounding errors of the boundary between two levels.
//! Must not know stages; it decides nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tract_onnx::tract_core::prelude::{
    DatumExt, DatumType, IntoRunnable, IntoTValue, TValue, Tensor as TractTensor, TractResult,
    TypedSimplePlan, tvec,
};
use tract_onnx::tract_hir::prelude::InferenceModelExt;

use super::integer::Integers;
use super::levels::{Tally, fed};
use super::real::Real;
use crate::dataflow::Dataflow;
use crate::error::{Error, Result, catch};
use crate::network::{Coding, Network, Node, Op, Rounding};
use crate::qonnx::{batch_one, lowered, named_apart, onnx_with_qonnx};
use crate::tensor::Tensor;

/// Most differences that are described.
const MOST: usize = 20;

/// How far the boundary of a `Trunc` is looked for, in integers of its input.
const MOST_STEPS: u32 = 1 << 16;

/// One level that f32 rounds otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Name of the quantiser's output.
    pub tensor: String,
    /// Index of the sample.
    pub sample: usize,
    /// Row-major position in the tensor.
    pub element: usize,
    /// The dataflow's level, which is the f64 reference's.
    pub hardware: i64,
    /// The f32 run's level.
    pub single: i64,
    /// The f64 value before the quantiser.
    pub before: f64,
    /// Its distance from the nearest boundary between two levels, in levels (of `MultiThreshold`: in the
    /// units of its input).
    pub distance: f64,
    /// The same distance in units of the spacing of f32 at that value.
    pub ulp: f64,
}

/// The result of a cross-check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Single {
    /// Number of samples.
    pub samples: usize,
    /// Quantisers in the network's order. `differing` counts only samples in which no quantiser before
    /// this one differs.
    pub tensors: Vec<Tally>,
    /// Levels that differ after an earlier one of the same sample did.
    pub downstream: u64,
    /// The first differences, at most 20, none of them downstream of another.
    pub differences: Vec<Difference>,
}

/// An f32 executor: from the number of a sample and the network's only input to the tensors that it was
/// prepared for.
pub type Run = dyn Fn(usize, &Tensor<f64>) -> Result<Vec<Vec<f32>>> + Sync;

/// Runs `model`, the file of which `network` and `dataflow` were made, on the same samples: `frames` in
/// row-major order of the network's only input.
///
/// # Errors
/// A user error where tract cannot run the file; a bug where frames do not fit.
pub fn compare(
    model: &[u8],
    network: &Network,
    dataflow: &Dataflow,
    frames: &[Vec<i64>],
) -> Result<Single> {
    compare_with(network, dataflow, frames, |names| {
        let plan = plan(model, names)?;
        Ok(Box::new(move |_, input| run(&plan, input)))
    })
}

/// The same with an executor that `prepare` makes for the tensors of these names.
///
/// # Errors
/// Those of the executor; a bug where frames do not fit.
pub fn compare_with(
    network: &Network,
    dataflow: &Dataflow,
    frames: &[Vec<i64>],
    prepare: impl FnOnce(&[&str]) -> Result<Box<Run>>,
) -> Result<Single> {
    let real = Real::new(network)?;
    let mut found = Single {
        samples: frames.len(),
        tensors: Vec::new(),
        downstream: 0,
        differences: Vec::new(),
    };
    let Some(first) = frames.first() else {
        return Ok(found);
    };
    let quantisers = quantisers(network, dataflow, &real, first)?;
    if quantisers.is_empty() {
        return Ok(found);
    }
    let names: Vec<&str> = quantisers.iter().map(|q| q.name).collect();
    let check = Check {
        network,
        dataflow,
        run: prepare(&names)?,
        real,
        integers: Integers::new(dataflow),
        quantisers,
    };
    let samples = check.samples(frames)?;
    for quantiser in &check.quantisers {
        found.tensors.push(Tally {
            tensor: quantiser.name.to_owned(),
            compared: (quantiser.carried * frames.len()) as u64,
            differing: 0,
        });
    }
    for (sample, differing) in samples.iter().enumerate() {
        let mut upstream = false;
        for (place, list) in differing.iter().enumerate() {
            match upstream {
                true => found.downstream += list.len() as u64,
                false => found.tensors[place].differing += list.len() as u64,
            }
            if !upstream && !list.is_empty() {
                upstream = true;
                let room = MOST - found.differences.len();
                let described = check.describe(sample, &frames[sample], place, list, room)?;
                found.differences.extend(described);
            }
        }
    }
    Ok(found)
}

/// A quantiser whose codes a stream carries.
struct Quantised<'a> {
    node: &'a Node,
    name: &'a str,
    elements: usize,
    /// Those that a stream carries.
    carried: usize,
    coding: Coding,
    /// By element, its channel in `coding`.
    channels: Vec<usize>,
}

fn quantisers<'a>(
    network: &'a Network,
    dataflow: &Dataflow,
    real: &Real<'a>,
    frame: &[i64],
) -> Result<Vec<Quantised<'a>>> {
    let carried: BTreeMap<&str, usize> = dataflow
        .streams
        .iter()
        .filter_map(|stream| Some((stream.value.as_deref()?, stream.pixels * stream.channels)))
        .collect();
    let nodes: BTreeMap<usize, &'a Node> = real
        .nodes()
        .iter()
        .filter(|node| node.op.is_quantiser())
        .map(|node| (node.output.0, *node))
        .collect();
    let mut found = Vec::new();
    real.run(vec![fed(dataflow, frame)?], |node, known| {
        let name = network.value(node.output).name.as_str();
        let (Some(node), Some(code)) = (nodes.get(&node.output.0), &known.code) else {
            return;
        };
        if let Some(carried) = carried.get(&name) {
            found.push(Quantised {
                node,
                name,
                carried: *carried,
                elements: known.real.len(),
                coding: code.coding.clone(),
                channels: (0..known.real.len()).map(|p| code.channel(p)).collect(),
            });
        }
    })?;
    Ok(found)
}

/// The file as tract runs it, with the tensors of these names as outputs.
fn plan(model: &[u8], names: &[&str]) -> Result<Arc<TypedSimplePlan>> {
    let proto = named_apart(&lowered(model)?);
    let graph = proto
        .graph
        .as_ref()
        .ok_or_else(|| Error::user("the model has no graph"))?;
    let inputs = batch_one(graph)?;
    let built = catch(|| -> TractResult<_> {
        let mut inferred = onnx_with_qonnx().parse(&proto, None)?.model;
        for (position, (_, shape)) in inputs.iter().enumerate() {
            inferred.set_input_fact(position, f32::fact(shape).into())?;
        }
        let outlets: Option<Vec<_>> = names
            .iter()
            .map(|name| inferred.find_outlet_label(name))
            .collect();
        let Some(outlets) = outlets else {
            return Ok(None);
        };
        inferred.select_output_outlets(&outlets)?;
        Ok(Some(inferred.into_optimized()?.into_runnable()?))
    });
    match built {
        Ok(Ok(Some(plan))) => Ok(plan),
        Ok(Ok(None)) => Err(Error::bug("tract lost the name of a quantiser's output")),
        Ok(Err(cause)) => Err(refused(&format!("{cause:#}"))),
        Err(panic) => Err(refused(&panic)),
    }
}

fn run(plan: &Arc<TypedSimplePlan>, input: &Tensor<f64>) -> Result<Vec<Vec<f32>>> {
    let data: Vec<f32> = input.data().iter().map(|value| *value as f32).collect();
    let ran = catch(|| -> TractResult<Vec<Vec<f32>>> {
        let input = TractTensor::from_shape(input.shape(), &data)?.into_tvalue();
        let outputs = plan.run(tvec!(input))?;
        outputs.iter().map(floats).collect()
    });
    match ran {
        Ok(Ok(outputs)) => Ok(outputs),
        Ok(Err(cause)) => Err(refused(&format!("{cause:#}"))),
        Err(panic) => Err(refused(&panic)),
    }
}

fn refused(cause: &str) -> Error {
    Error::user(format!("the f32 cross-check cannot run the model: {cause}"))
}

struct Check<'a> {
    network: &'a Network,
    dataflow: &'a Dataflow,
    run: Box<Run>,
    real: Real<'a>,
    integers: Integers<'a>,
    quantisers: Vec<Quantised<'a>>,
}

/// Per quantiser the elements that differ in one sample, with both levels.
type Differing = Vec<Vec<(usize, i64, i64)>>;

impl Check<'_> {
    /// All samples, on all cores, but never more of them at once than memory holds.
    fn samples(&self, frames: &[Vec<i64>]) -> Result<Vec<Differing>> {
        let mut samples = Vec::with_capacity(frames.len());
        for some in frames.chunks(self.integers.side_by_side()) {
            let first = samples.len();
            let checked = some
                .par_iter()
                .enumerate()
                .map(|(position, frame)| self.sample(first + position, frame))
                .collect::<Result<Vec<Differing>>>()?;
            samples.extend(checked);
        }
        Ok(samples)
    }

    /// Per quantiser the elements that differ, with both levels.
    fn sample(&self, number: usize, frame: &[i64]) -> Result<Differing> {
        let mut ours: Vec<Vec<(usize, i64)>> = vec![Vec::new(); self.quantisers.len()];
        self.integers
            .run(&self.integers.streamed(frame)?, |id, frame| {
                let stream = self.dataflow.stream(id);
                let mut names = self.quantisers.iter().map(|q| Some(q.name));
                if let Some(place) = names.position(|name| name == stream.value.as_deref()) {
                    ours[place] = stream.indices().zip(frame.iter().copied()).collect();
                }
            })?;
        let known = fed(self.dataflow, frame)?;
        let theirs = (self.run)(number, &known.real)?;
        if theirs.len() != ours.len() {
            return Err(Error::bug(format!("{} tensors came back", theirs.len())));
        }
        let pairs = self.quantisers.iter().zip(ours.iter().zip(&theirs));
        pairs
            .map(|(quantiser, (ours, theirs))| {
                if theirs.len() != quantiser.elements {
                    return Err(Error::bug(format!(
                        "`{}` has {} elements, {} in f32",
                        quantiser.name,
                        quantiser.elements,
                        theirs.len()
                    )));
                }
                let level = |element: usize| {
                    let channel = quantiser.channels[element];
                    let (scale, bias) = (
                        quantiser.coding.scale.at(channel),
                        quantiser.coding.bias.at(channel),
                    );
                    ((f64::from(theirs[element]) - bias) / scale).round() as i64
                };
                let both = ours
                    .iter()
                    .map(|(element, ours)| (*element, *ours, level(*element)));
                let mut differing: Vec<_> =
                    both.filter(|(_, ours, theirs)| ours != theirs).collect();
                differing.sort_unstable();
                Ok(differing)
            })
            .collect()
    }

    /// What lies behind the first differences of a sample.
    fn describe(
        &self,
        sample: usize,
        frame: &[i64],
        place: usize,
        list: &[(usize, i64, i64)],
        room: usize,
    ) -> Result<Vec<Difference>> {
        if room == 0 {
            return Ok(Vec::new());
        }
        let quantiser = &self.quantisers[place];
        let source = quantiser.node.inputs[0];
        let input = fed(self.dataflow, frame)?;
        let fed_directly = self.network.inputs.first() == Some(&source);
        let mut before = fed_directly.then(|| input.real.clone());
        self.real.run(vec![input], |node, known| {
            if node.output == source {
                before = Some(known.real.clone());
            }
        })?;
        let before = before.ok_or_else(|| Error::bug("a quantiser reads nothing"))?;
        let described = list.iter().take(room).map(|&(element, hardware, single)| {
            let value = before.data()[element];
            let (distance, unit) = self.distance(quantiser.node, value, element, before.shape());
            let single_value = (value as f32).abs();
            let spacing = f64::from(single_value.next_up()) - f64::from(single_value);
            Difference {
                tensor: quantiser.name.to_owned(),
                sample,
                element,
                hardware,
                single,
                before: value,
                distance,
                ulp: distance * unit / spacing,
            }
        });
        Ok(described.collect())
    }

    /// Distance of `x` from the nearest boundary of its quantiser, and the real value of distance 1.
    fn distance(&self, node: &Node, x: f64, element: usize, shape: &[usize]) -> (f64, f64) {
        let constant = |slot: usize| {
            let known = node.inputs.get(slot).and_then(|id| self.real.constant(*id));
            known.map(|known| known.into_owned().real)
        };
        let at = |slot: usize| {
            let spread = constant(slot).and_then(|tensor| tensor.broadcast(shape));
            spread.map_or(f64::NAN, |tensor| tensor.data()[element])
        };
        match node.op {
            Op::Quant(quant) => {
                let y = x / at(1) + at(2);
                let one_bit = quant.signed && at(3) == 1.0;
                let part = y - y.floor();
                let distance = match quant.rounding {
                    _ if one_bit => y.abs(),
                    Rounding::HalfEven | Rounding::HalfUp | Rounding::HalfDown => {
                        (part - 0.5).abs()
                    }
                    _ => part.min(1.0 - part),
                };
                (distance, at(1))
            }
            Op::BipolarQuant => (x.abs() / at(1), at(1)),
            Op::QuantizeLinear(linear) => {
                let along = shape.iter().skip(linear.axis + 1).product::<usize>().max(1);
                let scale = constant(1).map_or(Vec::new(), Tensor::into_data);
                let scale = scale.get(element / along % scale.len().max(1));
                let scale = scale.copied().unwrap_or(f64::NAN);
                let y = x / scale;
                ((y - y.floor() - 0.5).abs(), scale)
            }
            Op::Trunc(trunc) => {
                let operands: Vec<f64> = (1..node.inputs.len()).map(at).collect();
                let distance = trunc.resolve(&operands).map_or(f64::NAN, |(quantiser, _)| {
                    truncated(x / at(1) + at(2), |level| {
                        quantiser.code((level - at(2)) * at(1))
                    })
                });
                (distance, at(1))
            }
            _ => {
                let thresholds = constant(1).map_or(Vec::new(), Tensor::into_data);
                let distances = thresholds.iter().map(|threshold| (x - threshold).abs());
                (distances.fold(f64::INFINITY, f64::min), 1.0)
            }
        }
    }
}

/// Distance of `y` from the nearest tie between two integers whose codes differ.
fn truncated(y: f64, code: impl Fn(f64) -> i64) -> f64 {
    let below = (y - 0.5).floor();
    let tie = |level: f64| {
        let differ = code(level) != code(level + 1.0);
        differ.then_some((y - level - 0.5).abs())
    };
    let near = (0..MOST_STEPS).find_map(|step| {
        let both = [
            tie(below - f64::from(step)),
            tie(below + f64::from(step + 1)),
        ];
        both.into_iter().flatten().reduce(f64::min)
    });
    near.unwrap_or(f64::INFINITY)
}

fn floats(value: &TValue) -> TractResult<Vec<f32>> {
    let cast = value.cast_to_dt(DatumType::F32)?;
    Ok(cast.to_plain_array_view::<f32>()?.iter().copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_of_trunc_are_ties_before_a_step() {
        let floor = |level: f64| (level / 4.0).floor() as i64;
        assert_eq!(truncated(9.0, floor), 1.5);
        assert_eq!(truncated(7.75, floor), 0.25);
        assert_eq!(truncated(7.25, floor), 0.25);
        assert_eq!(truncated(7.25, |_| 0), f64::INFINITY);
    }
}
