//! `finnp run`: the integer network on the user's inputs.
//! Must not know how layers compute.

use std::path::PathBuf;

use super::answer::Answer;
use super::call::Call;
use super::output;
use super::sweep::{Ends, Misfits, sweep};
use super::table::{count, rate};
use crate::data::{Array, Arrays, Values, samples, write_npz};
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::stage;
use crate::tensor::first_largest;

/// Name of the array that is written.
const OUTPUT: &str = "output";

/// Run the integer network on the samples of a file
#[derive(clap::Args)]
pub(super) struct Run {
    /// File .npz with the samples as array `x` or `input`: integers are values of the input's grid, floats real numbers
    #[arg(value_name = "INPUT.npz")]
    input: PathBuf,
    /// File to write: the network's real outputs as array `output`
    #[arg(short, long, value_name = "OUT.npz")]
    output: PathBuf,
}

impl Run {
    /// Whether what is read is there, and where it is written to.
    fn check_paths(&self) -> Result<()> {
        if !self.input.is_file() {
            return Err(
                Error::user(format!("there is no file `{}`", self.input.display()))
                    .help("give an `.npz` file with the samples as array `x`"),
            );
        }
        output::check_folder(&self.output)?;
        output::check_other(&self.output, &self.input)
    }

    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let manifest = call.manifest()?;
        self.check_paths()?;
        output::check_project(&self.output, &manifest)?;
        let mut arrays = Arrays::open(&self.input)?;
        let array = arrays.input()?;
        let labels = arrays.labels()?;
        let built = call.reach(&manifest, "reorder")?;
        let dataflow = stage::dataflow(&built)?;
        let ends = Ends::of(&dataflow, "run")?;
        let layout = manifest.input.layout;
        let mut samples = samples("x", &array, ends.input, ends.element, layout)?;
        let mut misfits = Misfits::default();
        misfits.add(&samples);
        let start = call.elapsed();
        let outputs = compute(call, &dataflow, &mut samples.frames)?;
        let time = (call.elapsed() - start).as_secs_f64();
        let shape = outputs.shape.clone();
        output::write(&self.output, &write_npz(&[(OUTPUT, &outputs)])?)?;
        let number = samples.frames.len();
        let labelled = labels.is_some();
        let right = labels.and_then(|labels| right(&outputs, &labels));
        let share = right.map_or_else(String::new, |right| format!(", {right} right"));
        let note = format!(
            "{}{share}, {} per second\n{}: array `{OUTPUT}`, shape {shape:?}\n",
            count(number, "sample"),
            rate(number as f64 / time.max(1e-9)),
            self.output.display(),
        );
        let mut answer = Answer::note(note)
            .with("samples", number)
            .with("off_grid", samples.off_grid)
            .with("clamped", samples.clamped)
            .with("output", self.output.display().to_string())
            .with("shape", shape);
        if let Some(right) = right {
            answer = answer.with("right", right);
        }
        answer.warnings = misfits.warnings();
        if labelled && right.is_none() {
            answer.warnings.push(
                "the labels are not one integer per sample: right answers were not counted"
                    .to_owned(),
            );
        }
        Ok(answer)
    }
}

/// All outputs as one array `[n, ...]`.
fn compute(call: &Call, dataflow: &Dataflow, frames: &mut [Vec<i64>]) -> Result<Array> {
    let mut shape = Ends::of(dataflow, "run")?.output.shape.clone();
    let count = frames.len();
    let mut values = Vec::new();
    sweep(
        call,
        "run",
        dataflow,
        count,
        |range| Ok(frames[range].iter_mut().map(std::mem::take).collect()),
        |_, outputs| {
            values.extend(outputs.into_iter().flatten());
            Ok(())
        },
    )?;
    match shape.first_mut() {
        Some(batch) => *batch = count,
        None => shape.push(count),
    }
    Ok(Array {
        shape,
        values: Values::Real(values),
    })
}

/// How many samples have their greatest output at the place that `labels` tells; where there is one output,
/// how many are the label. `None` if there is not one label for each sample.
fn right(outputs: &Array, labels: &Array) -> Option<usize> {
    let (Values::Real(values), Values::Integer(labels)) = (&outputs.values, &labels.values) else {
        return None;
    };
    let size = values
        .len()
        .checked_div(labels.len())
        .filter(|size| *size > 0)?;
    if labels.len() != *outputs.shape.first()? {
        return None;
    }
    let class = |sample: &[f64]| match sample {
        [label] => *label as i64,
        _ => first_largest(sample) as i64,
    };
    let samples = values.chunks_exact(size).zip(labels);
    Some(
        samples
            .filter(|(sample, label)| class(sample) == **label)
            .count(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answers_are_counted() {
        let outputs = |shape: &[usize], values: &[f64]| Array {
            shape: shape.to_vec(),
            values: Values::Real(values.to_vec()),
        };
        let labels = |values: &[i64]| Array {
            shape: vec![values.len()],
            values: Values::Integer(values.to_vec()),
        };
        let two = outputs(&[2, 2], &[1.0, 1.0, 0.0, 3.0]);
        assert_eq!(right(&two, &labels(&[0, 1])), Some(2));
        assert_eq!(right(&two, &labels(&[1, 1])), Some(1));
        assert_eq!(right(&two, &labels(&[1])), None);
        assert_eq!(right(&two, &labels(&[])), None);
        assert_eq!(
            right(&outputs(&[2, 1], &[7.0, 8.0]), &labels(&[7, 9])),
            Some(1)
        );
    }
}
