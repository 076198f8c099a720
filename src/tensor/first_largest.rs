//! The arg-max that all executors, the host and the hardware agree on.
//! Must not know what is compared.

/// Index of the largest element, the first of equals; 0 for an empty sequence.
pub fn first_largest<T: PartialOrd>(values: impl IntoIterator<Item = T>) -> usize {
    let mut best: Option<(usize, T)> = None;
    for (index, value) in values.into_iter().enumerate() {
        if best.as_ref().is_none_or(|(_, largest)| value > *largest) {
            best = Some((index, value));
        }
    }
    best.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use super::first_largest;

    #[test]
    fn the_first_of_equals_wins() {
        assert_eq!(first_largest([1, 3, 3, 2]), 1);
        assert_eq!(first_largest([-2.0, -2.0]), 0);
        assert_eq!(first_largest(Vec::<i64>::new()), 0);
    }
}
