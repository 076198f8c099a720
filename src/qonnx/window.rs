//! Attributes of convolutions and pools as a `Window`, and the refusal of those that no reader survives.
//! Must not know the walk.

use tract_onnx::pb::NodeProto;

use super::attribute::Attributes;
use crate::error::{Error, Result};
use crate::tensor::Window;

/// Largest number that an attribute may hold: beyond it a file is damaged, and readers overflow.
const MOST: i64 = 1 << 20;

/// Operators that slide over a picture and take the attributes of this file.
const SLIDING: [&str; 4] = ["Conv", "ConvTranspose", "MaxPool", "AveragePool"];

/// A window on a picture.
pub(super) struct Placed {
    /// With the padding that `auto_pad` and `ceil_mode` ask for.
    pub(super) window: Window,
    /// Whether `ceil_mode` added padding that the file does not count.
    pub(super) extended: bool,
}

/// Refuses attributes that would make the oracle divide by zero, allocate without bound or never end.
///
/// # Errors
/// A user error that names the attribute.
pub(super) fn check(node: &NodeProto) -> Result<()> {
    if !SLIDING.contains(&node.op_type.as_str()) {
        return Ok(());
    }
    let attributes = Attributes(node);
    for (name, least) in [
        ("output_padding", 0),
        ("kernel_shape", 1),
        ("strides", 1),
        ("dilations", 1),
        ("pads", 0),
    ] {
        let given = attributes.ints(name);
        let axes = given.len() / if name == "pads" { 2 } else { 1 };
        if axes > 2 {
            return Err(Error::user(format!(
                "its `{name}` {given:?} has {axes} axes; windows over one or two are supported"
            ))
            .help("3-D convolutions and pools are not supported"));
        }
        if let Some(wrong) = given.iter().find(|value| !(least..=MOST).contains(*value)) {
            return Err(Error::user(format!(
                "its `{name}` holds {wrong}, not {least} to {MOST}"
            )));
        }
    }
    let group = attributes.int("group", 1);
    if !(1..=MOST).contains(&group) {
        return Err(Error::user(format!(
            "its `group` is {group}, not 1 to {MOST}"
        )));
    }
    let auto = attributes.text("auto_pad", "NOTSET");
    match ["", "NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"].contains(&auto.as_str()) {
        true => Ok(()),
        false => Err(Error::user(format!("its `auto_pad` is `{auto}`"))
            .help("ONNX knows NOTSET, VALID, SAME_UPPER and SAME_LOWER")),
    }
}

/// Rows and columns of a kernel, where `axes` is 1 or 2.
///
/// # Errors
/// A user error where the attribute has another number of axes.
pub(super) fn kernel_shape(node: &NodeProto, axes: usize) -> Result<Option<[usize; 2]>> {
    let given = Attributes(node).ints("kernel_shape");
    match given.is_empty() {
        true => Ok(None),
        false => in_picture(node, "kernel_shape", 1, axes).map(Some),
    }
}

/// An attribute with one number per axis, as rows and columns.
fn in_picture(node: &NodeProto, name: &str, default: usize, axes: usize) -> Result<[usize; 2]> {
    match Attributes(node).ints(name)[..] {
        [] => Ok([default; 2]),
        [columns] if axes == 1 => Ok([1, columns as usize]),
        [rows, columns] if axes == 2 => Ok([rows as usize, columns as usize]),
        ref given => Err(Error::user(format!(
            "its `{name}` {given:?} does not fit a picture of {axes} axes"
        ))),
    }
}

/// `pads` of the file at the top, the left, the bottom and the right.
///
/// # Errors
/// A user error where they do not fit the number of axes.
pub(super) fn pads(given: &[i64], axes: usize) -> Result<[usize; 4]> {
    match (axes, given) {
        (_, []) => Ok([0; 4]),
        (1, &[left, right]) => Ok([0, left as usize, 0, right as usize]),
        (2, &[top, left, bottom, right]) => {
            Ok([top, left, bottom, right].map(|length| length as usize))
        }
        _ => Err(Error::user(format!(
            "its `pads` {given:?} do not fit a picture of {axes} axes"
        ))),
    }
}

/// A kernel with the strides and dilations of a node, not padded.
fn unpadded(node: &NodeProto, kernel: [usize; 2], axes: usize) -> Result<Window> {
    let stride = in_picture(node, "strides", 1, axes)?;
    Ok(Window {
        stride: if axes == 1 { [1, stride[1]] } else { stride },
        dilation: in_picture(node, "dilations", 1, axes)?,
        ..Window::dense(kernel)
    })
}

/// The window of a node that slides `kernel` over a picture of `axes` axes.
///
/// # Errors
/// A user error where the attributes do not fit the picture.
pub(super) fn place(
    node: &NodeProto,
    kernel: [usize; 2],
    picture: [usize; 2],
    axes: usize,
) -> Result<Placed> {
    let attributes = Attributes(node);
    let mut window = unpadded(node, kernel, axes)?;
    let auto = attributes.text("auto_pad", "NOTSET");
    match auto.as_str() {
        "VALID" => {}
        same @ ("SAME_UPPER" | "SAME_LOWER") => pad_same(&mut window, picture, same)?,
        _ => window.pads = pads(&attributes.ints("pads"), axes)?,
    }
    let mut extended = false;
    if attributes.flag("ceil_mode", false) {
        for axis in 0..2 {
            let extra = missing(&window, picture, axis)?;
            window.pads[axis + 2] += extra;
            extended |= extra > 0;
        }
    }
    if extended && !matches!(auto.as_str(), "" | "NOTSET") {
        return Err(Error::user(format!(
            "its `ceil_mode` beside `auto_pad` `{auto}` is read in different ways by different programs"
        ))
        .help("set `ceil_mode` to 0, or give `pads` instead of `auto_pad`"));
    }
    match window.output(picture) {
        Some(_) => Ok(Placed { window, extended }),
        None => Err(Error::user(format!(
            "its kernel of {:?} pixels is larger than the picture of {picture:?}",
            window.span()
        ))),
    }
}

/// The window of a convolution over a picture of `size` whose transpose `node` makes it of `rows`.
///
/// # Errors
/// A user error where the attributes do not make that picture.
pub(super) fn transposed(
    node: &NodeProto,
    kernel: [usize; 2],
    (rows, size): ([usize; 2], [usize; 2]),
    axes: usize,
) -> Result<Window> {
    let attributes = Attributes(node);
    let mut window = unpadded(node, kernel, axes)?;
    let more = in_picture(node, "output_padding", 0, axes)?;
    let more = if axes == 1 { [0, more[1]] } else { more };
    let auto = attributes.text("auto_pad", "NOTSET");
    let derived = auto.starts_with("SAME") || !attributes.ints("output_shape").is_empty();
    window.pads = match derived {
        false => pads(&attributes.ints("pads"), axes)?,
        true => [0; 4],
    };
    let (stride, span) = (window.stride, window.span());
    let whole = |axis: usize| (rows[axis] - 1) * stride[axis] + span[axis] + more[axis];
    for axis in 0..2 {
        if derived {
            let total = whole(axis).saturating_sub(size[axis]);
            let less = total / 2;
            let first = if auto == "SAME_UPPER" {
                less
            } else {
                total - less
            };
            (window.pads[axis], window.pads[axis + 2]) = (first, total - first);
        }
        let cropped = window.pads[axis] + window.pads[axis + 2];
        let made = whole(axis).checked_sub(cropped);
        if made != Some(size[axis])
            || window
                .output(size)
                .is_none_or(|places| places[axis] != rows[axis])
        {
            return Err(Error::user(format!(
                "its attributes do not make {size:?} pixels of {rows:?}: `output_padding` must be below the stride"
            )));
        }
    }
    Ok(window)
}

/// As many places as strides fit the picture; what is odd goes to the end (`SAME_UPPER`) or the beginning.
///
/// # Errors
/// A user error where strides step over the kernel by two pixels and more: onnxruntime then leaves out the first
/// pixels of the picture, others the last.
fn pad_same(window: &mut Window, picture: [usize; 2], auto: &str) -> Result<()> {
    for (axis, &length) in picture.iter().enumerate() {
        let places = length.div_ceil(window.stride[axis]);
        let reach = places.saturating_sub(1) * window.stride[axis] + window.span()[axis];
        if reach + 1 < length {
            return Err(Error::user(format!(
                "its `auto_pad` `{auto}` with strides beyond the kernel is read in different ways by different programs"
            ))
            .help("give `pads` instead of `auto_pad`"));
        }
        let total = reach.saturating_sub(length);
        let (less, more) = (total / 2, total - total / 2);
        let (before, after) = match auto {
            "SAME_LOWER" => (more, less),
            _ => (less, more),
        };
        (window.pads[axis], window.pads[axis + 2]) = (before, after);
    }
    Ok(())
}

/// What `ceil_mode` adds at the end of an axis: a last place that is not full counts.
///
/// # Errors
/// A user error where that place would begin in the padding: the texts of ONNX differ in whether it counts.
fn missing(window: &Window, picture: [usize; 2], axis: usize) -> Result<usize> {
    let (stride, span) = (window.stride[axis], window.span()[axis]);
    let before = window.pads[axis] + picture[axis];
    let padded = before + window.pads[axis + 2];
    let room = padded.saturating_sub(span);
    let last = room.div_ceil(stride) * stride;
    match room % stride != 0 && last >= before {
        true => Err(Error::user(
            "its `ceil_mode` makes a place that begins in the padding, which different programs count or leave out",
        )
        .help("set `ceil_mode` to 0")),
        false => Ok((last + span).saturating_sub(padded.max(span))),
    }
}

/// Whether every place of the window reads a pixel, not only padding.
pub(super) fn reads_everywhere(window: &Window, picture: [usize; 2]) -> bool {
    let Some(places) = window.output(picture) else {
        return false;
    };
    (0..2).all(|axis| {
        (0..places[axis]).all(|place| {
            let start = place * window.stride[axis];
            let skipped = window.pads[axis].saturating_sub(start);
            let first = skipped.div_ceil(window.dilation[axis]);
            first < window.kernel[axis]
                && start + first * window.dilation[axis] < window.pads[axis] + picture[axis]
        })
    })
}

#[cfg(test)]
mod tests {
    use tract_onnx::pb::AttributeProto;

    use super::*;
    use crate::qonnx::attribute::{int, ints, text};

    fn placed(attribute: Vec<AttributeProto>, picture: [usize; 2]) -> Result<Placed> {
        let node = NodeProto {
            op_type: "MaxPool".into(),
            attribute,
            ..NodeProto::default()
        };
        check(&node).expect("sane");
        place(&node, [3, 3], picture, 2)
    }

    #[test]
    fn same_padding_goes_where_it_belongs() {
        let same = |auto| {
            let attributes = vec![text("auto_pad", auto), ints("strides", vec![2, 1])];
            placed(attributes, [6, 5]).expect("fits").window.pads
        };
        assert_eq!(same("SAME_UPPER"), [0, 1, 1, 1]);
        assert_eq!(same("SAME_LOWER"), [1, 1, 0, 1]);
        assert_eq!(same("VALID"), [0; 4]);
    }

    #[test]
    fn ceil_mode_pads_only_places_that_begin_in_the_picture() {
        let ceil = |stride: i64, pads: Vec<i64>, picture| {
            let attributes = vec![
                int("ceil_mode", 1),
                ints("strides", vec![stride; 2]),
                ints("pads", pads),
            ];
            placed(attributes, picture).map(|placed| (placed.window.pads, placed.extended))
        };
        let fits = |stride, picture| ceil(stride, vec![0; 4], picture).expect("fits");
        assert_eq!(fits(2, [6, 5]), ([0, 0, 1, 0], true));
        assert_eq!(fits(2, [5, 5]), ([0; 4], false));
        assert_eq!(fits(4, [5, 7]), ([0, 0, 2, 0], true));
        assert!(ceil(4, vec![0; 4], [4, 7]).is_err());
    }

    #[test]
    fn places_that_read_only_padding_are_found() {
        let window = |pads, dilation| Window {
            pads,
            dilation: [dilation; 2],
            ..Window::dense([2, 2])
        };
        assert!(reads_everywhere(&window([1, 0, 0, 1], 1), [3, 3]));
        assert!(!reads_everywhere(&window([2, 0, 0, 0], 1), [3, 3]));
        // Both positions miss the one pixel.
        assert!(!reads_everywhere(&window([1, 1, 1, 1], 2), [1, 1]));
    }

    #[test]
    fn what_no_reader_survives_is_refused() {
        let refused = |attribute| {
            let node = NodeProto {
                op_type: "Conv".into(),
                attribute: vec![attribute],
                ..NodeProto::default()
            };
            check(&node).expect_err("refused").message().to_owned()
        };
        assert!(refused(ints("strides", vec![1, 0])).contains("`strides` holds 0"));
        assert!(refused(ints("kernel_shape", vec![3, 1 << 40])).contains("kernel_shape"));
        assert!(refused(ints("pads", vec![-1, 0, 0, 0])).contains("`pads` holds -1"));
        assert!(refused(ints("kernel_shape", vec![3; 3])).contains("3 axes"));
        assert!(refused(int("group", 0)).contains("`group` is 0"));
        assert!(refused(text("auto_pad", "SAME")).contains("`auto_pad` is `SAME`"));
    }
}
