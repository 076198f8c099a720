//! `Shape`: a product in numbers, and what of a frame each of its rows reads.
//! Must not know weights.

use crate::error::{Error, Result};
use crate::network::{Network, Node, Op, picture};
use crate::tensor::Window;

/// A matrix product, or a convolution as one for each group.
pub(super) struct Shape {
    /// Groups that do not see each other.
    pub(super) groups: usize,
    /// Rows of a group.
    pub(super) rows: usize,
    /// Columns of a group, in the order of the weights.
    pub(super) columns: usize,
    /// Places of a frame.
    pub(super) places: usize,
    /// The picture and the window of a convolution.
    pub(super) sliding: Option<Slide>,
}

/// Where a convolution reads.
pub(super) struct Slide {
    pub(super) window: Window,
    pub(super) picture: [usize; 2],
    pub(super) output: [usize; 2],
}

impl Shape {
    /// Of a product of `network`; `None` of a transposed convolution.
    ///
    /// # Errors
    /// A user error where shapes do not fit.
    pub(super) fn new(network: &Network, node: &Node) -> Result<Option<Self>> {
        let wrong = || {
            Error::user(format!(
                "node `{}` ({}) reads a tensor that does not fit it",
                node.name, node.onnx
            ))
        };
        let shape = |at: usize| &network.value(node.inputs[at]).shape;
        match node.op {
            Op::MatMul => {
                let [columns, rows] = shape(1)[..] else {
                    return Err(wrong());
                };
                let elements: usize = shape(0).iter().product();
                Ok(Some(Shape {
                    groups: 1,
                    rows,
                    columns,
                    places: elements / columns.max(1),
                    sliding: None,
                }))
            }
            Op::Conv { window, group } => {
                let (channels, size) = picture(shape(0)).ok_or_else(wrong)?;
                let filters = shape(1).first().copied().ok_or_else(wrong)?;
                let output = window.output(size).ok_or_else(wrong)?;
                let groups = group.max(1);
                Ok(Some(Shape {
                    groups,
                    rows: filters / groups,
                    columns: channels / groups * window.positions(),
                    places: output[0] * output[1],
                    sliding: Some(Slide {
                        window,
                        picture: size,
                        output,
                    }),
                }))
            }
            _ => Ok(None),
        }
    }

    /// Rows of all groups.
    pub(super) fn all_rows(&self) -> usize {
        self.groups * self.rows
    }

    /// Positions of the kernel.
    pub(super) fn positions(&self) -> usize {
        self.sliding
            .as_ref()
            .map_or(1, |slide| slide.window.positions())
    }

    /// Whether every channel has kernels of its own.
    pub(super) fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.columns == self.positions()
    }

    /// Index in the tensor of the weights of a weight of a row of all rows.
    pub(super) fn weight(&self, row: usize, column: usize) -> usize {
        match self.sliding {
            Some(_) => row * self.columns + column,
            None => column * self.rows + row,
        }
    }

    /// Index in a frame of the result of what a row of all rows gives at a place.
    pub(super) fn result(&self, row: usize, place: usize) -> usize {
        match self.sliding {
            Some(_) => row * self.places + place,
            None => place * self.rows + row,
        }
    }

    /// What a group reads of a frame at a place, column by column.
    pub(super) fn read(&self, frame: &[f32], group: usize, place: usize, to: &mut [f32]) {
        let Some(slide) = &self.sliding else {
            to.copy_from_slice(&frame[place * self.columns..(place + 1) * self.columns]);
            return;
        };
        let plane = slide.picture[0] * slide.picture[1];
        let positions = slide.window.positions();
        let at = [place / slide.output[1], place % slide.output[1]];
        let first = group * (self.columns / positions);
        for position in 0..positions {
            let read = slide.window.reads(slide.picture, at, position);
            for (channel, to) in to.iter_mut().skip(position).step_by(positions).enumerate() {
                *to = read.map_or(0.0, |[row, column]| {
                    frame[(first + channel) * plane + row * slide.picture[1] + column]
                });
            }
        }
    }
}
