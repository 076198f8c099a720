//! Adopt: sliding windows read the words that arrive and write the words that are wanted, and layers that keep
//! channels in their places take the words that arrive, so that no converter is needed around them.
//! Must not know how the other layers were folded.

use crate::dataflow::{Dataflow, Node};
use crate::error::Result;
use crate::layer::{Layer, Parallelism};

/// Levels of a threshold layer that takes the words of the sum before it.
const MOST_LEVELS: usize = 16;

/// Gives every sliding window, every pool and every layer that forks or joins the words of its neighbours, where it can have them, where `fixed` does not say
/// otherwise (by position of the node) and where that takes no more than `most` cycles per frame.
///
/// # Errors
/// A bug if the result breaks the graph's laws.
pub fn adopt(mut dataflow: Dataflow, fixed: &[Parallelism], most: u64) -> Result<Dataflow> {
    for (position, fixed) in fixed.iter().enumerate() {
        let node = &dataflow.nodes[position];
        let simd = match node.layer {
            Layer::SlidingWindow(_) => true,
            Layer::MaxPool(_)
            | Layer::SumPool(_)
            | Layer::Add(_)
            | Layer::Concat(_)
            | Layer::Duplicate(_)
            | Layer::Upsample(_) => false,
            // The few levels of a residual sum: a converter would cost more.
            Layer::Threshold(ref threshold)
                if threshold.activation.levels <= MOST_LEVELS && follows_sum(&dataflow, node) =>
            {
                false
            }
            _ => continue,
        };
        let limits = node.layer.hardware().limits();
        let allowed = |range: &Option<crate::layer::Range>, words: Option<usize>| {
            let range = range.as_ref()?;
            words.filter(|words| range.allows(*words))
        };
        let (read, written) = neighbours(&dataflow, node);
        let written = written.filter(|_| simd);
        let adopted = [
            Parallelism {
                pe: fixed.pe.or(allowed(&limits.pe, read)),
                simd: fixed.simd.or(allowed(&limits.simd, written)),
            },
            Parallelism {
                pe: fixed.pe,
                simd: fixed.simd.or(allowed(&limits.simd, written)),
            },
        ];
        let mut layers = adopted
            .map(|words| node.layer.clone().folded(words))
            .into_iter();
        if let Some(layer) = layers.find(|layer| layer.hardware().cycles() <= most) {
            dataflow.nodes[position].layer = layer;
        }
    }
    dataflow.verify("adopt")?;
    Ok(dataflow)
}

/// Whether an addition writes what the node reads.
fn follows_sum(dataflow: &Dataflow, node: &Node) -> bool {
    let writer = dataflow.producer(node.inputs[0]);
    writer.is_some_and(|writer| matches!(writer.layer, Layer::Add(_)))
}

/// Elements of the words that the writer before the node writes, and of those that the reader behind it reads.
fn neighbours(dataflow: &Dataflow, node: &Node) -> (Option<usize>, Option<usize>) {
    let writer = node
        .inputs
        .first()
        .and_then(|stream| dataflow.producer(*stream));
    let reader = node
        .outputs
        .first()
        .and_then(|stream| dataflow.consumers(*stream).next());
    (
        writer.map(|writer| writer.layer.hardware().output().per_word),
        reader.map(|reader| reader.layer.hardware().input().per_word),
    )
}
