//! `Loss`: how far results are from classes, and from what a teacher says.
//! Must not know what made them.

use crate::dataflow::Tail;
use crate::error::{Error, Result};

/// What the loss of one batch is.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Judged {
    /// Mean over pixels.
    pub(super) loss: f64,
    /// Pixels whose largest result is that of their class.
    pub(super) correct: usize,
}

/// Cross entropy with classes, and Kullback-Leibler divergence from a teacher (Hinton, Vinyals and Dean 2015), of the
/// softmax of `scale exp(heat) real`. Heat is learnt and thrown away: how large results are does not matter.
#[derive(Debug, Clone)]
pub(super) struct Loss {
    tail: Tail,
    /// Results that compete.
    pub(super) channels: usize,
    scale: f64,
    /// Share of the teacher.
    teacher: f64,
    temperature: f64,
    pub(super) heat: Vec<f32>,
    pub(super) heat_gradient: Vec<f32>,
}

impl Loss {
    pub(super) fn new(tail: Tail, channels: usize, teacher: f64, temperature: f64) -> Self {
        Loss {
            tail,
            channels,
            scale: 1.0,
            teacher,
            temperature,
            heat: vec![0.0],
            heat_gradient: vec![0.0],
        }
    }

    /// Real values of integers, and how they grow with them.
    fn real(&self, results: &[f32]) -> Vec<[f64; 2]> {
        let repeat = self.tail.channels().unwrap_or(1);
        let plain = self.tail.steps.is_empty();
        let results = results.iter().enumerate();
        results
            .map(|(at, result)| {
                let (x, channel) = (result.round() as i64, at % repeat);
                let real = self.tail.real(x, channel);
                let slope = match plain {
                    true => self.tail.coding.scale.at(channel),
                    false => {
                        let [above, below] = [x + 1, x - 1].map(|x| self.tail.real(x, channel));
                        (above - below) / 2.0
                    }
                };
                [real, slope]
            })
            .collect()
    }

    /// Chooses the scale for results of the network as it was: where classes are known that which makes them most
    /// likely, else that with which it is nine tenths sure.
    pub(super) fn begin(&mut self, results: &[f32], classes: Option<&[usize]>) {
        let real: Vec<f64> = self.real(results).iter().map(|[real, _]| *real).collect();
        let pixels = || real.chunks_exact(self.channels);
        let spreads = pixels().map(|pixel| {
            let largest = pixel.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            largest - pixel.iter().sum::<f64>() / pixel.len() as f64
        });
        let spread = spreads.sum::<f64>() / pixels().len().max(1) as f64;
        let unit = if spread > 0.0 { 1.0 / spread } else { 1.0 };
        let mut best = (f64::INFINITY, unit);
        for sixth in 0..24 {
            let scale = unit * 2f64.powf(f64::from(sixth) / 6.0);
            let cost: f64 = pixels()
                .enumerate()
                .map(|(at, pixel)| {
                    let likely = softmax(pixel.iter().map(|x| x * scale));
                    match classes {
                        Some(classes) => -likely[classes[at]].max(1e-30).ln(),
                        None => {
                            (likely.iter().copied().fold(0.0, f64::max) - 0.9)
                                / pixels().len() as f64
                        }
                    }
                })
                .sum();
            let cost = if classes.is_some() { cost } else { cost.abs() };
            if cost < best.0 {
                best = (cost, scale);
            }
        }
        self.scale = best.1;
    }

    /// Judges results, and writes their gradient. `teacher` has the teacher's results; classes are by pixel. Either
    /// may be missing, and then the other counts in full.
    pub(super) fn judge(
        &mut self,
        results: &[f32],
        classes: Option<&[usize]>,
        teacher: Option<&[f32]>,
        gradient: &mut [f32],
    ) -> Judged {
        let (real, channels) = (self.real(results), self.channels);
        let taught = teacher.map(|teacher| self.real(teacher));
        let factor = self.scale * f64::from(self.heat[0]).exp();
        let share = match (classes, &taught) {
            (_, None) => 0.0,
            (None, _) => 1.0,
            _ => self.teacher,
        };
        let count = (results.len() / channels).max(1) as f64;
        let (mut judged, mut heat) = (Judged::default(), 0.0);
        for (at, pixel) in real.chunks_exact(channels).enumerate() {
            let z: Vec<f64> = pixel.iter().map(|[real, _]| real * factor).collect();
            let mut slope = vec![0.0; channels];
            if let Some(classes) = classes {
                let likely = softmax(z.iter().copied());
                let class = classes[at];
                judged.correct += usize::from(crate::tensor::first_largest(&z) == class);
                judged.loss -= (1.0 - share) * likely[class].max(1e-30).ln() / count;
                let pairs = slope.iter_mut().zip(&likely);
                pairs.for_each(|(slope, likely)| *slope = (1.0 - share) * likely);
                slope[class] -= 1.0 - share;
            }
            if let Some(taught) = &taught {
                let t = self.temperature;
                let taught = &taught[at * channels..(at + 1) * channels];
                let wanted = softmax(taught.iter().map(|[real, _]| real * self.scale / t));
                let likely = softmax(z.iter().map(|z| z / t));
                for channel in 0..channels {
                    let (q, p) = (wanted[channel], likely[channel]);
                    let log = (q.max(1e-30) / p.max(1e-30)).ln();
                    judged.loss += share * t * t * q * log / count;
                    slope[channel] += share * t * (p - q);
                }
            }
            let pixel = pixel.iter().zip(&slope).zip(&z);
            let written = &mut gradient[at * channels..(at + 1) * channels];
            for (written, (([_, grows], slope), z)) in written.iter_mut().zip(pixel) {
                heat += slope * z / count;
                *written = (slope * factor * grows / count) as f32;
            }
        }
        self.heat_gradient[0] = heat as f32;
        judged
    }
}

/// Probabilities in proportion to the exponentials.
fn softmax(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    values
        .iter_mut()
        .for_each(|value| *value = (*value - most).exp());
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
    values
}

/// Labels as classes.
///
/// # Errors
/// A user error that names the first that is none, and where results are no classes.
pub(super) fn classes(labels: &[i64], channels: usize, elements: usize) -> Result<Vec<usize>> {
    if elements != channels {
        let what = format!(
            "the network has {} results for each of {channels} channels",
            elements / channels
        );
        return Err(Error::user(what).help("labels teach networks with one result for each class; without `labels` a network learns from its dense self"));
    }
    let class = |(at, label): (usize, &i64)| {
        let class = usize::try_from(*label)
            .ok()
            .filter(|class| *class < channels);
        class.ok_or_else(|| {
            Error::user(format!(
                "sample {at} has the label {label}, and the network has {channels} classes"
            ))
            .help(format!("labels are numbers from 0 to {}", channels - 1))
        })
    };
    labels.iter().enumerate().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Coding;
    use crate::tensor::PerChannel;

    fn loss() -> Loss {
        let coding = Coding {
            scale: PerChannel::Each(vec![0.5, 0.25, 1.0]),
            bias: PerChannel::Same(0.1),
        };
        let mut loss = Loss::new(Tail::new(coding), 3, 0.4, 2.0);
        loss.scale = 0.7;
        loss.heat = vec![0.25];
        loss
    }

    /// Results are integers: differences go over the function's own values by way of the heat, and of one unit of
    /// results whose scale is small.
    #[test]
    fn gradients_are_those_of_finite_differences() {
        let results = [4000.0, -1000.0, 500.0, 0.0, 2000.0, -300.0];
        let teacher = [3000.0, 0.0, 800.0, -2000.0, 2500.0, 0.0];
        let mut loss = loss();
        loss.scale = 0.0007;
        let classes = [0, 2];
        let given = Some(&classes[..]);
        for (given, teacher) in [
            (given, None),
            (given, Some(&teacher[..])),
            (None, Some(&teacher[..])),
        ] {
            let judge = |loss: &Loss, results: &[f32]| {
                let mut gradient = vec![0.0; 6];
                let mut loss = loss.clone();
                let judged = loss.judge(results, given, teacher, &mut gradient);
                (judged.loss, gradient, loss.heat_gradient[0])
            };
            let (_, gradient, heat) = judge(&loss, &results);
            for (at, gradient) in gradient.iter().enumerate() {
                let moved = |by: f32| {
                    let mut results = results;
                    results[at] += by;
                    judge(&loss, &results).0
                };
                let difference = (moved(1.0) - moved(-1.0)) / 2.0;
                assert!((f64::from(*gradient) - difference).abs() < 1e-7, "{at}");
            }
            let moved = |by: f32| {
                let mut loss = loss.clone();
                loss.heat[0] += by;
                judge(&loss, &results).0
            };
            let difference = (moved(1.0 / 1024.0) - moved(-1.0 / 1024.0)) * 512.0;
            assert!((f64::from(heat) - difference).abs() < 1e-4);
        }
    }

    #[test]
    fn the_scale_makes_the_classes_likely() {
        let mut loss = loss();
        let results = [10.0, 0.0, 0.0, 0.0, 20.0, 0.0];
        loss.begin(&results, Some(&[0, 1]));
        let sure = loss.scale;
        loss.begin(&results, Some(&[0, 2]));
        assert!(loss.scale < sure);
    }

    #[test]
    fn labels_are_classes() {
        assert_eq!(classes(&[1, 0], 2, 2).expect("fits"), [1, 0]);
        for (labels, elements) in [([2], 2), ([-1], 2), ([0], 4)] {
            assert!(classes(&labels, 2, elements).is_err());
        }
    }
}
