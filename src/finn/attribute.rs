//! Attributes of FINN's layers that a manifest does not have, and why.
//! Must not know layers.

use serde_json::Value;

use super::left::Why;

const FIFO: &str = "the depths of FIFOs are part of finnp's folding";
const STYLE: &str = "every layer is written in HLS C++";
const MEMORY: &str = "finnp and Vivado choose the memories of weights and thresholds";
const DERIVED: &str = "it follows from the network";
const PLACE: &str = "the place on the chip is left to Vivado";

/// Attributes by name.
const ATTRIBUTES: &[(&str, Why, &str)] = &[
    ("ram_style", Why::Decided, MEMORY),
    ("ram_style_thresholds", Why::Decided, MEMORY),
    ("depth_trigger_uram", Why::Decided, MEMORY),
    ("depth_trigger_bram", Why::Decided, MEMORY),
    ("uram_memory", Why::Decided, MEMORY),
    (
        "resType",
        Why::Decided,
        "Vitis HLS chooses what products are made of",
    ),
    (
        "mem_mode",
        Why::Decided,
        "weights lie in the accelerator always",
    ),
    (
        "runtime_writeable_weights",
        Why::Decided,
        "weights are fixed",
    ),
    ("inFIFODepths", Why::Decided, FIFO),
    ("outFIFODepths", Why::Decided, FIFO),
    ("inFIFODepth", Why::Decided, FIFO),
    ("outFIFODepth", Why::Decided, FIFO),
    ("depth", Why::Decided, FIFO),
    ("impl_style", Why::NoEquivalent, STYLE),
    ("preferred_impl_style", Why::NoEquivalent, STYLE),
    ("hls_style", Why::NoEquivalent, STYLE),
    ("cpp_interface", Why::NoEquivalent, STYLE),
    ("pumpedMemory", Why::NoEquivalent, "there is one clock"),
    ("pumpedCompute", Why::NoEquivalent, "there is one clock"),
    ("M", Why::NoEquivalent, "a layer sees one pixel at a time"),
    ("slr", Why::NotYet, PLACE),
    ("partition_id", Why::NotYet, PLACE),
    ("device_id", Why::NotYet, PLACE),
    ("mem_port", Why::NotYet, PLACE),
    ("inputDataType", Why::Decided, DERIVED),
    ("weightDataType", Why::Decided, DERIVED),
    ("outputDataType", Why::Decided, DERIVED),
    ("accDataType", Why::Decided, DERIVED),
    ("noActivation", Why::Decided, DERIVED),
    ("ActVal", Why::Decided, DERIVED),
    ("binaryXnorMode", Why::Decided, DERIVED),
    ("numInputVectors", Why::Decided, DERIVED),
];

/// Why an attribute with this value is not taken over.
pub(super) fn reason(key: &str, value: &Value) -> (Why, &'static str) {
    let set = match value {
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(set) => *set,
        _ => false,
    };
    let outside = |mode: &str| matches!(mode, "external" | "external_mem" | "dynamic");
    match key {
        "runtime_writeable_weights" if set => {
            return (Why::NotYet, "weights cannot be changed at run time");
        }
        "mem_mode" if value.as_str().is_some_and(outside) => {
            return (Why::NotYet, "weights lie in the accelerator always");
        }
        _ => {}
    }
    let found = ATTRIBUTES.iter().find(|(name, _, _)| *name == key);
    found.map_or(
        (Why::Unknown, "finnp knows no such attribute"),
        |(_, why, words)| (*why, words),
    )
}
