//! Loops over channels, in the vector instructions of the machine at hand. No sum is reordered: every machine gives
//! the same bits.
//! Must not know what the channels are.

use pulp::{Arch, Simd, WithSimd};

struct Run<F>(F);

impl<F: FnMut()> WithSimd for Run<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        (self.0)();
    }
}

/// Runs a closure whose body, and all that it calls, is `#[inline(always)]`, compiled for this machine.
pub(super) fn vectorised(run: impl FnMut()) {
    Arch::new().dispatch(Run(run));
}

/// `y += w x`, channel by channel.
#[inline(always)]
pub(super) fn add_products(y: &mut [f32], w: &[f32], x: &[f32]) {
    let terms = y.iter_mut().zip(w).zip(x);
    terms.for_each(|((y, w), x)| *y += w * x);
}

/// `y += w x` for one x.
#[inline(always)]
pub(super) fn add_scaled(y: &mut [f32], w: &[f32], x: f32) {
    y.iter_mut().zip(w).for_each(|(y, w)| *y += w * x);
}

/// `y += x`.
#[inline(always)]
pub(super) fn add(y: &mut [f32], x: &[f32]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
}
