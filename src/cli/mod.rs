//! The door: commands, their options, and everything that is printed.
//! The only module that prints; must not know how a network is built.

mod answer;
mod area;
mod boards;
mod build;
mod call;
mod check;
mod clean;
mod crash;
mod doctor;
mod draw;
mod eval;
mod explain;
mod export;
mod finished;
mod graph;
mod import;
mod import_finn;
mod machine;
mod new;
mod output;
mod progress;
mod run;
mod schema;
mod screen;
mod show;
mod signal;
mod story;
mod sweep;
mod table;
mod trial;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{ArgAction, Parser, Subcommand, ValueEnum};

use crate::error::{Error, Result};
use crate::tool::Cancel;
use answer::Answer;
use call::Call;
use finished::{Counts, Finished};
use screen::Screen;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Quantised ONNX networks to FPGA accelerators: bit-exact, streaming, reproducible.
#[derive(Parser)]
#[command(name = "finnp", version, styles = STYLES, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 ok, 1 the design fails, 2 usage, manifest or model, 3 tool or \
machine, 4 lock held,\n5 not reproducible, 6 cache corrupt, 7 timeout, 101 bug in finnp, 130/143 signals."
)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// Options that all commands take.
#[derive(clap::Args)]
#[command(next_help_heading = "Options of all commands")]
struct Options {
    /// Folder of the project, the one that holds `accel.toml`
    #[arg(short = 'C', value_name = "DIR", global = true, default_value = ".")]
    #[arg(hide_default_value = true)]
    dir: PathBuf,
    /// Override a value of the manifest, such as `target.fps=1000` or `layer.fc1.pe=8`; may be repeated
    #[arg(long, value_name = "KEY=VALUE", global = true, action = ArgAction::Append)]
    set: Vec<String>,
    /// How many jobs run at once; all processors if absent
    #[arg(long, value_name = "N", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Print one JSON object a line, the last one with `"event":"finished"`
    #[arg(long, global = true)]
    json: bool,
    /// Print errors and what was asked for, nothing else
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print a line for every job
    #[arg(long, short, global = true)]
    verbose: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = Color::Auto)]
    #[arg(hide_default_value = true)]
    color: Color,
    /// Folder of the cache; `FINNP_CACHE_DIR`, else the user's cache folder if absent
    #[arg(long, value_name = "DIR", global = true)]
    cache_dir: Option<PathBuf>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The table of commands: one file and one line each.
#[derive(Subcommand)]
enum Command {
    New(new::New),
    Check(check::Check),
    Build(build::Build),
    Run(run::Run),
    Eval(eval::Eval),
    Show(show::Show),
    Graph(graph::Graph),
    Explain(explain::Explain),
    Import(import::Import),
    Export(export::Export),
    ImportFinn(import_finn::ImportFinn),
    Clean(clean::Clean),
    Doctor(doctor::Doctor),
    Boards(boards::Boards),
    Schema(schema::Schema),
}

impl Command {
    fn run(&self, call: &Call) -> Result<Answer> {
        match self {
            Command::New(command) => command.run(call),
            Command::Check(command) => command.run(call),
            Command::Build(command) => command.run(call),
            Command::Run(command) => command.run(call),
            Command::Eval(command) => command.run(call),
            Command::Show(command) => command.run(call),
            Command::Graph(command) => command.run(call),
            Command::Explain(command) => command.run(call),
            Command::Import(command) => command.run(call),
            Command::Export(command) => command.run(call),
            Command::ImportFinn(command) => command.run(call),
            Command::Clean(command) => command.run(call),
            Command::Doctor(command) => command.run(call),
            Command::Boards(command) => command.run(call),
            Command::Schema(command) => command.run(),
        }
    }
}

/// Version of finnp, with the first digits of the hash of its own sources.
fn version() -> String {
    let (hash, _) = env!("FINNP_SOURCE_HASH").split_at(12);
    format!("finnp {} ({hash})", env!("CARGO_PKG_VERSION"))
}

/// Does what the command line of this process says; prints the outcome and returns the exit code.
pub fn main() -> ExitCode {
    let start = Instant::now();
    crash::watch();
    let words: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(mut arguments) => {
            arguments.options.set = settings(&words);
            arguments
        }
        Err(error) => return usage(&error, &words, start),
    };
    let cancel = Cancel::default();
    let call = Call::new(arguments.options, cancel.clone(), start);
    let outcome = crash::guard(|| {
        signal::watch(cancel)?;
        arguments.command.run(&call)
    });
    call.end(outcome)
}

/// The settings in their order. Of an option that stands before and behind the command, clap forgets the former.
fn settings(words: &[OsString]) -> Vec<String> {
    let mut settings = Vec::new();
    let mut words = words
        .iter()
        .map(|word| word.to_string_lossy())
        .take_while(|word| word != "--");
    while let Some(word) = words.next() {
        match word.strip_prefix("--set") {
            Some("") => settings.extend(words.next().map(|word| word.into_owned())),
            Some(rest) => settings.extend(rest.strip_prefix('=').map(str::to_owned)),
            None => {}
        }
    }
    settings
}

/// Ends a call that clap did not understand, or that asks for help or the version.
fn usage(error: &clap::Error, words: &[OsString], start: Instant) -> ExitCode {
    let said = |word: &str| words.iter().any(|given| given == word);
    let color = match words.iter().position(|word| word == "--color") {
        Some(at) if words.get(at + 1).is_some_and(|when| when == "never") => Color::Never,
        Some(at) if words.get(at + 1).is_some_and(|when| when == "always") => Color::Always,
        None if said("--color=never") => Color::Never,
        None if said("--color=always") => Color::Always,
        _ => Color::Auto,
    };
    let screen = Screen::new(color);
    let text = |colour: bool| match colour {
        true => error.render().ansi().to_string(),
        false => error.render().to_string(),
    };
    match error.kind() {
        ErrorKind::DisplayVersion => screen.out(&(version() + "\n")),
        ErrorKind::DisplayHelp => screen.out(&text(screen.colour_out())),
        _ if said("--json") => {
            let text = text(false);
            let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let rest = rest.lines().map(str::trim).filter(|line| !line.is_empty());
            let help = rest.collect::<Vec<_>>().join("; ");
            let error = Error::user(first.trim_start_matches("error: ")).help(help);
            let finished = Finished::new(Counts::default(), start, Err(&error), None);
            screen.out(&finished.line());
            return ExitCode::from(2);
        }
        _ => {
            screen.err(&text(screen.colour_err()));
            return ExitCode::from(2);
        }
    }
    screen.end(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn options_and_commands_are_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn settings_count_wherever_they_stand() {
        let words = [
            "finnp",
            "--set",
            "a=1",
            "check",
            "--set=b=--set",
            "--settle",
            "--",
            "--set",
            "c=1",
        ];
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        assert_eq!(settings(&words), ["a=1", "b=--set"]);
    }

    #[test]
    fn a_panic_is_a_bug() {
        let error = crash::guard::<()>(|| panic!("no {}", 7)).unwrap_err();
        assert_eq!(error.kind().exit_code(), 101);
        assert!(
            error.message().starts_with("this is a bug in finnp: "),
            "{error}"
        );
    }
}
