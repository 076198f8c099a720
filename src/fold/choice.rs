//! The foldings of one layer, and the smallest of them within a bound on cycles.
//! Must not know other layers.

use super::Candidate;
use crate::layer::{Layer, Parallelism, Range};

/// Widest stream word in bits: the largest `ap_uint` that Vitis HLS accepts (UG1399, `AP_INT_MAX_W`).
pub const LARGEST_WORD_BITS: u64 = 4096;

/// Most weight bits that a layer reads per cycle; wider memories of one HLS function do not route.
const LARGEST_WEIGHT_BITS: u64 = 32_768;

/// The folding with the fewest lanes among those of at most `bound` cycles per frame. Among equals the
/// one with fewer estimated look-up tables, then with the smaller PE. `None` if there is none.
pub fn smallest(candidate: &Candidate, bound: u64) -> Option<Layer> {
    within(candidate, bound).min_by_key(|layer| {
        let (lanes, pe) = lanes(layer);
        (lanes, layer.hardware().luts(), pe)
    })
}

/// The folding with the fewest estimated look-up tables among those of at most `bound` cycles per frame, so
/// that a larger bound never needs more. Among equals the one with fewer lanes, then with the smaller PE.
pub(super) fn cheapest(candidate: &Candidate, bound: u64) -> Option<Layer> {
    within(candidate, bound).min_by_key(|layer| (layer.hardware().luts(), lanes(layer)))
}

fn within(candidate: &Candidate, bound: u64) -> impl Iterator<Item = Layer> + '_ {
    options(candidate).filter(move |layer| layer.hardware().cycles() <= bound)
}

/// PE x SIMD, and PE.
fn lanes(layer: &Layer) -> (usize, Option<usize>) {
    let Parallelism { pe, simd } = layer.hardware().parallelism();
    (pe.unwrap_or(1) * simd.unwrap_or(1), pe)
}

/// All foldings that differ in cycles, as far as words stay within bounds.
pub(super) fn options(candidate: &Candidate) -> impl Iterator<Item = Layer> + '_ {
    let limits = candidate.layer.hardware().limits();
    let rows = values(limits.pe, candidate.fixed.pe);
    let columns = values(limits.simd, candidate.fixed.simd);
    let columns = match (&candidate.words, candidate.fixed.simd) {
        (Some(words), None) => written(columns, words),
        _ => columns,
    };
    let chosen = candidate.fixed.pe.is_some() && candidate.fixed.simd.is_some();
    rows.into_iter()
        .flat_map(move |pe| {
            columns
                .clone()
                .into_iter()
                .map(move |simd| Parallelism { pe, simd })
        })
        .map(|parallelism| candidate.layer.clone().folded(parallelism))
        .filter(word_fits)
        .filter(move |layer| chosen || weights_fit(layer))
        .filter(|layer| !candidate.full_output || layer.hardware().output().is_full())
        .filter(|layer| !candidate.full_input || layer.hardware().input().is_full())
}

fn word_fits(layer: &Layer) -> bool {
    let ports = [layer.hardware().input(), layer.hardware().output()];
    ports
        .iter()
        .all(|port| port.word_bits() <= LARGEST_WORD_BITS)
}

fn weights_fit(layer: &Layer) -> bool {
    let bits = match layer {
        Layer::Mvau(mvau) => (mvau.pe * mvau.simd) as u64 * u64::from(mvau.weight.bits()),
        Layer::Vvau(vvau) => (vvau.pe * vvau.simd) as u64 * u64::from(vvau.weight.bits()),
        Layer::MvauBcr(mvau) => {
            let weights = (mvau.pe * mvau.simd) as u64 * u64::from(mvau.weight.bits());
            weights + (mvau.groups() * mvau.simd) as u64 * u64::from(mvau.index_bits())
        }
        Layer::MvauRc(mvau) => {
            let weights = (mvau.pe * mvau.simd) as u64 * u64::from(mvau.weight.bits());
            let [row, column] = mvau.index_bits().map(u64::from);
            weights + mvau.pe as u64 * row + mvau.simd as u64 * column
        }
        _ => 0,
    };
    bits <= LARGEST_WEIGHT_BITS
}

/// Those columns that a window can write at once; all of them if it can write none.
fn written(columns: Vec<Option<usize>>, words: &Range) -> Vec<Option<usize>> {
    let fits = |simd: &Option<usize>| simd.is_some_and(|simd| words.allows(simd));
    match columns.iter().any(fits) {
        true => columns.into_iter().filter(fits).collect(),
        false => columns,
    }
}

/// The user's value of a parameter, else those that are worth trying.
fn values(range: Option<Range>, fixed: Option<usize>) -> Vec<Option<usize>> {
    match (range, fixed) {
        (None, _) => vec![None],
        (Some(_), Some(fixed)) => vec![Some(fixed)],
        (Some(range), None) => range.useful().into_iter().map(Some).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::fixture;

    fn candidate(rows: usize, columns: usize) -> Candidate {
        fixture::candidate(rows, columns, 0)
    }

    /// Brute force over every PE and SIMD gives no smaller product.
    #[test]
    fn nothing_smaller_meets_the_bound() {
        for (rows, columns) in [(10, 64), (7, 13), (64, 784), (1, 1)] {
            for bound in [1, 3, 10, 50, 100, 1000, 60_000] {
                let found = smallest(&candidate(rows, columns), bound);
                let best = (1..=rows)
                    .flat_map(|pe| (1..=columns).map(move |simd| (pe, simd)))
                    .filter(|(pe, simd)| {
                        rows.div_ceil(*pe) * columns.div_ceil(*simd) <= bound as usize
                    })
                    .filter(|(pe, simd)| {
                        pe * simd * 4 <= LARGEST_WEIGHT_BITS as usize && simd * 4 <= 4096
                    })
                    .map(|(pe, simd)| pe * simd)
                    .min();
                let lanes = found.map(|layer| match layer {
                    Layer::Mvau(mvau) => mvau.pe * mvau.simd,
                    _ => 0,
                });
                assert_eq!(lanes, best, "{rows}x{columns} in {bound}");
            }
        }
    }

    #[test]
    fn what_is_left_to_choose_stays_within_bounds() {
        let mut candidate = candidate(8, 2000);
        candidate.fixed.pe = Some(8);
        // 1000 columns of 4 bits are a word of 4000 bits.
        let layer = smallest(&candidate, 2).expect("2 words");
        assert_eq!(layer.hardware().parallelism().simd, Some(1000));
        assert!(smallest(&candidate, 1).is_none());
        candidate.full_input = true;
        candidate.fixed.simd = Some(3);
        assert!(options(&candidate).next().is_none());
    }

    #[test]
    fn chosen_values_are_kept() {
        let mut candidate = candidate(10, 64);
        candidate.fixed = Parallelism {
            pe: Some(3),
            simd: Some(5),
        };
        let layer = smallest(&candidate, 1000).expect("4 * 13 cycles fit");
        assert_eq!(layer.hardware().parallelism(), candidate.fixed);
        assert!(smallest(&candidate, 51).is_none());
    }
}
