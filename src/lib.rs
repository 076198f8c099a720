//! finnp: sparse streaming neural-network accelerators for FPGAs.
//!
//! The modules below are floors: each one uses only those above it. The order is the architecture.
//! Must not hold code of its own.

pub mod error;

pub mod tensor;

pub mod board;

pub mod manifest;

pub mod layer;

pub mod cost;

pub mod network;

pub mod dataflow;

pub mod qonnx;

pub mod reference;

pub mod data;

pub mod pass;

pub mod prune;

pub mod quantise;

pub mod train;

pub mod fold;

pub mod finn;

pub mod simulate;

pub mod backend;

pub mod package;

pub mod tool;

pub mod stage;

pub mod build;

pub mod cli;
