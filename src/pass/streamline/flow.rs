//! `Flow`: a runtime value as a stream of integers with a real function on top.
//! Must not know which operator made it.

use crate::dataflow::{Order, Step, StreamId, Tail};
use crate::error::{Error, Result};
use crate::network::Coding;
use crate::reference::along_one_axis;
use crate::tensor::{PerChannel, Tensor};

/// A value that depends on the input: `real = tail(integer)`, element by element.
#[derive(Debug, Clone)]
pub(super) struct Flow {
    /// Where the integers flow.
    pub(super) stream: StreamId,
    /// Shape of the network's tensor.
    pub(super) shape: Vec<usize>,
    /// Where the tensor's elements sit in the stream.
    pub(super) order: Order,
    /// Pixels of the present grouping.
    pub(super) pixels: usize,
    /// Channels of the present grouping; the tail's channels are these.
    pub(super) channels: usize,
    /// Real value of an integer.
    pub(super) tail: Tail,
    /// The same as integers times a scale, where the tail is affine throughout.
    pub(super) affine: Option<Coding>,
}

impl Flow {
    /// Order in which a tensor of `shape` enters or leaves hardware: planes for NCHW.
    pub(super) fn order_of(shape: &[usize]) -> Order {
        match shape {
            [_, channels, plane @ ..] if plane.len() >= 2 => {
                Order::channels_first(*channels, plane.iter().product())
            }
            _ => Order::RowMajor,
        }
    }

    /// A value that is the stream itself.
    pub(super) fn begin(stream: StreamId, shape: &[usize], coding: Coding) -> Self {
        let (_, channels) = channel_axis(shape);
        Flow {
            stream,
            shape: shape.to_vec(),
            order: Flow::order_of(shape),
            pixels: shape.iter().product::<usize>() / channels.max(1),
            channels,
            tail: Tail::new(coding.clone()),
            affine: Some(coding),
        }
    }

    /// The same elements under another shape.
    pub(super) fn reshaped(mut self, shape: &[usize]) -> Self {
        let (_, channels) = channel_axis(shape);
        if !is_channel_axis(self.order, shape) {
            self = self.one_pixel();
        } else if channels != self.channels {
            match self.tail.channels() {
                None => {
                    self.pixels = self.pixels * self.channels / channels.max(1);
                    self.channels = channels;
                }
                Some(_) => self = self.one_pixel(),
            }
        }
        self.shape = shape.to_vec();
        self
    }

    /// Whether pixels of the stream can hold the tensor's channels side by side.
    pub(super) fn is_grouped(&self) -> bool {
        is_channel_axis(self.order, &self.shape)
    }

    /// Groups all elements into one pixel: every element is a channel.
    pub(super) fn one_pixel(mut self) -> Self {
        let gather: Vec<usize> = (0..self.pixels * self.channels)
            .map(|p| p % self.channels)
            .collect();
        self.tail = self.tail.gathered(&gather);
        self.affine = self.affine.map(|coding| Coding {
            scale: coding.scale.gather(gather.iter().copied()),
            bias: coding.bias.gather(gather.iter().copied()),
        });
        self.channels *= self.pixels;
        self.pixels = 1;
        self
    }

    /// Lays `constant`, an operand that broadcasts against this value, out per channel; regroups the
    /// value into one pixel where the constant differs from pixel to pixel.
    pub(super) fn per_channel(&mut self, constant: &Tensor<f64>) -> Result<PerChannel> {
        let rank = self.shape.len();
        if let Some((axis, values)) = along_one_axis(constant, rank) {
            let Some(count) = values.channels() else {
                return Ok(values);
            };
            let (channel_axis, channels) = channel_axis(&self.shape);
            let by_pixel = self.pixels > 1 || self.order == Order::RowMajor;
            if axis == channel_axis && count == channels && channels == self.channels && by_pixel {
                return Ok(values);
            }
        }
        let spread = constant.broadcast(&self.shape).ok_or_else(|| {
            Error::user(format!(
                "a constant of shape {:?} widens {:?}",
                constant.shape(),
                self.shape
            ))
        })?;
        *self = self.clone().one_pixel();
        Ok(PerChannel::from_values(self.order.to_stream(spread.data())))
    }

    /// Adds an operator to the tail; `affine` is the coding after it, if it still is one.
    pub(super) fn push(mut self, step: Step, affine: Option<Coding>) -> Self {
        self.tail.steps.push(step);
        self.affine = affine;
        self
    }
}

/// Whether the elements of a pixel of a stream in `order` really lie along the channel axis of `shape`.
fn is_channel_axis(order: Order, shape: &[usize]) -> bool {
    match (order, shape) {
        (Order::ChannelsFirst { channels, .. }, [_, count, _, _, ..]) => *count == channels,
        (Order::ChannelsFirst { .. }, _) => false,
        (Order::RowMajor, [_, count, plane @ ..]) if plane.len() >= 2 => {
            *count == 1 || plane.iter().product::<usize>() == 1
        }
        (Order::RowMajor, _) => true,
    }
}

/// Axis and number of channels of a tensor: axis 1 of images, else the last.
pub(super) fn channel_axis(shape: &[usize]) -> (usize, usize) {
    let axis = if shape.len() >= 4 {
        1
    } else {
        shape.len().saturating_sub(1)
    };
    (axis, shape.get(axis).copied().unwrap_or(1))
}
