//! Pictures that grow by any factor and in every way to the nearest pixel: what is accepted is what onnxruntime makes of
//! the file, as the executor of QONNX calls it.
//! Must not know how pixels are chosen.

use finnp::error::Kind;
use finnp::network::Op;
use finnp::qonnx::import;
use finnp::reference::{Known, Real};
use finnp::tensor::Tensor;

use super::other_executor::{Job, execute};
use super::proto::{Attribute, File};

const COORDINATES: [&str; 6] = [
    "half_pixel",
    "half_pixel_symmetric",
    "pytorch_half_pixel",
    "asymmetric",
    "align_corners",
    "tf_half_pixel_for_nn",
];

const NEAREST: [&str; 4] = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"];

/// A row of `length` pixels that grows `scale` times, or to as many pixels as that if `sizes`.
fn file(length: usize, scale: f32, way: [&str; 2], sizes: bool) -> Vec<u8> {
    let mut file = File::new(19, "qonnx.custom_op.general");
    file.input("in", &[1, 1, 1, length]);
    let grown = (length as f32 * scale).floor() as usize;
    let inputs = match sizes {
        true => ["in", "", "", &file.integers(&[1, 1, 1, grown as i64])].map(str::to_owned),
        false => {
            let scales = file.constant(&[4], &[1.0, 1.0, 1.0, scale], true);
            ["in", "", &scales, ""].map(str::to_owned)
        }
    };
    let used = if sizes { 4 } else { 3 };
    let inputs: Vec<&str> = inputs[..used].iter().map(String::as_str).collect();
    let attributes = [
        ("mode", Attribute::Text("nearest")),
        ("coordinate_transformation_mode", Attribute::Text(way[0])),
        ("nearest_mode", Attribute::Text(way[1])),
    ];
    let at = file.node("Resize", &inputs, &attributes);
    file.output(&at, &[1, 1, 1, grown], false);
    file.bytes()
}

#[test]
fn pixels_are_those_of_onnxruntime() {
    let (mut jobs, mut networks, mut refused) = (Vec::new(), Vec::new(), 0);
    for coordinates in COORDINATES {
        for nearest in NEAREST {
            for (length, scale, sizes) in [
                (1, 2.3, false),
                (2, 2.4, false),
                (3, 2.3, false),
                (8, 2.05, false),
                (3, 3.0, false),
                (3, 3.0, true),
                (2, 2.0, true),
                (5, 1.0, false),
            ] {
                let way = [coordinates, nearest];
                let bytes = file(length, scale, way, sizes);
                let network = match import(&bytes) {
                    Ok(network) => network,
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::User);
                        refused += 1;
                        let simple = way == ["asymmetric", "floor"] && scale.fract() == 0.0;
                        assert!(!simple, "{length} times {scale}: {error:?}");
                        continue;
                    }
                };
                let cut = way == ["asymmetric", "floor"] && length > 2 && scale.fract() > 0.0;
                assert!(!cut, "{length} times {scale}");
                jobs.push(Job {
                    bytes,
                    shape: vec![1, 1, 1, length],
                    samples: vec![(0..length).map(|at| at as f64).collect()],
                    each: vec![network.value(network.outputs[0]).name.clone()],
                    once: Vec::new(),
                });
                networks.push(network);
            }
        }
    }
    println!("{} accepted, {refused} refused", jobs.len());
    assert!(jobs.len() > 40 && refused > 40);
    let Some(answers) = execute(&jobs) else {
        return;
    };
    for ((network, job), answer) in networks.iter().zip(&jobs).zip(answers) {
        let real = Real::new(network).unwrap();
        let input = Tensor::new(job.shape.clone(), job.samples[0].clone()).unwrap();
        let ours = real.run(vec![Known::real(input)], |_, _| ()).unwrap();
        assert_eq!(ours[0].real.data(), answer[&job.each[0]][0], "{network:?}");
    }
}

/// What is no way to the nearest pixel of the whole picture is refused by name.
#[test]
fn other_ways_are_refused() {
    for way in [
        ["tf_crop_and_resize", "round_prefer_floor"],
        ["asymmetric", "nearest"],
        ["whole", "floor"],
    ] {
        let error = import(&file(3, 2.0, way, false)).unwrap_err();
        let said = format!("{error:?}");
        assert!(error.kind() == Kind::User && said.contains("use one of"));
        assert!(
            way.iter().any(|name| error.message().contains(name)),
            "{said}"
        );
    }
}

/// Before version 11 every pixel is that on its upper left; nothing says so in the file. The operator was called
/// `Upsample` before.
#[test]
fn the_first_versions_have_one_way() {
    let old = |(version, name): (i64, &str), scale: f32| {
        let mut file = File::new(version, "qonnx.custom_op.general");
        file.input("in", &[1, 1, 1, 2]);
        let scales = file.constant(&[4], &[1.0, 1.0, 1.0, scale], true);
        let at = file.node(
            name,
            &["in", &scales],
            &[("mode", Attribute::Text("nearest"))],
        );
        file.output(&at, &[1, 1, 1, 4], false);
        import(&file.bytes())
    };
    for operator in [(10, "Resize"), (9, "Upsample")] {
        let network = old(operator, 2.0).unwrap();
        assert!(matches!(
            network.nodes[0].op,
            Op::Upsample { factor: [1, 2] }
        ));
        let error = old(operator, 2.2).unwrap_err();
        assert!(error.message().contains("is not a copy"), "{error:?}");
    }
}
