//! `Flow`: a runtime value as a stream of integers with a real function on top.
//! Must not know which operator made it.

use crate::dataflow::{Order, Step, StreamId, Tail};
use crate::error::{Error, Result};
use crate::network::Coding;
use crate::reference::along_one_axis;
use crate::tensor::{PerChannel, Tensor, Window};

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
    /// A max-pool that the stream has not gone through yet, although shape, order and pixels are those behind it.
    pub(super) pool: Option<Pending>,
}

/// A max-pool that waits for the next quantiser: codes are narrower than accumulators.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// Name of the layer.
    pub(super) name: String,
    /// Name of the tensor behind it.
    pub(super) value: String,
    /// Rows and columns of the picture before it.
    pub(super) picture: [usize; 2],
    /// The window.
    pub(super) window: Window,
    /// How many of the tail's steps come before it.
    pub(super) steps: usize,
}

impl Flow {
    /// A value that is the stream itself, in a given order.
    pub(super) fn begin(stream: StreamId, shape: &[usize], order: Order, coding: Coding) -> Self {
        let (_, channels) = channel_axis(shape, order);
        Flow {
            stream,
            shape: shape.to_vec(),
            order,
            pixels: shape.iter().product::<usize>() / channels.max(1),
            channels,
            tail: Tail::new(coding.clone()),
            affine: Some(coding),
            pool: None,
        }
    }

    /// The same elements under another shape.
    pub(super) fn reshaped(mut self, shape: &[usize]) -> Self {
        let (_, channels) = channel_axis(shape, self.order);
        if !is_channel_axis(self.order, shape) {
            self = self.one_pixel();
        } else if channels != self.channels {
            match self.tail.channels() {
                None => self = self.grouped(channels),
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

    /// The pixels of a picture of so many channels, as layers that see several pixels at once read them; `None`
    /// where channels do not lie side by side in the stream, or elements of one channel differ in their meaning.
    pub(super) fn pictured(self, channels: usize) -> Option<Self> {
        let pixels = self.pixels * self.channels / channels.max(1);
        if self.order != Order::channels_first(channels, pixels) {
            return None;
        }
        match (self.channels == channels, self.tail.channels()) {
            (true, _) => Some(self),
            (false, None) => Some(self.grouped(channels)),
            (false, Some(_)) => None,
        }
    }

    /// The same elements in pixels of so many channels, where none of them differ in their meaning.
    pub(super) fn grouped(mut self, channels: usize) -> Self {
        self.pixels = self.pixels * self.channels / channels.max(1);
        self.channels = channels;
        self
    }

    /// `constant`, an operand that broadcasts against this value, laid out per channel, if it is the same for
    /// all pixels.
    pub(super) fn laid_out(&self, constant: &Tensor<f64>) -> Option<PerChannel> {
        let (axis, values) = along_one_axis(constant, self.shape.len())?;
        let Some(count) = values.channels() else {
            return Some(values);
        };
        let (channel_axis, channels) = channel_axis(&self.shape, self.order);
        let by_pixel = self.pixels > 1 || self.order == Order::RowMajor;
        let fits = axis == channel_axis && count == channels && channels == self.channels;
        (fits && by_pixel).then_some(values)
    }

    /// Lays `constant`, an operand that broadcasts against this value, out per channel; regroups the
    /// value into one pixel where the constant differs from pixel to pixel.
    pub(super) fn per_channel(&mut self, constant: &Tensor<f64>) -> Result<PerChannel> {
        if let Some(values) = self.laid_out(constant) {
            return Ok(values);
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
        (Order::ChannelsFirst { channels, pixels }, [_, count, length]) => {
            (*count, *length) == (channels, pixels)
        }
        (Order::ChannelsFirst { .. }, _) => false,
        (Order::RowMajor, _) => true,
    }
}

/// Axis and number of channels of a tensor in that order: axis 1 where whole planes follow each other, else the last
/// one that is longer than 1.
pub(super) fn channel_axis(shape: &[usize], order: Order) -> (usize, usize) {
    let axis = match order {
        Order::ChannelsFirst { .. } if shape.len() >= 3 => 1,
        _ => {
            let long = shape.iter().rposition(|&length| length != 1);
            long.unwrap_or(shape.len().saturating_sub(1))
        }
    };
    (axis, shape.get(axis).copied().unwrap_or(1))
}
