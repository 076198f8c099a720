//! The upsample layer in the library's terms.
//! Must not know other layers.

use super::unit::{Unit, pace};
use crate::layer::{Hardware, Upsample};

/// The unit of a layer of this kind.
pub(super) fn unit(layer: &Upsample) -> Unit {
    Unit {
        header: "upsample",
        template: "Upsample",
        title: format!(
            "Upsample: {} x {} pixels for each of {} x {}.",
            layer.factor[0], layer.factor[1], layer.picture[0], layer.picture[1]
        ),
        pace: pace(&format!("{} elements", layer.pe), layer.cycles()),
        fields: vec![
            Unit::element("In", layer.input),
            Unit::element("Out", layer.output),
            Unit::number("ROWS", layer.picture[0]),
            Unit::number("COLUMNS", layer.picture[1]),
            Unit::number("CHANNELS", layer.channels),
            Unit::number("ROW_FACTOR", layer.factor[0]),
            Unit::number("COLUMN_FACTOR", layer.factor[1]),
            Unit::number("FILLED", i64::from(layer.fill.is_some())),
            Unit::number("FILL", layer.fill.unwrap_or(0)),
            Unit::number("PE", layer.pe),
        ],
        memories: vec![],
        has_state: false,
    }
}
