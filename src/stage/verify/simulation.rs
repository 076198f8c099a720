//! What is simulated of each layer of the folded network: the same part of the picture as is planned, in its folding.
//! Must not know budgets.

use super::plan::{Part, Plan};
use super::trace;
use crate::dataflow::{Dataflow, Node};
use crate::error::{Error, Result};
use crate::layer::Layer;

/// The simulation of one layer of the folded network.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Simulation {
    /// The layer as it is simulated, folded.
    pub(super) layer: Layer,
    /// What [`part_of`] was asked for, where that is less than the layer.
    pub(super) asked: Option<usize>,
    /// Files of the streams that it is fed.
    pub(super) fed: Vec<String>,
    /// File of the stream that it should write.
    pub(super) expected: String,
}

impl Plan {
    /// The simulations of the layers of the folded network, in its order.
    ///
    /// # Errors
    /// A bug if it is another network.
    pub(super) fn simulations(&self, folded: &Dataflow) -> Result<Vec<Simulation>> {
        let nodes = folded.nodes.iter();
        nodes.map(|node| self.simulation(folded, node)).collect()
    }

    fn simulation(&self, folded: &Dataflow, node: &Node) -> Result<Simulation> {
        let (fed, expected, asked) = match &node.layer {
            Layer::WidthConverter(_) => {
                let (fed, elements) = self.converted(folded, node)?;
                (vec![fed.clone()], fed, Some(elements))
            }
            _ => {
                let part = self.part(&node.name)?;
                let fed = trace::fed(&part.name, &part.layer);
                (fed, trace::alone(&part.name), part.pixels)
            }
        };
        let layer = match asked {
            Some(asked) => part_of(&node.layer, asked)?,
            None => node.layer.clone(),
        };
        Ok(Simulation {
            asked: asked.filter(|_| layer != node.layer),
            layer,
            fed,
            expected,
        })
    }

    /// The file of what a width converter writes, and so of what it reads, and the elements of a frame there: what
    /// the layer behind it is fed.
    fn converted(&self, folded: &Dataflow, converter: &Node) -> Result<(String, usize)> {
        let stream = converter.outputs[0];
        let reader = folded.consumers(stream).next();
        let reader = reader.ok_or_else(|| {
            let what = format!("nothing reads what `{}` writes", converter.name);
            Error::bug(what)
        })?;
        let part = self.part(&reader.name)?;
        let files = trace::fed(&part.name, &part.layer);
        let ports = part.layer.hardware().inputs();
        let mut slots = reader.inputs.iter().zip(files.into_iter().zip(ports));
        let slot = slots.find(|(id, _)| **id == stream);
        let (_, (file, port)) = slot.ok_or_else(|| Error::bug("a reader reads another stream"))?;
        Ok((file, port.elements()))
    }

    fn part(&self, name: &str) -> Result<&Part> {
        let part = self.parts.iter().find(|part| part.name == name);
        part.ok_or_else(|| Error::bug(format!("nothing is planned for layer `{name}`")))
    }
}

/// The part of a layer from which about `asked` pixels leave; the part of a width converter for exactly `asked`
/// elements: of fewer pixels, or of a smaller one where all are seen as one.
///
/// # Errors
/// A bug if the elements are no whole pixels of the converter.
pub(super) fn part_of(layer: &Layer, asked: usize) -> Result<Layer> {
    let Layer::WidthConverter(converter) = layer else {
        return Ok(layer.reduced(asked));
    };
    let mut short = converter.clone();
    match converter.pixels {
        1 => short.channels = asked,
        _ if asked.is_multiple_of(converter.channels) => short.pixels = asked / converter.channels,
        _ => {
            let what = format!("{asked} elements are no whole pixels of {converter:?}");
            return Err(Error::bug(what));
        }
    }
    Ok(Layer::WidthConverter(short))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Mvau, WidthConverter};
    use crate::stage::verify::plan::Budget;
    use crate::stage::verify::plan::tests::{UINT4, chain, labels, network, pool, product, window};

    #[test]
    fn folded_layers_and_converters_are_cut_alike() {
        let converter = |pixels, channels| {
            Layer::WidthConverter(WidthConverter {
                element: UINT4,
                pixels,
                channels,
                from: 8,
                to: 3,
            })
        };
        let integer = network();
        let Layer::Mvau(mvau) = product(72, 1024) else {
            panic!("a product is no MVAU");
        };
        let folded_product = Layer::Mvau(Mvau {
            pe: 4,
            simd: 3,
            ..mvau
        });
        let budget = Budget {
            layer: 1 << 20,
            network: 1 << 20,
        };
        let plan = Plan::new(&integer, budget, false);
        let folded = chain(vec![
            ("window", window(1)),
            ("window.to.conv", converter(1024, 72)),
            ("conv", folded_product.clone()),
            ("conv.to.pool", converter(1, 16384)),
            ("pool", pool()),
            ("pool.to.labels", converter(1, 4096)),
            ("labels", labels()),
        ]);
        let simulations = plan.simulations(&folded).expect("the same network");
        let pixels = plan.parts[1].pixels.expect("is reduced");
        assert_eq!(simulations[2].layer, folded_product.reduced(pixels));
        assert_eq!(simulations[2].asked, Some(pixels));
        assert_eq!(simulations[2].fed, ["fed/conv.npy"]);
        assert_eq!(simulations[2].expected, "alone/conv.npy");
        assert_eq!(simulations[1].layer, converter(pixels, 72));
        assert_eq!(simulations[1].expected, "fed/conv.npy");
        let read = plan.parts[2].layer.hardware().input().elements();
        assert_eq!(simulations[3].layer, converter(1, read));
        assert_eq!((simulations[5].asked, simulations[6].asked), (None, None));
        for simulation in &simulations {
            let port = simulation.layer.hardware().input();
            assert!(port.elements() > 0, "{simulation:?}");
        }
        let stranger = chain(vec![("other", pool())]);
        assert!(plan.simulations(&stranger).is_err());
        assert!(part_of(&converter(1024, 72), 71).is_err());
    }
}
