//! How QONNX' own quantisers enter the network.
//! Must not know tract or the walk's order.

use tract_onnx::pb::NodeProto;

use super::attribute::Attributes;
use super::graph::Walk;
use super::operator::plain;
use crate::error::{Error, Result};
use crate::network::{MultiThreshold, Op, Quant, Rounding, Trunc};

fn rounding(attributes: &Attributes<'_>, default: &str) -> Result<Rounding> {
    attributes
        .text("rounding_mode", default)
        .parse()
        .map_err(|cause: String| Error::user(cause))
}

pub(super) fn read_quant(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let rounding = rounding(&attributes, "ROUND")?;
    plain(
        walk,
        node,
        Op::Quant(Quant {
            signed: attributes.flag("signed", true),
            narrow: attributes.flag("narrow", false),
            rounding,
        }),
    )
}

/// Versions 1 and 2 differ by the output scale, an input.
pub(super) fn read_trunc(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    let second = node.input.len() == 6;
    let trunc = Trunc {
        signed: !second || attributes.flag("signed", true),
        narrow: second && attributes.flag("narrow", false),
        rounding: rounding(&attributes, "FLOOR")?,
    };
    plain(walk, node, Op::Trunc(trunc))
}

pub(super) fn read_multi_threshold(walk: &mut Walk<'_>, node: &NodeProto) -> Result<()> {
    let attributes = Attributes(node);
    // Without a layout QONNX takes three axes for a signal whose channels are the last one.
    let input = walk.id(&node.input[0])?;
    let guessed = if walk.shape(input).len() == 3 {
        "NWC"
    } else {
        "NCHW"
    };
    let layout = match attributes.text("data_layout", guessed) {
        given if given.is_empty() => guessed.to_owned(),
        given => given,
    };
    plain(
        walk,
        node,
        Op::MultiThreshold {
            quantiser: MultiThreshold {
                out_scale: attributes.float("out_scale", 1.0),
                out_bias: attributes.float("out_bias", 0.0),
            },
            channels_last: layout.ends_with('C'),
        },
    )
}
