//! How pictures with more pixels enter the network: nearest upsampling and transposed convolutions.
//! Must not know tract, nor how attributes are checked.

use tract_onnx::pb::NodeProto;

use super::attribute::Attributes;
use super::graph::Walk;
use super::sliding::{add_bias, parameter};
use super::window;
use crate::error::{Error, Result};
use crate::network::{Op, picture};

/// `Resize` and `Upsample`, where every pixel becomes as many of its kind.
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
    let way = Sampling::of(&attributes, node.op_type == "Upsample");
    for axis in 0..2 {
        if let Some(at) =
            (0..size[axis]).find(|&at| way.source(at, rows[axis], size[axis]) != at / factor[axis])
        {
            return Err(Error::user(format!(
                "with `{}` and `{}` its element {at} is not a copy of element {} along an axis that grows {} times",
                way.coordinates, way.nearest, at / factor[axis], factor[axis],
            ))
            .help("export with `coordinate_transformation_mode = \"asymmetric\"` and `nearest_mode = \"floor\"`"));
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

/// Which element of the input is the nearest.
struct Sampling {
    coordinates: String,
    nearest: String,
}

impl Sampling {
    fn of(attributes: &Attributes<'_>, old: bool) -> Self {
        let (coordinates, nearest) = match old {
            true => ("asymmetric", "floor"),
            false => ("half_pixel", "round_prefer_floor"),
        };
        Sampling {
            coordinates: attributes.text("coordinate_transformation_mode", coordinates),
            nearest: attributes.text("nearest_mode", nearest),
        }
    }

    /// The element that element `at` of `to` is a copy of, among `from`.
    fn source(&self, at: usize, from: usize, to: usize) -> usize {
        let scale = to as f64 / from as f64;
        let at = at as f64;
        let exact = match self.coordinates.as_str() {
            "asymmetric" => at / scale,
            "align_corners" if to > 1 => at * (from as f64 - 1.0) / (to as f64 - 1.0),
            "pytorch_half_pixel" if to == 1 => 0.0,
            "tf_half_pixel_for_nn" => (at + 0.5) / scale,
            _ => (at + 0.5) / scale - 0.5,
        };
        let nearest = match self.nearest.as_str() {
            "floor" => exact.floor(),
            "ceil" => exact.ceil(),
            "round_prefer_ceil" => (exact + 0.5).floor(),
            _ => (exact - 0.5).ceil(),
        };
        nearest.clamp(0.0, from as f64 - 1.0) as usize
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
