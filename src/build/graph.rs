//! The jobs of one stage in the order of their dependencies.
//! Must not know keys or the store.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::built::LOG;
use super::name;
use crate::error::{Error, Result};
use crate::stage::{Input, Job, Program, Work};

/// Jobs with their dependencies among each other, by index.
pub(super) struct Graph {
    pub(super) jobs: Vec<Job>,
    /// For each job, how many others it reads from.
    pub(super) needs: Vec<usize>,
    /// For each job, which others read from it.
    pub(super) feeds: Vec<Vec<usize>>,
    index: BTreeMap<String, usize>,
}

impl Graph {
    /// Checks what `stage` planned.
    ///
    /// # Errors
    /// A bug for whatever is wrong, since stages are part of finnp.
    pub(super) fn new(stage: &str, jobs: Vec<Job>) -> Result<Graph> {
        let mut index = BTreeMap::new();
        for (place, job) in jobs.iter().enumerate() {
            check(job).map_err(|error| error.within(stage))?;
            if index.insert(job.name.clone(), place).is_some() {
                let what = format!("stage `{stage}` has two jobs `{}`", job.name);
                return Err(Error::bug(what));
            }
        }
        let mut needs = vec![0; jobs.len()];
        let mut feeds = vec![Vec::new(); jobs.len()];
        for (place, job) in jobs.iter().enumerate() {
            let mut from = BTreeSet::new();
            for input in job.inputs.values() {
                if let Input::Output(output) = input
                    && output.stage == stage
                {
                    let known = index.get(&output.job);
                    from.insert(*known.ok_or_else(|| {
                        Error::bug(format!("stage `{stage}` has no job `{}`", output.job))
                    })?);
                }
            }
            needs[place] = from.len();
            for other in from {
                feeds[other].push(place);
            }
        }
        let graph = Graph {
            jobs,
            needs,
            feeds,
            index,
        };
        if graph.order().len() < graph.jobs.len() {
            let what = format!("jobs of stage `{stage}` wait for each other");
            return Err(Error::bug(what));
        }
        Ok(graph)
    }

    /// Index of the job `name`.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Indices of the jobs, each after those that it reads from.
    pub(super) fn order(&self) -> Vec<usize> {
        let mut needs = self.needs.clone();
        let mut ready: VecDeque<usize> = (0..needs.len()).filter(|&job| needs[job] == 0).collect();
        let mut order = Vec::with_capacity(needs.len());
        while let Some(job) = ready.pop_front() {
            order.push(job);
            for &next in &self.feeds[job] {
                needs[next] -= 1;
                if needs[next] == 0 {
                    ready.push_back(next);
                }
            }
        }
        order
    }
}

fn check(job: &Job) -> Result<()> {
    name::check("the job name", &job.name)?;
    for input in job.inputs.keys() {
        name::check("the input", input)?;
    }
    // The empty folder is `build/` itself.
    if let Some(folder) = job.folder.as_ref().filter(|folder| !folder.is_empty()) {
        name::check("the folder", folder)?;
    }
    let Work::Run(command) = &job.work else {
        return Ok(());
    };
    for output in &command.outputs {
        name::check("the output", output)?;
        if output == LOG {
            let what = format!("an output of `{}` is named `{LOG}`, like its log", job.name);
            return Err(Error::bug(what));
        }
    }
    match &command.program {
        Program::Input(input) if !job.inputs.contains_key(input) => {
            let what = format!("`{}` runs `{input}`, which is no input of it", job.name);
            Err(Error::bug(what))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;
    use crate::stage::Outputs;

    fn job(name: &str, reads: &[&str]) -> Job {
        let job = Job::compute(name, |_| Ok(Outputs::new()));
        reads
            .iter()
            .fold(job, |job, from| job.output_of(*from, "s", *from, "out"))
    }

    #[test]
    fn jobs_come_after_what_they_read() {
        let graph = Graph::new(
            "s",
            vec![job("c", &["a", "b"]), job("b", &["a"]), job("a", &[])],
        );
        assert_eq!(graph.unwrap().order(), [2, 1, 0]);
    }

    #[test]
    fn impossible_plans_are_bugs() {
        for jobs in [
            vec![job("a", &["b"]), job("b", &["a"])],
            vec![job("a", &["a"])],
            vec![job("a", &["no"])],
            vec![job("a", &[]), job("a", &[])],
            vec![job("../a", &[])],
            vec![job("a", &[]).shown_in("/tmp")],
        ] {
            assert_eq!(Graph::new("s", jobs).err().unwrap().kind(), Kind::Bug);
        }
    }
}
