//! Depth: FIFOs in front of joins that hold what one branch delivers before the other one can, so that a fork whose
//! branches meet again never stands still.
//! Must not know how long layers take.

use crate::dataflow::{Dataflow, StreamId};
use crate::error::{Error, Result};

/// Pixels that each layer of the longer branch may hold beyond what it must have read: one that it works on and one
/// that it has taken in early.
const HELD: usize = 2;

/// Words that pass while pipelines fill.
const PIPELINE: usize = 16;

/// Sets the depth of the streams that layers with several inputs read; the other ones stay as they are.
///
/// A pixel of a branch needs the network's input up to some pixel. When the slower branch has what it needs for its
/// pixel p, the faster one may have delivered all pixels that need no more: as many wait as these are ahead of p.
/// What is in the FIFOs beyond that keeps both branches busy.
///
/// # Errors
/// A bug where the graph's laws do not hold.
pub fn depth(mut dataflow: Dataflow) -> Result<Dataflow> {
    if dataflow.nodes.iter().all(|node| node.inputs.len() < 2) {
        return Ok(dataflow);
    }
    // By stream, and by pixel of it, how many pixels of the network's input it needs; and layers on the longest way.
    let mut needs: Vec<Option<(Vec<usize>, usize)>> = vec![None; dataflow.streams.len()];
    for input in &dataflow.inputs {
        let pixels = dataflow.stream(input.stream).pixels;
        needs[input.stream.0] = Some(((1..=pixels).collect(), 0));
    }
    for at in 0..dataflow.nodes.len() {
        let node = &dataflow.nodes[at];
        let own = node.layer.needs();
        let ports = node.layer.hardware().inputs();
        let mut sides = Vec::with_capacity(node.inputs.len());
        for (id, port) in node.inputs.iter().zip(&ports) {
            let (known, layers) = needs[id.0]
                .take()
                .ok_or_else(|| Error::bug(format!("`{}` reads what nobody writes", node.name)))?;
            sides.push((regrouped(known, port.pixels), layers));
        }
        let written = own.iter().map(|pixel| {
            let of_side = sides
                .iter()
                .map(|(known, _)| known.get(*pixel).copied().unwrap_or(0));
            of_side.max().unwrap_or(0)
        });
        let written: Vec<usize> = written.collect();
        let layers = sides.iter().map(|(_, layers)| *layers).max().unwrap_or(0) + 1;
        for id in &node.outputs {
            needs[id.0] = Some((written.clone(), layers));
        }
        let words: Vec<usize> = ports.iter().map(|port| port.words_per_pixel()).collect();
        let inputs = node.inputs.clone();
        if inputs.len() > 1 {
            deepen(&mut dataflow, &inputs, &sides, &words);
        }
    }
    dataflow.verify("depth")?;
    Ok(dataflow)
}

/// The same elements in so many pixels.
fn regrouped(known: Vec<usize>, pixels: usize) -> Vec<usize> {
    let count = known.len().max(1);
    if count == pixels {
        return known;
    }
    let last = |pixel: usize| {
        ((pixel + 1) * count)
            .div_ceil(pixels.max(1))
            .clamp(1, count)
            - 1
    };
    (0..pixels)
        .map(|pixel| known.get(last(pixel)).copied().unwrap_or(0))
        .collect()
}

/// Makes the streams of a join deep enough.
fn deepen(
    dataflow: &mut Dataflow,
    inputs: &[StreamId],
    sides: &[(Vec<usize>, usize)],
    words: &[usize],
) {
    for (side, id) in inputs.iter().enumerate() {
        let (own, layers) = &sides[side];
        let mut most = 0;
        for (other, (theirs, longer)) in sides.iter().enumerate() {
            if other != side {
                let held = longer.saturating_sub(*layers) * HELD;
                let waiting = ahead(own, theirs) + held;
                most = most.max(waiting.min(own.len()) * words[side] + PIPELINE);
            }
        }
        let depth = &mut dataflow.streams[id.0].depth;
        *depth = (*depth).max(most);
    }
}

/// The most pixels of `own` that may be there and not be read, when a pixel of `theirs` has all that it needs.
fn ahead(own: &[usize], theirs: &[usize]) -> usize {
    let mut delivered = 0;
    let mut most = 0;
    for (pixel, need) in theirs.iter().enumerate() {
        while own.get(delivered).is_some_and(|own| own <= need) {
            delivered += 1;
        }
        most = most.max(delivered.saturating_sub(pixel));
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_branch_waits() {
        // A window of three over five pixels, padded by one, beside the pixels themselves.
        let (plain, window) = ([1, 2, 3, 4, 5], [2, 3, 4, 5, 5]);
        assert_eq!(ahead(&plain, &window), 2);
        assert_eq!(ahead(&window, &plain), 1);
        assert_eq!(ahead(&plain, &plain), 1);
        assert_eq!(regrouped(vec![3, 6], 4), [3, 3, 6, 6]);
        assert_eq!(regrouped(vec![1, 2, 3, 4], 2), [2, 4]);
    }
}
