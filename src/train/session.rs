//! `Session`: a training as it goes on, step by step.
//! Must not know layers, patterns or files.

use serde::{Deserialize, Serialize};

use super::adam::{Adam, Moved};
use super::admm::Admm;
use super::augment::Augment;
use super::batch::fill;
use super::evaluate::side_by_side;
use super::gradual::Gradual;
use super::layer::model;
use super::loss::{Judged, Loss, classes};
use super::method::Sparsify;
use super::model::Model;
use super::moments::Moments;
use super::random::Random;
use super::schedule::Schedule;
use super::settings::{Method, Settings};
use super::step::Mode;
use super::{Point, Progress, Task, Trained, state};
use crate::dataflow::Tail;
use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::network::Coding;
use crate::prune::Repair;
use crate::tensor::PerChannel;

/// Batches of which the final moments of sums are taken, at most.
const SETTLED: usize = 64;

/// What is kept of a training beside its numbers.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    settings: Settings,
    samples: usize,
    step: usize,
    curve: Vec<Point>,
}

/// A training at work.
pub(super) struct Session<'a> {
    task: &'a Task<'a>,
    settings: &'a Settings,
    schedule: Schedule,
    model: Model,
    teacher: Option<Model>,
    classes: Option<Vec<usize>>,
    augment: Option<Augment>,
    loss: Loss,
    adam: Adam,
    method: Box<dyn Sparsify>,
    /// Samples of a step.
    batch: usize,
    /// Steps that are done.
    step: usize,
    /// Samples in the order of this epoch.
    order: Vec<usize>,
    curve: Vec<Point>,
    /// Loss and right samples of this epoch.
    sum: (f64, usize, usize),
}

impl<'a> Session<'a> {
    /// Prepares everything, and looks at some samples with the network as it is.
    pub(super) fn begin(task: &'a Task<'a>, settings: &'a Settings) -> Result<Self> {
        settings.check()?;
        let samples = task.frames.count();
        if samples < 2 {
            return Err(
                Error::user(format!("{samples} samples are too few to learn from"))
                    .help("a few thousand are usual"),
            );
        }
        let model = model(task.dataflow, task.starts)?;
        let classes = match task.labels {
            Some(labels) if labels.len() != samples => {
                let what = format!("{samples} samples have {} labels", labels.len());
                return Err(Error::bug(what));
            }
            Some(labels) => {
                let elements = model.elements[model.output];
                Some(classes(labels, model.channels, elements)?)
            }
            None => None,
        };
        let taught = classes.is_none() || settings.teacher > 0.0;
        let teacher = match taught {
            true => Some(super::layer::model(task.dataflow, &Default::default())?),
            false => None,
        };
        let input = &task.dataflow.inputs[0];
        let stream = task.dataflow.stream(input.stream);
        let batch = settings.batch.min(samples);
        let mut session = Session {
            schedule: Schedule::new(samples, batch, settings.epochs, settings.ramp),
            augment: Augment::new(input, stream, settings.flip, settings.shift)?,
            loss: loss(task, &model, settings),
            adam: Adam::default(),
            method: match settings.method {
                Method::Gradual => Box::new(Gradual),
                Method::Admm => Box::new(Admm::new(&model.parts.weights)),
            },
            task,
            settings,
            model,
            teacher,
            classes,
            batch,
            step: 0,
            order: Vec::new(),
            curve: Vec::new(),
            sum: (0.0, 0, 0),
        };
        session.look()?;
        let sizes: Vec<usize> = session.moved(0.0).iter().map(|m| m.values.len()).collect();
        session.adam = Adam::new(&sizes);
        Ok(session)
    }

    /// Looks at some samples: moments of sums, worth of columns, and how large results are.
    fn look(&mut self) -> Result<()> {
        let wanted = side_by_side(&self.model).max(self.batch);
        let numbers = Random::new(&[self.settings.seed]).shuffled(self.task.frames.count());
        let numbers = &numbers[..wanted.min(numbers.len())];
        let mut input = Vec::new();
        let size = self.model.elements[0];
        fill(self.task.frames, numbers, None, size, &mut input)?;
        self.model.begin(&input, numbers.len());
        let classes = self
            .classes
            .as_ref()
            .map(|classes| picked(classes, numbers));
        let result = match &mut self.teacher {
            Some(teacher) => {
                teacher.forward(Mode::Evaluate, &input, numbers.len());
                teacher.result()
            }
            None => self.model.result(),
        };
        self.loss.begin(result, classes.as_deref());
        Ok(())
    }

    /// All that moves, with its gradient, always in the same order.
    fn moved(&mut self, rate: f64) -> Vec<Moved<'_>> {
        let rate = rate as f32;
        let parts = &mut self.model.parts;
        let mut moved = Vec::new();
        for weights in parts.weights.iter_mut().filter(|weights| weights.trained) {
            moved.push(Moved {
                values: &mut weights.latent,
                gradient: &weights.gradient,
                rate: rate * weights.unit,
            });
        }
        for norm in &mut parts.norms {
            for (values, gradient) in [
                (&mut norm.theta, &norm.theta_gradient),
                (&mut norm.phi, &norm.phi_gradient),
            ] {
                moved.push(Moved {
                    values,
                    gradient,
                    rate,
                });
            }
        }
        moved.push(Moved {
            values: &mut self.loss.heat,
            gradient: &self.loss.heat_gradient,
            rate,
        });
        moved
    }

    /// Does all steps that are left.
    pub(super) fn run(&mut self, watch: &dyn Fn(Progress<'_>) -> Result<()>) -> Result<()> {
        let mut input = Vec::new();
        while self.step < self.schedule.steps {
            let judged = self.one(&mut input)?;
            self.step += 1;
            self.sum.0 += judged.loss;
            self.sum.1 += judged.correct;
            self.sum.2 += 1;
            let epoch = self.step.div_ceil(self.schedule.per_epoch);
            let over = self.step.is_multiple_of(self.schedule.per_epoch);
            let now = self.point(epoch, (judged.loss, judged.correct, 1));
            if over || self.step == self.schedule.steps {
                let whole = self.point(epoch, self.sum);
                self.curve.push(whole);
                self.sum = (0.0, 0, 0);
            }
            let lists = if over { self.kept() } else { Vec::new() };
            let save = || {
                let lists: Vec<&[f32]> = lists.iter().map(Vec::as_slice).collect();
                state::save(&self.header(), &lists)
            };
            watch(Progress {
                step: self.step,
                steps: self.schedule.steps,
                now,
                state: over.then_some(&save),
            })?;
        }
        Ok(())
    }

    fn point(&self, epoch: usize, (loss, correct, steps): (f64, usize, usize)) -> Point {
        let seen = (steps * self.batch) as f64;
        Point {
            epoch,
            loss: loss / steps as f64,
            accuracy: self.classes.as_ref().map(|_| correct as f64 / seen),
            density: self.model.density(),
        }
    }

    /// One step.
    fn one(&mut self, input: &mut Vec<f32>) -> Result<Judged> {
        let (epoch, at) = (
            self.step / self.schedule.per_epoch,
            self.step % self.schedule.per_epoch,
        );
        let seed = self.settings.seed;
        if at == 0 || self.order.is_empty() {
            let mut random = Random::new(&[seed, epoch as u64]);
            self.order = random.shuffled(self.task.frames.count());
        }
        let numbers = &self.order[at * self.batch..(at + 1) * self.batch];
        let augment = self.augment.as_ref().map(|a| (a, [seed, epoch as u64]));
        let size = self.model.elements[0];
        fill(self.task.frames, numbers, augment, size, input)?;
        let frames = numbers.len();
        let classes = self
            .classes
            .as_ref()
            .map(|classes| picked(classes, numbers));
        if let Some(teacher) = &mut self.teacher {
            teacher.forward(Mode::Evaluate, input, frames);
        }
        let weights = &mut self.model.parts.weights;
        let schedule = &self.schedule;
        self.method
            .masks(self.step, schedule, weights, self.task.project)?;
        weights.iter_mut().for_each(|weights| weights.refresh());
        self.model.forward(Mode::Train, input, frames);
        let mut gradient = self.model.buffer();
        let taught = self.teacher.as_ref().map(Model::result);
        let result = self.model.result();
        let judged = self
            .loss
            .judge(result, classes.as_deref(), taught, &mut gradient);
        self.model.backward(gradient, frames);
        let weights = &mut self.model.parts.weights;
        weights
            .iter_mut()
            .for_each(|weights| weights.straight_through());
        self.method.pull(self.step, schedule, weights);
        let rate = self.settings.rate * self.schedule.rate(self.step);
        let mut adam = std::mem::take(&mut self.adam);
        adam.step(self.step, self.moved(rate));
        self.adam = adam;
        let weights = &mut self.model.parts.weights;
        weights
            .iter_mut()
            .filter(|weights| weights.trained)
            .for_each(|weights| weights.clip(rate));
        Ok(judged)
    }

    /// Takes the final moments of sums, and what was learnt.
    pub(super) fn finish(mut self) -> Result<Trained> {
        let weights = &mut self.model.parts.weights;
        // Where masks still were to be set there is no step left.
        self.method.masks(
            self.schedule.ramp.max(self.step),
            &self.schedule,
            weights,
            self.task.project,
        )?;
        weights.iter_mut().for_each(|weights| weights.refresh());
        self.settle()?;
        let parts = &self.model.parts;
        let (mut repairs, mut masks) = (Vec::new(), std::collections::BTreeMap::new());
        for weights in parts.weights.iter().filter(|weights| weights.trained) {
            let (gain, offset) = match weights.norm {
                Some(norm) => {
                    let norm = &parts.norms[norm];
                    (norm.gain.clone(), norm.offset.clone())
                }
                None => (vec![1.0; weights.rows], vec![0.0; weights.rows]),
            };
            repairs.push(Repair {
                layer: weights.name.clone(),
                levels: weights.levels(),
                gain,
                offset,
            });
            masks.insert(weights.name.clone(), weights.mask.clone());
        }
        Ok(Trained {
            repairs,
            masks,
            curve: self.curve,
        })
    }

    /// Sets gains and offsets by the moments of sums of many samples, as they are.
    fn settle(&mut self) -> Result<()> {
        let mut random = Random::new(&[self.settings.seed, u64::MAX]);
        let numbers = random.shuffled(self.task.frames.count());
        let (size, mut input) = (self.model.elements[0], Vec::new());
        let mut found = vec![Vec::new(); self.model.parts.norms.len()];
        for numbers in numbers.chunks_exact(self.batch).take(SETTLED) {
            fill(self.task.frames, numbers, None, size, &mut input)?;
            self.model.forward(Mode::Train, &input, numbers.len());
            let moments = self.model.moments();
            found
                .iter_mut()
                .zip(moments)
                .for_each(|(found, own)| found.push(own));
        }
        for (norm, found) in self.model.parts.norms.iter_mut().zip(&found) {
            norm.settle(&Moments::together(found));
        }
        Ok(())
    }

    fn header(&self) -> Header {
        Header {
            settings: self.settings.clone(),
            samples: self.task.frames.count(),
            step: self.step,
            curve: self.curve.clone(),
        }
    }

    /// All numbers that change from step to step, masks as 0 and 1 behind the others.
    fn kept(&mut self) -> Vec<Vec<f32>> {
        let lists = self.lists().into_iter().map(|list| list.clone());
        let mut lists: Vec<Vec<f32>> = lists.collect();
        let weights = self.model.parts.weights.iter();
        for weights in weights.filter(|weights| weights.trained) {
            let mask = weights.mask.iter();
            lists.push(mask.map(|kept| f32::from(u8::from(*kept))).collect());
        }
        lists
    }

    /// Those of [`Session::kept`] without masks.
    fn lists(&mut self) -> Vec<&mut Vec<f32>> {
        let mut lists = Vec::new();
        for weights in &mut self.model.parts.weights {
            if weights.trained {
                lists.push(&mut weights.latent);
            }
        }
        for norm in &mut self.model.parts.norms {
            lists.extend([&mut norm.theta, &mut norm.phi]);
        }
        lists.push(&mut self.loss.heat);
        lists.extend(self.adam.means.iter_mut().chain(&mut self.adam.squares));
        lists.extend(self.method.state());
        lists
    }

    /// Goes on from the bytes of an earlier session.
    pub(super) fn load(&mut self, bytes: &[u8]) -> Result<()> {
        let (settings, samples) = (self.settings.clone(), self.task.frames.count());
        let fits = |header: &Header| header.settings == settings && header.samples == samples;
        let mut lists = self.kept();
        let mut places: Vec<&mut Vec<f32>> = lists.iter_mut().collect();
        let header = state::load(bytes, fits, &mut places)?;
        (self.step, self.curve) = (header.step, header.curve);
        let mut lists = lists.into_iter();
        for (place, list) in self.lists().into_iter().zip(&mut lists) {
            *place = list;
        }
        let weights = self.model.parts.weights.iter_mut();
        for (weights, list) in weights.filter(|weights| weights.trained).zip(lists) {
            weights.mask = list.iter().map(|kept| *kept == 1.0).collect();
        }
        Ok(())
    }
}

fn picked(classes: &[usize], numbers: &[usize]) -> Vec<usize> {
    numbers.iter().map(|number| classes[*number]).collect()
}

/// The loss on the results of a task's network. An index of the largest is left out, and what it chooses from counts
/// as it is.
fn loss(task: &Task<'_>, model: &Model, settings: &Settings) -> Loss {
    let output = &task.dataflow.outputs[0];
    let chosen = task.dataflow.producer(output.stream);
    let tail = match chosen.map(|node| &node.layer) {
        Some(Layer::LabelSelect(_)) => Tail::new(Coding::scaled(PerChannel::Same(1.0))),
        _ => output.tail.clone(),
    };
    Loss::new(tail, model.channels, settings.teacher, settings.temperature)
}
