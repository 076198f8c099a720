//! `finnp eval`: how many samples of the set in `[data]` the integer network answers rightly.
//! Must not know how samples are read nor how layers compute.

use serde::Serialize;

use super::answer::Answer;
use super::call::{Call, shown};
use super::sweep::{Ends, Misfits, sweep};
use super::table::{grouped, rate};
use crate::data::Dataset;
use crate::dataflow::{Dataflow, Output};
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::stage;

/// How many of the best classes count beside the best one.
const TOP: u32 = 5;
/// Half the width of an interval that holds 95 % of a normal distribution, in standard deviations.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// Count right answers of the integer network on the samples of `[data]`
#[derive(clap::Args)]
pub(super) struct Eval {
    /// How many samples are used at most; takes the place of `data.samples`
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
    /// How many samples at the start of the set are left out; takes the place of `data.skip`
    #[arg(long, value_name = "N")]
    skip: Option<u32>,
    /// Count also the samples whose class is among the K best; 5 if there are more than 5 classes
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
}

/// What the network's answers are.
struct Answers {
    /// How many classes there are, if the dataflow tells.
    classes: Option<usize>,
    /// Whether the output is the class itself instead of a value for each.
    label: bool,
}

/// A part of the samples, with an interval that holds the true part of all such samples with 95 % confidence.
#[derive(Debug, Serialize)]
struct Accuracy {
    right: u64,
    share: f64,
    low: f64,
    high: f64,
}

impl Eval {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        let mut manifest = call.manifest()?;
        if let Some(data) = &mut manifest.data {
            data.samples = self.samples.or(data.samples);
            data.skip = self.skip.unwrap_or(data.skip);
        }
        let set = Dataset::open(&manifest)?;
        let labels = set.labels().ok_or_else(|| unlabelled(&set, &manifest))?;
        let built = call.reach(&manifest, "reorder")?;
        let dataflow = stage::dataflow(&built)?;
        let answers = Answers::of(&dataflow, Ends::of(&dataflow, "eval")?.output)?;
        answers.check(labels, &manifest)?;
        let top = self.top(&answers)?;
        let start = call.elapsed();
        let (ranks, misfits) = ranks(call, &dataflow, &set, labels, &answers)?;
        let time = (call.elapsed() - start).as_secs_f64();
        let speed = set.len() as f64 / time.max(1e-9);
        let mut text = line(
            "samples",
            &format!("{} of {}", grouped(set.len() as u64), shown(set.path())),
        );
        let mut answer = Answer::default()
            .with("samples", set.len())
            .with("off_grid", misfits.off_grid)
            .with("clamped", misfits.clamped)
            .with("per_second", speed);
        if let Some(classes) = answers.classes {
            answer = answer.with("classes", classes);
        }
        for k in [Some(1), top].into_iter().flatten() {
            let right = ranks.iter().filter(|rank| **rank < k as usize).count();
            let accuracy = Accuracy::of(right as u64, set.len() as u64);
            text += &line(&format!("top-{k}"), &accuracy.words());
            let fields = serde_json::to_value(&accuracy)
                .map_err(|cause| Error::bug(format!("an accuracy is no JSON: {cause}")))?;
            answer = answer.with(&format!("top{k}"), fields);
        }
        answer.text = text + &line("speed", &format!("{} per second", rate(speed)));
        answer.warnings = misfits.warnings();
        Ok(answer)
    }

    /// How many best classes count beside the best one, if any.
    fn top(&self, answers: &Answers) -> Result<Option<u32>> {
        let Some(asked) = self.top else {
            let many = answers
                .classes
                .is_some_and(|classes| classes > TOP as usize);
            return Ok((many && !answers.label).then_some(TOP));
        };
        match (answers.label, answers.classes) {
            _ if asked == 1 => Ok(None),
            (true, _) => Err(Error::user(format!(
                "the network gives one class for each sample, not the best {asked}"
            ))
            .help(
                "leave out `--top`, or `labels` in `[output]` if that is what selects the class",
            )),
            (false, Some(classes)) if asked as usize > classes => Err(Error::user(format!(
                "`--top {asked}` is more than the network's {classes} classes"
            ))),
            _ => Ok(Some(asked)),
        }
    }
}

impl Answers {
    fn of(dataflow: &Dataflow, output: &Output) -> Result<Self> {
        let elements = |shape: &[usize]| shape.iter().product::<usize>();
        if elements(&output.shape) == 1 {
            let producer = dataflow.producer(output.stream);
            let select = producer.map(|node| node.layer.hardware());
            let classes = match select.filter(|layer| layer.kind() == "label_select") {
                Some(select) => select.input().elements(),
                None => elements(&output.host_shape),
            };
            return Ok(Answers {
                classes: (classes > 1).then_some(classes),
                label: true,
            });
        }
        if output.shape.iter().filter(|length| **length > 1).count() > 1 {
            return Err(Error::user(format!(
                "the network's output has the shape {:?}, and `finnp eval` takes networks with one value for each class",
                output.shape
            ))
            .help("`finnp run` writes the outputs of any network"));
        }
        Ok(Answers {
            classes: Some(elements(&output.shape)),
            label: false,
        })
    }

    /// Refuses labels that are no classes.
    fn check(&self, labels: &[i64], manifest: &Manifest) -> Result<()> {
        let most = self.classes.map_or(i64::MAX, |classes| classes as i64 - 1);
        let outside = |label: &i64| !(0..=most).contains(label);
        let Some(sample) = labels.iter().position(outside) else {
            return Ok(());
        };
        let skipped = manifest.data.as_ref().map_or(0, |data| data.skip as usize);
        let offset = manifest.data.as_ref().map_or(0, |data| data.label_offset);
        let label = labels[sample];
        let plain = match offset {
            0 => String::new(),
            _ => format!(
                " ({} and the offset {offset})",
                label.saturating_sub(offset)
            ),
        };
        Err(Error::user(format!(
            "sample {} has the label {label}{plain}, and the network's classes are 0 to {most}",
            skipped + sample
        ))
        .at(manifest.place("data.label_offset"))
        .help("`label_offset` in `[data]` is added to every label"))
    }
}

/// For each sample how many classes come before its own, equal ones in their order; where the network gives
/// a class, whether it is wrong.
fn ranks(
    call: &Call,
    dataflow: &Dataflow,
    set: &Dataset,
    labels: &[i64],
    answers: &Answers,
) -> Result<(Vec<usize>, Misfits)> {
    let ends = Ends::of(dataflow, "eval")?;
    let mut misfits = Misfits::default();
    let mut ranks = Vec::with_capacity(set.len());
    sweep(
        call,
        "eval",
        dataflow,
        set.len(),
        |range| {
            let samples = set.frames(range, ends.input, ends.element)?;
            misfits.add(&samples);
            Ok(samples.frames)
        },
        |range, outputs| {
            let labels = &labels[range];
            ranks.extend(
                outputs
                    .iter()
                    .zip(labels)
                    .map(|(output, label)| match answers.label {
                        true => usize::from(output.first() != Some(&(*label as f64))),
                        false => rank(output, *label as usize),
                    }),
            );
            Ok(())
        },
    )?;
    Ok((ranks, misfits))
}

/// How many classes come before `label`: greater ones, and equal ones that stand before it.
fn rank(output: &[f64], label: usize) -> usize {
    let Some(own) = output.get(label) else {
        return output.len();
    };
    let before = |(class, value): &(usize, &f64)| *value > own || (*value == own && *class < label);
    output.iter().enumerate().filter(before).count()
}

fn unlabelled(set: &Dataset, manifest: &Manifest) -> Error {
    Error::user(format!("there are no labels for `{}`", shown(set.path())))
        .at(manifest.place("data.path"))
        .help(
            "add `labels = \"labels.csv\"` to `[data]`; an `.npz` may hold them as array `y` instead, \
             a folder of pictures as the names of its sub-folders",
        )
}

impl Accuracy {
    /// Wilson's interval.
    fn of(right: u64, total: u64) -> Self {
        let (none, all) = (right == 0, right == total);
        let (share, total) = (right as f64 / total as f64, total as f64);
        let square = QUANTILE * QUANTILE;
        let middle = share + square / (2.0 * total);
        let half =
            QUANTILE * (share * (1.0 - share) / total + square / (4.0 * total * total)).sqrt();
        let scale = 1.0 + square / total;
        Accuracy {
            right,
            share,
            // At the ends the bound is the end itself, but for rounding.
            low: if none { 0.0 } else { (middle - half) / scale },
            high: if all { 1.0 } else { (middle + half) / scale },
        }
    }

    fn words(&self) -> String {
        format!(
            "{:.2} %, {} right (95 % confidence: {:.2} to {:.2} %)",
            self.share * 100.0,
            grouped(self.right),
            self.low * 100.0,
            self.high * 100.0
        )
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{name:<10}  {value}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_count_in_their_order() {
        let output = [1.0, 3.0, 3.0, 2.0];
        let ranks: Vec<usize> = (0..5).map(|label| rank(&output, label)).collect();
        assert_eq!(ranks, [3, 0, 1, 2, 4]);
    }

    #[test]
    fn intervals_are_wilsons() {
        // Newcombe (1998): 81 of 263 gives 0.2553 to 0.3662.
        let accuracy = Accuracy::of(81, 263);
        assert!((accuracy.low - 0.2553).abs() < 5e-5, "{accuracy:?}");
        assert!((accuracy.high - 0.3662).abs() < 5e-5, "{accuracy:?}");
        let (none, all) = (Accuracy::of(0, 10), Accuracy::of(10, 10));
        assert_eq!((none.low, all.high), (0.0, 1.0));
        assert!(none.high > 0.25 && all.low < 0.75);
        assert_eq!(
            Accuracy::of(9660, 10_000).words(),
            "96.60 %, 9,660 right (95 % confidence: 96.23 to 96.94 %)"
        );
    }
}
