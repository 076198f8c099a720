//! Quantisers of activations: at the input they say what is fed, elsewhere they end a tail in thresholds.
//! Must not know which operators made the tail.

use super::flow::{Flow, channel_axis};
use super::staircase::{EXHAUSTIVE, Staircase, staircase};
use super::{Builder, Grid};
use crate::dataflow::{Order, Tail};
use crate::error::{Error, Result};
use crate::layer::{Activation, Layer, Tensors, Threshold};
use crate::network::{Coding, Linear, MultiThreshold, Node, Quant, Quantiser, Slope, Trunc};
use crate::reference::{Known, bit_width, check_scale, integer_zero_point, linear_grid};
use crate::tensor::{DataType, PerChannel, Tensor};

/// Most thresholds of one channel.
const MOST_LEVELS: i64 = (1 << 16) - 1;

/// A quantiser per channel and what its codes stand for.
pub(super) struct Quantisers {
    pub(super) each: Vec<Quantiser>,
    pub(super) coding: Coding,
}

impl Builder<'_> {
    /// Ends the tail of `flow` at a quantiser: a new stream of its codes.
    pub(super) fn quantise(
        &mut self,
        node: &Node,
        mut flow: Flow,
        quantisers: Quantisers,
    ) -> Result<Flow> {
        check_levels(&quantisers.each)?;
        if !self.thresholds_first(&flow) {
            flow = self.settled(flow)?;
        }
        let pool = flow.pool.take();
        let picture = pool.as_ref().map(|pool| pool.picture);
        let pixels = picture.map_or(flow.pixels, |[rows, columns]| rows * columns);
        let stairs = self.staircases(&flow, &quantisers.each)?;
        let (base, high, step) = quantisers.each[0].codes();
        let output = type_of_codes(base, high, step)?;
        let input = self.dataflow.stream(flow.stream).element;
        let activation = Activation {
            output,
            levels: ((high - base) / step) as usize,
            base,
            step,
            threshold: type_of_thresholds(&stairs, input)?,
            rows: stairs.len(),
        };
        let tensors = threshold_tensors(&stairs, activation.levels)?;
        let layer = Layer::Threshold(Threshold {
            channels: flow.channels,
            pixels,
            input,
            activation,
            pe: 1,
        });
        let codes = stairs.iter().map(|s| s.codes).collect();
        let next = Flow {
            tail: Tail::new(quantisers.coding.clone()),
            affine: Some(quantisers.coding),
            ..flow
        };
        let Some(pool) = pool else {
            return Ok(self.append(node, layer, tensors, next, output, codes));
        };
        // What the network calls by the quantiser's name is only there behind the pool.
        let value = self.network.value(node.output).name.clone();
        let before = Flow {
            order: Order::channels_first(next.channels, pixels),
            pixels,
            ..next.clone()
        };
        let before = self.append(node, layer, tensors, before, output, codes);
        let mut next = Flow {
            stream: before.stream,
            ..next
        };
        self.dataflow.streams[next.stream.0].value = Some(format!("{value} before {}", pool.name));
        next.stream = self.pooled(&next, &pool, Some(value));
        Ok(next)
    }

    /// The staircase of each channel, or one for all where they are alike.
    fn staircases(&self, flow: &Flow, quantisers: &[Quantiser]) -> Result<Vec<Staircase>> {
        let ranges = self.ranges_of(flow);
        let alike = flow.tail.channels().is_none() && quantisers.len() == 1 && ranges.len() == 1;
        let rows = if alike { 1 } else { flow.channels };
        (0..rows)
            .map(|channel| {
                let quantiser = &quantisers[channel % quantisers.len()];
                let range = ranges[channel % ranges.len()];
                staircase(&flow.tail, quantiser, channel, range)
            })
            .collect()
    }

    /// The quantiser of a `Trunc`, as far as the flow's integers go.
    pub(super) fn trunc(
        &self,
        flow: &Flow,
        trunc: Trunc,
        operands: &[&Known],
    ) -> Result<Quantisers> {
        let one = |known: &&Known| {
            let values = PerChannel::from_values(known.real.data().to_vec());
            values.uniform().ok_or_else(|| {
                Error::user("its scale, zero-point or bit width differs from channel to channel")
            })
        };
        let operands = operands.iter().map(one).collect::<Result<Vec<f64>>>()?;
        let (mut quantiser, step) = trunc.resolve(&operands).map_err(Error::user)?;
        let ranges = self.ranges_of(flow);
        let channels = flow.tail.channels().unwrap_or(1).max(ranges.len());
        let mut codes: Vec<i64> = Vec::new();
        for channel in 0..channels {
            let (low, high) = ranges[channel % ranges.len()];
            let code = |x: i64| quantiser.code(flow.tail.real(x, channel));
            match flow.tail.slope(channel) {
                Slope::Unknown if high - low < EXHAUSTIVE => codes.extend((low..=high).map(code)),
                // Whatever is attained in between, the staircase will refuse.
                _ => codes.extend([low, high].map(code)),
            }
        }
        if let Quantiser::Trunc { bounds, offset, .. } = &mut quantiser {
            let attained = |code: Option<&i64>| code.map_or(0, |code| code + *offset);
            *bounds = (attained(codes.iter().min()), attained(codes.iter().max()));
        }
        Ok(Quantisers {
            each: vec![quantiser],
            coding: Coding::scaled(PerChannel::Same(step)),
        })
    }

    /// Ranges of the flow's integers: one for all channels, or one each in its present grouping.
    pub(super) fn ranges_of(&self, flow: &Flow) -> Vec<(i64, i64)> {
        let ranges = &self.ranges[flow.stream.0];
        match ranges.iter().all(|range| *range == ranges[0]) {
            true => vec![ranges[0]],
            // The grouping may have changed: a channel then holds elements of several old ones.
            false => {
                let mut united = vec![(i64::MAX, i64::MIN); flow.channels];
                // A pool that waits makes the flow smaller than its stream is.
                for position in 0..(flow.pixels * flow.channels).max(ranges.len()) {
                    let (low, high) = ranges[position % ranges.len()];
                    let channel = &mut united[position % flow.channels];
                    *channel = (channel.0.min(low), channel.1.max(high));
                }
                united
            }
        }
    }
}

/// The grid that a quantiser at the input defines; none if its channels differ.
pub(super) fn quant_grid(
    quant: Quant,
    scale: &Known,
    zero: &Known,
    bits: &Known,
) -> Result<Option<(Grid, Quantiser)>> {
    check_scale(&scale.real)?;
    let zero_point = integer_zero_point(&zero.real)?;
    let bits = bit_width(&bits.real)?;
    let Some(scale) = PerChannel::from_values(scale.real.data().to_vec()).uniform() else {
        return Ok(None);
    };
    let quantiser = Quantiser::Quant {
        quant,
        scale,
        zero_point,
        bits,
    };
    let (low, high, step) = quantiser.codes();
    let grid = Grid {
        element: type_of_codes(low, high, step)?,
        coding: Coding::scaled(PerChannel::Same(scale)),
    };
    Ok(Some((grid, quantiser)))
}

pub(super) fn bipolar_grid(scale: &Known) -> Option<(Grid, Quantiser)> {
    let scale = PerChannel::from_values(scale.real.data().to_vec()).uniform()?;
    let grid = Grid {
        element: DataType::Bipolar,
        coding: Coding::scaled(PerChannel::Same(scale)),
    };
    Some((grid, Quantiser::Bipolar))
}

pub(super) fn quant_of(
    mut flow: Flow,
    quant: Quant,
    [scale, zero, bits]: [&Known; 3],
) -> Result<(Flow, Quantisers)> {
    check_scale(&scale.real)?;
    let zero_point = integer_zero_point(&zero.real)?;
    let bits = bit_width(&bits.real)?;
    let scales = flow.per_channel(&scale.real)?;
    let each = (0..scales.channels().unwrap_or(1))
        .map(|channel| Quantiser::Quant {
            quant,
            scale: scales.at(channel),
            zero_point,
            bits,
        })
        .collect();
    Ok((
        flow,
        Quantisers {
            each,
            coding: Coding::scaled(scales),
        },
    ))
}

/// The grid that a `QuantizeLinear` at the input defines; none if its channels differ.
pub(super) fn linear_grid_of(
    linear: Linear,
    shape: &[usize],
    [scale, zero]: [&Known; 2],
) -> Result<Option<(Grid, Quantiser)>> {
    let grid = linear_grid(linear, shape, &scale.real, &zero.real)?;
    let (Some(scale), Some(zero)) = (grid.scale.uniform(), grid.zero_point.uniform()) else {
        return Ok(None);
    };
    let quantiser = linear.quantiser(scale, zero as i64);
    let (low, high, step) = quantiser.codes();
    let grid = Grid {
        element: type_of_codes(low, high, step)?,
        coding: Coding::scaled(PerChannel::Same(scale)),
    };
    Ok(Some((grid, quantiser)))
}

/// A `QuantizeLinear`: its codes are the levels less their zero-point, which may differ from channel to channel.
pub(super) fn linear_of(
    mut flow: Flow,
    linear: Linear,
    [scale, zero]: [&Known; 2],
) -> Result<(Flow, Quantisers)> {
    let grid = linear_grid(linear, &flow.shape, &scale.real, &zero.real)?;
    let mut spread = |values: PerChannel| {
        let mut shape = vec![1; flow.shape.len()];
        if let (Some(count), Some(length)) = (values.channels(), shape.get_mut(linear.axis)) {
            *length = count;
        }
        let count = values.channels().unwrap_or(1);
        let values = (0..count).map(|channel| values.at(channel)).collect();
        flow.per_channel(&Tensor::new(shape, values)?)
    };
    // The second may regroup the flow, and the first then has to follow.
    spread(grid.scale.clone())?;
    let zeros = spread(grid.zero_point)?;
    let scales = spread(grid.scale)?;
    let channels = scales.channels().or(zeros.channels()).unwrap_or(1);
    let quantisers =
        (0..channels).map(|channel| linear.quantiser(scales.at(channel), zeros.at(channel) as i64));
    let mut each: Vec<Quantiser> = quantisers.collect();
    let (low, high) = each
        .iter()
        .map(Quantiser::codes)
        .fold((i64::MAX, i64::MIN), |(low, high), (least, most, _)| {
            (low.min(least), high.max(most))
        });
    for quantiser in &mut each {
        if let Quantiser::Linear { codes, .. } = quantiser {
            *codes = (low, high);
        }
    }
    let coding = Coding::scaled(scales);
    Ok((flow, Quantisers { each, coding }))
}

pub(super) fn multi_threshold_of(
    mut flow: Flow,
    quantiser: MultiThreshold,
    channels_last: bool,
    thresholds: &Known,
) -> Result<(Flow, Quantisers)> {
    let [rows, steps] = *thresholds.real.shape() else {
        return Err(Error::user("its thresholds are not a matrix"));
    };
    if thresholds.real.is_empty() {
        return Err(Error::user("it has no thresholds"));
    }
    let given = match channels_last {
        true => flow.shape.len().saturating_sub(1),
        false => 1.min(flow.shape.len().saturating_sub(1)),
    };
    if rows != 1 && flow.shape.get(given) != Some(&rows) {
        return Err(Error::user(format!(
            "{rows} rows of thresholds do not fit a tensor of shape {:?}",
            flow.shape
        )));
    }
    if !(quantiser.out_scale.is_finite() && quantiser.out_scale > 0.0) {
        return Err(Error::user(format!(
            "out_scale {} is not a positive number",
            quantiser.out_scale
        )));
    }
    let (base, step, scale, bias) = quantiser.grid(steps);
    let list: Vec<&[f64]> = thresholds.real.data().chunks_exact(steps.max(1)).collect();
    let of_row = |row: usize| Quantiser::MultiThreshold {
        thresholds: list[row].to_vec(),
        base,
        step,
    };
    let along_channels =
        flow.is_grouped() && channel_axis(&flow.shape, flow.order) == (given, flow.channels);
    let each = match rows == 1 || along_channels {
        true => (0..list.len()).map(of_row).collect(),
        false => {
            flow = flow.one_pixel();
            let inner: usize = flow.shape[given + 1..].iter().product();
            let elements = 0..flow.channels;
            elements
                .map(|position| of_row(flow.order.index(position) / inner % rows))
                .collect()
        }
    };
    let coding = Coding {
        scale: PerChannel::Same(scale),
        bias: PerChannel::Same(bias),
    };
    Ok((flow, Quantisers { each, coding }))
}

/// Refuses quantisers that thresholds cannot stand for.
fn check_levels(quantisers: &[Quantiser]) -> Result<()> {
    let (low, high, step) = match quantisers {
        [first, ..] => first.codes(),
        [] => return Err(Error::user("it has no thresholds")),
    };
    match (high - low) / step {
        0 => Err(Error::user("all its results are the same")),
        1..=MOST_LEVELS => Ok(()),
        levels => Err(Error::user(format!("it has {} levels", levels + 1))
            .help("activations of at most 16 bits are supported")),
    }
}

fn type_of_codes(low: i64, high: i64, step: i64) -> Result<DataType> {
    match (low, high, step) {
        (-1, 1, 2) => Ok(DataType::Bipolar),
        (_, _, 2) => Err(Error::user(
            "it has one bit, a sign and a zero-point other than 0",
        )),
        (-1, 1, 1) => Ok(DataType::Ternary),
        _ => DataType::spanning(low, high)
            .ok_or_else(|| Error::user("its codes need more than 63 bits")),
    }
}

/// Two's complement type of all `values`, at least as wide as `least`.
pub(super) fn signed_spanning(
    values: impl Iterator<Item = i64>,
    least: DataType,
) -> Result<DataType> {
    let (low, high) = values.fold((least.min().min(-1), least.max()), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    DataType::spanning(low, high)
        .ok_or_else(|| Error::user("its accumulators need more than 63 bits"))
}

/// A type of all thresholds, and of what they are compared with.
fn type_of_thresholds(stairs: &[Staircase], input: DataType) -> Result<DataType> {
    let values = stairs.iter().flat_map(|s| s.thresholds.iter().copied());
    signed_spanning(values, input)
}

fn threshold_tensors(stairs: &[Staircase], levels: usize) -> Result<Tensors> {
    let values = stairs
        .iter()
        .flat_map(|s| s.thresholds.iter().copied())
        .collect();
    let flip = stairs.iter().map(|s| i32::from(s.flip)).collect();
    Ok(Tensors {
        index: None,
        row_index: None,
        weights: None,
        thresholds: Some(Tensor::new(vec![stairs.len(), levels], values)?),
        flip: Some(Tensor::new(vec![stairs.len()], flip)?),
    })
}
