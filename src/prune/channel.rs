//! Pattern `channel`: whole rows are removed, and with them the columns that read them.
//! Must not know where scores come from.

/// Name in the manifest.
pub(super) const NAME: &str = "channel";

/// Whether each channel stays: of those that are alive, the ones with the largest scores, `density` of all
/// channels, at least one; among equals the first.
pub(super) fn keep(scores: &[f64], density: f64, alive: &[bool]) -> Vec<bool> {
    let count = (density * scores.len() as f64).round().max(1.0) as usize;
    let mut order: Vec<usize> = (0..scores.len()).filter(|c| alive[*c]).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    let mut kept = vec![false; scores.len()];
    order
        .iter()
        .take(count)
        .for_each(|channel| kept[*channel] = true);
    kept
}

#[cfg(test)]
mod tests {
    use super::keep;

    #[test]
    fn the_largest_stay() {
        let keep = |scores: &[f64], density| keep(scores, density, &vec![true; scores.len()]);
        assert_eq!(keep(&[1.0, 3.0, 2.0, 3.0], 0.5), [false, true, false, true]);
        assert_eq!(keep(&[1.0, 1.0, 1.0], 0.34), [true, false, false]);
        assert_eq!(keep(&[0.0, -1.0], 0.01), [true, false]);
        assert_eq!(keep(&[1.0, 2.0], 1.0), [true, true]);
    }

    #[test]
    fn what_nobody_reads_takes_no_place() {
        let alive = [true, false, true, false];
        let scores = [1.0, 9.0, 2.0, 9.0];
        assert_eq!(keep(&scores, 0.25, &alive), [false, false, true, false]);
        assert_eq!(keep(&scores, 0.75, &alive), [true, false, true, false]);
    }
}
