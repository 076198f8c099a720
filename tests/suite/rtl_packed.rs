//! Several products in one multiplier against plain multiplication.
//! Must not know layers.

use std::fs;
use std::process::Command;

use finnp::backend::rtl::LIBRARY;
use finnp::layer::Multiplier;
use finnp::tensor::DataType;

use super::rtl_bench::{compile, verilator};

/// Every `stride`-th combination of the weights of all rows and the input that they share. Returns how many.
fn tried(weight: u8, input: DataType, stride: u64) -> u64 {
    let rows = Multiplier::rows(DataType::Int(weight), input).unwrap();
    // The program packs all weights of a combination into 64 bits, and all sums of 16.
    let rows = rows
        .min(4)
        .min((58 - input.bits() as usize) / usize::from(weight));
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in LIBRARY {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let kind = u8::from(matches!(input, DataType::Int(_)));
    let shape = [
        ("ROWS", rows as u64),
        ("W_BITS", u64::from(weight)),
        ("X_BITS", u64::from(input.bits())),
        ("X_KIND", u64::from(kind)),
    ];
    let mut main = format!("#define STRIDE {stride}ull\n");
    for (name, number) in shape {
        main += &format!("#define {name} {number}\n");
    }
    main += include_str!("rtl_packed.cpp");
    fs::write(folder.path().join("main.cpp"), main).unwrap();
    let parameters = shape.map(|(name, number)| format!("-G{name}={number}"));
    compile(folder.path(), "finnp_packed_dot", &parameters);
    let output = Command::new(folder.path().join("simulate"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "int{weight} by {input}: {output:?}"
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn products_that_share_a_slice_are_products() {
    if !verilator() {
        return;
    }
    // All of them, both signs.
    for input in [DataType::Uint(4), DataType::Int(4)] {
        assert_eq!(tried(4, input, 1), (1 << 20) + 1);
    }
    // Others by steps that share no factor with anything.
    for (weight, input, stride) in [
        (2, DataType::Uint(2), 1),
        (3, DataType::Uint(8), 1),
        (8, DataType::Uint(3), 127),
        (5, DataType::Int(5), 31),
        (8, DataType::Uint(8), 131),
        (8, DataType::Int(8), 131),
    ] {
        assert!(tried(weight, input, stride) > 1 << 10, "{weight} {input}");
    }
}
