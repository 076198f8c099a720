//! `PerChannel`: a real number for every channel, or one for all of them.
//! Must not know which axis the channels are.

use serde::{Deserialize, Serialize};

/// One value for all channels, or one value each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerChannel {
    /// The same value for every channel.
    Same(f64),
    /// One value for each channel.
    Each(Vec<f64>),
}

impl PerChannel {
    /// From a list: one element, or as many as there are channels. Equal elements become `Same`.
    pub fn from_values(values: Vec<f64>) -> Self {
        match values.split_first() {
            Some((first, rest)) if rest.iter().all(|v| v.to_bits() == first.to_bits()) => {
                PerChannel::Same(*first)
            }
            _ => PerChannel::Each(values),
        }
    }

    /// The value of `channel`.
    pub fn at(&self, channel: usize) -> f64 {
        match self {
            PerChannel::Same(value) => *value,
            PerChannel::Each(values) => values[channel],
        }
    }

    /// The one value of all channels, if there is just one.
    pub fn uniform(&self) -> Option<f64> {
        match self {
            PerChannel::Same(value) => Some(*value),
            PerChannel::Each(_) => None,
        }
    }

    /// How many channels there are; `None` where one value serves any number.
    pub fn channels(&self) -> Option<usize> {
        match self {
            PerChannel::Same(_) => None,
            PerChannel::Each(values) => Some(values.len()),
        }
    }

    /// Channel by channel through `f`. Where both differ per channel they have equally many.
    pub fn combine(&self, other: &Self, f: impl Fn(f64, f64) -> f64) -> Self {
        match self.channels().or(other.channels()) {
            None => PerChannel::Same(f(self.at(0), other.at(0))),
            Some(count) => {
                PerChannel::from_values((0..count).map(|c| f(self.at(c), other.at(c))).collect())
            }
        }
    }

    /// Every value through `f`.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            PerChannel::Same(value) => PerChannel::Same(f(*value)),
            PerChannel::Each(values) => {
                PerChannel::from_values(values.iter().map(|v| f(*v)).collect())
            }
        }
    }

    /// The values of channels `order[0]`, `order[1]`, ...: another number or order of channels.
    pub fn gather(&self, order: impl Iterator<Item = usize>) -> Self {
        match self {
            PerChannel::Same(_) => self.clone(),
            PerChannel::Each(values) => {
                PerChannel::from_values(order.map(|channel| values[channel]).collect())
            }
        }
    }
}
