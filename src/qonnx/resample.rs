//! How pictures with more pixels enter the network: nearest upsampling and transposed convolutions.
//! Must not know tract, nor how attributes are checked.

use tract_onnx::pb::NodeProto;

use super::attribute::Attributes;
use super::graph::Walk;
use super::sliding::{add_bias, parameter};
use super::window;
use crate::error::{Error, Result};
use crate::network::{Op, picture};

/// `Resize`, or `Upsample` of opset 9, where every pixel becomes as many of its kind.
pub(super) fn read_resize(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let mode = attributes.text("mode", "nearest");
    if mode != "nearest" {
        return Err(Error::user(format!("its mode is `{mode}`")).help(
            "only nearest-neighbour upsampling stays in integers: use `mode = \"nearest\"`",
        ));
    }
    let input = walk.id(&node.input[0])?;
    let output = walk.output(&node.output[0])?;
    let (from, to) = (walk.shape(input).to_vec(), walk.shape(output).to_vec());
    let refused = || {
        Error::user(format!("it makes {to:?} of a tensor of shape {from:?}")).help(
            "pictures [1, channels, height, width] and signals can be made larger, rows and columns by whole factors",
        )
    };
    let (Some((channels, rows)), Some((same, size))) = (picture(&from), picture(&to)) else {
        return Err(refused());
    };
    let whole =
        |axis: usize| rows[axis] > 0 && size[axis] > 0 && size[axis].is_multiple_of(rows[axis]);
    if channels != same || from.len() != to.len() || !(whole(0) && whole(1)) {
        return Err(refused());
    }
    let factor = [size[0] / rows[0], size[1] / rows[1]];
    let way = Sampling::of(&attributes, walk.opset)?;
    let scales = scales(walk, node, from.len())?;
    for axis in 0..2 {
        let scale = scales.map_or(factor[axis] as f64, |scales| scales[axis]);
        let source = |at: usize| way.source(at, rows[axis], (size[axis], scale));
        if let Some(at) = (0..size[axis]).find(|&at| source(at) != at / factor[axis]) {
            return Err(Error::user(format!(
                "with `{}` and `{}` its element {at} is not a copy of element {} along an axis that grows {scale} times",
                way.coordinates, way.nearest, at / factor[axis],
            ))
            .help("export with a whole factor, `coordinate_transformation_mode = \"asymmetric\"` and `nearest_mode = \"floor\"`"));
        }
    }
    let name = walk.name(node);
    walk.push(
        name,
        &node.op_type,
        Op::Upsample { factor },
        vec![input],
        output,
    );
    Ok(())
}

/// By how much rows and columns are to grow, where the file says so: the sizes that follow may be rounded.
///
/// # Errors
/// A user error where there is not one number for each axis.
fn scales(walk: &Walk<'_>, node: &NodeProto, rank: usize) -> Result<Option<[f64; 2]>> {
    // Before version 11 there is no region before them.
    let place = if node.input.len() == 2 { 1 } else { 2 };
    let scales = match node.input.get(place) {
        Some(name) if !name.is_empty() => walk.numbers(name)?,
        _ => return Ok(None),
    };
    if scales.is_empty() {
        return Ok(None);
    }
    let axes = match &Attributes(node).ints("axes")[..] {
        [] => (0..rank as i64).collect(),
        axes => axes.to_vec(),
    };
    if axes.len() != scales.len() {
        return Err(Error::user(format!(
            "it has {} scales for {} axes",
            scales.len(),
            axes.len()
        ))
        .help("give one scale for each axis"));
    }
    let along = |axis: usize| {
        let is_it = |given: &i64| *given == axis as i64 || given + rank as i64 == axis as i64;
        axes.iter().position(is_it).map_or(1.0, |at| scales[at])
    };
    let rows = if rank > 3 { along(rank - 2) } else { 1.0 };
    Ok(Some([rows, along(rank - 1)]))
}

/// Which element of the input is the nearest.
struct Sampling {
    coordinates: String,
    nearest: String,
}

/// Places of the input that belong to an element of the output. `tf_crop_and_resize` is not among them: it reads
/// another part of the picture.
const COORDINATES: &[&str] = &[
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "asymmetric",
    "align_corners",
    "tf_half_pixel_for_nn",
];

/// How a place becomes an element.
const NEAREST: &[&str] = &["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"];

impl Sampling {
    /// Versions before 11 know one way only.
    fn of(attributes: &Attributes<'_>, version: i64) -> Result<Self> {
        let old = version < 11;
        let one_of = |name: &str, known: &[&str], before: &str| {
            let given = attributes.text(name, if old { before } else { known[0] });
            match known.contains(&given.as_str()) {
                true => Ok(given),
                false => Err(Error::user(format!("its `{name}` is `{given}`"))
                    .help(format!("use one of {}", known.join(", ")))),
            }
        };
        Ok(Sampling {
            coordinates: one_of("coordinate_transformation_mode", COORDINATES, "asymmetric")?,
            nearest: one_of("nearest_mode", NEAREST, "floor")?,
        })
    }

    /// The element that element `at` of `to` is a copy of, among `from`, along an axis that grows `scale` times.
    fn source(&self, at: usize, from: usize, (to, scale): (usize, f64)) -> usize {
        let (at, from) = (at as f64, from as f64);
        let half_pixel = (at + 0.5) / scale - 0.5;
        let exact = match self.coordinates.as_str() {
            "asymmetric" => at / scale,
            "align_corners" if to > 1 => at * (from - 1.0) / (to as f64 - 1.0),
            "align_corners" => 0.0,
            "pytorch_half_pixel" if to == 1 => 0.0,
            "tf_half_pixel_for_nn" => (at + 0.5) / scale,
            // The part of the last element that is cut off is taken from both ends.
            "half_pixel_symmetric" => half_pixel + from / 2.0 * (1.0 - to as f64 / (scale * from)),
            _ => half_pixel,
        };
        let nearest = match self.nearest.as_str() {
            "floor" => exact.floor(),
            "ceil" => exact.ceil(),
            "round_prefer_ceil" => (exact + 0.5).floor(),
            _ => (exact - 0.5).ceil(),
        };
        nearest.clamp(0.0, from - 1.0) as usize
    }
}

/// A bias becomes an addition of its own.
pub(super) fn read_conv_transpose(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let input = walk.id(&node.input[0])?;
    let weights = parameter(walk, &node.input[1], "weights")?;
    let output = walk.output(&node.output[0])?;
    let (shape, to) = (walk.shape(weights).to_vec(), walk.shape(output).to_vec());
    let refused = |walk: &Walk<'_>| {
        let from = walk.shape(input);
        Error::user(format!(
            "weights of shape {shape:?} do not make {to:?} of {from:?}"
        ))
    };
    let from = walk.shape(input);
    let axes = from.len().saturating_sub(2);
    let (Some((channels, rows)), Some((filters, size))) = (picture(from), picture(&to)) else {
        return Err(refused(walk).help("3-D convolutions and batches are not supported"));
    };
    let group = Attributes(node).int("group", 1).max(1) as usize;
    let kernel = match shape[..] {
        [_, _, columns] if axes == 1 => [1, columns],
        [_, _, rows, columns] if axes == 2 => [rows, columns],
        _ => return Err(refused(walk)),
    };
    let given = window::kernel_shape(node, axes)?;
    let fits =
        shape[0] == channels && shape[1] * group == filters && channels.is_multiple_of(group);
    if !fits || shape.contains(&0) || given.is_some_and(|given| given != kernel) {
        return Err(refused(walk));
    }
    let window = window::transposed(node, kernel, (rows, size), axes)?;
    let op = Op::ConvTranspose { window, group };
    let name = walk.name(node);
    add_bias(
        walk,
        node,
        (name, op, vec![input, weights]),
        output,
        filters,
    )
}
