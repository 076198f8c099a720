//! Sets of all forms, sound and damaged.
//! Must not know how files are decoded.

#![allow(clippy::unwrap_used)]
use super::*;
use crate::data::write_npz;
use crate::dataflow::StreamId;
use crate::network::Coding;
use crate::tensor::PerChannel;
use std::fs;
use std::path::Path;

/// A project in `dir` whose section `[data]` has these lines.
fn manifest(dir: &Path, lines: &str) -> Manifest {
    fs::write(dir.join("model.onnx"), b"").unwrap();
    let text = format!(
        "[project]\nname = \"a\"\n[model]\npath = \"model.onnx\"\n[target]\nboard = \"zcu104\"\n[data]\n{lines}\n"
    );
    crate::manifest::parse(&text, "accel.toml", dir, &[]).unwrap()
}

fn open(dir: &Path, lines: &str) -> Result<Dataset> {
    Dataset::open(&manifest(dir, lines))
}

fn refused(dir: &Path, lines: &str) -> Error {
    let set = open(dir, lines);
    let error = set.and_then(|set| set.batch(0..set.len())).unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::User, "{error}");
    error
}

fn array(shape: &[usize], values: Values) -> Array {
    Array {
        shape: shape.to_vec(),
        values,
    }
}

fn reals(array: Array) -> Vec<f64> {
    match array.values {
        Values::Real(values) => values,
        Values::Integer(_) => panic!("integers"),
    }
}

fn picture(dir: &Path, name: &str, side: u32, pixel: [u8; 3]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let image = image::RgbImage::from_pixel(side, side, image::Rgb(pixel));
    image.save(path).unwrap();
}

fn pixels(dir: &Path) {
    let x = array(&[4, 3, 1, 2], Values::Integer((0..24).collect()));
    let y = array(&[4], Values::Integer(vec![5, 6, 7, 8]));
    fs::write(
        dir.join("x.npz"),
        write_npz(&[("x", &x), ("y", &y)]).unwrap(),
    )
    .unwrap();
}

#[test]
fn a_part_of_arrays_is_read() {
    let dir = tempfile::tempdir().unwrap();
    pixels(dir.path());
    let set = open(
        dir.path(),
        "path = \"x.npz\"\nskip = 1\nsamples = 2\nlabel_offset = -5",
    )
    .unwrap();
    assert_eq!((set.len(), set.labels()), (2, Some(&[1, 2][..])));
    let batch = set.batch(1..2).unwrap();
    assert_eq!(batch.shape, [1, 3, 1, 2]);
    assert_eq!(batch.values, Values::Integer((12..18).collect()));
    assert!(set.batch(1..3).is_err());
    let set = open(
        dir.path(),
        "path = \"x.npz\"\nskip = 3\nsamples = 9\ny = \"y\"",
    )
    .unwrap();
    assert_eq!(set.len(), 1);
    let error = refused(dir.path(), "path = \"x.npz\"\nskip = 4");
    assert_eq!(error.place().unwrap().text(), "4");
}

#[test]
fn integers_are_pixels_where_the_manifest_normalises() {
    let dir = tempfile::tempdir().unwrap();
    pixels(dir.path());
    let half = "path = \"x.npz\"\nmean = 0.5019607843137255\nstd = 0.5019607843137255";
    let values = reals(open(dir.path(), half).unwrap().batch(0..1).unwrap());
    for (pixel, value) in values.iter().enumerate() {
        assert!((value - (pixel as f64 - 128.0) / 128.0).abs() < 1e-12);
    }
    let each = "path = \"x.npz\"\nmean = [0, 0.5, 0]\nstd = [1, 1, 0.25]";
    let values = reals(open(dir.path(), each).unwrap().batch(1..2).unwrap());
    let expected = [6.0, 7.0, 8.0 - 127.5, 9.0 - 127.5, 40.0, 44.0].map(|p: f64| p / 255.0);
    assert!(
        values
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-12),
        "{values:?}"
    );
    let error = refused(dir.path(), "path = \"x.npz\"\nmean = [0, 1]");
    assert_eq!(error.place().unwrap().text(), "[0, 1]");

    let large = array(&[2, 1], Values::Integer(vec![7, 256]));
    let real = array(&[2, 1], Values::Real(vec![0.5, 1.5]));
    fs::write(
        dir.path().join("o.npz"),
        write_npz(&[("x", &large), ("r", &real)]).unwrap(),
    )
    .unwrap();
    let error = refused(dir.path(), "path = \"o.npz\"\nstd = 0.5");
    assert_eq!(
        error.message().split_once(": ").unwrap().1,
        "`x[1, 0]` is 256, which is no pixel"
    );
    let error = refused(dir.path(), "path = \"o.npz\"\nstd = 0.5\nx = \"r\"");
    assert_eq!(error.place().unwrap().text(), "0.5");
    // Without a mean they are what they are.
    let set = open(dir.path(), "path = \"o.npz\"\nx = \"r\"").unwrap();
    assert_eq!(reals(set.batch(0..2).unwrap()), [0.5, 1.5]);
}

#[test]
fn pictures_come_in_the_order_of_the_table() {
    let dir = tempfile::tempdir().unwrap();
    for (name, level) in [("a/1.png", 10), ("a/2.png", 20), ("b/3.png", 30)] {
        picture(&dir.path().join("set"), name, 2, [level, 0, 255]);
    }
    let set = open(dir.path(), "path = \"set\"\nstd = 0.00392156862745098").unwrap();
    assert_eq!(set.labels(), Some(&[0, 0, 1][..]));
    let first = reals(set.batch(0..3).unwrap());
    let near = |values: &[f64], at: usize, value: f64| (values[at] - value).abs() < 1e-9;
    assert!(near(&first, 0, 10.0) && near(&first, 8, 255.0) && near(&first, 12, 20.0));

    let table = "id,class,comment\nb/3.png,7,\"a, b\"\na/1.png, 4 ,\n";
    fs::write(dir.path().join("t.csv"), table).unwrap();
    let lines = "path = \"set\"\nlabels = \"t.csv\"\nfile_column = \"id\"\nlabel_column = \"class\"\n\
                 std = 0.00392156862745098\nchannels = \"BGR\"";
    let listed = open(dir.path(), lines).unwrap();
    assert_eq!(listed.labels(), Some(&[7, 4][..]));
    let values = reals(listed.batch(0..2).unwrap());
    assert!(near(&values, 0, 255.0) && near(&values, 8, 30.0) && near(&values, 20, 10.0));
    // The integers of a network's input, whatever its axes.
    let mut input = Input {
        name: "x".into(),
        stream: StreamId(0),
        shape: vec![1, 3, 2, 2],
        coding: Coding::scaled(PerChannel::Same(1.0)),
        quantiser: None,
    };
    let frames = listed
        .frames(1..2, &input, DataType::Uint(8))
        .unwrap()
        .frames;
    assert_eq!(frames, [[255, 255, 255, 255, 0, 0, 0, 0, 10, 10, 10, 10]]);
    input.shape = vec![1, 12];
    assert_eq!(
        listed
            .frames(1..2, &input, DataType::Uint(8))
            .unwrap()
            .frames,
        frames
    );
    input.shape = vec![1, 1, 2, 2];
    let error = listed.frames(1..2, &input, DataType::Uint(8)).unwrap_err();
    assert!(error.remedy().unwrap().contains("`channels`"), "{error:?}");
}

#[test]
fn what_is_wrong_with_pictures_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let set = dir.path().join("set");
    picture(&set, "a.png", 4, [1; 3]);
    picture(&set, "b.png", 5, [1; 3]);
    let error = refused(dir.path(), "path = \"set\"");
    assert!(
        error.message().starts_with("picture `b.png` of "),
        "{error}"
    );
    assert!(
        error
            .message()
            .ends_with("it is 5 x 5, and others are 4 x 4"),
        "{error}"
    );
    let error = refused(dir.path(), "path = \"set\"\ncrop = 5");
    assert!(
        error.message().starts_with("picture `a.png` of "),
        "{error}"
    );
    let set = open(dir.path(), "path = \"set\"\nresize = 4").unwrap();
    assert_eq!(set.batch(0..2).unwrap().shape, [2, 3, 4, 4]);
    assert_eq!(set.labels(), None);
    fs::write(dir.path().join("set/b.png"), b"\x89PNG\r\n\x1a\nnothing").unwrap();
    let error = refused(dir.path(), "path = \"set\"");
    assert!(error.message().contains("`b.png`"), "{error}");

    for (table, message) in [
        (
            "file,label\na.png,0\nc.png,1\n",
            "line 3: there is no picture `c.png`",
        ),
        (
            "file,label\n../model.onnx,0\n",
            "there is no picture `../model.onnx`",
        ),
        (
            "file,label\na.png,cat\n",
            "line 2: `cat` in the column `label` is no integer",
        ),
        ("file,label\na.png\n", "is no table"),
        ("file,labels\na.png,0\n", "has no column `label`"),
        ("", "has no column `file`"),
    ] {
        fs::write(dir.path().join("t.csv"), table).unwrap();
        let error = refused(dir.path(), "path = \"set\"\nlabels = \"t.csv\"");
        assert!(error.message().contains(message), "{error}");
    }
}

#[test]
fn keys_that_have_no_effect_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    pixels(dir.path());
    picture(dir.path(), "set/a.png", 4, [1; 3]);
    fs::write(dir.path().join("l.idx"), [0, 0, 8, 1, 0, 0, 0, 1, 3]).unwrap();
    for (lines, at) in [
        ("path = \"set\"\nx = \"a\"", "\"a\""),
        ("path = \"x.npz\"\nresize = 32", "32"),
        ("path = \"x.npz\"\nchannels = \"grey\"", "\"grey\""),
        ("path = \"x.npz\"\ny = \"y\"\nlabels = \"l.idx\"", "\"y\""),
        ("path = \"x.npz\"\nx = \"images\"", "\"images\""),
        ("path = \"x.npz\"\ny = \"images\"", "\"images\""),
    ] {
        assert_eq!(
            refused(dir.path(), lines).place().unwrap().text(),
            at,
            "{lines}"
        );
    }
    let error = refused(dir.path(), "path = \"x.npz\"\nlabels = \"l.idx\"");
    assert!(
        error
            .message()
            .ends_with("holds 4 samples, and there are 1 labels"),
        "{error}"
    );
    let set = open(dir.path(), "path = \"set\"\nlabels = \"l.idx\"").unwrap();
    assert_eq!(set.labels(), Some(&[3][..]));
}

#[test]
fn digests_follow_contents_alone() {
    let dir = tempfile::tempdir().unwrap();
    for root in ["one", "two", "other"] {
        picture(&dir.path().join(root), "a/1.png", 2, [1; 3]);
        picture(&dir.path().join(root), "b/2.png", 2, [2; 3]);
    }
    fs::rename(
        dir.path().join("other/b/2.png"),
        dir.path().join("other/b/3.png"),
    )
    .unwrap();
    let digest = |lines: &str| open(dir.path(), lines).unwrap().digest().unwrap();
    let one = digest("path = \"one\"");
    assert_eq!(one, digest("path = \"two\"\nsamples = 1\nresize = 7"));
    assert_ne!(one, digest("path = \"other\""));
    fs::write(
        dir.path().join("t.csv"),
        "file,label\na/1.png,0\nb/2.png,0\n",
    )
    .unwrap();
    assert_ne!(one, digest("path = \"one\"\nlabels = \"t.csv\""));
    picture(dir.path(), "two/b/2.png", 2, [3; 3]);
    assert_ne!(one, digest("path = \"two\""));
    pixels(dir.path());
    let arrays = digest("path = \"x.npz\"");
    fs::copy(dir.path().join("x.npz"), dir.path().join("z.npz")).unwrap();
    assert_eq!(arrays, digest("path = \"z.npz\""));
}
