//! Tests of the store: what goes in comes out, and damage is never handed on.
//! Must not know builds.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::*;
use crate::sweep::collect;

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(dir.path(), Durability::Fast).unwrap()
}

/// Changes a file in place as a failing disk would: same size.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[0] ^= 1;
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    fs::write(path, bytes).unwrap();
}

fn outputs(store: &Store, contents: &[u8]) -> BTreeMap<String, Blob> {
    let blob = store.put_bytes(contents).unwrap();
    BTreeMap::from([("out".to_owned(), blob)])
}

#[test]
fn round_trip() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Durability::Safe).unwrap();
    let from = dir.path().join("from");
    fs::write(&from, b"hello").unwrap();
    let blob = store.put_file(&from).unwrap();
    assert_eq!(blob, store.put_bytes(b"hello").unwrap());
    assert_eq!(store.read(&blob).unwrap().unwrap(), b"hello");
    let to = dir.path().join("to");
    assert!(store.materialize(&blob, &to, 0o644).unwrap());
    assert_eq!(fs::read(&to).unwrap(), b"hello");
    assert_eq!(store.lookup("key\n").unwrap(), None);
    let made = BTreeMap::from([("a/b".to_owned(), blob)]);
    let action = store.commit("key\n", made.clone()).unwrap();
    assert_eq!(action, Digest::of(b"key\n"));
    assert_eq!(store.lookup("key\n").unwrap().unwrap().outputs, made);
    assert!(store.verify().unwrap().is_clean());
}

#[test]
fn a_flipped_bit_is_put_aside_and_counts_as_missing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let made = outputs(&store, b"bytes");
    store.commit("key", made.clone()).unwrap();
    let blob = made["out"];
    flip(&store.blob_path(&blob.digest));
    let to = dir.path().join("to");
    assert!(!store.materialize(&blob, &to, 0o644).unwrap());
    assert!(!to.exists());
    assert_eq!(store.read(&blob).unwrap(), None);
    assert_eq!(store.lookup("key").unwrap(), None);
    let aside = dir.path().join("v1/quarantine");
    assert_eq!(fs::read_dir(aside).unwrap().count(), 1);
    store.put_bytes(b"bytes").unwrap();
    assert!(store.lookup("key").unwrap().is_some());
}

#[test]
fn a_damaged_record_is_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let made = outputs(&store, b"bytes");
    let action = store.commit("key", made.clone()).unwrap();
    let path = sharded(&dir.path().join("v1/action"), &action);
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for text in [
        &whole[..whole.len() / 2],
        b"",
        String::from_utf8_lossy(&whole)
            .replace("\"out\"", "\"our\"")
            .as_bytes(),
    ] {
        fs::write(&path, text).unwrap();
        assert_eq!(store.lookup("key").unwrap(), None);
    }
    store.commit("key", made).unwrap();
    assert!(store.lookup("key").unwrap().is_some());
}

#[test]
fn a_record_without_its_blob_is_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let made = outputs(&store, b"bytes");
    let action = store.commit("key", made.clone()).unwrap();
    fs::remove_file(store.blob_path(&made["out"].digest)).unwrap();
    assert_eq!(store.lookup("key").unwrap(), None);
    assert_eq!(store.verify().unwrap().incomplete_records, [action]);
    assert!(store.verify().unwrap().is_clean());
}

#[test]
fn a_blob_of_the_wrong_size_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let blob = store.put_bytes(b"bytes").unwrap();
    let path = store.blob_path(&blob.digest);
    fs::remove_file(&path).unwrap();
    fs::write(&path, b"").unwrap();
    assert_eq!(store.put_bytes(b"bytes").unwrap(), blob);
    assert_eq!(store.read(&blob).unwrap().unwrap(), b"bytes");
}

#[test]
fn two_threads_put_the_same_blob() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    let bytes = vec![7; 1 << 20];
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for turn in 0..20_u8 {
                    let mut bytes = bytes.clone();
                    bytes[0] = turn;
                    let blob = store.put_bytes(&bytes).unwrap();
                    assert_eq!(store.read(&blob).unwrap().unwrap(), bytes);
                }
            });
        }
    });
    assert_eq!(store.verify().unwrap().blobs, 20);
}

#[test]
fn scratch_goes_when_dropped_or_when_its_process_died() {
    let dir = tempfile::tempdir().unwrap();
    let tmp = dir.path().join("v1/tmp");
    let count = || fs::read_dir(&tmp).unwrap().count();
    let store = open(&dir);
    let scratch = store.scratch().unwrap();
    let path = scratch.path().to_owned();
    fs::write(path.join("file"), b"x").unwrap();
    drop(open(&dir));
    assert!(path.exists(), "a folder in use was removed");
    drop(scratch);
    assert!(!path.exists());
    drop(store);
    assert_eq!(count(), 0);
    fs::create_dir(tmp.join("1-1")).unwrap();
    fs::write(tmp.join("1-1/file"), b"x").unwrap();
    fs::write(tmp.join("1-1.lock"), b"1\n").unwrap();
    drop(open(&dir));
    assert_eq!(count(), 0);
}

#[test]
fn collection_forgets_the_least_recently_used() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    for (age, name) in ["new", "middle", "old"].iter().enumerate() {
        let action = store
            .commit(name, outputs(&store, name.as_bytes()))
            .unwrap();
        let path = sharded(&dir.path().join("v1/action"), &action);
        let used = SystemTime::now() - Duration::from_secs(60 * age as u64);
        File::open(path).unwrap().set_modified(used).unwrap();
    }
    assert_eq!(collect(dir.path(), 9, false).unwrap(), None);
    drop(store);
    let collected = collect(dir.path(), 9, false).unwrap().unwrap();
    assert_eq!((collected.records, collected.blobs), (1, 1));
    assert_eq!((collected.bytes, collected.kept_bytes), (3, 9));
    let store = open(&dir);
    assert!(store.lookup("new").unwrap().is_some());
    assert!(store.lookup("middle").unwrap().is_some());
    assert!(store.lookup("old").unwrap().is_none());
    assert!(store.verify().unwrap().is_clean());
}
