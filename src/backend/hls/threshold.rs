//! The threshold layer in the library's terms.
//! Must not know other layers.

use super::unit::{FLIP, THRESHOLDS, Unit, pace};
use crate::layer::{Hardware, Threshold, grouping};

/// The unit of a threshold layer. Where all channels share their thresholds and words are full, every
/// word is a pixel of its own, so that the memory holds them once.
pub(super) fn unit(layer: &Threshold) -> Unit {
    let (channels, pixels) = grouping(layer);
    Unit {
        header: "threshold",
        template: "Threshold",
        title: format!(
            "Thresholds: {} channels, {} inputs, {} outputs.",
            layer.channels, layer.input, layer.activation.output
        ),
        pace: pace(&format!("{} channels", layer.pe), layer.cycles()),
        fields: vec![
            Unit::element("In", layer.input),
            Unit::element("Out", layer.activation.output),
            Unit::number("CHANNELS", channels),
            Unit::number("PE", layer.pe),
            Unit::number("PIXELS", pixels),
            Unit::number("THRESHOLDS", layer.activation.levels),
            Unit::number("THRESHOLD_BITS", layer.activation.threshold.bits()),
            Unit::number("BASE", layer.activation.base),
        ],
        memories: vec![THRESHOLDS, FLIP],
        has_state: false,
    }
}
