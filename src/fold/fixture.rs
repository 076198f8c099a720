//! A layer to fold in tests.
//! Must not know what is tested.

use super::Candidate;
use crate::layer::{Activation, Layer, Mvau, Parallelism};
use crate::tensor::DataType;

/// A dense layer of 4-bit weights and inputs with `levels` thresholds per row, none if 0; all free.
pub(super) fn candidate(rows: usize, columns: usize, levels: usize) -> Candidate {
    let activation = Activation {
        output: DataType::Uint(4),
        levels,
        base: 0,
        step: 1,
        threshold: DataType::Int(16),
        rows,
    };
    Candidate {
        name: "fc".into(),
        layer: Layer::Mvau(Mvau {
            rows,
            columns,
            pixels: 1,
            groups: 1,
            input: DataType::Uint(4),
            weight: DataType::Int(4),
            accumulator: DataType::Int(16),
            activation: (levels > 0).then_some(activation),
            pe: 1,
            simd: 1,
            multiplier: crate::layer::Multiplier::Lut,
        }),
        fixed: Parallelism::default(),
        full_output: false,
        full_input: false,
        words: None,
    }
}
