//! `Reach`: the smallest and the largest integer that a stream can hold, as far as it is proved.
//! Must not know layers.

/// Every integer of at most this size is an f32.
const EXACT: i128 = 1 << 24;

/// Integers from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) low: i64,
    pub(super) high: i64,
}

/// What is known of sums of products.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sums {
    low: i128,
    high: i128,
    /// No sum of some of the products is larger.
    size: i128,
}

impl Reach {
    /// Nothing is proved.
    pub(super) const ALL: Reach = Reach {
        low: i64::MIN,
        high: i64::MAX,
    };

    pub(super) fn new(low: i64, high: i64) -> Self {
        Reach { low, high }
    }

    /// From results of integer arithmetic. Layers may compute modulo 2^32, so what passes that is not known.
    fn computed(low: i128, high: i128) -> Self {
        match (i32::try_from(low), i32::try_from(high)) {
            (Ok(low), Ok(high)) => Reach::new(low.into(), high.into()),
            _ => Reach::ALL,
        }
    }

    /// `base + step * count` for counts from 0 to `levels`.
    pub(super) fn steps(base: i64, step: i64, levels: usize) -> Self {
        let first = i128::from(base);
        let last = first + i128::from(step) * levels as i128;
        Reach::computed(first.min(last), first.max(last))
    }

    /// With `value` too.
    pub(super) fn with(self, value: i64) -> Self {
        Reach::new(self.low.min(value), self.high.max(value))
    }

    /// Times an integer.
    pub(super) fn times(self, gain: i64) -> Self {
        let [a, b] = [self.low, self.high].map(|end| i128::from(end) * i128::from(gain));
        Reach::computed(a.min(b), a.max(b))
    }

    /// Sums of an element of each.
    pub(super) fn plus(self, other: Self) -> Self {
        let sum = |a: i64, b: i64| i128::from(a) + i128::from(b);
        Reach::computed(sum(self.low, other.low), sum(self.high, other.high))
    }

    fn size(self) -> i128 {
        i128::from(self.low).abs().max(i128::from(self.high).abs())
    }

    /// Whether every element is an f32.
    pub(super) fn is_exact(self) -> bool {
        self.size() <= EXACT
    }

    /// Sums of this reach's elements times each of the `rows` of weights.
    pub(super) fn sums<'w>(self, rows: impl Iterator<Item = &'w [i32]>) -> Sums {
        let (from, to) = (i128::from(self.low), i128::from(self.high));
        let mut all: Option<Sums> = None;
        for row in rows {
            let (mut low, mut high, mut weight) = (0, 0, 0);
            for w in row {
                let w = i128::from(*w);
                low += (w * from).min(w * to);
                high += (w * from).max(w * to);
                weight += w.abs();
            }
            let size = weight * self.size();
            let before = all.unwrap_or(Sums { low, high, size });
            all = Some(Sums {
                low: before.low.min(low),
                high: before.high.max(high),
                size: before.size.max(size),
            });
        }
        all.unwrap_or(Sums {
            low: 0,
            high: 0,
            size: 0,
        })
    }
}

impl Sums {
    /// Whether f32 holds all of them and all that arises on the way.
    pub(super) fn are_exact(self) -> bool {
        self.size <= EXACT
    }

    /// What they can be, of elements in `input`.
    pub(super) fn reach(self, input: Reach) -> Reach {
        // A layer that narrows its input to 32 bits has no known result where that does not fit.
        match Reach::computed(input.low.into(), input.high.into()) {
            Reach::ALL => Reach::ALL,
            _ => Reach::computed(self.low, self.high),
        }
    }
}

/// Whether counts up to `levels` times `step` are exact.
pub(super) fn counts_are_exact(step: i64, levels: usize) -> bool {
    let last = i128::from(step).abs() * levels as i128;
    last <= EXACT && levels as i128 <= EXACT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_bounded_on_the_way_too() {
        let reach = Reach::new(-3, 2);
        let rows: [&[i32]; 2] = [&[1, -2], &[4, 0]];
        let sums = reach.sums(rows.into_iter());
        assert_eq!((sums.low, sums.high, sums.size), (-12, 8, 12));
        assert_eq!(sums.reach(reach), Reach::new(-12, 8));
        assert_eq!(reach.times(-2).plus(reach), Reach::new(-7, 8));
        assert_eq!(Reach::ALL.times(-1).plus(reach), Reach::ALL);
    }

    #[test]
    fn the_limit_is_the_last_integer_before_a_gap() {
        assert_eq!((1 << 24) as f32 + 1.0, (1 << 24) as f32);
        let at = |high| Reach::new(0, high);
        assert!(at(1 << 24).is_exact() && !at((1 << 24) + 1).is_exact());
        assert!(!Reach::ALL.is_exact());
        let one: [&[i32]; 1] = [&[1, -1]];
        let sums = |high| at(high).sums(one.into_iter());
        assert!(sums(1 << 23).are_exact() && !sums((1 << 23) + 1).are_exact());
        assert_eq!(sums(1 << 40).reach(at(1 << 40)), Reach::ALL);
    }

    #[test]
    fn steps_go_up_or_down() {
        assert_eq!(Reach::steps(-1, 2, 1), Reach::new(-1, 1));
        assert_eq!(Reach::steps(5, -1, 3), Reach::new(2, 5));
        assert_eq!(Reach::steps(i64::MAX, 1, 1), Reach::ALL);
        assert!(counts_are_exact(2, 1 << 23) && !counts_are_exact(2, (1 << 23) + 1));
    }
}
