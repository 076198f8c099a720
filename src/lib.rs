//! finnp: sparse streaming neural-network accelerators for FPGAs.
//!
//! The modules below are floors: each one uses only those above it. The order is the architecture.

pub mod error;

pub mod tensor;

pub mod layer;

pub mod network;

pub mod dataflow;

pub mod reference;
