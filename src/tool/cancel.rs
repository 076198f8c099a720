//! The wish to stop, raised from a signal and looked at wherever something may take long.
//! Must not know who raises it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Kind, Result};

/// Shared by all who may stop or be stopped. Clones are the same wish.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicU8>);

impl Cancel {
    /// Asks everything to stop because of the signal with this number (2 for Ctrl-C, 15 for `kill`).
    pub fn request(&self, signal: u8) {
        self.0.store(signal, Ordering::SeqCst);
    }

    /// The signal's number, if one came.
    pub fn requested(&self) -> Option<u8> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Fails once a signal came.
    ///
    /// # Errors
    /// [`Kind::Interrupted`].
    pub fn check(&self) -> Result<()> {
        match self.requested() {
            None => Ok(()),
            Some(signal) => Err(Error::new(
                Kind::Interrupted(signal),
                format!("stopped by signal {signal}"),
            )
            .help("what was finished is kept: the next build goes on from there")),
        }
    }
}
