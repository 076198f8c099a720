//! One binary for all tests that use finnp from outside.
//! Must not know anything that is not public.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout
)]
#![allow(unreachable_pub)]

mod agreement;
mod area;
mod area_matrix;
mod area_shape;
mod area_yosys;
mod bcr;
mod beside;
mod book;
mod branch;
mod cli;
mod convolution;
mod corner;
mod doctor;
mod elsewhere;
mod eval;
mod example;
mod explain;
mod export;
mod export_command;
mod fast_road;
mod fault;
mod foreign;
mod gate;
mod graph;
mod hostile;
mod hostile_file;
mod hostile_name;
mod hostile_operator;
mod import_explain;
mod import_finn;
mod ip;
mod join;
mod killed;
mod learnt;
mod link;
mod liveness;
mod lossless;
mod manifest;
mod mask;
mod memories;
mod mixed;
mod mutated;
mod operator;
mod opset;
mod order;
mod other_executor;
mod part;
mod pipeline;
mod project;
mod proto;
mod pruned;
mod quantise;
mod quantised;
mod quantised_refusal;
mod random;
mod random_block;
mod random_build;
mod random_graph;
mod random_join;
mod random_layer;
mod random_network;
mod random_operator;
mod random_picture;
mod random_residual;
mod random_unit;
mod random_window;
mod rc;
mod residual;
mod resize;
mod resnet;
mod road;
mod rtl;
mod rtl_bench;
mod rtl_control;
mod rtl_core;
mod rtl_fifo;
mod rtl_graph;
mod rtl_join;
mod rtl_large;
mod rtl_matrix;
mod rtl_network;
mod rtl_packed;
mod rtl_real;
mod rtl_whole;
mod rtl_window;
mod shared;
mod signal;
mod simulate;
mod simulate_graph;
mod simulate_layer;
mod simulate_naive;
mod speed;
mod sweep;
mod tcl;
mod tidy;
mod train;
mod truth;
mod vision;
mod window;
mod window_network;
