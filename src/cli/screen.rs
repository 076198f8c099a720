//! The two streams that finnp writes to, and whether they show colours.
//! The only place that touches them; must not know what is written.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use super::Color;
use crate::error::Kind;

/// Standard output and standard error of this process.
pub(super) struct Screen {
    color: Color,
    /// What became of standard output: nothing is written once it failed.
    failure: Mutex<Option<io::Error>>,
}

impl Screen {
    /// The streams with the user's wish about colours.
    pub(super) fn new(color: Color) -> Self {
        Screen {
            color,
            failure: Mutex::new(None),
        }
    }

    /// Whether standard output shows colours.
    pub(super) fn colour_out(&self) -> bool {
        self.colour(io::stdout().is_terminal())
    }

    /// Whether standard error shows colours.
    pub(super) fn colour_err(&self) -> bool {
        self.colour(io::stderr().is_terminal())
    }

    fn colour(&self, terminal: bool) -> bool {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                terminal
                    && set("NO_COLOR").is_none()
                    && set("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }

    /// Writes `text` as it is to standard output.
    pub(super) fn out(&self, text: &str) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() && !text.is_empty() {
            let mut stream = io::stdout().lock();
            let written = stream
                .write_all(text.as_bytes())
                .and_then(|()| stream.flush());
            *failure = written.err();
        }
    }

    /// Writes `text` as it is to standard error. If that fails there is nobody left to tell.
    pub(super) fn err(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// The exit code of the process, which is `code` unless output was lost. A reader that left,
    /// as `head` does, has seen what it wanted.
    pub(super) fn end(&self, code: u8) -> ExitCode {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &*failure {
            Some(cause) if code == 0 && cause.kind() != ErrorKind::BrokenPipe => {
                self.err(&format!("cannot write to standard output: {cause}\n"));
                ExitCode::from(Kind::Tool.exit_code())
            }
            _ => ExitCode::from(code),
        }
    }
}
