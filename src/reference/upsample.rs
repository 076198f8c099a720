//! Pictures with more pixels, and transposed convolutions: convolutions over pixels that are moved apart.
//! Must not know nodes.

use super::convolution::convolution;
use super::known::{Code, Known};
use crate::error::{Error, Result};
use crate::network::{Coding, picture, shape_of};
use crate::tensor::{PerChannel, Tensor, Window};

/// Every pixel `factor` times along rows and columns; `shape` is that of the result.
///
/// # Errors
/// A user error where x is no picture that becomes one of that shape.
pub(super) fn upsampled(x: &Known, factor: [usize; 2], shape: &[usize]) -> Result<Known> {
    let ((channels, from), (_, to)) = pictures(x.real.shape(), shape)?;
    if [0, 1].map(|axis| from[axis] * factor[axis]) != to {
        return Err(Error::user(format!(
            "{from:?} pixels times {factor:?} are not the {to:?} pixels of its output"
        )));
    }
    let source = |place: [usize; 2]| Some([place[0] / factor[0], place[1] / factor[1]]);
    moved(x, (channels, from, to), shape, source)
}

/// The transpose of a convolution that slides `window` over a picture of `shape`, of `weights`
/// `[channels, filters / group, kernel...]`.
///
/// # Errors
/// A user error where the shapes do not fit.
pub(super) fn transposed_convolution(
    x: &Known,
    weights: &Known,
    (window, group): (&Window, usize),
    shape: &[usize],
) -> Result<Known> {
    let ((channels, from), (_, picture)) = pictures(x.real.shape(), shape)?;
    let dense = window
        .transposed(picture)
        .ok_or_else(|| Error::user("its padding crops more than its kernel spans"))?;
    let stride = window.stride;
    let apart = [0, 1].map(|axis| (from[axis].max(1) - 1) * stride[axis] + 1);
    let spread = shape_of(x.real.shape().len(), channels, apart);
    let source = |place: [usize; 2]| {
        let [row, column] = [0, 1].map(|axis| {
            place[axis]
                .is_multiple_of(stride[axis])
                .then(|| place[axis] / stride[axis])
        });
        Some([row?, column?])
    };
    let apart = moved(x, (channels, from, apart), &spread, source)?;
    let weights = mirrored(weights, group)?;
    convolution(&apart, &weights, &dense, group, shape)
}

/// Channels and pixels of what comes and of what leaves.
type Pictures = ((usize, [usize; 2]), (usize, [usize; 2]));

fn pictures(from: &[usize], to: &[usize]) -> Result<Pictures> {
    match (picture(from), picture(to)) {
        (Some(a), Some(b)) if from.len() == to.len() => Ok((a, b)),
        _ => Err(Error::user(format!(
            "tensors of shapes {from:?} and {to:?} are no pictures"
        ))),
    }
}

/// The picture whose pixel at each place is that of x at `source(place)`, or real 0.
fn moved(
    x: &Known,
    (channels, from, to): (usize, [usize; 2], [usize; 2]),
    shape: &[usize],
    source: impl Fn([usize; 2]) -> Option<[usize; 2]>,
) -> Result<Known> {
    let places = (0..to[0]).flat_map(|row| (0..to[1]).map(move |column| [row, column]));
    let sources: Vec<Option<usize>> = places
        .map(|place| source(place).map(|[row, column]| row * from[1] + column))
        .collect();
    let pixels = from[0] * from[1];
    let element = |channel: usize| {
        let sources = sources.iter();
        sources.map(move |pixel| pixel.map(|pixel| channel * pixels + pixel))
    };
    let elements = || (0..channels).flat_map(element);
    let real = elements().map(|at| at.map_or(0.0, |at| x.real.data()[at]));
    let real = Tensor::new(shape.to_vec(), real.collect())?;
    let Some(code) = &x.code else {
        return Ok(Known::real(real));
    };
    let zeros: Option<Vec<i64>> = (0..code.coding.channels().unwrap_or(1))
        .map(|channel| code.coding.zero(channel))
        .collect();
    let along = code.coding.channels().is_none() || code.axis == 1;
    let zeros = match zeros {
        _ if !along => return Ok(Known::real(real)),
        Some(zeros) => zeros,
        None if sources.contains(&None) => return Ok(Known::real(real)),
        None => vec![0],
    };
    let each = to[0] * to[1];
    let integers = elements().enumerate().map(|(position, at)| match at {
        Some(at) => code.integers.data()[at],
        None => zeros[position / each.max(1) % zeros.len()],
    });
    Ok(Known::coded(Code {
        integers: Tensor::new(shape.to_vec(), integers.collect())?,
        coding: code.coding.clone(),
        axis: 1,
    }))
}

/// Weights `[channels, filters / group, kernel...]` as those of a convolution, `[filters, channels / group,
/// kernel...]`, each kernel mirrored.
pub(crate) fn mirrored(weights: &Known, group: usize) -> Result<Known> {
    let shape = weights.real.shape();
    let (&[channels, filters, ..], true) = (shape, shape.len() >= 3) else {
        return Err(Error::user(format!("its weights have the shape {shape:?}")));
    };
    let group = group.max(1);
    let depth = channels / group;
    let positions: usize = shape[2..].iter().product();
    let index = |at: usize| {
        let (kernel, position) = (at / positions, at % positions);
        let (filter, channel) = (kernel / depth, kernel % depth);
        let (number, filter) = (filter / filters, filter % filters);
        ((number * depth + channel) * filters + filter) * positions + positions - 1 - position
    };
    let mut turned = shape.to_vec();
    (turned[0], turned[1]) = (filters * group, depth);
    let elements = 0..weights.real.len();
    let real = elements.clone().map(|at| weights.real.data()[index(at)]);
    let real = Tensor::new(turned.clone(), real.collect())?;
    let Some(code) = &weights.code else {
        return Ok(Known::real(real));
    };
    // Rows of the convolution are filters, group by group; a group of one channel has a scale of its own, too.
    let own: fn(usize, usize) -> usize = match (code.coding.channels(), code.axis) {
        (None, _) => |_, _| 0,
        (Some(_), 1) => |row, filters| row % filters,
        (Some(_), 0) if depth == 1 => |row, filters| row / filters,
        _ => return Ok(Known::real(real)),
    };
    let rows =
        |values: &PerChannel| values.gather((0..filters * group).map(|row| own(row, filters)));
    let coding = Coding {
        scale: rows(&code.coding.scale),
        bias: rows(&code.coding.bias),
    };
    let integers = elements.map(|at| code.integers.data()[index(at)]);
    Ok(Known {
        real,
        code: Some(Code {
            integers: Tensor::new(turned, integers.collect())?,
            coding,
            axis: 0,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scales along both axes stay with their weights, however many groups there are.
    #[test]
    fn mirrored_weights_keep_their_scales() {
        let scales = |count: usize| (0..count).map(|at| 0.5 + at as f64).collect();
        for (group, channels, filters) in [(1, 2, 3), (2, 2, 3), (2, 4, 2), (3, 3, 1)] {
            for axis in [0, 1] {
                let length = [channels, filters][axis];
                let weights = Known::coded(Code {
                    integers: Tensor::new(
                        vec![channels, filters, 2],
                        (1..=channels as i64 * filters as i64 * 2).collect(),
                    )
                    .expect("fits"),
                    coding: Coding::scaled(PerChannel::from_values(scales(length))),
                    axis,
                });
                let found = mirrored(&weights, group).expect("fits");
                let lost = axis == 0 && channels > group;
                assert_eq!(found.code.is_none(), lost, "{group} {channels} {filters}");
                if let Some(code) = found.code {
                    assert_eq!(code.real().data(), found.real.data());
                }
            }
        }
    }

    /// Against the definition: every element of x adds its kernel to the output.
    #[test]
    fn a_transposed_convolution_scatters_kernels() {
        let window = Window {
            kernel: [3, 2],
            stride: [2, 3],
            dilation: [1, 2],
            pads: [1, 0, 0, 1],
        };
        for (group, channels, filters) in [(1, 2, 3), (2, 2, 2), (2, 4, 2)] {
            let picture = [6, 8];
            let [rows, columns] = window.output(picture).expect("fits");
            let shape = |c: usize, [h, w]: [usize; 2]| vec![1, c, h, w];
            let x: Vec<f64> = (0..channels * rows * columns)
                .map(|i| (i * 7 % 11) as f64)
                .collect();
            let per = filters / group;
            let weights: Vec<f64> = (0..channels * per * 6)
                .map(|i| (i * 5 % 13) as f64 - 6.0)
                .collect();
            let mut expected = vec![0.0; filters * 48];
            for c in 0..channels {
                for place in 0..rows * columns {
                    for f in 0..per {
                        for at in 0..6 {
                            let to = window.reads(picture, [place / columns, place % columns], at);
                            let Some([row, column]) = to else { continue };
                            let filter = c / (channels / group) * per + f;
                            expected[filter * 48 + row * 8 + column] +=
                                x[c * rows * columns + place] * weights[(c * per + f) * 6 + at];
                        }
                    }
                }
            }
            let known =
                |shape: Vec<usize>, data| Known::real(Tensor::new(shape, data).expect("fits"));
            let found = transposed_convolution(
                &known(shape(channels, [rows, columns]), x),
                &known(vec![channels, per, 3, 2], weights),
                (&window, group),
                &shape(filters, picture),
            );
            assert_eq!(found.expect("runs").real.data(), expected);
        }
    }
}
