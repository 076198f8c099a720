//! Desks of long computations: events and cancelling from the engine, and a file in the cache for each.
//! Must not know what is computed.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use super::event::{Event, Sink};
use crate::error::{Error, Result};
use crate::stage::Desk;
use crate::tool::Cancel;

/// The desk of one job.
pub(super) struct JobDesk<'a> {
    pub(super) stage: &'static str,
    pub(super) job: &'a str,
    pub(super) cancel: &'a Cancel,
    pub(super) sink: Sink<'a>,
    /// Where it leaves bytes; named by the job's key, and removed when the job is done.
    pub(super) file: PathBuf,
}

impl Desk for JobDesk<'_> {
    fn told(&self, done: usize, all: usize) -> Result<()> {
        self.cancel.check()?;
        (self.sink)(Event::Worked {
            stage: self.stage,
            job: self.job.to_owned(),
            done,
            all,
        });
        Ok(())
    }

    fn left(&self) -> Option<Vec<u8>> {
        fs::read(&self.file).ok()
    }

    fn leave(&self, bytes: &[u8]) -> Result<()> {
        let failed = |cause| Error::io("write", &self.file, &cause);
        let folder = self.file.parent().unwrap_or(&self.file);
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        let moved = file.persist(&self.file);
        moved.map_err(|cause| failed(cause.error))?;
        Ok(())
    }
}

impl JobDesk<'_> {
    /// Removes what was left.
    pub(super) fn clear(&self) {
        // It may never have been there.
        let _ = fs::remove_file(&self.file);
    }
}
