//! From checked values to the manifest, and what single values cannot tell: values that need each other or the board.
//! Must not know how values are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::key::PATTERNS;
use super::problem::{Problems, Spot};
use super::read::{Draft, Values};
use super::value::{Given, Value};
use super::{
    Amount, Backend, Grid, Input, Layer, Layout, Manifest, Model, Output, Places, Project, Prune,
    Pruning, Rate, Target, Verify,
};
use super::{data, quantize, training};
use crate::board::{self, Family};
use crate::error::Error;

/// Reports values that do not go together.
pub(super) fn cross_check(values: &Values, draft: &Draft, problems: &mut Problems) {
    clock(values, problems);
    synthesis(values, problems);
    grid(draft, problems);
    amounts(draft, problems);
    idle_pruning(draft, problems);
    idle_rtl(draft, problems);
    quantize::idle(draft, problems);
    idle_training(draft, problems);
}

fn clock(values: &Values, problems: &mut Problems) {
    let Some((Value::Number(clock), spot)) = values.get(&("target", None, "clock_mhz")) else {
        return;
    };
    let Some(board) = text(values, "target", None, "board").and_then(board::find) else {
        return;
    };
    let most = board.clock.maximum_mhz;
    if *clock > most {
        let error = Error::user(format!("`clock_mhz` is out of range: {clock}"));
        let help = format!(
            "the clock network of `{}` carries at most {most} MHz",
            board.name
        );
        problems.add(spot, "too fast for the board", error.help(help));
    }
}

/// Yosys is told to map to the cells of one family.
fn synthesis(values: &Values, problems: &mut Problems) {
    let Some((Value::Text(word), spot)) = values.get(&("target", None, "synthesis")) else {
        return;
    };
    let Some(board) = text(values, "target", None, "board").and_then(board::find) else {
        return;
    };
    if word == "yosys" && board.family != Family::UltrascalePlus {
        let error = Error::user(format!(
            "the board {} has cells of another kind: Yosys maps to those of UltraScale+",
            board.name
        ));
        let help = "take `synthesis` away, or choose another board: the model needs no synthesis";
        problems.add(spot, "not for this board", error.help(help));
    }
}

/// How much is kept is said in one way.
fn amounts(draft: &Draft, problems: &mut Problems) {
    for ((section, at, name), entry) in &draft.entries {
        if *name == "keep" && draft.entries.contains_key(&(*section, *at, "density")) {
            let error = Error::user("`keep` and `density` both say how much is kept")
                .help("remove one of the two lines");
            problems.add(&entry.spot, "one too many", error);
        }
    }
}

/// Keys that say how to prune, where no pattern takes them.
fn idle_pruning(draft: &Draft, problems: &mut Problems) {
    let patterns = draft.entries.values().filter(|e| e.key.name == "pattern");
    let patterns: Vec<&str> = patterns
        .map(|entry| match &entry.value {
            Given::Text(text) => text.as_str(),
            _ => "",
        })
        .collect();
    // A pattern that is no pattern has its own problem.
    if draft.broken || !patterns.iter().all(|name| PATTERNS.contains(name)) {
        return;
    }
    let any = |wanted: &[&str]| patterns.iter().any(|name| wanted.contains(name));
    let idle = |name: &str| match name {
        "density" => !any(&["bcr-col", "bcr", "channel"]),
        "block" | "keep" | "lanes" => !any(&["bcr-col", "bcr"]),
        _ => false,
    };
    let mut entries = draft.entries.values();
    if let Some(entry) = entries.find(|entry| idle(entry.key.name))
        && !draft.meant(entry.key.section, entry.at, "pattern")
    {
        let what = match any(&["channel"]) {
            true => "no layer is pruned in blocks",
            false => "nothing is pruned",
        };
        let error = Error::user(format!("`{}` is given, but {what}", entry.key.name))
            .help("say `pattern = \"bcr-col\"` or `\"bcr\"` in `[prune]` or in the `[[layer]]`");
        problems.add(&entry.spot, "has no effect", error);
    }
}

/// Wishes about training where nothing trains.
fn idle_training(draft: &Draft, problems: &mut Problems) {
    let mut entries = draft.entries.values();
    let trains = entries.any(|entry| match &entry.value {
        Given::Text(text) => entry.key.name == "method" && TRAINING.contains(&text.as_str()),
        _ => false,
    });
    let mut entries = draft.entries.values();
    if let Some(entry) = entries.find(|entry| entry.key.section == "train")
        && !trains
        && !draft.broken
    {
        let what = format!("`{}` is given, but nothing is trained", entry.key.name);
        let error = Error::user(what).help("say `method = \"gradual\"` or `\"admm\"` in `[prune]`");
        problems.add(&entry.spot, "has no effect", error);
    }
}

/// Methods that train.
const TRAINING: [&str; 2] = ["gradual", "admm"];

/// What counts in SystemVerilog alone: key, word, why it means nothing without.
const OF_RTL: [(&str, &str, &str); 2] = [
    ("multiplier", "dsp", "HLS chooses multipliers by itself"),
    (
        "synthesis",
        "yosys",
        "Yosys synthesises nothing but SystemVerilog",
    ),
];

/// Wishes about SystemVerilog where no layer is written in it.
fn idle_rtl(draft: &Draft, problems: &mut Problems) {
    let given = |key: &str, words: &[&str]| {
        let mut entries = draft.entries.values().filter(|entry| entry.key.name == key);
        entries.find(
            |entry| matches!(&entry.value, Given::Text(text) if words.contains(&text.as_str())),
        )
    };
    if draft.broken || given("backend", &["rtl", "auto"]).is_some() {
        return;
    }
    for (key, word, why) in OF_RTL {
        if let Some(entry) = given(key, &[word]) {
            let help = format!("take `{key}` away, or write `backend = \"rtl\"`");
            problems.add(&entry.spot, "has no effect", Error::user(why).help(help));
        }
    }
}

/// A grid is a type and a scale: one without the other says nothing.
fn grid(draft: &Draft, problems: &mut Problems) {
    let given = |name: &'static str| draft.entries.get(&("input", None, name));
    let Some(cause) = ["type", "scale", "zero_point"].into_iter().find_map(given) else {
        return;
    };
    if draft.broken {
        return;
    }
    for (name, example) in [("type", "\"uint8\""), ("scale", "0.00392156862745098")] {
        if given(name).is_none() && !draft.meant("input", None, name) {
            let spot = draft.header("input", None).unwrap_or(&cause.spot);
            let error = Error::user(format!(
                "`[input]` has `{}` but lacks the key `{name}`",
                cause.key.name
            ))
            .help(format!(
                "add the line `{name} = {example}`: a grid is a type and a scale"
            ));
            problems.add(spot, "the key is missing here", error);
        }
    }
}

/// The manifest, if all that it needs is among the values.
pub(super) fn manifest(
    values: &Values,
    draft: &Draft,
    dir: &Path,
    start: &Spot,
) -> Option<Manifest> {
    let places = places(values, draft, start);
    let board = board::find(text(values, "target", None, "board")?)?;
    Some(Manifest {
        dir: dir.to_owned(),
        project: Project {
            name: text(values, "project", None, "name")?.to_owned(),
        },
        model: Model {
            path: path(values, dir, "model", "path")?,
        },
        input: input(values)?,
        output: Output {
            labels: matches!(
                get(values, "output", None, "labels"),
                Some(Value::Flag(true))
            ),
        },
        target: Target {
            board,
            clock_mhz: number(values, "target", "clock_mhz").unwrap_or(board.clock.default_mhz),
            fps: match get(values, "target", None, "fps") {
                Some(Value::Number(fps)) => Some(Rate::AtLeast(*fps)),
                Some(_) => Some(Rate::Max),
                None => None,
            },
            backend: text(values, "target", None, "backend")
                .and_then(Backend::named)
                .unwrap_or(Backend::Hls),
            dsp: text(values, "target", None, "multiplier") == Some("dsp"),
            yosys: text(values, "target", None, "synthesis") == Some("yosys"),
        },
        quantize: quantize::read(values),
        prune: Prune {
            method: text(values, "prune", None, "method")
                .unwrap_or("magnitude")
                .to_owned(),
            pruning: pruning(values, "prune", None),
        },
        data: data::read(values, dir),
        calibration: data::calibration(values, dir),
        train: training::read(values),
        verify: path(values, dir, "verify", "inputs").map(|inputs| Verify {
            inputs,
            samples: whole(values, "verify", None, "samples"),
        }),
        layers: (0..draft.layers)
            .map(|at| layer(values, at, &places))
            .collect::<Option<_>>()?,
        full: false,
        places,
    })
}

fn input(values: &Values) -> Option<Input> {
    let grid = match (
        text(values, "input", None, "type"),
        number(values, "input", "scale"),
    ) {
        (Some(data_type), Some(scale)) => Some(Grid {
            data_type: data_type.parse().ok()?,
            scale,
            zero_point: whole_signed(values, "input", "zero_point").unwrap_or(0),
        }),
        _ => None,
    };
    let layout = match text(values, "input", None, "layout") {
        Some("NHWC") => Layout::Nhwc,
        _ => Layout::Nchw,
    };
    Some(Input { grid, layout })
}

fn layer(values: &Values, at: usize, places: &Places) -> Option<Layer> {
    Some(Layer {
        pattern: text(values, "layer", Some(at), "match")?.to_owned(),
        pe: whole(values, "layer", Some(at), "pe"),
        simd: whole(values, "layer", Some(at), "simd"),
        backend: text(values, "layer", Some(at), "backend").and_then(Backend::named),
        dsp: text(values, "layer", Some(at), "multiplier").map(|word| word == "dsp"),
        pruning: pruning(values, "layer", Some(at)),
        bits: quantize::bits(values, at),
        at,
        places: places.clone(),
    })
}

fn pruning(values: &Values, section: &'static str, at: Option<usize>) -> Pruning {
    Pruning {
        pattern: text(values, section, at, "pattern").map(str::to_owned),
        density: match get(values, section, at, "density") {
            Some(Value::Number(density)) => Some(*density),
            _ => None,
        },
        block: match get(values, section, at, "block") {
            Some(Value::Pair(block)) => Some(*block),
            _ => None,
        },
        keep: amount(values, section, at, "keep"),
        lanes: amount(values, section, at, "lanes"),
    }
}

fn amount(
    values: &Values,
    section: &'static str,
    at: Option<usize>,
    key: &'static str,
) -> Option<Amount> {
    match get(values, section, at, key) {
        Some(Value::Pair(pair)) => Some(Amount::Both(*pair)),
        _ => whole(values, section, at, key).map(Amount::Columns),
    }
}

fn places(values: &Values, draft: &Draft, start: &Spot) -> Places {
    let mut map = BTreeMap::from([(String::new(), start.place())]);
    for ((section, at), spot) in &draft.headers {
        map.insert(name(section, *at, ""), spot.place());
    }
    for ((section, at, key), (_, spot)) in values {
        map.insert(name(section, *at, key), spot.place());
    }
    Places(Arc::new(map))
}

/// `section`, `section.key`, `layer[0]` or `layer[0].key`.
pub(super) fn name(section: &str, at: Option<usize>, key: &str) -> String {
    let index = at.map(|at| format!("[{at}]")).unwrap_or_default();
    let dot = if key.is_empty() { "" } else { "." };
    format!("{section}{index}{dot}{key}")
}

pub(super) fn get<'a>(
    values: &'a Values,
    section: &'static str,
    at: Option<usize>,
    key: &'static str,
) -> Option<&'a Value> {
    values.get(&(section, at, key)).map(|(value, _)| value)
}

pub(super) fn text<'a>(
    values: &'a Values,
    section: &'static str,
    at: Option<usize>,
    key: &'static str,
) -> Option<&'a str> {
    match get(values, section, at, key) {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

pub(super) fn number(values: &Values, section: &'static str, key: &'static str) -> Option<f64> {
    match get(values, section, None, key) {
        Some(Value::Number(number)) => Some(*number),
        _ => None,
    }
}

pub(super) fn whole(
    values: &Values,
    section: &'static str,
    at: Option<usize>,
    key: &'static str,
) -> Option<u32> {
    match get(values, section, at, key) {
        Some(Value::Integer(number)) => u32::try_from(*number).ok(),
        _ => None,
    }
}

pub(super) fn whole_signed(
    values: &Values,
    section: &'static str,
    key: &'static str,
) -> Option<i64> {
    match get(values, section, None, key) {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    }
}

pub(super) fn path(
    values: &Values,
    dir: &Path,
    section: &'static str,
    key: &'static str,
) -> Option<PathBuf> {
    text(values, section, None, key).map(|path| dir.join(path))
}
