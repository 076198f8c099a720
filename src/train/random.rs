//! `Random`: numbers that look random and depend on seeds alone.
//! Must not know what they are for.

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// A generator for these seeds, in their order.
    pub(super) fn new(seeds: &[u64]) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for seed in seeds {
            random.0 ^= seed;
            random.0 = random.bits();
        }
        random
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// An integer from 0 to `count - 1`; 0 where there is none.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// The numbers below `count` in another order.
    pub(super) fn shuffled(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn an_order_holds_every_number_once() {
        let mut order = Random::new(&[1, 2]).shuffled(100);
        assert_eq!(order, Random::new(&[1, 2]).shuffled(100));
        assert_ne!(order, Random::new(&[2, 1]).shuffled(100));
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
