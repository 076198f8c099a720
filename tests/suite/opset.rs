//! One network in the words of every version of ONNX from 9 to 23: it is read as the same each time, and computes what
//! onnxruntime does. Must not know how operators are read.

use std::fs;
use std::path::Path;
use std::process::Command;

use finnp::data::{Array, Arrays, Values, write_npz};
use finnp::error::Kind;
use finnp::network::Network;
use finnp::qonnx::import;
use finnp::reference::{Known, Real};
use finnp::tensor::Tensor;
use prost::Message;
use tempfile::TempDir;
use tract_onnx::pb::{ModelProto, tensor_shape_proto, type_proto};

use super::other_executor::python;
use super::proto::{Attribute, File};
use super::random::Random;

use Attribute::{Float, Int, Ints};

/// Versions of the standard operators.
const VERSIONS: std::ops::RangeInclusive<i64> = 9..=23;

/// The last one that onnxruntime reads.
const LAST: i64 = 22;

/// Samples.
const SAMPLES: usize = 3;

/// A file in the words of a version, with what may be said in several ways said in one of two.
struct Words {
    file: File,
    version: i64,
    second: bool,
}

impl Words {
    /// Constants `from` which they are inputs, else attributes.
    fn axes(
        &mut self,
        op: &str,
        x: &str,
        axes: &[i64],
        from: i64,
        more: Vec<(&str, Attribute<'_>)>,
    ) -> String {
        let mut attributes = more;
        if self.version >= from {
            let axes = self.file.integers(axes);
            return self.file.node(op, &[x, &axes], &attributes);
        }
        attributes.push(("axes", Ints(axes)));
        self.file.node(op, &[x], &attributes)
    }

    fn clip(&mut self, x: &str, low: f32, high: f32) -> String {
        if self.version < 11 {
            let bounds = [("min", Float(low)), ("max", Float(high))];
            return self.file.node("Clip", &[x], &bounds);
        }
        let low = self.file.constant(&[], &[low], self.second);
        let high = match self.second {
            true => self.file.constant_node(&[], &[high]),
            false => self.file.constant(&[], &[high], true),
        };
        self.file.node("Clip", &[x, &low, &high], &[])
    }

    fn dropout(&mut self, x: &str) -> String {
        if self.version < 12 {
            return self.file.node("Dropout", &[x], &[("ratio", Float(0.5))]);
        }
        let ratio = self.file.constant(&[], &[0.5], true);
        self.file.node("Dropout", &[x, &ratio], &[])
    }

    fn pad(&mut self, x: &str) -> String {
        let pads = [0, 0, 1, 0, 0, 0, 0, 2];
        if self.version < 11 {
            return self.file.node("Pad", &[x], &[("pads", Ints(&pads))]);
        }
        let zero = self.file.constant(&[], &[0.0], true);
        if self.version >= 18 && self.second {
            let (pads, axes) = (
                self.file.integers(&[1, 0, 0, 2]),
                self.file.integers(&[2, -1]),
            );
            return self.file.node("Pad", &[x, &pads, &zero, &axes], &[]);
        }
        let pads = self.file.integers(&pads);
        self.file.node("Pad", &[x, &pads, &zero], &[])
    }

    fn normalised(&mut self, x: &str, random: &mut Random) -> String {
        let mut list = |low: i64, high: i64| {
            let values: Vec<f32> = (0..4)
                .map(|_| random.between(low, high) as f32 / 8.0)
                .collect();
            self.file.constant(&[4], &values, self.second)
        };
        let constants = [list(-8, 8), list(-8, 8), list(-8, 8), list(1, 16)];
        let inputs: Vec<&str> = [x]
            .into_iter()
            .chain(constants.iter().map(String::as_str))
            .collect();
        let mut attributes = vec![("epsilon", Float(0.125)), ("momentum", Float(0.9))];
        if self.version >= 14 {
            attributes.push(("training_mode", Int(0)));
        }
        self.file.node("BatchNormalization", &inputs, &attributes)
    }

    fn dense(&mut self, x: &str, random: &mut Random) -> String {
        let mut list = |count: usize| -> Vec<f32> {
            (0..count)
                .map(|_| random.between(-16, 16) as f32 / 16.0)
                .collect()
        };
        let weights = list(20);
        let bias = list(5);
        let turned: Vec<f32> = (0..20).map(|i| weights[i % 4 * 5 + i / 4]).collect();
        let bias_shape: &[usize] = if self.second { &[1, 5] } else { &[5] };
        let bias = self.file.constant(bias_shape, &bias, true);
        let weights = match self.second {
            true => self.file.constant(&[5, 4], &turned, true),
            false => self.file.constant(&[4, 5], &weights, true),
        };
        let attributes = [
            ("alpha", Float(0.5)),
            ("beta", Float(2.0)),
            ("transB", Int(i64::from(self.second))),
        ];
        let y = self.file.node("Gemm", &[x, &weights, &bias], &attributes);
        let square = list_of(random, 15);
        let square = self.file.constant(&[3, 5], &square, true);
        let square = self
            .file
            .node("Transpose", &[&square], &[("perm", Ints(&[1, 0]))]);
        self.file.node("MatMul", &[&y, &square], &[])
    }

    fn end(&mut self, x: &str) -> String {
        // The default axis is 1 at first, the last one later.
        let x = self.file.node("Cast", &[x], &[("to", Int(1))]);
        let shape = self.file.integers(&[1, 3]);
        let x = self.file.node("Expand", &[&x, &shape], &[]);
        match self.second {
            true => self.file.node("Softmax", &[&x], &[("axis", Int(1))]),
            false => self.file.node("Softmax", &[&x], &[]),
        }
    }
}

fn list_of(random: &mut Random, count: usize) -> Vec<f32> {
    (0..count)
        .map(|_| random.between(-16, 16) as f32 / 16.0)
        .collect()
}

/// The network in the words of a version, with that batch size; 0 leaves it open.
fn file(version: i64, second: bool, batch: usize) -> Vec<u8> {
    let mut random = Random::new(17);
    let mut words = Words {
        file: File::new(version, "onnx.brevitas"),
        version,
        second,
    };
    words.file.input("x", &[batch, 2, 6, 5]);
    let (kernel, bias) = (list_of(&mut random, 4 * 2 * 9), list_of(&mut random, 4));
    let kernel = words.file.constant(&[4, 2, 3, 3], &kernel, second);
    let bias = words.file.constant(&[4], &bias, true);
    let pads = [("pads", Ints(&[1, 1, 1, 1]))];
    let auto = [("auto_pad", Attribute::Text("SAME_UPPER"))];
    let given: &[(&str, Attribute<'_>)] = if second { &auto } else { &pads };
    let x = words.file.node("Conv", &["x", &kernel, &bias], given);
    let x = words.normalised(&x, &mut random);
    let x = words.clip(&x, 0.0, 6.0);
    let x = words.dropout(&x);
    let x = words.pad(&x);
    let x = words.file.node(
        "MaxPool",
        &[&x],
        &[("kernel_shape", Ints(&[2, 2])), ("strides", Ints(&[2, 2]))],
    );
    let x = words.axes("Unsqueeze", &x, &[0], 13, Vec::new());
    let x = words.axes("Squeeze", &x, &[0], 13, Vec::new());
    let x = words.axes("ReduceMean", &x, &[2, 3], 18, vec![("keepdims", Int(1))]);
    let x = match second {
        true => words.file.node("Flatten", &[&x], &[]),
        false => {
            let shape = words.file.integers(&[0, -1]);
            words.file.node("Reshape", &[&x, &shape], &[])
        }
    };
    let x = words.file.node("Identity", &[&x], &[]);
    let x = words.dense(&x, &mut random);
    let y = words.end(&x);
    words.file.output(&y, &[batch, 3], false);
    if second {
        // As files had it before version 4 of the format.
        let constants = words.file.graph.initializer.clone();
        for tensor in constants.iter().filter(|tensor| tensor.data_type == 1) {
            let shape: Vec<usize> = tensor.dims.iter().map(|length| *length as usize).collect();
            words.file.input(&tensor.name, &shape);
        }
    }
    words.file.bytes()
}

/// The same with a name for the batch size.
fn symbolic(bytes: &[u8]) -> Vec<u8> {
    let mut model = ModelProto::decode(bytes).unwrap();
    let graph = model.graph.as_mut().unwrap();
    for info in [&mut graph.input[0], &mut graph.output[0]] {
        let kind = info.r#type.as_mut().unwrap().value.as_mut().unwrap();
        let type_proto::Value::TensorType(tensor) = kind;
        let batch = &mut tensor.shape.as_mut().unwrap().dim[0];
        batch.value = Some(tensor_shape_proto::dimension::Value::DimParam("N".into()));
    }
    model.encode_to_vec()
}

fn evaluate(network: &Network, sample: &[f64]) -> Vec<f64> {
    let x = Known::real(Tensor::new(vec![1, 2, 6, 5], sample.to_vec()).unwrap());
    let real = Real::new(network).unwrap();
    real.run(vec![x], |_, _| ())
        .unwrap()
        .remove(0)
        .real
        .into_data()
}

fn near(ours: &[f64], theirs: &[f64]) -> bool {
    ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn every_version_says_the_same() {
    let mut random = Random::new(23);
    let mut number = || random.between(-64, 64) as f64 / 32.0;
    let samples: Vec<Vec<f64>> = (0..SAMPLES)
        .map(|_| (0..60).map(|_| number()).collect())
        .collect();
    let folder = TempDir::new().unwrap();
    let x = Array {
        shape: vec![SAMPLES, 1, 2, 6, 5],
        values: Values::Real(samples.concat()),
    };
    let npz = write_npz(&[("x", &x)]).unwrap();
    let mut first: Option<Vec<Vec<f64>>> = None;
    let cases: Vec<(i64, bool)> = VERSIONS
        .flat_map(|version| [(version, false), (version, true)])
        .collect();
    for (number, (version, second)) in cases.iter().enumerate() {
        let bytes = file(*version, *second, 1);
        let network =
            import(&bytes).unwrap_or_else(|error| panic!("{version} {second}: {error:?}"));
        for open in [file(*version, *second, 0), symbolic(&bytes)] {
            assert!(
                import(&open).unwrap() == network,
                "{version} {second}: open batch"
            );
        }
        let ours: Vec<Vec<f64>> = samples
            .iter()
            .map(|sample| evaluate(&network, sample))
            .collect();
        let expected = first.get_or_insert_with(|| ours.clone());
        for (ours, expected) in ours.iter().zip(expected) {
            assert!(
                near(ours, expected),
                "{version} {second}: {ours:?}, not {expected:?}"
            );
        }
        if *version <= LAST {
            fs::write(folder.path().join(format!("{number}.exported.onnx")), bytes).unwrap();
            fs::write(folder.path().join(format!("{number}.npz")), &npz).unwrap();
        }
    }
    by_onnxruntime(folder.path(), &cases, &first.unwrap().concat());
}

/// Compares with what onnxruntime makes of the files in the folder.
fn by_onnxruntime(folder: &Path, cases: &[(i64, bool)], expected: &[f64]) {
    let Some(python) = python() else {
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/quantised.py");
    let mut command = Command::new(python);
    let output = command
        .arg(script)
        .arg(folder)
        .arg("exported")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut compared = 0;
    for (number, case) in cases.iter().enumerate() {
        let Ok(mut arrays) = Arrays::open(&folder.join(format!("{number}.exported.npz"))) else {
            continue;
        };
        let Values::Real(theirs) = arrays.read("y").unwrap().values else {
            panic!("reals are wanted");
        };
        assert!(near(expected, &theirs), "{case:?}: {theirs:?}");
        compared += 1;
    }
    assert_eq!(compared, 2 * (LAST - VERSIONS.start() + 1));
}

/// What a file of one operator is refused with.
fn refusal(
    version: i64,
    op: &str,
    constants: &[&[i64]],
    attributes: &[(&str, Attribute<'_>)],
) -> String {
    let mut file = File::new(version, "onnx.brevitas");
    file.input("x", &[1, 4]);
    let constants: Vec<String> = constants
        .iter()
        .map(|values| file.integers(values))
        .collect();
    let inputs: Vec<&str> = ["x"]
        .into_iter()
        .chain(constants.iter().map(String::as_str))
        .collect();
    let y = file.node(op, &inputs, attributes);
    file.output(&y, &[1, 4], false);
    let error = import(&file.bytes()).unwrap_err();
    assert_eq!(error.kind(), Kind::User);
    format!("{error:?}")
}

#[test]
fn what_hardware_does_not_do_is_refused_by_name() {
    for (said, refusal) in [
        ("(Slice)", refusal(13, "Slice", &[&[0], &[2], &[1]], &[])),
        (
            "(Gather)",
            refusal(13, "Gather", &[&[0, 1]], &[("axis", Int(1))]),
        ),
        (
            "(Split)",
            refusal(13, "Split", &[&[2, 2]], &[("axis", Int(1))]),
        ),
        (
            "repeats activations",
            refusal(13, "Expand", &[&[3, 4]], &[]),
        ),
        (
            "ONNX type number 7",
            refusal(13, "Cast", &[], &[("to", Int(7))]),
        ),
        (
            "ONNX type number 10",
            refusal(13, "Cast", &[], &[("to", Int(10))]),
        ),
        ("training mode", refusal(13, "Dropout", &[&[1], &[1]], &[])),
    ] {
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
}
