//! Checks every byte of a store.
//! Must not repair: what is damaged is put aside and made again by the next build that needs it.

use std::fs;
use std::io;

use super::named_files;
use crate::action::Record;
use crate::blob::copy_hashed;
use crate::digest::Digest;
use crate::error::{Doing, Result};
use crate::store::{Store, open_existing};

/// What a check of all of a store found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// How many blobs are whole.
    pub blobs: usize,
    /// How many records are whole and have all their blobs.
    pub records: usize,
    /// Blobs whose bytes were not those of their name; now in quarantine.
    pub damaged_blobs: Vec<Digest>,
    /// Records that could not be read; now in quarantine.
    pub damaged_records: Vec<Digest>,
    /// Records with a missing blob; now removed.
    pub incomplete_records: Vec<Digest>,
}

impl Verified {
    /// Whether nothing was wrong.
    pub fn is_clean(&self) -> bool {
        self.damaged_blobs.is_empty()
            && self.damaged_records.is_empty()
            && self.incomplete_records.is_empty()
    }
}

impl Store {
    /// Reads everything in the store. Afterwards nothing damaged is left in its place.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn verify(&self) -> Result<Verified> {
        let mut verified = Verified::default();
        for (digest, path) in named_files(&self.root().join("cas"))? {
            let Some(mut file) = open_existing(&path)? else {
                continue;
            };
            let found = copy_hashed(&mut file, &mut io::sink()).doing("read", &path)?;
            if found.digest == digest {
                verified.blobs += 1;
            } else {
                self.quarantine(&path)?;
                verified.damaged_blobs.push(digest);
            }
        }
        for (action, path) in named_files(&self.root().join("action"))? {
            let text = fs::read(&path).doing("read", &path)?;
            match Record::parse(&text, &action) {
                None => {
                    self.quarantine(&path)?;
                    verified.damaged_records.push(action);
                }
                Some(record) if self.lookup(&record.key)?.is_none() => {
                    self.forget(&action)?;
                    verified.incomplete_records.push(action);
                }
                Some(_) => verified.records += 1,
            }
        }
        Ok(verified)
    }
}
