//! The greatest common divisor.
//! Must not know what is divided.

/// The largest number that divides both; the other one where one is 0.
pub fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_divides_both() {
        assert_eq!(greatest_divisor(12, 18), 6);
        assert_eq!(greatest_divisor(0, 7), 7);
        assert_eq!(greatest_divisor(8, 0), 8);
    }
}
