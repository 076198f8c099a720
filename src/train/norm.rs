//! `Norm`: a straight line behind each channel of sums, learnt as batch normalisation.
//! Must not know what reads the result.

use super::moments::Moments;

/// Added to every variance, in squared units of a sum: channels that never change stay finite.
const EPSILON: f64 = 1e-2;

/// `u = gamma (sum - mean) / deviation + beta` with mean and deviation of the batch at hand; once training is over
/// `u = gain sum + offset`. Gamma and beta are learnt in units of the deviation at the start:
/// `gamma = gamma0 exp(theta)`, so that it stays above 0, and `beta = beta0 + gamma0 phi`.
#[derive(Debug, Clone, Default)]
pub(super) struct Norm {
    gamma0: Vec<f64>,
    beta0: Vec<f64>,
    pub(super) theta: Vec<f32>,
    pub(super) phi: Vec<f32>,
    pub(super) theta_gradient: Vec<f32>,
    pub(super) phi_gradient: Vec<f32>,
    /// Of the batch at hand.
    pub(super) batch: Moments,
    /// By channel, above 0.
    pub(super) gain: Vec<f64>,
    /// By channel, in units of a sum.
    pub(super) offset: Vec<f64>,
}

impl Norm {
    /// A line that is known; [`Norm::begin`] makes it one that learns.
    pub(super) fn new(gain: Vec<f64>, offset: Vec<f64>) -> Self {
        let nothing = vec![0.0; gain.len()];
        Norm {
            theta: nothing.clone(),
            phi: nothing.clone(),
            theta_gradient: nothing.clone(),
            phi_gradient: nothing,
            gain,
            offset,
            ..Norm::default()
        }
    }

    pub(super) fn channels(&self) -> usize {
        self.gain.len()
    }

    /// Begins to learn where sums have these moments: on average the line stays what it is.
    pub(super) fn begin(&mut self, sums: &Moments) {
        let deviations = sums.variance.iter().map(|v| (v + EPSILON).sqrt());
        self.gamma0 = deviations.zip(&self.gain).map(|(d, g)| d * g).collect();
        let lines = self.gain.iter().zip(&self.offset);
        self.beta0 = lines
            .zip(&sums.mean)
            .map(|((gain, offset), mean)| gain * mean + offset)
            .collect();
    }

    /// Usual distance of the result from its mean, at the start.
    pub(super) fn spread(&self) -> &[f64] {
        &self.gamma0
    }

    /// Mean of the result, at the start.
    pub(super) fn centre(&self) -> &[f64] {
        &self.beta0
    }

    fn gamma(&self, channel: usize) -> f64 {
        self.gamma0[channel] * f64::from(self.theta[channel]).exp()
    }

    /// Gain and offset for sums of these moments.
    fn line(&self, sums: &Moments, channel: usize) -> (f64, f64) {
        let gamma = self.gamma(channel);
        let beta = self.beta0[channel] + self.gamma0[channel] * f64::from(self.phi[channel]);
        let gain = gamma / (sums.variance[channel] + EPSILON).sqrt();
        (gain, beta - gain * sums.mean[channel])
    }

    /// Takes the moments of the batch, and gives its gains and offsets.
    pub(super) fn enter(&mut self, sums: Moments) -> (Vec<f32>, Vec<f32>) {
        let lines = (0..self.channels()).map(|channel| self.line(&sums, channel));
        let lines = lines.map(|(gain, offset)| (gain as f32, offset as f32));
        let lines = lines.collect();
        self.batch = sums;
        lines
    }

    /// Sets gain and offset for sums of these moments: what is exported.
    pub(super) fn settle(&mut self, sums: &Moments) {
        let lines = (0..self.channels()).map(|channel| self.line(sums, channel));
        (self.gain, self.offset) = lines.collect();
    }

    /// Takes `[sum of g, sum of g * sum]` by channel, g being the gradient of the result, of `count` pixels of the
    /// batch at hand. Gives a, b and c by channel, with which the gradient of a sum is `a g + b sum + c`.
    pub(super) fn backward(&mut self, sums: &[Vec<f64>; 2], count: f64) -> [Vec<f32>; 3] {
        let mut lines = [0; 3].map(|_| Vec::with_capacity(self.channels()));
        for (channel, (&plain, &times)) in sums[0].iter().zip(&sums[1]).enumerate() {
            let (mean, variance) = (self.batch.mean[channel], self.batch.variance[channel]);
            let inverse = 1.0 / (variance + EPSILON).sqrt();
            // Sum of g times the normalised sum.
            let normed = (times - mean * plain) * inverse;
            let gamma = self.gamma(channel);
            self.theta_gradient[channel] = (normed * gamma) as f32;
            self.phi_gradient[channel] = (plain * self.gamma0[channel]) as f32;
            let gain = gamma * inverse;
            let slope = -gain * inverse * normed / count;
            let [a, b, c] = &mut lines;
            a.push(gain as f32);
            b.push(slope as f32);
            c.push((-gain * plain / count - slope * mean) as f32);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUMS: [f32; 6] = [1.0, -4.0, 2.5, 3.0, 0.5, 7.0];
    const WEIGHTS: [f64; 6] = [0.3, -1.0, 0.7, 0.2, -0.4, 0.9];

    fn norm() -> Norm {
        let mut norm = Norm::new(vec![1.5], vec![-2.0]);
        norm.begin(&Moments::of(&SUMS, 1));
        norm.theta = vec![0.2];
        norm.phi = vec![-0.1];
        norm
    }

    /// A loss with every result in it, in f64: its moments are not those of `Moments`, which rounds.
    fn loss(norm: &Norm, sums: &[f64]) -> f64 {
        let count = sums.len() as f64;
        let mean = sums.iter().sum::<f64>() / count;
        let variance = sums.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / count;
        let moments = Moments {
            mean: vec![mean],
            variance: vec![variance],
        };
        let (gain, offset) = norm.line(&moments, 0);
        let results = sums.iter().map(|s| gain * s + offset);
        results.zip(WEIGHTS).map(|(u, w)| w * u * u).sum()
    }

    #[test]
    fn the_start_is_what_was() {
        let mut norm = Norm::new(vec![1.5], vec![-2.0]);
        let moments = Moments::of(&SUMS, 1);
        norm.begin(&moments);
        norm.settle(&moments);
        assert!((norm.gain[0] - 1.5).abs() < 1e-12);
        assert!((norm.offset[0] + 2.0).abs() < 1e-12);
    }

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let mut norm = norm();
        let sums = SUMS.map(f64::from);
        let (gain, offset) = norm.enter(Moments::of(&SUMS, 1));
        let results = SUMS.map(|s| f64::from(gain[0] * s + offset[0]));
        let pairs = results.iter().zip(WEIGHTS);
        let gradient: Vec<f64> = pairs.map(|(u, w)| 2.0 * w * u).collect();
        let plain = gradient.iter().sum();
        let times = gradient.iter().zip(sums).map(|(g, s)| g * s).sum();
        let [a, b, c] = norm.backward(&[vec![plain], vec![times]], 6.0);
        let near = |found: f64, difference: f64| {
            let error = (found - difference).abs();
            assert!(
                error < 1e-4 * difference.abs().max(1.0),
                "{found} {difference}"
            );
        };
        for (at, gradient) in gradient.iter().enumerate() {
            let moved = |by: f64| {
                let mut sums = sums;
                sums[at] += by;
                loss(&norm, &sums)
            };
            let [a, b, c] = [a[0], b[0], c[0]].map(f64::from);
            let found = a * gradient + b * sums[at] + c;
            near(found, (moved(1e-4) - moved(-1e-4)) / 2e-4);
        }
        let learnt = |change: &dyn Fn(&mut Norm, f32)| {
            let moved = |by: f32| {
                let mut norm = norm.clone();
                change(&mut norm, by);
                loss(&norm, &sums)
            };
            (moved(1.0 / 1024.0) - moved(-1.0 / 1024.0)) * 512.0
        };
        let theta = learnt(&|norm, by| norm.theta[0] += by);
        near(f64::from(norm.theta_gradient[0]), theta);
        let phi = learnt(&|norm, by| norm.phi[0] += by);
        near(f64::from(norm.phi_gradient[0]), phi);
    }
}
