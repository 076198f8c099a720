//! `Order`: where the elements of an ONNX tensor sit in a stream.
//! Must not know word sizes.

use serde::{Deserialize, Serialize};

/// Streams run pixel by pixel, channel fastest; ONNX tensors may run channel by channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Row-major order of the tensor is the order of the stream.
    RowMajor,
    /// The tensor holds whole planes, one channel after the other (NCHW, flattened or not).
    ChannelsFirst {
        /// Number of planes.
        channels: usize,
        /// Elements in a plane.
        pixels: usize,
    },
}

impl Order {
    /// Order of an NCHW tensor; the same as row-major where one of the two is 1.
    pub fn channels_first(channels: usize, pixels: usize) -> Self {
        match (channels, pixels) {
            (1, _) | (_, 1) => Order::RowMajor,
            _ => Order::ChannelsFirst { channels, pixels },
        }
    }

    /// Position in the stream of the element at row-major `index` of the tensor.
    pub fn position(self, index: usize) -> usize {
        match self {
            Order::RowMajor => index,
            Order::ChannelsFirst { channels, pixels } => index % pixels * channels + index / pixels,
        }
    }

    /// Row-major index in the tensor of the element at `position` of the stream.
    pub fn index(self, position: usize) -> usize {
        match self {
            Order::RowMajor => position,
            Order::ChannelsFirst { channels, pixels } => {
                position % channels * pixels + position / channels
            }
        }
    }

    /// Elements in tensor order to stream order.
    pub fn to_stream<T: Copy>(self, tensor: &[T]) -> Vec<T> {
        (0..tensor.len()).map(|p| tensor[self.index(p)]).collect()
    }

    /// Elements in stream order to tensor order.
    pub fn to_tensor<T: Copy>(self, stream: &[T]) -> Vec<T> {
        (0..stream.len())
            .map(|i| stream[self.position(i)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let order = Order::channels_first(3, 4);
        for i in 0..12 {
            assert_eq!(order.index(order.position(i)), i);
        }
        // Channel 1 of pixel 2 is element 6 of the planes and element 7 of the stream.
        assert_eq!(order.position(6), 7);
        assert_eq!(Order::channels_first(1, 9), Order::RowMajor);
    }
}
