//! `finnp eval`: right answers on sets of every form, and pictures as others decode them.
//! Must not know how samples are read.

use std::fs;
use std::io::Write;
use std::path::Path;

use finnp::data::{Array, Arrays, Dataset, Values, write_npz};
use finnp::manifest;
use serde_json::Value;

use crate::project::Project;
use crate::road::network;
use crate::shared::shared;

/// Pixels as Pillow decodes and resizes them: side, then picture, channel, row and column.
const PIXELS: [(usize, [usize; 4], f64); 16] = [
    (224, [0, 1, 114, 169], 128.0),
    (224, [1, 2, 7, 32], 145.0),
    (224, [2, 2, 212, 55], 191.0),
    (224, [3, 0, 194, 94], 192.0),
    (224, [4, 0, 185, 57], 178.0),
    (224, [5, 1, 144, 123], 30.0),
    (224, [6, 0, 6, 193], 223.0),
    (224, [7, 2, 187, 120], 60.0),
    (128, [0, 2, 42, 57], 133.0),
    (128, [1, 2, 15, 38], 97.0),
    (128, [2, 0, 58, 125], 86.0),
    (128, [3, 0, 49, 51], 103.0),
    (128, [4, 2, 26, 64], 129.0),
    (128, [5, 0, 2, 96], 43.0),
    (128, [6, 0, 35, 63], 138.0),
    (128, [7, 1, 14, 125], 60.0),
];

/// What `finnp eval --json` says in the end.
fn eval(project: &Project, arguments: &[&str]) -> Value {
    let arguments = [&["eval", "--json"], arguments].concat();
    let output = project.command(&arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

fn add(project: &Project, lines: &str) {
    project.edit("[target]", &format!("[data]\n{lines}\n[target]"));
}

/// The example's own set as arrays: 8 x 8 values from 0 to 16.
fn digits() -> (Project, Vec<i64>, Vec<i64>) {
    let project = Project::example("digits");
    let mut arrays = Arrays::open(&project.dir().join("test.npz")).unwrap();
    let integers = |array: Array| match array.values {
        Values::Integer(values) => values,
        Values::Real(values) => values.iter().map(|value| (value * 16.0) as i64).collect(),
    };
    let (x, y) = (arrays.input().unwrap(), arrays.labels().unwrap().unwrap());
    (project, integers(x), integers(y))
}

#[test]
fn eval_counts_what_run_counts() {
    let (project, ..) = digits();
    add(&project, "path = \"test.npz\"");
    let found = eval(&project, &[]);
    assert_eq!(found["exit"], 0, "{found}");
    assert_eq!(found["samples"], 360);
    assert_eq!(found["classes"], 10);
    assert_eq!(found["top1"]["right"], 354);
    let top5 = found["top5"]["right"].as_u64().unwrap();
    assert!((354..=360).contains(&top5), "{found}");
    let single = eval(&project, &["--jobs", "1"]);
    assert_eq!(single["top5"], found["top5"]);
    let parts: u64 = [("0", "100"), ("100", "150"), ("250", "9999")]
        .map(|(skip, samples)| eval(&project, &["--skip", skip, "--samples", samples]))
        .map(|found| found["top1"]["right"].as_u64().unwrap())
        .iter()
        .sum();
    assert_eq!(parts, 354);
    let all = eval(&project, &["--top", "10"]);
    assert_eq!(all["top10"]["right"], 360);
    assert!(all.get("top5").is_none());
    assert_eq!(eval(&project, &["--top", "11"])["exit"], 2);
    assert!(!project.dir().join("build").exists());
}

/// The same pictures as a folder, an archive with a table, and in IDX format give the same answers.
#[test]
fn sets_of_all_forms_agree() {
    let (project, x, y) = digits();
    let dir = project.dir();
    let pixel = |value: &i64| (value * 15) as u8;
    let mut images = vec![0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 8, 0, 0, 0, 8];
    let mut labels = vec![0, 0, 8, 1, 0, 0, 0, 60];
    let mut archive = zip::ZipWriter::new(fs::File::create(dir.join("set.zip")).unwrap());
    let mut table = "label,file\n".to_owned();
    for (index, (sample, label)) in x.chunks(64).zip(&y).take(60).enumerate() {
        let pixels: Vec<u8> = sample.iter().map(pixel).collect();
        let image = image::GrayImage::from_raw(8, 8, pixels.clone()).unwrap();
        let folder = dir.join(format!("set/{label}"));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{index:03}.png"));
        image.save(&path).unwrap();
        let options = zip::write::SimpleFileOptions::default();
        archive
            .start_file(format!("all/{index}.png"), options)
            .unwrap();
        archive.write_all(&fs::read(path).unwrap()).unwrap();
        table += &format!("{label},{index}.png\n");
        images.extend(pixels);
        labels.push(*label as u8);
    }
    archive.finish().unwrap();
    fs::write(dir.join("labels.csv"), table).unwrap();
    fs::write(dir.join("images.idx"), images).unwrap();
    fs::write(dir.join("labels.idx"), labels).unwrap();
    // 15 times the value is the pixel, and a sixteenth of it what the network sees: 255 / (15 * 16) of p / 255.
    let forms = [
        "path = \"test.npz\"\nsamples = 60",
        "path = \"set\"\nchannels = \"grey\"\nstd = 0.9411764705882353",
        "path = \"set.zip\"\nlabels = \"labels.csv\"\nchannels = \"grey\"\nstd = 0.9411764705882353",
        "path = \"images.idx\"\nlabels = \"labels.idx\"\nstd = 0.9411764705882353",
    ];
    let manifest = fs::read_to_string(dir.join("accel.toml")).unwrap();
    let mut right = Vec::new();
    for form in forms {
        fs::write(dir.join("accel.toml"), &manifest).unwrap();
        add(&project, form);
        let found = eval(&project, &[]);
        assert_eq!(
            (&found["exit"], &found["samples"]),
            (&0.into(), &60.into()),
            "{form}: {found}"
        );
        assert_eq!(
            (&found["off_grid"], &found["clamped"]),
            (&0.into(), &0.into()),
            "{form}: {found}"
        );
        right.push((found["top1"].clone(), found["top5"].clone()));
    }
    assert!(right.iter().all(|found| *found == right[0]), "{right:?}");
}

#[test]
fn a_set_without_labels_is_refused() {
    let (project, ..) = digits();
    let x = Array {
        shape: vec![1, 64],
        values: Values::Integer(vec![0; 64]),
    };
    fs::write(
        project.dir().join("x.npz"),
        write_npz(&[("x", &x)]).unwrap(),
    )
    .unwrap();
    add(&project, "path = \"x.npz\"");
    let found = eval(&project, &[]);
    assert_eq!(found["exit"], 2);
    let help = found["problems"][0]["help"].as_str().unwrap();
    assert!(help.contains("labels"), "{found}");
    project.edit("path = \"x.npz\"", "path = \"test.npz\"\nlabel_offset = 3");
    let found = eval(&project, &[]);
    assert!(
        found["error"]
            .as_str()
            .unwrap()
            .contains("classes are 0 to 9"),
        "{found}"
    );
    assert_eq!(found["problems"][0]["length"], 1);
}

/// A thousand of MNIST's pictures, as pixels, with all classes and with the class that hardware selects.
#[test]
fn tfc_reads_a_thousand_digits() {
    let (Some(project), Some(data)) = (network("TFC_2W2A"), shared("data/mnist.npz")) else {
        return;
    };
    let path = data.display();
    add(
        &project,
        &format!("path = \"{path}\"\nx = \"x_test\"\ny = \"y_test\"\nsamples = 1000\nmean = 0"),
    );
    let found = eval(&project, &[]);
    let right = found["top1"]["right"].as_u64().unwrap();
    assert!((950..985).contains(&right), "{found}");
    assert!(found["top5"]["right"].as_u64().unwrap() > 990, "{found}");
    assert_eq!(found["off_grid"], 0);
    let selected = eval(&project, &["--set", "output.labels=true"]);
    assert_eq!(selected["top1"]["right"], right, "{selected}");
    assert!(selected.get("top5").is_none());
}

/// Pixels of the first pictures of an archive, next to what Pillow makes of them.
#[test]
fn pictures_of_an_archive_are_decoded_as_elsewhere() {
    let Some(data) = shared("data/nips17_even.zip") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.onnx"), b"").unwrap();
    let open = |resize: &str| {
        let text = format!(
            "[project]\nname = \"a\"\n[model]\npath = \"model.onnx\"\n[target]\nboard = \"zcu104\"\n\
             [data]\npath = \"{}\"\nlabels = \"{}\"\nlabel_offset = 1\nsamples = 8\n{resize}\nmean = 0.5\nstd = 0.5\n",
            data.display(),
            data.with_file_name("nips17_even_labels.csv").display()
        );
        let manifest = manifest::parse(&text, "accel.toml", Path::new(folder.path()), &[]).unwrap();
        Dataset::open(&manifest).unwrap()
    };
    let set = open("");
    assert_eq!(set.labels().unwrap()[..2], [306, 244]);
    for (resize, side) in [("", 224), ("resize = 128", 128)] {
        let batch = open(resize).batch(0..8).unwrap();
        assert_eq!(batch.shape, [8, 3, side, side]);
        let Values::Real(values) = batch.values else {
            panic!("pictures are real numbers");
        };
        assert!(values.iter().all(|value| (-1.0..=1.0).contains(value)));
        for (_, [picture, channel, y, x], expected) in PIXELS.iter().filter(|(of, ..)| *of == side)
        {
            let value = values[((picture * 3 + channel) * side + y) * side + x];
            let pixel = (value + 1.0) * 127.5;
            assert!(
                (pixel - expected).abs() < 2.5,
                "picture {picture} of {side}, {channel}, {y}, {x}: {pixel}, not {expected}"
            );
        }
    }
}
