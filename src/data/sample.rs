//! From an array of samples to the integers that the accelerator is fed.
//! Must not know what the integers are used for.

use super::array::{Array, Values};
use crate::dataflow::Input;
use crate::error::{Error, Result};
use crate::manifest::Layout;
use crate::tensor::{DataType, Tensor};

/// A real number farther from the grid than this part of a step is counted.
const NEAR: f64 = 0.01;

/// Integers of one input, sample by sample, and how far real numbers were from them.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// Per sample the integers in row-major order of the network's tensor.
    pub frames: Vec<Vec<i64>>,
    /// Real numbers inside the grid's range but farther than a hundredth of a step from it.
    pub off_grid: u64,
    /// Real numbers beyond the ends of the grid, replaced by its ends.
    pub clamped: u64,
}

/// Reads `array`, called `name` in messages, as samples of `input`, whose stream has the type `element`.
///
/// The shape is `[n, ...]` or that of one sample; the axes of a sample are those of the network's tensor,
/// those of pictures in the order of `layout`; axes of length 1 may be left out, and all axes may be
/// flattened into one. Integers are values of the grid; real numbers become the nearest value of the grid,
/// or what the network's own first quantiser makes of them.
///
/// # Errors
/// A user error for another shape, for integers outside the grid (naming the first) and for numbers that are not finite.
pub fn samples(
    name: &str,
    array: &Array,
    input: &Input,
    element: DataType,
    layout: Layout,
) -> Result<Samples> {
    let tensor = sample_shape(&input.shape);
    let picture = tensor.len() >= 3 && layout == Layout::Nhwc;
    let given = match picture {
        true => [&tensor[1..], &tensor[..1]].concat(),
        false => tensor.to_vec(),
    };
    let count = count_of(&array.shape, &given)
        .ok_or_else(|| wrong_shape(name, &array.shape, &given, layout))?;
    if count == 0 {
        return Err(Error::user(format!("`{name}` holds no samples")));
    }
    let mut found = Samples {
        frames: Vec::new(),
        off_grid: 0,
        clamped: 0,
    };
    let codes = codes(name, array, input, element, &mut found)?;
    for sample in codes.chunks_exact(array.len() / count) {
        found.frames.push(match picture {
            true => channels_first(sample, &given)?,
            false => sample.to_vec(),
        });
    }
    Ok(found)
}

/// The axes of one sample: without the batch.
fn sample_shape(shape: &[usize]) -> &[usize] {
    match shape {
        [1, rest @ ..] if !rest.is_empty() => rest,
        _ => shape,
    }
}

/// How many samples of shape `given` an array of `shape` holds; `None` if it does not hold whole ones.
fn count_of(shape: &[usize], given: &[usize]) -> Option<usize> {
    let long = |shape: &[usize]| -> Vec<usize> {
        shape
            .iter()
            .copied()
            .filter(|&length| length != 1)
            .collect()
    };
    let elements: usize = given.iter().product();
    match shape {
        _ if shape == given => Some(1),
        [count, rest @ ..] if rest == given || long(rest) == long(given) => Some(*count),
        _ if long(shape) == long(given) => Some(1),
        [count, flat] if *flat == elements => Some(*count),
        [flat] if *flat == elements => Some(1),
        _ => None,
    }
}

fn wrong_shape(name: &str, shape: &[usize], given: &[usize], layout: Layout) -> Error {
    let axes: Vec<String> = given.iter().map(usize::to_string).collect();
    let error = Error::user(format!(
        "`{name}` has the shape {shape:?}; samples of the network have the shape [n, {}]",
        axes.join(", ")
    ));
    let mut turned = given.to_vec();
    match layout {
        Layout::Nhwc if given.len() >= 3 => turned.rotate_right(1),
        _ if given.len() >= 3 => turned.rotate_left(1),
        _ => return error,
    }
    match count_of(shape, &turned) {
        Some(_) => {
            let other = match layout {
                Layout::Nhwc => "NCHW",
                Layout::Nchw => "NHWC",
            };
            error.help(format!(
                "the manifest can say `layout = \"{other}\"` in `[input]`"
            ))
        }
        None => error,
    }
}

/// The elements as values of the grid, in the array's order.
fn codes(
    name: &str,
    array: &Array,
    input: &Input,
    element: DataType,
    found: &mut Samples,
) -> Result<Vec<i64>> {
    let place = |position: usize| format!("`{name}[{}]`", array.index(position));
    let (low, high, step) = input.codes(element);
    match &array.values {
        Values::Integer(values) => {
            let outside = |value: i64| value < low || value > high || (value - low) % step != 0;
            match values.iter().position(|value| outside(*value)) {
                None => Ok(values.clone()),
                Some(position) => Err(Error::user(format!(
                    "{} is {}, which is not on the input's grid: {element}, {low} to {high}{}",
                    place(position),
                    values[position],
                    if step == 2 { " without 0" } else { "" },
                ))
                .help("integer arrays are values of the grid; real numbers are given as an array of floats, and pixels of `[data]` have a `mean` and a `std` (`mean = 0` alone: p / 255)")),
            }
        }
        Values::Real(values) => {
            if let Some(position) = values.iter().position(|value| !value.is_finite()) {
                return Err(Error::user(format!(
                    "{} is {}, which is no number",
                    place(position),
                    values[position]
                )));
            }
            let (scale, bias) = (input.coding.scale.at(0), input.coding.bias.at(0));
            let codes = values.iter().map(|value| {
                let exact = (value - bias) / scale;
                let code = match &input.quantiser {
                    Some(quantiser) => quantiser.code(*value),
                    None => nearest(exact, low, high, step),
                };
                // Beyond the end of the grid, but for rounding.
                if exact < low as f64 - NEAR || exact > high as f64 + NEAR {
                    found.clamped += 1;
                } else if (exact - code as f64).abs() > NEAR {
                    found.off_grid += 1;
                }
                code
            });
            Ok(codes.collect())
        }
    }
}

/// The value of the grid that is nearest to `exact`, ties to even; bipolar ties and all else by sign.
fn nearest(exact: f64, low: i64, high: i64, step: i64) -> i64 {
    match step {
        1 => exact.round_ties_even().clamp(low as f64, high as f64) as i64,
        _ if exact >= 0.0 => high,
        _ => low,
    }
}

/// Moves the last axis of `shape` to the front.
fn channels_first(sample: &[i64], shape: &[usize]) -> Result<Vec<i64>> {
    let last = shape.len() - 1;
    let order: Vec<usize> = std::iter::once(last).chain(0..last).collect();
    Ok(Tensor::new(shape.to_vec(), sample.to_vec())?
        .transposed(&order)?
        .into_data())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataflow::StreamId;
    use crate::network::{Coding, Quant, Quantiser, Rounding};
    use crate::tensor::PerChannel;

    const UINT3: DataType = DataType::Uint(3);

    fn input(shape: &[usize], quantiser: Option<Quantiser>) -> Input {
        Input {
            name: "in".into(),
            stream: StreamId(0),
            shape: shape.to_vec(),
            coding: Coding::scaled(PerChannel::Same(0.5)),
            quantiser,
        }
    }

    fn own_quantiser(zero_point: i64) -> Quantiser {
        let quant = Quant {
            signed: false,
            narrow: false,
            rounding: Rounding::HalfEven,
        };
        Quantiser::Quant {
            quant,
            scale: 0.5,
            zero_point,
            bits: 3,
        }
    }

    fn integers(shape: &[usize], values: Vec<i64>) -> Array {
        Array {
            shape: shape.to_vec(),
            values: Values::Integer(values),
        }
    }

    fn reals(values: &[f64]) -> Array {
        Array {
            shape: vec![values.len()],
            values: Values::Real(values.to_vec()),
        }
    }

    fn read(array: &Array, input: &Input, layout: Layout) -> Result<Samples> {
        samples("x", array, input, UINT3, layout)
    }

    #[test]
    fn shapes_are_taken_as_they_come() {
        let picture = input(&[1, 1, 2, 3], None);
        let cases: &[(&[usize], usize)] = &[
            (&[1, 2, 3], 1),
            (&[2, 3], 1),
            (&[6], 1),
            (&[1, 6], 1),
            (&[4, 6], 4),
            (&[4, 2, 3], 4),
            (&[4, 1, 2, 3], 4),
            (&[4, 2, 3, 1], 4),
            (&[1, 1, 2, 3], 1),
        ];
        for (shape, count) in cases {
            let array = integers(shape, vec![1; count * 6]);
            let found = read(&array, &picture, Layout::Nchw).expect("fits");
            assert_eq!(found.frames, vec![vec![1; 6]; *count], "{shape:?}");
        }
        for (shape, length) in [(vec![4, 3, 2], 24), (vec![5], 5), (vec![0, 2, 3], 0)] {
            assert!(read(&integers(&shape, vec![0; length]), &picture, Layout::Nchw).is_err());
        }
        let numbers = input(&[1, 1], None);
        let five = read(&integers(&[5], vec![1; 5]), &numbers, Layout::Nchw).expect("fits");
        assert_eq!(five.frames.len(), 5);
    }

    #[test]
    fn layout_is_that_of_the_arrays() {
        let picture = input(&[1, 2, 1, 3], None);
        let array = integers(&[1, 1, 3, 2], vec![0, 1, 2, 3, 4, 5]);
        let found = read(&array, &picture, Layout::Nhwc).expect("fits");
        assert_eq!(found.frames, [[0, 2, 4, 1, 3, 5]]);
        let error = read(&array, &picture, Layout::Nchw).expect_err("refused");
        assert_eq!(
            error.remedy(),
            Some("the manifest can say `layout = \"NHWC\"` in `[input]`")
        );
    }

    #[test]
    fn integers_are_checked_and_reals_are_rounded() {
        let vector = input(&[1, 2], None);
        let error = read(&integers(&[2, 2], vec![0, 7, 8, 0]), &vector, Layout::Nchw);
        assert!(
            error
                .expect_err("outside")
                .message()
                .starts_with("`x[1, 0]` is 8,")
        );
        let five = input(&[1, 5], None);
        let found = read(&reals(&[0.25, 0.75, 3.501, -1.0, 9.0]), &five, Layout::Nchw);
        let found = found.expect("rounds");
        assert_eq!(found.frames, [[0, 2, 7, 0, 7]]);
        assert_eq!((found.off_grid, found.clamped), (2, 2));
        assert!(read(&reals(&[0.0, f64::NAN]), &vector, Layout::Nchw).is_err());
    }

    #[test]
    fn the_networks_own_quantiser_decides_where_it_is_the_input() {
        let own = input(&[1, 4], Some(own_quantiser(3)));
        // Levels 0 to 7 less 3; ties are even before the zero-point is taken off.
        let found = samples(
            "x",
            &reals(&[0.25, -9.0, 9.0, 1.0]),
            &own,
            DataType::Int(4),
            Layout::Nchw,
        );
        let found = found.expect("rounds");
        assert_eq!(found.frames, [[1, -3, 4, 2]]);
        assert_eq!((found.off_grid, found.clamped), (1, 2));
        let array = integers(&[1, 4], vec![5, 0, 0, 0]);
        assert!(samples("x", &array, &own, DataType::Int(4), Layout::Nchw).is_err());
    }
}
