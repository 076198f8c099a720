//! `finnp import-finn`: a configuration of FINN as tables of a manifest.
//! Must not know what FINN's names mean.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::answer::Answer;
use super::call::{Call, shown};
use super::output;
use super::table::count;
use crate::dataflow::Dataflow;
use crate::error::{Error, Result};
use crate::finn::{self, Config, Folding, Settings, Taken};
use crate::manifest::FILE_NAME;
use crate::stage;

/// Largest configuration that is read, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// Turn a folding or build configuration of FINN into tables of `accel.toml`
#[derive(clap::Args)]
pub(super) struct ImportFinn {
    /// FINN's file: layers with their PE and SIMD, or the options of a build, in JSON or YAML
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// New file to write the tables to; they are printed if absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl ImportFinn {
    pub(super) fn run(&self, call: &Call) -> Result<Answer> {
        if let Some(file) = &self.output {
            output::check_folder(file)?;
            // Said before the network is read, which may take a while; the file is made only if it is new.
            if file.exists() {
                return Err(there(file));
            }
        }
        let project = call.options.dir.join(FILE_NAME).exists();
        let config = read(&self.file)?;
        let dataflow = match project {
            true => Some(network(call)?),
            false => None,
        };
        let taken = self.taken(&config, dataflow.as_ref())?;
        let manifest = taken.manifest(&name(&self.file), project);
        let mut answer = match &self.output {
            None => Answer::text(manifest.clone()),
            Some(file) => {
                create(file, &manifest)?;
                let mut answer = Answer::text(taken.list());
                answer.note = format!(
                    "{}: {}; {} not taken over\n",
                    shown(file),
                    count(taken.folding.entries.len(), "layer"),
                    count(taken.left().iter().map(|left| left.keys.len()).sum(), "key"),
                );
                answer.with("output", file.display().to_string())
            }
        };
        answer.warnings.clone_from(&taken.folding.warnings);
        let entries = &taken.folding.entries;
        if !project && !entries.is_empty() {
            answer.warnings.push(format!(
                "there is no `{FILE_NAME}` here, so FINN's names of layers stay, as comments: in a project (`-C DIR`) they become those of the network"
            ));
        }
        let layers = entries.iter().map(|entry| {
            json!({"finn": entry.finn, "layer": entry.layer, "pe": entry.pe, "simd": entry.simd})
        });
        let Settings {
            board,
            clock_mhz,
            fps,
            ..
        } = &taken.settings;
        Ok(answer
            .with("board", json!(board.map(|board| &board.name)))
            .with("clock_mhz", json!(clock_mhz))
            .with("fps", json!(fps))
            .with("layers", layers.collect::<Vec<_>>())
            .with("left", json!(taken.left()))
            .with("manifest", manifest))
    }

    /// What both files say, where a build names another one with its folding.
    fn taken(&self, config: &Config, dataflow: Option<&Dataflow>) -> Result<Taken> {
        let options = match config {
            Config::Folding(layers) => {
                return Ok(Taken::new(
                    Settings::default(),
                    finn::folding(layers, dataflow),
                ));
            }
            Config::Build(options) => options,
        };
        let settings = finn::settings(options);
        let mut folding = Folding::default();
        if let Some(file) = &settings.folding {
            let beside = self.file.parent().unwrap_or(Path::new("")).join(file);
            if !beside.is_file() {
                folding.warnings.push(format!(
                    "the folding that it names, `{}`, is not there: no layers were taken over",
                    beside.display()
                ));
            } else if let Config::Folding(layers) = read(&beside)? {
                folding = finn::folding(&layers, dataflow);
            } else {
                return Err(Error::user(format!(
                    "`{}` is no folding configuration, though `folding_config_file` names it",
                    beside.display()
                )));
            }
        }
        Ok(Taken::new(settings, folding))
    }
}

/// The project's network before it is folded.
fn network(call: &Call) -> Result<Dataflow> {
    let manifest = call.manifest()?;
    let built = call.reach(&manifest, "reorder")?;
    stage::unfolded(&built)
}

fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str());
    // A name may hold anything, a comment must stay on its line.
    name.to_string_lossy().escape_debug().collect()
}

fn read(file: &Path) -> Result<Config> {
    let facts = fs::metadata(file).map_err(|cause| match cause.kind() {
        ErrorKind::NotFound => Error::user(format!("there is no file `{}`", file.display()))
            .help("give a folding or build configuration of FINN"),
        _ => Error::io("read", file, &cause),
    })?;
    if !facts.is_file() || facts.len() > MOST_BYTES {
        return Err(Error::user(format!(
            "`{}` is no configuration: it is no file, or larger than 16 MiB",
            file.display()
        )));
    }
    let bytes = fs::read(file).map_err(|cause| Error::io("read", file, &cause))?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Error::user(format!("`{}` is not UTF-8 text", file.display()))
            .help("FINN's configurations are JSON or YAML")
    })?;
    finn::read(&file.display().to_string(), &text)
}

fn there(file: &Path) -> Error {
    Error::user(format!("`{}` is there already", file.display())).help(
        "choose another name: finnp overwrites no manifest; without `-o` the tables are printed",
    )
}

fn create(file: &Path, text: &str) -> Result<()> {
    let made = fs::File::create_new(file).and_then(|mut file| file.write_all(text.as_bytes()));
    made.map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => there(file),
        _ => Error::io("write", file, &cause),
    })
}
