//! Tells of each job what became of it, from two states of the project.
//! Must not know what any stage does.

use std::collections::{BTreeMap, BTreeSet};

use finnp_cache::Digest;

use super::subject::{States, Subject};
use super::{Found, JobStory, Known, Node, Outputs, Place, StageStory, Status, Step, Story, why};
use crate::build::history::Jobs;
use crate::error::Result;

/// What is needed to tell of many jobs.
pub(super) struct Teller<'a> {
    known: &'a Known<'a>,
    story: &'a Story<'a>,
    /// Whether the later state is a build, not a plan.
    past: bool,
    /// Every job of the two states.
    pub(super) states: States,
    /// Of the jobs that run or ran, by stage and action, one.
    runners: BTreeMap<(&'a str, Digest), &'a str>,
    readers: BTreeMap<Place, BTreeSet<&'a Place>>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(known: &'a Known, story: &'a Story, past: bool) -> Result<Self> {
        let mut states: BTreeMap<Place, Vec<Node>> = BTreeMap::new();
        for (place, node) in &story.after {
            states.entry(place.clone()).or_default().push(node.clone());
        }
        for (stage, jobs) in known.history.failed.iter().filter(|_| past) {
            for job in jobs {
                states.entry((stage.clone(), job.clone())).or_default();
            }
        }
        for (stage, jobs) in story.before {
            for (job, action) in jobs {
                let place = (stage.clone(), job.clone());
                let old = Node::of(known.store, known.history, &place, *action)?;
                states.entry(place).or_default().push(old);
            }
        }
        let mut runners = BTreeMap::new();
        for (place, node) in &story.after {
            let runs = match past {
                true => has(&known.history.ran, place),
                false => node.outputs.is_none(),
            };
            if let (true, Some(action)) = (runs, node.action) {
                runners
                    .entry((place.0.as_str(), action))
                    .or_insert(place.1.as_str());
            }
        }
        Ok(Teller {
            known,
            story,
            past,
            states: states.into_iter().collect(),
            runners,
            readers: story.readers(),
        })
    }

    /// All stages with the jobs that belong to `subject`.
    ///
    /// # Errors
    /// Those of the cache.
    pub(super) fn tell(&self, subject: &Subject) -> Result<Vec<StageStory>> {
        let mut found = Found::new();
        let mut stages = Vec::new();
        for stage in self.known.stages {
            if matches!(subject, Subject::Stage(name) if name != stage) {
                continue;
            }
            let mut jobs = Vec::new();
            for (place, nodes) in &self.states {
                if place.0 == *stage
                    && subject.holds(place, nodes)
                    && let Some(status) = self.status(place)
                {
                    jobs.push(self.job(place, status, subject, &mut found)?);
                }
            }
            stages.push(StageStory {
                stage: (*stage).to_owned(),
                known: self.past || self.is_planned(stage),
                jobs,
            });
        }
        Ok(stages)
    }

    fn is_planned(&self, name: &str) -> bool {
        let mut stages = self.known.outlook.stages.iter();
        stages.any(|stage| stage.stage == name && stage.jobs.is_some())
    }

    /// What became of a job; nothing is known of one whose stage cannot be planned yet.
    fn status(&self, place: &Place) -> Option<Status> {
        let history = self.known.history;
        let Some(node) = self.story.after.get(place) else {
            return match self.past {
                true if has(&history.failed, place) => Some(Status::Failed),
                true if history.complete.contains(&place.0) => Some(Status::Removed),
                true => Some(Status::NotReached),
                false => self.is_planned(&place.0).then_some(Status::Removed),
            };
        };
        let same = node.action == self.story.action_before(place);
        Some(match (self.past, self.runner(place, node)) {
            (false, _) if !node.waits.is_empty() => Status::Waits,
            (true, _) if has(&history.ran, place) => Status::Ran,
            (false, Some(runner)) if runner == place.1 => Status::WouldRun,
            (true, _) if same => Status::Untouched,
            (_, Some(_)) => Status::Equal,
            _ if same => Status::Untouched,
            _ => Status::Found,
        })
    }

    /// The job that runs or ran for this one.
    fn runner(&self, place: &Place, node: &Node) -> Option<&str> {
        let action = node.action?;
        self.runners.get(&(place.0.as_str(), action)).copied()
    }

    fn job(
        &self,
        place: &Place,
        status: Status,
        subject: &Subject,
        found: &mut Found,
    ) -> Result<JobStory> {
        let none = Jobs::new();
        let failed = if self.past {
            &none
        } else {
            &self.known.history.failed
        };
        let (why, because) = match status {
            Status::Ran | Status::WouldRun => why(self.story, failed, place, found)?,
            Status::Equal | Status::Found | Status::Waits => {
                (self.story.reasons(place)?, self.story.causes(place, found)?)
            }
            _ => (Vec::new(), Vec::new()),
        };
        let mut outputs = match status {
            Status::Ran | Status::Equal | Status::Found => self.story.outputs(place)?,
            _ => None,
        };
        if let Some(outputs) = &mut outputs {
            outputs.retain(|output| subject.holds_output(place, output));
        }
        let node = self.story.after.get(place);
        let same_as = match status {
            Status::Equal => node.and_then(|node| self.runner(place, node)),
            _ => None,
        };
        Ok(JobStory {
            job: place.1.clone(),
            status,
            same_as: same_as.map(str::to_owned),
            why,
            because,
            cut_off: outputs.as_ref().is_some_and(Outputs::all_same),
            spared: match outputs {
                Some(_) => self.spared(place, subject),
                None => Vec::new(),
            },
            outputs,
        })
    }

    /// Jobs behind this one, as far as they belong to `subject`, that were not touched, each read from this
    /// one or from another of them.
    fn spared(&self, place: &Place, subject: &Subject) -> Vec<Step> {
        let mut open = vec![place];
        let mut spared: BTreeSet<&Place> = BTreeSet::new();
        while let Some(next) = open.pop() {
            for reader in self.readers.get(next).into_iter().flatten() {
                if self.status(reader) == Some(Status::Untouched) && spared.insert(reader) {
                    open.push(reader);
                }
            }
        }
        let all = matches!(subject, Subject::All | Subject::Stage(_));
        let stages = self.known.stages.iter();
        let states =
            stages.flat_map(|name| self.states.iter().filter(|(place, _)| place.0 == *name));
        let spared = states.filter(|(place, nodes)| {
            spared.contains(place) && (all || subject.holds(place, nodes))
        });
        spared
            .map(|((stage, job), _)| Step {
                stage: stage.clone(),
                job: job.clone(),
            })
            .collect()
    }
}

fn has(jobs: &Jobs, (stage, job): &Place) -> bool {
    jobs.get(stage).is_some_and(|jobs| jobs.contains(job))
}
