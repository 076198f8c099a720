//! `Repair`: what learning makes of one layer.
//! Must not know how it was learnt.

/// What learning makes of one layer: new weights, and a straight line behind each sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// Stable name.
    pub layer: String,
    /// `[rows, columns]` in the layer's order, each a level of the layer's own grid of weights; masked ones are 0.
    pub levels: Vec<i32>,
    /// `[rows]`, above 0: the activation sees `gain * sum + offset` instead of the sum.
    pub gain: Vec<f64>,
    /// `[rows]`, in units of the sum.
    pub offset: Vec<f64>,
}
