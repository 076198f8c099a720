//! Runs the jobs of one stage: those in the cache at once, the others by several threads.
//! Must not know what a job does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use finnp_cache::{Blob, Digest, Lock};

use super::built::{Built, Done, blob_of};
use super::desk::JobDesk;
use super::engine::Engine;
use super::event::Event;
use super::graph::Graph;
use super::key::Key;
use super::source::Source;
use super::work::{self, Failure};
use crate::error::{Error, Kind, Result};
use crate::stage::{OutputRef, Stage};

/// How often a thread that waits looks whether the build was stopped.
const POLL: Duration = Duration::from_millis(20);

/// A job whose inputs are all known.
pub(super) struct Ready {
    pub(super) key: Key,
    pub(super) sources: BTreeMap<String, Source>,
}

/// A job that failed, by index.
pub(super) struct Failed {
    pub(super) job: usize,
    pub(super) failure: Failure,
}

pub(super) struct Pool<'a> {
    engine: &'a Engine<'a>,
    stage: &'a dyn Stage,
    graph: &'a Graph,
    built: &'a Built,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Jobs whose inputs are there, not looked at yet.
    ready: VecDeque<usize>,
    /// Jobs that are not in the cache.
    missed: VecDeque<(usize, Ready)>,
    /// For each job, how many others it still waits for.
    needs: Vec<usize>,
    done: Vec<Option<Arc<Done>>>,
    /// For each action under way or done, the job that it belongs to.
    owner: BTreeMap<Digest, usize>,
    /// Jobs that wait for the job of the same action.
    twins: BTreeMap<usize, Vec<usize>>,
    failed: Vec<Failed>,
    /// Threads that work on a job.
    busy: usize,
}

enum Task {
    Look(usize),
    Work(usize, Ready),
}

impl<'a> Pool<'a> {
    pub(super) fn new(
        engine: &'a Engine<'a>,
        stage: &'a dyn Stage,
        graph: &'a Graph,
        built: &'a Built,
    ) -> Self {
        let needs = graph.needs.clone();
        let state = State {
            ready: (0..needs.len()).filter(|&job| needs[job] == 0).collect(),
            missed: VecDeque::new(),
            done: vec![None; needs.len()],
            needs,
            owner: BTreeMap::new(),
            twins: BTreeMap::new(),
            failed: Vec::new(),
            busy: 0,
        };
        Pool {
            engine,
            stage,
            graph,
            built,
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Runs all jobs. Returns what is done, by index, and what failed, in order.
    pub(super) fn run(self) -> (Vec<Option<Arc<Done>>>, Vec<Failed>) {
        // Without a job to run, starting threads would be most of the time.
        while let Some(job) = self.next_ready() {
            self.attempt(Task::Look(job));
        }
        let missed = self.lock().missed.len();
        if missed > 0 {
            std::thread::scope(|scope| {
                for _ in 1..self.engine.jobs {
                    scope.spawn(|| self.serve());
                }
                self.serve();
            });
        }
        let mut state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        state.failed.sort_by_key(|failed| failed.job);
        (state.done, state.failed)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_ready(&self) -> Option<usize> {
        let mut state = self.lock();
        if self.stopped(&state) {
            return None;
        }
        let job = state.ready.pop_front()?;
        state.busy += 1;
        Some(job)
    }

    fn stopped(&self, state: &State) -> bool {
        !state.failed.is_empty() || self.engine.cancel.requested().is_some()
    }

    fn serve(&self) {
        while let Some(task) = self.next() {
            self.attempt(task);
        }
    }

    /// Waits for something to do; `None` when nothing can come any more.
    fn next(&self) -> Option<Task> {
        let mut state = self.lock();
        loop {
            if self.stopped(&state) {
                return None;
            }
            let task = match state.ready.pop_front() {
                Some(job) => Some(Task::Look(job)),
                None => state
                    .missed
                    .pop_front()
                    .map(|(job, ready)| Task::Work(job, ready)),
            };
            if task.is_some() {
                state.busy += 1;
                return task;
            }
            if state.busy == 0 {
                return None;
            }
            let waited = self.changed.wait_timeout(state, POLL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn attempt(&self, task: Task) {
        let (job, outcome) = match task {
            Task::Look(job) => (job, self.look(job)),
            Task::Work(job, ready) => (job, self.work(job, &ready)),
        };
        if let Err(failure) = outcome {
            let (stage, name) = (self.stage.name(), self.name(job));
            // What the cache lost is made again, so it is not for the job to report.
            let lost = failure.error.kind() == Kind::CacheCorrupt;
            if !lost && self.engine.cancel.requested().is_none() {
                let message = failure.error.message().to_owned();
                self.engine.journal.failed(stage, &name);
                (self.engine.sink)(Event::JobFailed {
                    stage,
                    job: name,
                    message,
                });
            }
            self.lock().failed.push(Failed { job, failure });
        }
        self.lock().busy -= 1;
        self.changed.notify_all();
    }

    fn name(&self, job: usize) -> String {
        self.graph.jobs[job].name.clone()
    }

    /// Finds the job's key and what it made earlier.
    fn look(&self, job: usize) -> std::result::Result<(), Failure> {
        let plan = &self.graph.jobs[job];
        let ready = self
            .engine
            .ready(self.stage, plan, &|output| self.blob(output))?;
        let action = ready.key.action;
        {
            let mut state = self.lock();
            if let Some(&owner) = state.owner.get(&action) {
                match state.done[owner].clone() {
                    Some(done) => self.finish(state, job, done, true, Some(owner)),
                    None => state.twins.entry(owner).or_default().push(job),
                }
                return Ok(());
            }
            state.owner.insert(action, job);
        }
        match self.lookup(&ready.key)? {
            Some(done) => self.complete(job, done, true),
            None => self.lock().missed.push_back((job, ready)),
        }
        Ok(())
    }

    fn blob(&self, output: &OutputRef) -> Result<Blob> {
        if output.stage != self.stage.name() {
            return self.built.blob(output);
        }
        let place = self.graph.find(&output.job);
        let done = place.and_then(|place| self.lock().done[place].clone());
        let done =
            done.ok_or_else(|| Error::bug(format!("`{}` was read too early", output.job)))?;
        blob_of(&done, output)
    }

    fn lookup(&self, key: &Key) -> Result<Option<Arc<Done>>> {
        let record = self.engine.vault.store.lookup(&key.text)?;
        Ok(record.map(|record| {
            Arc::new(Done {
                action: key.action,
                outputs: record.outputs,
            })
        }))
    }

    /// Runs the job unless somebody else did meanwhile.
    fn work(&self, job: usize, ready: &Ready) -> std::result::Result<(), Failure> {
        let _lock = self.wait_for(job, &ready.key.action)?;
        if let Some(done) = self.lookup(&ready.key)? {
            self.complete(job, done, true);
            return Ok(());
        }
        let (stage, name) = (self.stage.name(), self.name(job));
        let vault = &self.engine.vault;
        let desk = JobDesk {
            stage,
            job: &name,
            cancel: self.engine.cancel,
            sink: self.engine.sink,
            file: vault.store.aside(&ready.key.action),
        };
        (self.engine.sink)(Event::JobStarted {
            stage,
            job: name.clone(),
        });
        let plan = &self.graph.jobs[job];
        let outputs = work::work(vault, (self.engine.cancel, &desk), plan, &ready.sources)?;
        let action = vault.store.commit(&ready.key.text, outputs.clone())?;
        desk.clear();
        self.complete(job, Arc::new(Done { action, outputs }), false);
        Ok(())
    }

    /// The lock of an action, so that of several builds one runs it.
    fn wait_for(&self, job: usize, action: &Digest) -> Result<Lock> {
        let store = &self.engine.vault.store;
        let mut told = false;
        loop {
            if let Some(lock) = store.try_lock_action(action)? {
                return Ok(lock);
            }
            if !told {
                told = true;
                let who = store.action_holder(action);
                let who = who.map_or_else(String::new, |id| format!(" (process {id})"));
                let (stage, name) = (self.stage.name(), self.name(job));
                let what = format!("another build{who}, which runs `{name}` of {stage}");
                (self.engine.sink)(Event::Waiting { what });
            }
            self.engine.cancel.check()?;
            std::thread::sleep(POLL);
        }
    }

    /// Notes that a job and its twins are done.
    fn complete(&self, job: usize, done: Arc<Done>, cached: bool) {
        self.engine.tally.note(done.action, cached);
        self.finish(self.lock(), job, Arc::clone(&done), cached, None);
        let twins = self.lock().twins.remove(&job).unwrap_or_default();
        for twin in twins {
            self.finish(self.lock(), twin, Arc::clone(&done), true, Some(job));
        }
    }

    fn finish(
        &self,
        mut state: MutexGuard<'_, State>,
        job: usize,
        done: Arc<Done>,
        cached: bool,
        twin: Option<usize>,
    ) {
        let (stage, name) = (self.stage.name(), self.name(job));
        let made = |stage: &str, job: &str| match stage == self.stage.name() {
            true => state.done[self.graph.find(job)?]
                .as_ref()
                .map(|done| done.action),
            false => self.built.job(stage, job).map(|done| done.action),
        };
        let plan = &self.graph.jobs[job];
        let journal = &self.engine.journal;
        journal.done(stage, plan, done.action, !cached, &made);
        state.done[job] = Some(done);
        // Told before what depends on it can start, so that events are in a possible order.
        (self.engine.sink)(Event::JobFinished {
            stage,
            job: name,
            cached,
            same_as: twin.map(|twin| self.name(twin)),
        });
        for &next in &self.graph.feeds[job] {
            state.needs[next] -= 1;
            if state.needs[next] == 0 {
                state.ready.push_back(next);
            }
        }
        drop(state);
        self.changed.notify_all();
    }
}
