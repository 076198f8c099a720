//! Reading manifests: golden diagnostics, odd files, settings, canonical text, schemas.
//! Must not know how the reader works.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::{Path, PathBuf};

use finnp::board;
use finnp::error::{Error, Kind, render};
use finnp::manifest::key::{KEYS, SECTIONS};
use finnp::manifest::{self, Grid, Layout, Manifest, Rate};
use finnp::tensor::DataType;

const LEAST: &str =
    "[project]\nname = \"a\"\n[model]\npath = \"model.onnx\"\n[target]\nboard = \"zcu104\"\n";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares with a committed file, or rewrites it.
fn golden(path: &Path, text: &str) -> Option<String> {
    if std::env::var_os("FINNP_BLESS").is_some_and(|value| value == "1") {
        fs::write(path, text).unwrap();
        return None;
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    (expected != text).then(|| {
        format!(
            "{} differs (FINNP_BLESS=1 rewrites it); now:\n{text}",
            path.display()
        )
    })
}

/// A folder with the files that manifests of the tests name.
fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("model.onnx"), b"").unwrap();
    fs::write(dir.path().join("test.npz"), b"").unwrap();
    fs::create_dir(dir.path().join("pictures")).unwrap();
    dir
}

fn read(text: &str, set: &[&str]) -> Result<Manifest, Error> {
    let dir = project();
    let set: Vec<String> = set.iter().map(|text| (*text).to_owned()).collect();
    manifest::parse(text, "accel.toml", dir.path(), &set)
}

fn shown(result: Result<Manifest, Error>) -> String {
    match result {
        Ok(manifest) => manifest.canonical(""),
        Err(error) => {
            assert_eq!(error.kind(), Kind::User, "{error:?}");
            render(&error, false)
        }
    }
}

#[test]
fn golden_cases() {
    let folder = root().join("tests/golden/manifest");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 20);
    let mut differences = Vec::new();
    for case in cases {
        let text = fs::read_to_string(case.join("accel.toml")).unwrap();
        let set = fs::read_to_string(case.join("set.txt")).unwrap_or_default();
        let set: Vec<&str> = set.lines().collect();
        let text = shown(read(&text, &set));
        differences.extend(golden(&case.join("expect.txt"), &text));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn schemas_are_fresh() {
    let folder = root().join("schema");
    let differences: Vec<String> = [
        golden(&folder.join("accel.schema.json"), &manifest::schema()),
        golden(&folder.join("board.schema.json"), &board::schema()),
    ]
    .into_iter()
    .flatten()
    .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn schema_names_every_key() {
    let schema: serde_json::Value = serde_json::from_str(&manifest::schema()).unwrap();
    for key in KEYS {
        let list = SECTIONS
            .iter()
            .any(|section| section.name == key.section && section.list);
        let items = if list { "/items" } else { "" };
        let at = format!("/properties/{}{items}/properties/{}", key.section, key.name);
        assert_eq!(schema.pointer(&at).unwrap()["description"], key.about);
    }
}

#[test]
fn values_and_places() {
    let text = format!(
        "{LEAST}clock_mhz = 144.0\nfps = 1e3\n[input]\ntype = \"int8\"\nscale = 0.5\nlayout = \"NHWC\"\n\
         [verify]\ninputs = \"test.npz\"\n[[layer]]\nmatch = \"fc*\"\npe = 4\nsimd = 2\n[[layer]]\nmatch = \"fc1\"\npe = 8\n"
    );
    let manifest = read(&text, &[]).unwrap();
    assert_eq!(manifest.target.clock_mhz, 144.0);
    assert_eq!(manifest.target.fps, Some(Rate::AtLeast(1000.0)));
    assert_eq!(manifest.target.board.name, "zcu104");
    let grid = Grid {
        data_type: DataType::Int(8),
        scale: 0.5,
        zero_point: 0,
    };
    assert_eq!(manifest.input.grid, Some(grid));
    assert_eq!(manifest.input.layout, Layout::Nhwc);
    assert!(
        manifest.model.path.ends_with("model.onnx")
            && manifest.model.path != Path::new("model.onnx")
    );
    assert_eq!(manifest.place("input.scale").text(), "0.5");
    assert_eq!(manifest.place("input.zero_point").text(), "[input]");
    assert_eq!(manifest.place("output.labels").text(), "");
    assert_eq!(manifest.layers[1].place("match").text(), "\"fc1\"");
    assert_eq!(manifest.layers[1].place("simd").text(), "[[layer]]");
    let choice = manifest.choice("fc1");
    assert_eq!(choice.pe.map(|(pe, _)| pe), Some(8));
    assert_eq!(choice.simd.map(|(simd, _)| simd), Some(2));
    assert!(manifest.choice("conv").pe.is_none());
    fn is_shareable<T: Send + Sync + Clone + 'static>(_: &T) {}
    is_shareable(&manifest);
}

#[test]
fn entries_that_match_no_layer() {
    let text = format!(
        "{LEAST}[[layer]]\nmatch = \"fc2\"\n[[layer]]\nmatch = \"f*\"\n[[layer]]\nmatch = \"conv.*\"\n"
    );
    let manifest = read(&text, &["layer.dense.pe=2"]).unwrap();
    assert!(manifest.check_layers(&["fc2", "conv.1", "dense"]).is_ok());
    let error = manifest.check_layers(&["fc1", "fc3"]).unwrap_err();
    assert_eq!(error.parts().len(), 3);
    assert_eq!(error.parts()[0].place().unwrap().text(), "\"fc2\"");
    assert!(error.parts()[0].remedy().unwrap().contains("`fc1`"));
    assert_eq!(error.parts()[2].place().unwrap().text(), "layer.dense.pe");
}

#[test]
fn canonical_text_depends_on_values_alone() {
    let plain = read(LEAST, &[]).unwrap();
    let other = "# a comment\n[target]\nboard = 'zcu104'\nclock_mhz = 2_00.0\n[output]\nlabels = false\n\
                 [model]\npath = \"./model.onnx\"\n[prune]\npattern = \"none\"\n[input]\nlayout = \"NCHW\"\n[project]\nname = \"a\"\n";
    let other = read(other, &[]).unwrap();
    assert_eq!(plain.canonical(""), other.canonical(""));
    assert_eq!(
        plain.canonical("target"),
        "target.board = \"zcu104\"\ntarget.clock_mhz = 200\ntarget.backend = \"hls\"\ntarget.multiplier = \"lut\"\ntarget.synthesis = \"none\"\n"
    );
    assert_eq!(
        plain.canonical("target.clock_mhz"),
        "target.clock_mhz = 200\n"
    );
    assert_eq!(plain.canonical("layer"), "");
    let set = read(LEAST, &["target.clock_mhz=199"]).unwrap();
    assert_ne!(plain.canonical("target"), set.canonical("target"));
    assert_eq!(plain.canonical("input"), set.canonical("input"));
}

#[test]
fn settings_take_the_place_of_values() {
    let set = [
        "target.fps = max",
        "target.board=pynq-z2",
        "project.name=2024",
        "output.labels=true",
        "layer.block.1.fc.pe=8",
        "layer.block.1.fc.simd=0x10",
        "layer.\"a b\".pe=2",
        "target.clock_mhz=1",
        "target.clock_mhz=50",
    ];
    let text = format!("{LEAST}fps = 10\n[[layer]]\nmatch = \"*\"\npe = 1\n");
    let manifest = read(&text, &set).unwrap();
    assert_eq!(manifest.target.fps, Some(Rate::Max));
    assert_eq!(manifest.target.board.name, "pynq-z2");
    assert_eq!(manifest.target.clock_mhz, 50.0);
    assert_eq!(manifest.project.name, "2024");
    assert!(manifest.output.labels);
    assert_eq!(manifest.layers.len(), 3);
    let choice = manifest.choice("block.1.fc");
    assert_eq!(choice.pe.map(|(pe, _)| pe), Some(8));
    assert_eq!(choice.simd.map(|(simd, _)| simd), Some(16));
    assert_eq!(manifest.choice("a b").pe.map(|(pe, _)| pe), Some(2));
    assert_eq!(manifest.place("target.board").source.name(), "command line");
    // An empty file will do if the settings give what is needed; then nothing in it can be pointed at.
    let all = [
        "project.name=a",
        "model.path=model.onnx",
        "target.board=zcu104",
    ];
    let place = read("", &all).unwrap().place("input");
    let text = render(&Error::user("wrong").at(place), false);
    assert_eq!(text, "  × wrong\n");
    // A wrong value of the file does not matter once it is set.
    assert!(
        read(
            &LEAST.replace("zcu104", "nothing"),
            &["target.board=zcu104"]
        )
        .is_ok()
    );
}

fn load_error(dir: &Path) -> String {
    let error = Manifest::load(dir, &[]).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    render(&error, false).replace(&dir.display().to_string(), "DIR")
}

#[test]
fn odd_files() {
    let dir = project();
    let file = dir.path().join("accel.toml");
    let text = load_error(dir.path());
    assert!(
        text.contains("there is no `accel.toml` in `DIR`") && text.contains("finnp new"),
        "{text}"
    );
    assert!(load_error(&dir.path().join("nowhere")).contains("there is no folder `DIR`"));
    assert!(load_error(&dir.path().join("model.onnx")).contains("`DIR` is not a folder"));

    fs::create_dir(&file).unwrap();
    assert!(load_error(dir.path()).contains("is a folder, not a file"));
    fs::remove_dir(&file).unwrap();

    fs::write(&file, vec![b'a'; 10 << 20]).unwrap();
    assert!(load_error(dir.path()).contains("is larger than 1 MiB"));

    fs::write(&file, b"[project]\nname = \"caf\xe9\"\n").unwrap();
    let text = load_error(dir.path());
    assert!(
        text.contains("is not UTF-8 text") && text.contains("accel.toml:2:12]"),
        "{text}"
    );

    fs::write(&file, b"\xff\xfe[\0p\0").unwrap();
    assert!(load_error(dir.path()).contains("is UTF-16 text"));

    fs::write(&file, b"").unwrap();
    let text = load_error(dir.path());
    assert!(text.contains("section `[project]` is missing"), "{text}");

    let odd = format!("\u{feff}{}", LEAST.replace('\n', "\r\n"));
    fs::write(&file, odd).unwrap();
    let manifest = Manifest::load(dir.path(), &[]).unwrap();
    assert_eq!(manifest.place("project").text(), "[project]");
}

#[test]
fn nonsense_ends_in_an_error() {
    let dir = project();
    for text in [
        "\0",
        "[",
        "]",
        "=",
        "[[",
        "\"",
        "'''",
        "a.b.c",
        "[a]\n[[a]]",
        "layer = 1",
        "[layer]",
        "[[project]]",
        "target = [1]",
        "layer = [[]]",
        "[layer.x]",
        "project.name.x = 1",
        "[project.name]",
        "\u{1F600} = 1",
        "[model]\npath = \"\u{0}\"",
        "[model]\npath = \"a\\u0000b\"",
        "é = \"ü",
        "a\rb",
        "[target]\nfps = nan",
    ] {
        let error = manifest::parse(text, "accel.toml", dir.path(), &[]).unwrap_err();
        assert_eq!(error.kind(), Kind::User, "{text:?}");
        assert!(
            !render(&error, false).contains("Failed to read"),
            "{text:?}"
        );
    }
}

#[test]
fn long_nonsense_ends_in_an_error() {
    let dir = project();
    for line in [
        "a",
        "= 1\n",
        "[x]",
        "[[layer]]\npe = 0\n",
        "a = [",
        "\"\"\"\n",
    ] {
        let text = line.repeat((1 << 20) / line.len() - 1);
        let error = manifest::parse(&text, "accel.toml", dir.path(), &[]).unwrap_err();
        assert!(error.parts().len() <= 20);
        assert!(!render(&error, false).is_empty());
    }
}

#[test]
fn nonsense_settings_end_in_an_error() {
    let dir = project();
    for set in [
        "",
        "=",
        ".",
        "a",
        "a=",
        ".=.",
        "layer=1",
        "layer.=1",
        "layer..pe=1",
        "é.ü=1",
        "target.fps=",
        "target.fps=\"",
        "target.fps=[1\n2]",
    ] {
        let set = [set.to_owned()];
        let error = manifest::parse(LEAST, "accel.toml", dir.path(), &set).unwrap_err();
        let text = render(&error, false);
        assert!(
            text.contains("command line") && text.contains("--set"),
            "{text}"
        );
    }
}

#[test]
fn colour_is_a_choice() {
    let error = read("[", &[]).unwrap_err();
    assert!(!render(&error, false).contains('\u{1b}'));
    assert!(render(&error, true).contains('\u{1b}'));
}
