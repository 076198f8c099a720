//! What the machine has: the folder of the cache, its file system, processors.
//! Must not know what the cache holds.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// The folder of the cache.
#[derive(Debug, Serialize)]
pub(super) struct Folder {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Whether it is there.
    pub(super) exists: bool,
    /// Why nothing can be written there, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    /// Bytes of all files in it.
    pub(super) bytes: u64,
    /// Its file system, if the machine tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mount: Option<Mount>,
    /// Bytes that can still be written there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) free_bytes: Option<u64>,
}

/// A file system in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Mount {
    /// Folder that it is seen in.
    pub(super) folder: String,
    /// Its kind, such as `ext4`.
    pub(super) kind: String,
}

impl Folder {
    /// Looks at the folder, or at what it would be made in.
    pub(super) fn look(path: &Path) -> Folder {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let there = path.ancestors().find(|folder| folder.exists());
        let there = there.unwrap_or(Path::new("/"));
        let problem = match there.is_dir() {
            true => tempfile::tempfile_in(there)
                .err()
                .map(|cause| cause.to_string()),
            false => Some(format!("`{}` is no folder", there.display())),
        };
        let real = fs::canonicalize(there).unwrap_or_else(|_| there.to_owned());
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let space = rustix::fs::statvfs(there).ok();
        Folder {
            exists: path.is_dir(),
            problem,
            bytes: if path.is_dir() { size(&path) } else { 0 },
            mount: mount(&mounts, &real),
            free_bytes: space.map(|space| space.f_bavail.saturating_mul(space.f_frsize)),
            path,
        }
    }
}

/// Bytes of all files below a folder, as far as it can be read.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(facts) if facts.is_dir() => size(&entry.path()),
        Ok(facts) if facts.is_file() => facts.len(),
        _ => 0,
    });
    sizes.sum()
}

/// The file system that holds `path`, by the kernel's list: of those above it the lowest, and of these the last.
fn mount(list: &str, path: &Path) -> Option<Mount> {
    let mut found: Option<Mount> = None;
    for line in list.lines() {
        let Some((before, after)) = line.split_once(" - ") else {
            continue;
        };
        let (Some(folder), Some(kind)) = (before.split(' ').nth(4), after.split(' ').next()) else {
            continue;
        };
        let folder = octal(folder);
        let lower = found
            .as_ref()
            .is_none_or(|found| folder.len() >= found.folder.len());
        if path.starts_with(&folder) && lower {
            let kind = kind.to_owned();
            found = Some(Mount { folder, kind });
        }
    }
    found
}

/// Spaces and the like are written as `\040` in the kernel's list.
fn octal(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part
            .get(..3)
            .and_then(|code| u8::from_str_radix(code, 8).ok());
        match code {
            Some(code) => {
                plain.push(char::from(code));
                plain += &part[3..];
            }
            None => {
                plain.push('\\');
                plain += part;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_file_system_is_found() {
        let list = "1 0 0:1 / / rw - ext4 /dev/a rw\n2 1 0:2 / /home rw shared:1 - xfs /dev/b rw\n\
                    3 1 0:3 / /with\\040space rw - tmpfs none rw\n4 1 0:4 / /home rw - nfs there rw\n";
        let kind = |path: &str| mount(list, Path::new(path)).map(|mount| mount.kind);
        assert_eq!(kind("/homes/x").as_deref(), Some("ext4"));
        assert_eq!(kind("/home/x").as_deref(), Some("nfs"));
        assert_eq!(kind("/with space").as_deref(), Some("tmpfs"));
        assert_eq!(mount("", Path::new("/")), None);
        assert_eq!(octal("a\\9"), "a\\9");
    }

    #[test]
    fn a_folder_that_is_not_there_is_judged_by_the_one_above() {
        let dir = tempfile::tempdir().expect("folder");
        fs::write(dir.path().join("file"), "12345").expect("file");
        let folder = Folder::look(dir.path());
        assert_eq!((folder.exists, folder.bytes), (true, 5));
        assert!(folder.problem.is_none() && folder.free_bytes.is_some());
        let below = Folder::look(&dir.path().join("a/b"));
        assert!(!below.exists && below.problem.is_none());
        assert!(Folder::look(&dir.path().join("file/a")).problem.is_some());
    }
}
