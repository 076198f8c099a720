//! `Settings`: how a network is trained.
//! Must not know networks.

use serde::{Deserialize, Serialize};

use super::{admm, gradual};
use crate::error::{Error, Result};

/// Every method, by the name that the manifest calls it; file names agree.
pub const METHODS: &[(&str, Method)] =
    &[(gradual::NAME, Method::Gradual), (admm::NAME, Method::Admm)];

/// How weights are chosen that stay. Layers without a density keep their masks with either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Masks of a falling density; masked weights may come back (Zhu and Gupta 2017).
    Gradual,
    /// A penalty pulls weights towards what the pattern allows; then masks stay (Zhang et al. 2018).
    Admm,
}

/// How a network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How often every sample is seen; parts count.
    pub epochs: f64,
    /// Samples of one step.
    pub batch: usize,
    /// How far weights go in one step at most, as a part of a usual weight. It rises at first and then falls.
    pub rate: f64,
    /// Decides the order of samples and how they are changed.
    pub seed: u64,
    /// How masks come to be.
    pub method: Method,
    /// Part of all steps in which masks change, 0 to 1.
    pub ramp: f64,
    /// Whether pictures are mirrored, left and right.
    pub flip: bool,
    /// Pixels by which pictures are moved at most.
    pub shift: usize,
    /// Share of the dense network's results in the loss, 0 to 1; where there are no labels they are all of it.
    pub teacher: f64,
    /// How much smoother than its results the teacher is; above 0.
    pub temperature: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            epochs: 10.0,
            batch: 128,
            rate: 0.02,
            seed: 1,
            method: Method::Gradual,
            ramp: 0.5,
            flip: false,
            shift: 0,
            teacher: 0.0,
            temperature: 2.0,
        }
    }
}

impl Settings {
    /// Whether all numbers are in their ranges.
    ///
    /// # Errors
    /// A user error that names the first that is not.
    pub(super) fn check(&self) -> Result<()> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        let share = |x: f64| (0.0..=1.0).contains(&x);
        for (name, fits, range) in [
            ("epochs", positive(self.epochs), "above 0"),
            ("batch", self.batch > 1, "2 or more"),
            ("rate", positive(self.rate), "above 0"),
            ("ramp", share(self.ramp), "from 0 to 1"),
            ("teacher", share(self.teacher), "from 0 to 1"),
            ("temperature", positive(self.temperature), "above 0"),
        ] {
            if !fits {
                return Err(Error::user(format!("`{name}` is not {range}")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_their_ranges() {
        assert!(Settings::default().check().is_ok());
        let wrong = |change: fn(&mut Settings)| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.check().expect_err("is wrong").message().to_owned()
        };
        assert_eq!(wrong(|s| s.epochs = f64::NAN), "`epochs` is not above 0");
        assert_eq!(wrong(|s| s.batch = 1), "`batch` is not 2 or more");
        assert_eq!(wrong(|s| s.teacher = 1.5), "`teacher` is not from 0 to 1");
    }
}
