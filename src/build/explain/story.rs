//! Two states of a project, and what led from one to the other: reasons of a job, and their root causes.
//! Must not know how it is shown, nor whether the later state is a build or only a plan.

use std::collections::{BTreeMap, BTreeSet};

use finnp_cache::{Digest, Store};
use serde::Serialize;

use super::reason::{Origins, Reason, Why, changes};
use crate::build::built::LOG;
use crate::build::history::{Feeds, History, Keys, Origin};
use crate::error::Result;

/// A stage and one of its jobs.
pub(in crate::build) type Place = (String, String);

/// A job in one state of the project.
#[derive(Debug, Clone, Default)]
pub(in crate::build) struct Node {
    /// The action; none while the job waits for others.
    pub(in crate::build) action: Option<Digest>,
    /// Text of the key, if it is known.
    pub(in crate::build) key: Option<String>,
    /// Digests of the outputs, if there are any yet.
    pub(in crate::build) outputs: Option<BTreeMap<String, Digest>>,
    /// What it reads, if that is known.
    pub(in crate::build) feeds: Option<Feeds>,
    /// Jobs that would run before its key is known.
    pub(in crate::build) waits: Vec<Place>,
}

impl Node {
    /// A job as it was when it was `action`, as far as cache and history know.
    ///
    /// # Errors
    /// Those of the cache.
    pub(super) fn of(
        store: &Store,
        history: &History,
        (stage, job): &Place,
        action: Digest,
    ) -> Result<Node> {
        let record = store.record(&action)?;
        let outputs = record.as_ref().map(|record| {
            let outputs = record.outputs.iter();
            outputs
                .map(|(name, blob)| (name.clone(), blob.digest))
                .collect()
        });
        Ok(Node {
            action: Some(action),
            outputs,
            key: record.map(|record| record.key),
            feeds: history.feeds(stage, job, &action).cloned(),
            waits: Vec::new(),
        })
    }
}

/// A reason that lies in another job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    /// Stage of the job.
    pub stage: String,
    /// The job.
    pub job: String,
    /// Why it ran.
    pub reason: Reason,
    /// Jobs between the two, from the cause on.
    pub through: Vec<Step>,
}

/// A job between a cause and its effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Step {
    /// Its stage.
    pub stage: String,
    /// Its name.
    pub job: String,
}

/// Outputs of a job that are the same as before, and others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Outputs {
    /// Those with the same bytes.
    pub same: Vec<String>,
    /// Those with other bytes.
    pub changed: Vec<String>,
    /// Those that were not there before.
    pub added: Vec<String>,
    /// Those that are not there any more.
    pub removed: Vec<String>,
}

impl Outputs {
    /// Leaves out what `keep` does not hold.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let lists = [
            &mut self.same,
            &mut self.changed,
            &mut self.added,
            &mut self.removed,
        ];
        for list in lists {
            list.retain(|output| keep(output));
        }
    }

    /// Whether there are outputs and every one has the bytes that it had.
    pub fn all_same(&self) -> bool {
        !self.same.is_empty()
            && self.changed.is_empty()
            && self.added.is_empty()
            && self.removed.is_empty()
    }
}

/// Two states of a project.
pub(in crate::build) struct Story<'a> {
    pub(in crate::build) store: &'a Store,
    pub(in crate::build) history: &'a History,
    /// Actions of the earlier state.
    pub(in crate::build) before: &'a Keys,
    /// The later state, as far as it is known.
    pub(in crate::build) after: BTreeMap<Place, Node>,
}

/// Causes that are found already: many jobs share them.
pub(in crate::build) type Found = BTreeMap<(Option<Digest>, Place), Vec<Cause>>;

impl Story<'_> {
    /// The earlier action of a job.
    pub(super) fn action_before(&self, place: &Place) -> Option<Digest> {
        self.before.get(&place.0)?.get(&place.1).copied()
    }

    fn old(&self, place: &Place, action: Digest) -> Result<Node> {
        Node::of(self.store, self.history, place, action)
    }

    /// Why the job runs or is another one than before; none if nothing changed.
    ///
    /// # Errors
    /// Those of the cache.
    pub(in crate::build) fn reasons(&self, place: &Place) -> Result<Vec<Reason>> {
        let Some(new) = self.after.get(place) else {
            return Ok(Vec::new());
        };
        if !new.waits.is_empty() {
            let after = new
                .waits
                .iter()
                .map(|(stage, job)| Reason::after(stage, job));
            return Ok(after.collect());
        }
        match self.action_before(place) {
            None => Ok(vec![Reason::plain(Why::NeverBuilt)]),
            Some(action) if Some(action) == new.action => Ok(Vec::new()),
            Some(action) => Ok(differences(&self.old(place, action)?, new)),
        }
    }

    /// The root causes of the reasons that lie in other jobs.
    ///
    /// # Errors
    /// Those of the cache.
    pub(in crate::build) fn causes(&self, place: &Place, found: &mut Found) -> Result<Vec<Cause>> {
        let mut causes = self.roots(self.action_before(place), place, found)?;
        let (own, _): (Vec<Cause>, Vec<Cause>) = causes
            .iter()
            .cloned()
            .partition(|cause| (&cause.stage, &cause.job) == (&place.0, &place.1));
        // What changed here as it did there needs no other explanation.
        causes.retain(|cause| own.iter().all(|own| own.reason != cause.reason));
        Ok(causes)
    }

    /// All root causes of what changed in a job since it was the action `old`, its own included.
    fn roots(&self, old: Option<Digest>, place: &Place, found: &mut Found) -> Result<Vec<Cause>> {
        if let Some(causes) = found.get(&(old, place.clone())) {
            return Ok(causes.clone());
        }
        let mut causes = Vec::new();
        if let Some(new) = self.after.get(place) {
            for wait in &new.waits {
                let before = self.action_before(wait);
                add(&mut causes, self.roots(before, wait, found)?, wait);
            }
            let here = |reason| own(place, reason);
            match old {
                _ if !new.waits.is_empty() => {}
                None => causes.push(here(Reason::plain(Why::NeverBuilt))),
                Some(old) if Some(old) == new.action => {}
                Some(old) => causes = self.between(&self.old(place, old)?, place, new, found)?,
            }
        }
        let causes = nearest(causes);
        found.insert((old, place.clone()), causes.clone());
        Ok(causes)
    }

    fn between(
        &self,
        old: &Node,
        place: &Place,
        new: &Node,
        found: &mut Found,
    ) -> Result<Vec<Cause>> {
        let mut causes = Vec::new();
        let mut effects = Vec::new();
        for reason in differences(old, new) {
            let made = |node: &Node| {
                let fed = node.feeds.as_ref()?.get(&reason.name)?.clone();
                match (reason.kind, fed.origin) {
                    (Why::Input, Origin::Job { stage, job, .. }) => {
                        Some(((stage, job), fed.action))
                    }
                    _ => None,
                }
            };
            match (made(old), made(new)) {
                (old, Some((maker, _))) => {
                    let old = match old {
                        Some((other, action)) if other == maker => action,
                        _ => self.action_before(&maker),
                    };
                    add(&mut causes, self.roots(old, &maker, found)?, &maker);
                    effects.push(reason);
                }
                (Some((maker, action)), None) => {
                    add(&mut causes, self.roots(action, &maker, found)?, &maker);
                    effects.push(reason);
                }
                _ if reason.is_root() => causes.push(own(place, reason)),
                _ => effects.push(reason),
            }
        }
        if causes.is_empty() {
            causes = effects
                .into_iter()
                .map(|reason| own(place, reason))
                .collect();
        }
        Ok(causes)
    }

    /// How the outputs of a job compare with the earlier ones; none if one of the two is not known.
    ///
    /// # Errors
    /// Those of the cache.
    pub(super) fn outputs(&self, place: &Place) -> Result<Option<Outputs>> {
        let Some(action) = self.action_before(place) else {
            return Ok(None);
        };
        let old = self.old(place, action)?;
        let new = self.after.get(place);
        let (Some(old), Some(new), Some(key)) = (
            &old.outputs,
            new.and_then(|new| new.outputs.as_ref()),
            new.and_then(|new| new.key.as_ref()),
        ) else {
            return Ok(None);
        };
        // What a process said is read by people only.
        let runs = !key.lines().any(|line| line.starts_with("source "));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut outputs = Outputs::default();
        for name in names.into_iter().filter(|name| !runs || *name != LOG) {
            let list = match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) if old == new => &mut outputs.same,
                (Some(_), Some(_)) => &mut outputs.changed,
                (None, _) => &mut outputs.added,
                (_, None) => &mut outputs.removed,
            };
            list.push(name.clone());
        }
        Ok(Some(outputs))
    }

    /// Jobs of the later state that read outputs of each job.
    pub(super) fn readers(&self) -> BTreeMap<Place, BTreeSet<&Place>> {
        let mut readers: BTreeMap<Place, BTreeSet<&Place>> = BTreeMap::new();
        for (place, node) in &self.after {
            for fed in node.feeds.iter().flat_map(BTreeMap::values) {
                if let Origin::Job { stage, job, .. } = &fed.origin {
                    let maker = (stage.clone(), job.clone());
                    readers.entry(maker).or_default().insert(place);
                }
            }
        }
        readers
    }
}

fn own((stage, job): &Place, reason: Reason) -> Cause {
    Cause {
        stage: stage.clone(),
        job: job.clone(),
        reason,
        through: Vec::new(),
    }
}

/// Adds the causes that lie behind `maker`.
fn add(causes: &mut Vec<Cause>, more: Vec<Cause>, maker: &Place) {
    causes.extend(more.into_iter().map(|mut cause| {
        if (&cause.stage, &cause.job) != (&maker.0, &maker.1) {
            cause.through.push(Step {
                stage: maker.0.clone(),
                job: maker.1.clone(),
            });
        }
        cause
    }));
}

/// Each cause once, by its shortest way, in the order in which they were found.
fn nearest(causes: Vec<Cause>) -> Vec<Cause> {
    let mut kept: Vec<Cause> = Vec::new();
    for cause in causes {
        let same = |other: &&mut Cause| {
            (&other.stage, &other.job, &other.reason) == (&cause.stage, &cause.job, &cause.reason)
        };
        match kept.iter_mut().find(same) {
            None => kept.push(cause),
            Some(other) if cause.through.len() < other.through.len() => *other = cause,
            Some(_) => {}
        }
    }
    kept
}

fn differences(old: &Node, new: &Node) -> Vec<Reason> {
    let Some(before) = &old.key else {
        return vec![Reason::plain(Why::RecordGone)];
    };
    let Some(after) = &new.key else {
        return vec![Reason::plain(Why::RecordGone)];
    };
    let origin = |node: &Node, name: &str| {
        let fed = node.feeds.as_ref()?.get(name)?;
        Some(fed.origin.clone())
    };
    let origins = Origins {
        old: &|name| origin(old, name),
        new: &|name| origin(new, name),
    };
    changes(before, after, &origins)
}

/// Most jobs that are named where several have the same cause.
const NAMED: usize = 3;

/// Causes in words, one fragment for all that are alike.
pub fn because(causes: &[Cause]) -> Vec<String> {
    let mut places: Vec<(&str, Vec<&Cause>)> = Vec::new();
    for cause in causes {
        let words = cause.reason.words.as_str();
        match places.iter_mut().find(|(other, _)| *other == words) {
            Some((_, causes)) => causes.push(cause),
            None => places.push((words, vec![cause])),
        }
    }
    let fragments = places.into_iter().map(|(words, causes)| {
        let named = causes.iter().take(NAMED);
        let named = named.map(|cause| format!("`{}` of {}", cause.job, cause.stage));
        let mut named = named.collect::<Vec<_>>().join(", ");
        if causes.len() > NAMED {
            named += &format!(" and {} more", causes.len() - NAMED);
        }
        let through = match causes[..] {
            [cause] => through(&cause.through),
            _ => String::new(),
        };
        format!("because of {named}: {words}{through}")
    });
    fragments.collect()
}

fn through(steps: &[Step]) -> String {
    let steps = steps
        .iter()
        .map(|Step { stage, job }| format!("`{job}` of {stage}"));
    let steps: Vec<String> = steps.collect();
    match steps.is_empty() {
        true => String::new(),
        false => format!(", through {}", steps.join(", ")),
    }
}
