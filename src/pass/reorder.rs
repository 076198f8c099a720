//! Reorder: channels flow in the order in which pruned weights are balanced, channels that nobody reads do
//! not flow at all, and sparse weights are stored as what is kept.
//! Must not know how the order was chosen.

use super::crossed;
use crate::dataflow::{Channels, Dataflow, Node, Rearrangement, StreamId};
use crate::error::{Error, Result};
use crate::layer::{
    Add, Balance, Blocks, Duplicate, Layer, MaxPool, Mvau, MvauBcr, SumPool, Tensors, Upsample,
    Vvau,
};
use crate::tensor::{DataType, Tensor};

/// Moves rows, thresholds and columns of all layers along with the channels, then stores the weights of the
/// layers that have blocks by their kept entries. The function is unchanged, bit for bit.
///
/// # Errors
/// A bug where the rearrangement does not belong to this network: channels that move where they must not, or
/// weights that are not pruned in their blocks.
pub fn reorder(mut dataflow: Dataflow, to: &Rearrangement) -> Result<Dataflow> {
    let mut orders: Vec<Option<Vec<usize>>> = dataflow
        .streams
        .iter()
        .map(|stream| to.orders.get(stream.value.as_ref()?).cloned())
        .collect();
    let channels: Vec<usize> = dataflow
        .streams
        .iter()
        .map(|stream| stream.channels)
        .collect();
    // What a sliding window sees has no name of its own: the channels of its picture, once for every position.
    for node in &dataflow.nodes {
        if let (Layer::SlidingWindow(_), [from], [to]) =
            (&node.layer, &node.inputs[..], &node.outputs[..])
            && let Some(order) = &orders[from.0]
        {
            orders[to.0] = Some(repeated(order, channels[from.0], channels[to.0])?);
        }
    }
    for (stream, order) in dataflow.streams.iter_mut().zip(&orders) {
        if let Some(order) = order {
            check(order, stream.channels)?;
            stream.kept = Some(Channels {
                order: order.clone(),
                of: stream.channels,
            });
            stream.channels = order.len();
        }
    }
    for node in &mut dataflow.nodes {
        let side = |ids: &[StreamId]| {
            let mut sides = ids
                .iter()
                .map(|id| Some((orders[id.0].as_ref()?, channels[id.0])));
            let first = sides.next().flatten();
            sides.all(|side| side == first).then_some(first)
        };
        let (Some(read), Some(written)) = (side(&node.inputs), side(&node.outputs)) else {
            return Err(Error::bug(format!(
                "the streams of `{}` move in different ways",
                node.name
            )));
        };
        if read.is_some() || written.is_some() {
            moved(node, read, written)?;
        }
        if let Some(blocks) = to.blocks.get(&node.name) {
            match *blocks {
                Balance::Columns(blocks) => compact(node, blocks)?,
                Balance::Cross(cross) => crossed::compact(node, cross)?,
            }
        }
    }
    dataflow.verify("reorder")?;
    Ok(dataflow)
}

fn check(order: &[usize], channels: usize) -> Result<()> {
    let mut seen = vec![false; channels];
    let once = order.iter().all(|c| {
        seen.get_mut(*c)
            .is_some_and(|seen| !std::mem::replace(seen, true))
    });
    match once && !order.is_empty() {
        true => Ok(()),
        false => Err(Error::bug(format!(
            "{order:?} is no order of {channels} channels"
        ))),
    }
}

/// Channels of a stream in their new order, and how many there were.
type Side<'a> = Option<(&'a Vec<usize>, usize)>;

fn moved(node: &mut Node, read: Side<'_>, written: Side<'_>) -> Result<()> {
    match &mut node.layer {
        Layer::Mvau(mvau) if mvau.groups == 1 => product(mvau, &mut node.tensors, read, written)?,
        Layer::Threshold(layer) if read == written => {
            if let Some((order, of)) = read {
                let order = repeated(order, of, layer.channels)?;
                layer.channels = order.len();
                thresholds(&mut node.tensors, &mut layer.activation, &order)?;
            }
        }
        Layer::SlidingWindow(window)
            if window.groups == 1 && read.is_none_or(|(_, of)| of == window.sliding.channels) =>
        {
            if let Some((order, _)) = read {
                window.sliding.channels = order.len();
            }
        }
        Layer::Vvau(vvau) if read == written => {
            if let Some((order, _)) = read {
                kernels(vvau, &mut node.tensors, order)?;
            }
        }
        Layer::MaxPool(MaxPool { sliding, .. }) | Layer::SumPool(SumPool { sliding, .. })
            if read == written =>
        {
            if let Some((order, _)) = read {
                sliding.channels = order.len();
            }
        }
        Layer::Add(Add { channels, .. })
        | Layer::Duplicate(Duplicate { channels, .. })
        | Layer::Upsample(Upsample { channels, .. })
            if read == written =>
        {
            if let Some((order, of)) = read {
                *channels = repeated(order, of, *channels)?.len();
            }
        }
        _ => {
            let kind = node.layer.hardware().kind();
            return Err(Error::bug(format!(
                "channels cannot move through `{}`, a {kind}",
                node.name
            )));
        }
    }
    Ok(())
}

/// The rows and columns of a product move with the channels on its two sides.
fn product(
    mvau: &mut Mvau,
    tensors: &mut Tensors,
    read: Side<'_>,
    written: Side<'_>,
) -> Result<()> {
    let columns = match read {
        Some((order, of)) => repeated(order, of, mvau.columns)?,
        None => (0..mvau.columns).collect(),
    };
    let rows = match written {
        Some((order, _)) => order.clone(),
        None => (0..mvau.rows).collect(),
    };
    let weights = tensors.weights(&[mvau.rows, mvau.columns])?;
    let row = |row: &usize| &weights[row * mvau.columns..(row + 1) * mvau.columns];
    let mut data: Vec<i32> = Vec::with_capacity(rows.len() * columns.len());
    for row in rows.iter().map(row) {
        data.extend(columns.iter().map(|column| row[*column]));
    }
    mvau.weight = kept_type(mvau, &data);
    tensors.weights = Some(Tensor::new(vec![rows.len(), columns.len()], data)?);
    (mvau.rows, mvau.columns) = (rows.len(), columns.len());
    if let Some(activation) = &mut mvau.activation {
        thresholds(tensors, activation, &rows)?;
    }
    Ok(())
}

/// The kernels of a depthwise unit move with their channels.
fn kernels(vvau: &mut Vvau, tensors: &mut Tensors, order: &[usize]) -> Result<()> {
    let positions = vvau.sliding.positions();
    let kernels = tensors.weights(&[vvau.sliding.channels, positions])?;
    let kernel = |c: &usize| &kernels[c * positions..(c + 1) * positions];
    let data: Vec<i32> = order.iter().flat_map(kernel).copied().collect();
    tensors.weights = Some(Tensor::new(vec![order.len(), positions], data)?);
    vvau.sliding.channels = order.len();
    match &mut vvau.activation {
        Some(activation) => thresholds(tensors, activation, order),
        None => Ok(()),
    }
}

/// Positions of the elements whose channels, `of` in a pixel, flow in `order`.
fn repeated(order: &[usize], of: usize, elements: usize) -> Result<Vec<usize>> {
    if of == 0 || !elements.is_multiple_of(of) {
        let what = format!("{elements} elements are no pixels of {of} channels");
        return Err(Error::bug(what));
    }
    let channels = Channels {
        order: order.to_vec(),
        of,
    };
    Ok(channels.repeated(elements / of).order)
}

fn thresholds(
    tensors: &mut Tensors,
    activation: &mut crate::layer::Activation,
    order: &[usize],
) -> Result<()> {
    if activation.rows == 1 {
        return Ok(());
    }
    let (values, flip) = tensors.thresholds(activation.rows, activation.levels)?;
    let list = |row: &usize| values[row * activation.levels..(row + 1) * activation.levels].iter();
    let values = order.iter().flat_map(list).copied().collect();
    let flip = order.iter().map(|row| flip[*row]).collect();
    activation.rows = order.len();
    tensors.thresholds = Some(Tensor::new(vec![order.len(), activation.levels], values)?);
    tensors.flip = Some(Tensor::new(vec![order.len()], flip)?);
    Ok(())
}

/// Stores the weights by the entries that each list keeps: those of which some weight is not 0, and as many
/// more as make the lists equally long.
fn compact(node: &mut Node, blocks: Blocks) -> Result<()> {
    let Layer::Mvau(mvau) = &node.layer else {
        return Err(Error::bug(format!(
            "`{}` has blocks but no weights",
            node.name
        )));
    };
    if !blocks.fit(mvau.columns) {
        let what = format!(
            "blocks {blocks:?} do not fit the {} columns of `{}`",
            mvau.columns, node.name
        );
        return Err(Error::bug(what));
    }
    let matrix = node.tensors.weights(&[mvau.rows, mvau.columns])?;
    let mut index = Vec::new();
    let mut weights = Vec::new();
    for rows in matrix.chunks(blocks.rows * mvau.columns) {
        let list = list(rows, mvau.columns, blocks)
            .ok_or_else(|| Error::bug(format!("`{}` is not pruned in its blocks", node.name)))?;
        for row in rows.chunks_exact(mvau.columns) {
            let columns = list.iter().enumerate().flat_map(|(lane, entries)| {
                entries.iter().map(move |entry| entry * blocks.lanes + lane)
            });
            weights.extend(columns.map(|column| row[column]));
        }
        index.extend(list.iter().flatten().map(|entry| *entry as i32));
    }
    let kept = blocks.kept(mvau.columns);
    let shape = |first| vec![first, blocks.lanes, kept];
    let layer = MvauBcr {
        rows: mvau.rows,
        columns: mvau.columns,
        pixels: mvau.pixels,
        input: mvau.input,
        weight: kept_type(mvau, &weights),
        accumulator: mvau.accumulator,
        activation: mvau.activation.clone(),
        blocks,
        pe: 1,
        simd: 1,
        multiplier: crate::layer::Multiplier::Lut,
    };
    node.tensors.weights = Some(Tensor::new(shape(layer.rows), weights)?);
    node.tensors.index = Some(Tensor::new(shape(layer.lists()), index)?);
    node.layer = Layer::MvauBcr(layer);
    Ok(())
}

/// By lane, the entries that these rows keep, rising; `None` if a block needs more than it keeps.
fn list(rows: &[i32], columns: usize, blocks: Blocks) -> Option<Vec<Vec<usize>>> {
    let used = |column: usize| rows.iter().skip(column).step_by(columns).any(|w| *w != 0);
    let mut lanes = Vec::with_capacity(blocks.lanes);
    for lane in 0..blocks.lanes {
        let mut kept = Vec::with_capacity(blocks.kept(columns));
        for block in 0..blocks.per_lane(columns) {
            let entries = block * blocks.entries..(block + 1) * blocks.entries;
            let (mut taken, spare): (Vec<usize>, Vec<usize>) =
                entries.partition(|entry| used(entry * blocks.lanes + lane));
            let missing = blocks.keep.checked_sub(taken.len())?;
            taken.extend(&spare[..missing]);
            taken.sort_unstable();
            kept.extend(taken);
        }
        lanes.push(kept);
    }
    Some(lanes)
}

/// One bit where no kept weight is 0 and all are -1 or 1: then the zeros are in the lists alone.
pub(super) fn kept_type(mvau: &Mvau, weights: &[i32]) -> DataType {
    match weights.iter().all(|w| w.abs() == 1) {
        true => DataType::Bipolar,
        false => mvau.weight,
    }
}
