//! Windows in the library's terms, as all modules have them that see more than one pixel at once.
//! Must not know what is made of the pixels.

use super::module::Module;
use crate::layer::Sliding;
use crate::tensor::DataType;

/// A window and its picture.
pub(super) fn parameters(sliding: &Sliding) -> Vec<(&'static str, String)> {
    let (window, [rows, columns]) = (&sliding.window, sliding.output());
    let [top, left, _, _] = window.pads;
    let pairs = [
        ("ROWS", sliding.picture[0]),
        ("COLUMNS", sliding.picture[1]),
        ("CHANNELS", sliding.channels),
        ("KERNEL_ROWS", window.kernel[0]),
        ("KERNEL_COLUMNS", window.kernel[1]),
        ("STRIDE_ROWS", window.stride[0]),
        ("STRIDE_COLUMNS", window.stride[1]),
        ("DILATION_ROWS", window.dilation[0]),
        ("DILATION_COLUMNS", window.dilation[1]),
        ("TOP", top),
        ("LEFT", left),
        ("PLACE_ROWS", rows),
        ("PLACE_COLUMNS", columns),
    ];
    let number = |(name, value)| Module::number(name, value);
    pairs.into_iter().map(number).collect()
}

/// What a window sees, in words.
pub(super) fn view(sliding: &Sliding, input: DataType) -> String {
    let ([rows, columns], [height, width]) = (sliding.picture, sliding.window.kernel);
    format!(
        "{height} x {width} of {rows} x {columns} pixels of {} {input} channels",
        sliding.channels
    )
}
