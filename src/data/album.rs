//! `Album`: many files of pictures in a folder or in a zip archive, by name.
//! Must not know what pictures hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use walkdir::WalkDir;
use zip::ZipArchive;

use crate::error::{Error, Result};

/// Ends of the names of pictures, in lower case.
const ENDINGS: &[&str] = &[".jpg", ".jpeg", ".png"];
/// Most bytes of one file.
const MOST_BYTES: u64 = 1 << 26;
/// Most folders below each other.
const DEEPEST: usize = 32;

/// Files of pictures.
pub(super) struct Album {
    shown: String,
    place: Place,
    /// Relative names of all pictures, sorted, `/` between folders.
    names: BTreeSet<String>,
    /// Relative names of all folders.
    folders: BTreeSet<String>,
}

enum Place {
    Folder(PathBuf),
    Archive(Mutex<ZipArchive<BufReader<File>>>),
}

impl Album {
    /// Looks through a folder, with the folders in it, or a zip archive. Hidden files do not count.
    ///
    /// # Errors
    /// A tool error if it cannot be read, a user error if it is no archive or has no pictures.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let shown = path.display().to_string();
        let mut album = Album {
            place: Place::Folder(path.to_owned()),
            names: BTreeSet::new(),
            folders: BTreeSet::new(),
            shown,
        };
        match path.is_dir() {
            true => album.look_through(path)?,
            false => album.open_archive(path)?,
        }
        if album.names.is_empty() {
            return Err(
                Error::user(format!("there are no pictures in `{}`", album.shown))
                    .help("pictures are files whose names end in `.jpg`, `.jpeg` or `.png`"),
            );
        }
        Ok(album)
    }

    fn look_through(&mut self, path: &Path) -> Result<()> {
        let walk = WalkDir::new(path).follow_links(true).max_depth(DEEPEST);
        for entry in walk.min_depth(1) {
            let entry = entry.map_err(|cause| {
                let what = format!("cannot look through `{}`: {cause}", self.shown);
                match cause.loop_ancestor() {
                    Some(_) => Error::user(what).help("remove the link: it goes round"),
                    None => Error::tool(what),
                }
            })?;
            let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let Some(name) = below.to_str() else {
                return Err(Error::user(format!(
                    "the name of `{}` is not UTF-8",
                    entry.path().display()
                ))
                .help("rename it"));
            };
            match entry.file_type().is_dir() {
                true => self.enter(&format!("{name}/")),
                false => self.enter(name),
            }
        }
        Ok(())
    }

    fn open_archive(&mut self, path: &Path) -> Result<()> {
        let file = File::open(path).map_err(|cause| Error::io("read", path, &cause))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|cause| {
            Error::user(format!("`{}` is no zip archive: {cause}", self.shown)).help(
                "`path` in `[data]` takes `.npz`, `.npy`, IDX files, and archives or folders of pictures",
            )
        })?;
        let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
        for name in &names {
            self.enter(name);
        }
        self.place = Place::Archive(Mutex::new(archive));
        Ok(())
    }

    /// Notes a file, or a folder whose name ends in `/`, unless it is hidden.
    fn enter(&mut self, name: &str) {
        let hidden = |part: &str| part.starts_with('.') || part == "__MACOSX";
        if name.split('/').any(hidden) {
            return;
        }
        let lower = name.to_lowercase();
        let is_picture = ENDINGS.iter().any(|ending| lower.ends_with(ending));
        for (at, _) in name.match_indices('/') {
            self.folders.insert(name[..at].to_owned());
        }
        if is_picture {
            self.names.insert(name.to_owned());
        }
    }

    /// Where it is, as the user knows it.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Relative names of all pictures, sorted.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// The picture of that name; in an archive the folders around everything may be left out.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        let long = || match self.place {
            Place::Folder(_) => None,
            Place::Archive(_) => self.names.get(&format!("{}{name}", self.common_folder())),
        };
        self.names.get(name).or_else(long).map(String::as_str)
    }

    /// The class of each picture in the order of the names: the number of its folder among those beside it.
    /// `None` where the pictures are in no folders. In an archive, folders around everything do not count.
    ///
    /// # Errors
    /// A user error if some pictures are in folders and some are not.
    pub(super) fn classes(&self) -> Result<Option<Vec<i64>>> {
        let top = match self.place {
            Place::Folder(_) => String::new(),
            Place::Archive(_) => self.common_folder(),
        };
        let inside = |name: &str| name.strip_prefix(&top).map(str::to_owned);
        let folders = self.folders.iter().filter_map(|name| inside(name));
        let folders = folders.filter(|name| !name.contains('/') && !name.is_empty());
        let numbers: BTreeMap<String, i64> = folders.zip(0..).collect();
        let mut classes = Vec::new();
        for name in &self.names {
            let own = inside(name);
            let folder = own.as_ref().and_then(|own| own.split_once('/'));
            classes.push(folder.and_then(|(folder, _)| numbers.get(folder)).copied());
        }
        if classes.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut pairs = self.names.iter().zip(&classes);
        if let Some((name, _)) = pairs.find(|(_, class)| class.is_none()) {
            return Err(Error::user(format!(
                "picture `{name}` of `{}` is in no sub-folder, and others are: sub-folders are classes",
                self.shown
            ))
            .help("move it, or give the classes as `labels` in `[data]`"));
        }
        Ok(Some(classes.into_iter().flatten().collect()))
    }

    /// The folders that everything is in, ending in `/`.
    fn common_folder(&self) -> String {
        let mut top = String::new();
        loop {
            let first = self.names.first().and_then(|name| name.strip_prefix(&top));
            let Some((folder, _)) = first.and_then(|rest| rest.split_once('/')) else {
                return top;
            };
            let longer = format!("{top}{folder}/");
            if !self.names.iter().all(|name| name.starts_with(&longer)) {
                return top;
            }
            top = longer;
        }
    }

    /// The bytes of a picture. Only names of this album are read, so nothing outside of it is.
    ///
    /// # Errors
    /// A tool error if it cannot be read, a user error if it is damaged or too large.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>> {
        if !self.names.contains(name) {
            return Err(Error::user(format!(
                "there is no picture `{name}` in `{}`",
                self.shown
            )));
        }
        let mut bytes = Vec::new();
        let limit = MOST_BYTES + 1;
        let taken = match &self.place {
            Place::Folder(folder) => {
                let path = folder.join(name);
                let file = File::open(&path).map_err(|cause| Error::io("read", &path, &cause))?;
                let taken = file.take(limit).read_to_end(&mut bytes);
                taken.map_err(|cause| Error::io("read", &path, &cause))?
            }
            Place::Archive(archive) => {
                let mut archive = archive.lock().unwrap_or_else(PoisonError::into_inner);
                let damaged = |cause: String| self.about(name, format!("it is damaged: {cause}"));
                let entry = archive
                    .by_name(name)
                    .map_err(|cause| damaged(cause.to_string()))?;
                let taken = entry.take(limit).read_to_end(&mut bytes);
                taken.map_err(|cause| damaged(cause.to_string()))?
            }
        };
        match taken as u64 > MOST_BYTES {
            true => Err(self.about(name, "it has more than 64 MiB".to_owned())),
            false => Ok(bytes),
        }
    }

    fn about(&self, name: &str, what: String) -> Error {
        Error::user(what).within(self.naming(name))
    }

    /// The words for a picture in messages.
    pub(super) fn naming(&self, name: &str) -> String {
        format!("picture `{name}` of `{}`", self.shown)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;
    use std::io::Write;
    use zip::CompressionMethod;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn archive(folder: &Path, files: &[(&str, &[u8])]) -> PathBuf {
        let path = folder.join("set.zip");
        let mut writer = ZipWriter::new(File::create(&path).unwrap());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, bytes) in files {
            writer.start_file(*name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap();
        path
    }

    #[test]
    fn folders_and_archives_are_read_alike() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("set");
        let files: [(&str, &[u8]); 5] = [
            ("dog/b.JPG", b"1"),
            ("cat/a/x.png", b"2"),
            ("dog/a.jpeg", b"3"),
            ("dog/.hidden.png", b"4"),
            ("dog/notes.txt", b"5"),
        ];
        for (name, bytes) in files {
            fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs::write(root.join(name), bytes).unwrap();
        }
        // A class without pictures keeps its number.
        fs::create_dir(root.join("cow")).unwrap();
        let album = Album::open(&root).unwrap();
        let names: Vec<&String> = album.names().iter().collect();
        assert_eq!(names, ["cat/a/x.png", "dog/a.jpeg", "dog/b.JPG"]);
        assert_eq!(album.classes().unwrap(), Some(vec![0, 2, 2]));
        assert_eq!(album.read("dog/b.JPG").unwrap(), b"1");
        assert!(album.read("../set/dog/b.JPG").is_err());
        assert!(album.read("dog/notes.txt").is_err());

        assert!(album.find("a.jpeg").is_none());
        let named: Vec<(String, &[u8])> =
            files.map(|(name, b)| (format!("top/{name}"), b)).to_vec();
        let named: Vec<(&str, &[u8])> = named.iter().map(|(name, b)| (&**name, *b)).collect();
        let album = Album::open(&archive(folder.path(), &named)).unwrap();
        assert_eq!(album.classes().unwrap(), Some(vec![0, 1, 1]));
        assert_eq!(album.read("top/dog/a.jpeg").unwrap(), b"3");
        assert_eq!(album.find("dog/a.jpeg"), Some("top/dog/a.jpeg"));
    }

    #[test]
    fn classes_are_all_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let classes = |files: &[(&str, &[u8])]| {
            Album::open(&archive(folder.path(), files))
                .unwrap()
                .classes()
        };
        assert_eq!(classes(&[("a.png", b""), ("b.png", b"")]).unwrap(), None);
        assert_eq!(
            classes(&[("x/a.png", b""), ("x/b.png", b"")]).unwrap(),
            None
        );
        let error = classes(&[("x/a.png", b""), ("b.png", b"")]).unwrap_err();
        assert!(
            error.message().starts_with("picture `b.png` of `"),
            "{error}"
        );
    }

    #[test]
    fn hostile_archives_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let zeros = vec![0; MOST_BYTES as usize + 10];
        let path = archive(folder.path(), &[("../out.png", b"7"), ("bomb.png", &zeros)]);
        let album = Album::open(&path).unwrap();
        let names: Vec<&String> = album.names().iter().collect();
        assert_eq!(names, ["bomb.png"]);
        assert!(album.read("../out.png").is_err());
        let error = album.read("bomb.png").unwrap_err();
        assert!(
            error.message().ends_with("it has more than 64 MiB"),
            "{error}"
        );
        let mut bytes = fs::read(&path).unwrap();
        for byte in &mut bytes[60..90] {
            *byte ^= 0xff;
        }
        fs::write(&path, &bytes).unwrap();
        let read = Album::open(&path).and_then(|album| album.read("bomb.png"));
        assert_eq!(read.unwrap_err().kind(), crate::error::Kind::User);
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        assert_eq!(
            Album::open(&path).err().unwrap().kind(),
            crate::error::Kind::User
        );
        let empty = tempfile::tempdir().unwrap();
        let error = Album::open(empty.path()).err().unwrap();
        assert!(
            error.message().starts_with("there are no pictures in"),
            "{error}"
        );
        fs::write(empty.path().join("a.png"), b"").unwrap();
        std::os::unix::fs::symlink(empty.path(), empty.path().join("round")).unwrap();
        let error = Album::open(empty.path()).err().unwrap();
        assert_eq!(error.remedy(), Some("remove the link: it goes round"));
    }
}
