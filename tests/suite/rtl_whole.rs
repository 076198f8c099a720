//! Whole networks as programs that Verilator compiles, fed frames and held against the executor and simulation by
//! words.
//! Must not know where networks come from.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use finnp::backend::hls::Ends;
use finnp::backend::rtl::{
    BENCH, LIBRARY, memories, memory_path, network_bench_source, shape_source, top_name, top_source,
};
use finnp::dataflow::{Dataflow, read_tensors};
use finnp::layer::Port;
use finnp::reference::Integers;
use finnp::simulate::{Load, Run, depths, run};
use tempfile::TempDir;

use super::project::Project;
use super::random::Random;
use super::rtl_bench::{Written, compile};

/// Name of every network.
const NAME: &str = "whole";

/// A network as a program, with what it must do.
pub(crate) struct Whole {
    folder: TempDir,
    dataflow: Dataflow,
    ends: Ends,
    frames: Vec<Vec<i64>>,
    expected: Vec<i64>,
    /// Words of further frames that may leave before these enter.
    ahead: usize,
    /// How long Verilator and the compiler took.
    pub(crate) compiled: Duration,
}

/// The folded network that a project's build left, with its integers and with depths of FIFOs.
pub(crate) fn built(project: &Project) -> Dataflow {
    let build = project.dir().join("build");
    let folded = build.join("dataflow/folded");
    let read = |path: &Path| fs::read(path).unwrap();
    let mut dataflow: Dataflow = serde_json::from_slice(&read(&folded.join("graph.json"))).unwrap();
    for node in &mut dataflow.nodes {
        let record = folded.join(format!("layers/{}/layer.json", node.name));
        node.layer = serde_json::from_slice(&read(&record)).unwrap();
        let integers = build.join("dataflow/reordered/layers").join(&node.name);
        // Width converters are not there before folding.
        if let Ok(bytes) = fs::read(integers.join("tensors.safetensors")) {
            node.tensors = read_tensors(&bytes).unwrap();
        }
    }
    let found = depths(&dataflow).unwrap();
    let told = project.json("sim/simulation.json");
    let told = told["depths"].as_array().unwrap().iter();
    let told: Vec<u64> = told.map(|fifo| fifo["words"].as_u64().unwrap()).collect();
    let expected: Vec<u64> = found.iter().map(|depth| *depth as u64).collect();
    assert_eq!(told, expected);
    deepen(&mut dataflow, &found);
    dataflow
}

/// Sets the depths of all FIFOs.
pub(crate) fn deepen(dataflow: &mut Dataflow, depths: &[usize]) {
    let streams = dataflow.streams.iter_mut().zip(depths);
    streams.for_each(|(stream, depth)| stream.depth = *depth);
}

/// Random frames that the network may be fed, in stream order.
pub(crate) fn fed(random: &mut Random, dataflow: &Dataflow, frames: usize) -> Vec<Vec<i64>> {
    let input = &dataflow.inputs[0];
    let stream = dataflow.stream(input.stream);
    let (low, high, step) = match &input.quantiser {
        Some(quantiser) => quantiser.codes(),
        None => {
            let element = stream.element;
            (element.min(), element.max(), element.step())
        }
    };
    let mut number = || low + step * random.between(0, (high - low) / step);
    let elements = stream.pixels * stream.channels;
    (0..frames)
        .map(|_| (0..elements).map(|_| number()).collect())
        .collect()
}

/// Writes all sources of the network.
fn write(dataflow: &Dataflow, folder: &Path) {
    for (name, text) in LIBRARY {
        fs::write(folder.join(name), text).unwrap();
    }
    let top = format!("{}.sv", top_name(NAME));
    fs::write(
        folder.join(top),
        top_source(dataflow, NAME, memory_path).unwrap(),
    )
    .unwrap();
    for node in &dataflow.nodes {
        let (file, text) = shape_source(&node.layer).unwrap();
        fs::write(folder.join(file), text).unwrap();
        let own = folder.join("memories").join(&node.name);
        fs::create_dir_all(&own).unwrap();
        for (file, text) in memories(&node.layer, &node.tensors).unwrap() {
            fs::write(own.join(file), text).unwrap();
        }
    }
    let bench = network_bench_source(dataflow, NAME).unwrap();
    fs::write(folder.join("main.cpp"), bench).unwrap();
    fs::write(folder.join(BENCH.0), BENCH.1).unwrap();
}

impl Whole {
    /// Compiles the network with the depths that its streams have.
    pub(crate) fn new(dataflow: &Dataflow, frames: Vec<Vec<i64>>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(dataflow, folder.path());
        let began = Instant::now();
        compile(folder.path(), &top_name(NAME), &[]);
        let ends = Ends::of(dataflow).unwrap();
        let layers = dataflow.nodes.iter().map(|node| node.layer.hardware());
        let eager = layers.filter(|layer| layer.schedule().ahead() > 0).count();
        let integers = Integers::new(dataflow);
        let expected = frames.iter().map(|frame| {
            let outputs = integers.run(std::slice::from_ref(frame), |_, _| ());
            outputs.unwrap().remove(0)
        });
        let expected = expected.collect::<Vec<_>>().concat();
        fs::write(
            folder.path().join("in.bin"),
            ends.input.words_of(&frames.concat()),
        )
        .unwrap();
        Whole {
            compiled: began.elapsed(),
            folder,
            dataflow: dataflow.clone(),
            ahead: if eager > 0 { ends.output.words() } else { 0 },
            ends,
            frames,
            expected,
        }
    }

    /// What leaves; what the program said where it failed.
    pub(crate) fn run(&self, options: &[&str]) -> Result<Written, String> {
        let mut program = Command::new(self.folder.path().join("simulate"));
        program.args(["--ahead", &self.ahead.to_string()]);
        // Where the last words have entered, each layer may still take a whole frame's time.
        let layers = self.dataflow.nodes.iter().map(|node| node.layer.hardware());
        let cycles: u64 = layers.map(|layer| layer.cycles()).sum();
        program.args(["--patience", &(50_000 + 2 * cycles).to_string()]);
        program.args(options).args(["in.bin", "out.bin"]);
        let output = program.current_dir(self.folder.path()).output().unwrap();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {said}", output.status));
        }
        let words = fs::read(self.folder.path().join("out.bin")).unwrap();
        Ok(Written {
            elements: self.ends.output.elements_of(&words),
            cycles: self.left(),
        })
    }

    /// The cycles of the words that left, also of a run that failed.
    pub(crate) fn left(&self) -> Vec<u64> {
        let cycle = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        let bytes = fs::read(self.folder.path().join("out.bin.cycles")).unwrap();
        bytes.chunks(8).map(cycle).collect()
    }

    /// What simulation by words says.
    pub(crate) fn said(&self) -> Run {
        run(&self.dataflow, &Load::frames(self.frames.len())).unwrap()
    }

    /// The stream that leaves.
    pub(crate) fn output(&self) -> Port {
        self.ends.output
    }

    /// Whether the executor's frames are not all the same.
    pub(crate) fn frames_differ(&self) -> bool {
        let mut frames = self.expected.chunks(self.output().elements());
        let first = frames.next();
        frames.any(|frame| Some(frame) != first)
    }

    /// Every element is the executor's: without gaps, with gaps on both sides, after a reset in the middle of a
    /// frame. Without gaps every word leaves in the cycle that simulation by words says. Returns these cycles.
    pub(crate) fn check(&self, seed: u64, what: &str) -> Vec<u64> {
        let mut said = self.said();
        assert_eq!(said.deadlock, [], "{what}");
        let said = said.outputs.swap_remove(0);
        assert_eq!(said.len(), self.frames.len() * self.output().words());
        let mut random = Random::new(seed ^ 0x4e5e7);
        let reset = random.between(1, said[said.len() - 1] as i64).to_string();
        let gaps = (1 + seed).to_string();
        let ways = [&[][..], &["--reset", &reset], &["--gaps", &gaps]];
        for options in ways {
            let place = format!("{what}, {options:?}");
            let found = self.run(options);
            let found = found.unwrap_or_else(|error| panic!("{place}: {error}"));
            first_difference(
                &found.elements,
                &self.expected,
                &format!("{place}: element"),
            );
            if options.first() != Some(&"--gaps") {
                first_difference(&found.cycles, &said, &format!("{place}: cycle of word"));
            }
        }
        said
    }
}

/// Fails with the first place at which two lists differ.
fn first_difference<T: PartialEq + std::fmt::Display>(found: &[T], expected: &[T], what: &str) {
    let mut pairs = found.iter().zip(expected).enumerate();
    if let Some((at, (found, expected))) = pairs.find(|(_, (a, b))| a != b) {
        panic!("{what} {at} is {found}, not {expected}");
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}
