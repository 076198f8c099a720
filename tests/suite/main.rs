//! One binary for all tests that use finnp from outside.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::print_stdout)]

mod manifest;
mod project;
mod road;
mod shared;
