//! How convolutions, pools and the padding before them enter the network.
//! Must not know tract, nor how attributes are checked.

use tract_onnx::pb::NodeProto;

use super::attribute::Attributes;
use super::graph::Walk;
use super::window::{self, Placed};
use crate::error::{Error, Result};
use crate::network::{Binary, Op, Unary, ValueId, picture, shape_of};
use crate::tensor::Window;

/// Operators whose window takes up the padding of a `Pad` that they alone read.
const TAKE_PADDING: [&str; 5] = [
    "Conv",
    "MaxPool",
    "AveragePool",
    "GlobalMaxPool",
    "GlobalAveragePool",
];

/// What a window slides over.
struct Source {
    id: ValueId,
    channels: usize,
    /// Rows and columns, padded.
    padded: [usize; 2],
    /// Rows and columns of the tensor itself.
    picture: [usize; 2],
    /// Axes of the picture in the file.
    axes: usize,
    /// What a `Pad` before the node adds.
    pads: [usize; 4],
}

impl Source {
    /// `window`, which was placed on the padded picture, on the tensor itself.
    fn through(&self, window: Window) -> Window {
        let mut pads = window.pads;
        for (sum, more) in pads.iter_mut().zip(self.pads) {
            *sum += more;
        }
        Window { pads, ..window }
    }

    fn is_padded(&self) -> bool {
        self.pads != [0; 4]
    }

    fn shape(&self, channels: usize, window: &Window) -> Option<Vec<usize>> {
        let size = window.output(self.picture)?;
        Some(shape_of(self.axes + 2, channels, size))
    }
}

fn source(walk: &mut Walk<'_>, node: &NodeProto) -> Result<Source> {
    let (id, pads) = match walk.padded(&node.input[0]) {
        Some(padded) => padded,
        None => (walk.id(&node.input[0])?, [0; 4]),
    };
    let shape = walk.shape(id);
    let Some((channels, picture)) = picture(shape) else {
        return Err(Error::user(format!(
            "it reads a tensor of shape {shape:?}, not one picture [1, channels, height, width] or one signal \
             [1, channels, length]"
        ))
        .help("3-D convolutions and pools and batches are not supported"));
    };
    let padded = [0, 1].map(|axis| picture[axis] + pads[axis] + pads[axis + 2]);
    Ok(Source {
        id,
        channels,
        padded,
        picture,
        axes: shape.len() - 2,
        pads,
    })
}

/// The output of `node`, whose shape must be the window's.
fn output(walk: &mut Walk<'_>, name: &str, shape: Option<Vec<usize>>) -> Result<ValueId> {
    let id = walk.output(name)?;
    match shape {
        Some(shape) if shape == walk.shape(id) => Ok(id),
        _ => Err(Error::user(format!(
            "its output `{name}` has the shape {:?}, its attributes say {shape:?}",
            walk.shape(id)
        ))),
    }
}

/// A bias becomes an addition of its own.
pub(super) fn read_conv(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let source = source(walk, node)?;
    let weights = parameter(walk, &node.input[1], "weights")?;
    let shape = walk.shape(weights).to_vec();
    let (filters, depth, kernel) = match shape[..] {
        [filters, depth, columns] if source.axes == 1 => (filters, depth, [1, columns]),
        [filters, depth, rows, columns] if source.axes == 2 => (filters, depth, [rows, columns]),
        _ => {
            return Err(Error::user(format!(
                "its weights have the shape {shape:?} for a picture of {} axes",
                source.axes
            )));
        }
    };
    let given = window::kernel_shape(node, source.axes)?;
    if shape.contains(&0) || given.is_some_and(|given| given != kernel) {
        return Err(Error::user(format!(
            "its weights have the shape {shape:?}, its `kernel_shape` is {given:?}"
        )));
    }
    let group = Attributes(node).int("group", 1).max(1) as usize;
    if source.channels != depth * group || filters % group != 0 {
        return Err(Error::user(format!(
            "{} channels and weights of shape {shape:?} do not make {group} groups",
            source.channels
        )));
    }
    let placed = window::place(node, kernel, source.padded, source.axes)?;
    let window = source.through(placed.window);
    let name = walk.name(node);
    let shape = source.shape(filters, &window);
    let out = node.output[0].clone();
    let op = Op::Conv { window, group };
    let result = output(walk, &out, shape)?;
    add_bias(
        walk,
        node,
        (name, op, vec![source.id, weights]),
        result,
        filters,
    )
}

/// Adds a convolution, and its bias, if it has one, as an addition of its own.
pub(super) fn add_bias(
    walk: &mut Walk<'_>,
    node: &NodeProto,
    (name, op, inputs): (String, Op, Vec<ValueId>),
    result: ValueId,
    filters: usize,
) -> Result<()> {
    let Some(bias) = node.input.get(2).filter(|name| !name.is_empty()) else {
        walk.push(name, &node.op_type, op, inputs, result);
        return Ok(());
    };
    let out = &node.output[0];
    let bias = parameter(walk, bias, "bias")?;
    if walk.shape(bias) != [filters] {
        return Err(Error::user(format!(
            "its bias has the shape {:?} for {filters} filters",
            walk.shape(bias)
        )));
    }
    let shape = walk.shape(result).to_vec();
    let mut spread = vec![1; shape.len() - 1];
    spread[0] = filters;
    let column = walk.inner(format!("{out}.bias"), spread);
    let reshape = format!("{name}.bias_column");
    walk.push(reshape, &node.op_type, Op::Reshape, vec![bias], column);
    let sums = walk.inner(format!("{out}.0"), shape);
    walk.push(name.clone(), &node.op_type, op, inputs, sums);
    let (name, add) = (format!("{name}.bias"), Op::Binary(Binary::Add));
    walk.push(name, &node.op_type, add, vec![sums, column], result);
    Ok(())
}

pub(super) fn parameter(walk: &mut Walk<'_>, name: &str, what: &str) -> Result<ValueId> {
    let id = walk.id(name)?;
    match walk.varies(id) {
        false => Ok(id),
        true => Err(Error::user(format!(
            "its {what} `{name}` are computed from the network's input"
        ))
        .help("convolutions with constant weights are supported")),
    }
}

fn own_kernel(node: &NodeProto, source: &Source) -> Result<Placed> {
    let kernel = window::kernel_shape(node, source.axes)?
        .ok_or_else(|| Error::user("it has no `kernel_shape`"))?;
    window::place(node, kernel, source.padded, source.axes)
}

fn whole(source: &Source) -> Placed {
    Placed {
        window: Window::dense(source.padded),
        extended: false,
    }
}

pub(super) fn read_max_pool(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    if Attributes(node).flag("storage_order", false) {
        return Err(Error::user(
            "its `storage_order` is column by column, which only concerns indices",
        )
        .help("set `storage_order` to 0"));
    }
    if node.output.get(1).is_some_and(|name| !name.is_empty()) {
        return Err(Error::user(format!(
            "its second output `{}`, the indices of the largest elements, is not supported",
            node.output[1]
        )));
    }
    let source = source(walk, node)?;
    let placed = own_kernel(node, &source)?;
    max_pool(walk, node, &source, placed)
}

pub(super) fn read_global_max_pool(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let source = source(walk, node)?;
    max_pool(walk, node, &source, whole(&source))
}

fn max_pool(walk: &mut Walk<'_>, node: &NodeProto, source: &Source, placed: Placed) -> Result<()> {
    let window = source.through(placed.window);
    if !window::reads_everywhere(&window, source.picture) {
        return Err(only_padding());
    }
    // Zeros lose against elements that are none below zero, as the padding of a pool does.
    if source.is_padded() && !walk.is_never_negative(source.id) {
        return Err(Error::user(format!(
            "`{}` pads its input with zeros, which may be larger than the input's elements",
            node.input[0]
        ))
        .help("pad with the pool's own `pads`, or after a Relu"));
    }
    let shape = source.shape(source.channels, &window);
    finish(walk, node, Op::MaxPool(window), source.id, shape)
}

fn only_padding() -> Error {
    Error::user("some of its places read padding only").help("make its `pads` less than its kernel")
}

pub(super) fn read_average_pool(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let source = source(walk, node)?;
    let placed = own_kernel(node, &source)?;
    let own = placed.window.is_padded();
    let counts = Attributes(node).flag("count_include_pad", false);
    // What a `Pad` adds always counts; whether what `ceil_mode` adds does depends on the program.
    let count_padding = match (counts, source.is_padded()) {
        (true, _) if placed.extended => {
            return Err(Error::user(
                "its `ceil_mode` makes its last places smaller, while `count_include_pad` counts padding: different \
                 programs divide by different counts",
            )
            .help("set `ceil_mode` or `count_include_pad` to 0"));
        }
        (counts, false) => counts,
        (true, true) => true,
        (false, true) if !own => true,
        (false, true) => {
            return Err(Error::user(format!(
                "the zeros that `{}` adds count, those of its own `pads` do not",
                node.input[0]
            ))
            .help("pad in one place only"));
        }
    };
    average_pool(walk, node, &source, placed.window, count_padding)
}

pub(super) fn read_global_average_pool(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let source = source(walk, node)?;
    average_pool(
        walk,
        node,
        &source,
        whole(&source).window,
        source.is_padded(),
    )
}

fn average_pool(
    walk: &mut Walk<'_>,
    node: &NodeProto,
    source: &Source,
    window: Window,
    count_padding: bool,
) -> Result<()> {
    let window = source.through(window);
    if !count_padding && !window::reads_everywhere(&window, source.picture) {
        return Err(only_padding());
    }
    let op = Op::AveragePool {
        window,
        // One spelling where nothing is padded.
        count_padding: count_padding && window.is_padded(),
    };
    let shape = source.shape(source.channels, &window);
    finish(walk, node, op, source.id, shape)
}

fn finish(
    walk: &mut Walk<'_>,
    node: &NodeProto,
    op: Op,
    input: ValueId,
    shape: Option<Vec<usize>>,
) -> Result<()> {
    let name = walk.name(node);
    let output = output(walk, &node.output[0], shape)?;
    walk.push(name, &node.op_type, op, vec![input], output);
    Ok(())
}

/// A mean over axes of the picture is an average pool whose window is as long as those axes.
pub(super) fn read_reduce_mean(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let source = source(walk, node)?;
    let attributes = Attributes(node);
    let given = match node.input.get(1).filter(|name| !name.is_empty()) {
        Some(name) => walk.integers(name)?,
        None => attributes.ints("axes"),
    };
    let rank = source.axes as i64 + 2;
    let axes: Vec<i64> = given
        .iter()
        .map(|&axis| {
            if axis < 0 {
                axis.saturating_add(rank)
            } else {
                axis
            }
        })
        .collect();
    if axes.is_empty() || axes.iter().any(|axis| !(2..rank).contains(axis)) {
        return Err(Error::user(format!(
            "it takes the mean over axes {given:?} of a tensor of {rank} axes"
        ))
        .help("means over the height and the width of a picture are supported"));
    }
    // Rows and columns are the last two axes, or the columns are the last one.
    let kernel = [0, 1].map(|place| match axes.contains(&(rank - 2 + place as i64)) {
        true => source.picture[place],
        false => 1,
    });
    let window = Window::dense(kernel);
    let shape = source.shape(source.channels, &window);
    let op = Op::AveragePool {
        window,
        count_padding: false,
    };
    if attributes.flag("keepdims", true) {
        return finish(walk, node, op, source.id, shape);
    }
    let name = walk.name(node);
    let out = &node.output[0];
    let kept = walk.inner(format!("{out}.mean"), shape.unwrap_or_default());
    walk.push(name.clone(), &node.op_type, op, vec![source.id], kept);
    let result = walk.output(out)?;
    let name = format!("{name}.squeeze");
    walk.push(name, &node.op_type, Op::Reshape, vec![kept], result);
    Ok(())
}

/// Leaves no operator: the window that reads the result takes up the padding.
pub(super) fn read_pad(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let mode = attributes.text("mode", "constant");
    let value = match node.input.get(2).filter(|name| !name.is_empty()) {
        Some(name) => walk.number(name)?,
        None => attributes.float("value", 0.0),
    };
    if mode != "constant" || value != 0.0 {
        return Err(
            Error::user(format!("it pads with mode `{mode}` and value {value}"))
                .help("padding with zeros is supported"),
        );
    }
    let source = source(walk, node)?;
    let pads = picture_pads(walk, node, source.axes)?;
    let out = node.output[0].as_str();
    if pads == [0; 4] {
        let output = walk.output(out)?;
        let name = walk.name(node);
        walk.push(
            name,
            &node.op_type,
            Op::Unary(Unary::Identity),
            vec![source.id],
            output,
        );
        return Ok(());
    }
    match walk.only_reader(out) {
        Some(reader)
            if TAKE_PADDING.contains(&reader.op_type.as_str()) && reader.input[0] == out =>
        {
            let mut sum = source.pads;
            for (sum, more) in sum.iter_mut().zip(pads) {
                *sum += more;
            }
            walk.pad(out, source.id, sum);
            Ok(())
        }
        _ => Err(Error::user(
            "its result is not read by exactly one convolution or pool, which could pad by itself",
        )
        .help("padding is supported right before a convolution or pool")),
    }
}

/// The padding of rows and columns, of a `Pad` that adds nothing else and removes nothing.
fn picture_pads(walk: &Walk<'_>, node: &NodeProto, axes: usize) -> Result<[usize; 4]> {
    let rank = axes + 2;
    let integers = |slot: usize| match node.input.get(slot).filter(|name| !name.is_empty()) {
        Some(name) => walk.integers(name).map(Some),
        None => Ok(None),
    };
    let given = integers(1)?.unwrap_or_else(|| Attributes(node).ints("pads"));
    let of = match integers(3)? {
        Some(axes) => axes,
        None => (0..rank as i64).collect(),
    };
    let odd = || {
        Error::user(format!("it pads axes {of:?} by {given:?}"))
            .help("padding of the height and the width of a picture is supported")
    };
    if given.len() != 2 * of.len() || given.iter().any(|pad| !(0..=1 << 20).contains(pad)) {
        return Err(odd());
    }
    let mut pads = [0; 4];
    for (place, &axis) in of.iter().enumerate() {
        let axis = if axis < 0 {
            axis.saturating_add(rank as i64)
        } else {
            axis
        };
        let (before, after) = (given[place] as usize, given[place + of.len()] as usize);
        // The last axis is the columns.
        match usize::try_from(axis).ok().map(|axis| axis + 2 - axes) {
            Some(at @ (2 | 3)) if axis >= 2 => {
                pads[at - 2] += before;
                pads[at] += after;
            }
            Some(_) if (before, after) == (0, 0) => {}
            _ => return Err(odd()),
        }
    }
    Ok(pads)
}
