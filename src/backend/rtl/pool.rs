//! Max-pool and sum-pool in the library's terms: two modules, for windows that lie side by side and for others.
//! Must not know other layers.

use super::module::Module;
use super::window::{parameters, view};
use crate::layer::{MaxPool, Sliding, SumPool};
use crate::tensor::DataType;

/// What both kinds of pool have.
struct Pool<'a> {
    sliding: &'a Sliding,
    parallelism: [usize; 2],
    input: DataType,
    output: DataType,
    /// What padding counts as, and what positions do that the kernel does not have.
    pad: i64,
    absent: i64,
    largest: bool,
}

/// The module of a max-pool: padding is never larger than an element.
pub(super) fn max(layer: &MaxPool) -> Module {
    let pool = Pool {
        sliding: &layer.sliding,
        parallelism: [layer.pe, layer.simd],
        input: layer.input,
        output: layer.input,
        pad: layer.input.min(),
        absent: layer.input.min(),
        largest: true,
    };
    pool.module("Max-pool")
}

/// The module of a sum-pool.
pub(super) fn sum(layer: &SumPool) -> Module {
    let pool = Pool {
        sliding: &layer.sliding,
        parallelism: [layer.pe, layer.simd],
        input: layer.input,
        output: layer.accumulator,
        pad: layer.pad,
        absent: 0,
        largest: false,
    };
    pool.module("Sum-pool")
}

impl Pool<'_> {
    fn module(&self, title: &str) -> Module {
        let (window, [pe, simd]) = (&self.sliding.window, self.parallelism);
        let beside = window.is_disjoint();
        let mut parameters = parameters(self.sliding);
        parameters.push(Module::number("PE", pe));
        parameters.extend(Module::element(["IN_BITS", "IN_KIND"], self.input));
        if beside {
            parameters.retain(|(name, _)| !["TOP", "LEFT"].contains(name));
        } else {
            let lacks = !window.positions().is_multiple_of(simd);
            let padding = window.is_padded().then_some(self.pad);
            let others = padding.into_iter().chain(lacks.then_some(self.absent));
            let seen = self.input.widened(others);
            parameters.push(Module::number("SIMD", simd));
            parameters.extend(Module::element(["SEEN_BITS", "SEEN_KIND"], seen));
            parameters.push(Module::wide("PAD", self.pad));
            parameters.push(Module::wide("ABSENT", self.absent));
        }
        parameters.push(Module::number("LARGEST", u8::from(self.largest)));
        parameters.push(Module::number("OUT_BITS", self.output.bits()));
        let name = match beside {
            true => "finnp_pool_beside",
            false => "finnp_pool",
        };
        Module {
            name,
            title: format!("{title}: {}.", view(self.sliding, self.input)),
            parameters,
            memories: vec![],
        }
    }
}
