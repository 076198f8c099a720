//! The words in which stages describe work: jobs, their inputs, their outputs.
//! Must not know how jobs are scheduled, keyed or stored.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::manifest::Manifest;

/// Where the bytes of a job's input come from. Only the *contents* enter the job's key.
#[derive(Clone)]
pub enum Input {
    /// A file of the user, outside the build.
    File(PathBuf),
    /// Bytes known while planning, such as a source of the hardware library.
    Bytes(Arc<[u8]>),
    /// One output of a job, of this stage or of an earlier one.
    Output(OutputRef),
}

/// Names one output of one job.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutputRef {
    /// Stage that the job belongs to.
    pub stage: &'static str,
    /// The job's name within that stage.
    pub job: String,
    /// Name of the output, a relative path with `/`.
    pub output: String,
}

/// What a job reads: input name (a relative path with `/`) to contents.
#[derive(Default)]
pub struct Inputs(pub BTreeMap<String, Arc<[u8]>>);

impl Inputs {
    /// Contents of the input `name`.
    ///
    /// # Errors
    /// A bug if the stage did not declare that input.
    pub fn bytes(&self, name: &str) -> Result<&[u8]> {
        self.0
            .get(name)
            .map(|bytes| &**bytes)
            .ok_or_else(|| Error::bug(format!("a job reads `{name}`, which it did not declare")))
    }
}

/// What a job wrote: output name (a relative path with `/`) to contents.
pub type Outputs = BTreeMap<String, Vec<u8>>;

/// A pure function from inputs to outputs.
pub type Compute = Box<dyn Fn(&Inputs) -> Result<Outputs> + Send + Sync>;

/// Where a long computation sits: it tells how far it is, may be told to stop, and finds again what it left when it
/// was stopped before.
pub trait Desk {
    /// So much of all is done.
    ///
    /// # Errors
    /// [`crate::error::Kind::Interrupted`] where the build is to stop.
    fn told(&self, done: usize, all: usize) -> Result<()>;

    /// What an earlier run of the same job left.
    fn left(&self) -> Option<Vec<u8>>;

    /// Leaves bytes for a later run of the same job.
    ///
    /// # Errors
    /// A tool error where they cannot be written.
    fn leave(&self, bytes: &[u8]) -> Result<()>;
}

/// A pure function that takes long; what it finds on its desk changes nothing but the time that it takes.
pub type Learn = Box<dyn Fn(&Inputs, &dyn Desk) -> Result<Outputs> + Send + Sync>;

/// What a job does: it either computes or runs one tool, never both.
pub enum Work {
    /// Runs inside finnp; the hash of finnp's own sources is part of the key.
    Compute(Compute),
    /// The same, for minutes or hours.
    Learn(Learn),
    /// Runs one process; the plan's text and the tool's version are part of the key.
    Run(Command),
}

/// The program of a [`Command`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A tool of the machine, by its name in `tool::TOOLS`.
    Tool(&'static str),
    /// An input of the job that is itself an executable, such as a compiled simulation.
    Input(String),
}

/// One process: run in an empty folder that holds the job's inputs under their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What is started.
    pub program: Program,
    /// Its arguments; paths are relative to the folder.
    pub args: Vec<String>,
    /// Files that it must leave behind, relative to the folder; they become the job's outputs.
    pub outputs: Vec<String>,
}

/// One unit of work: what it reads, what it does and where its outputs are shown.
pub struct Job {
    /// Unique within the stage: a layer's name, or what the job is about. Not part of the key.
    pub name: String,
    /// Labelled lines of the key beside those of the inputs: the slice of the manifest that the job
    /// reads, board facts, options. Everything that can change the outputs and is no input is here.
    pub lines: Vec<(String, String)>,
    /// What it reads, by the name under which it sees it.
    pub inputs: BTreeMap<String, Input>,
    /// What it does.
    pub work: Work,
    /// Folder under `build/` in which all outputs are shown; `None` shows none of them.
    pub folder: Option<String>,
}

impl Job {
    /// A job that computes, with nothing in its key but the stage and no inputs yet.
    pub fn compute(
        name: impl Into<String>,
        compute: impl Fn(&Inputs) -> Result<Outputs> + Send + Sync + 'static,
    ) -> Self {
        Job::with(name, Work::Compute(Box::new(compute)))
    }

    /// A job that computes for long.
    pub fn learn(
        name: impl Into<String>,
        learn: impl Fn(&Inputs, &dyn Desk) -> Result<Outputs> + Send + Sync + 'static,
    ) -> Self {
        Job::with(name, Work::Learn(Box::new(learn)))
    }

    /// A job that runs one process.
    pub fn run(name: impl Into<String>, command: Command) -> Self {
        Job::with(name, Work::Run(command))
    }

    fn with(name: impl Into<String>, work: Work) -> Self {
        Job {
            name: name.into(),
            lines: Vec::new(),
            inputs: BTreeMap::new(),
            work,
            folder: None,
        }
    }

    /// Adds a labelled line to the key.
    #[must_use]
    pub fn line(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.lines.push((label.into(), value.into()));
        self
    }

    /// Adds an input.
    #[must_use]
    pub fn input(mut self, name: impl Into<String>, input: Input) -> Self {
        self.inputs.insert(name.into(), input);
        self
    }

    /// Adds an input that is an output of another job.
    #[must_use]
    pub fn output_of(
        self,
        name: impl Into<String>,
        stage: &'static str,
        job: impl Into<String>,
        output: impl Into<String>,
    ) -> Self {
        self.input(
            name,
            Input::Output(OutputRef {
                stage,
                job: job.into(),
                output: output.into(),
            }),
        )
    }

    /// Shows the outputs in `build/<folder>/`.
    #[must_use]
    pub fn shown_in(mut self, folder: impl Into<String>) -> Self {
        self.folder = Some(folder.into());
        self
    }
}

/// Outputs of the stages that have already run, for a stage that plans by their contents.
pub trait Artifacts {
    /// Contents of one output.
    ///
    /// # Errors
    /// A bug if there is no such output; a cache error if it cannot be read.
    fn read(&self, output: &OutputRef) -> Result<Arc<[u8]>>;

    /// Name and content digest (lower-case hexadecimal SHA-256) of every output of a job, by name.
    ///
    /// # Errors
    /// A bug if there is no such job.
    fn list(&self, stage: &str, job: &str) -> Result<BTreeMap<String, String>>;
}

/// One stage of the build.
pub trait Stage: Sync {
    /// The verb by which users and keys call it.
    fn name(&self) -> &'static str;

    /// Raised when the meaning of the outputs changes though the inputs do not.
    fn version(&self) -> u32;

    /// The stage's jobs. Called when all earlier stages have run; jobs of one stage may read each
    /// other's outputs as long as there is no cycle.
    ///
    /// # Errors
    /// Whatever the manifest or the artifacts make impossible.
    fn plan(&self, manifest: &Manifest, done: &dyn Artifacts) -> Result<Vec<Job>>;

    /// What keeps an optional stage from its work on this machine; it then says that it did not run. `None`
    /// for a stage that does its work or fails.
    ///
    /// # Errors
    /// A bug in the table of tools.
    fn missing(&self, _manifest: &Manifest) -> Result<Option<Error>> {
        Ok(None)
    }
}
