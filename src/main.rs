//! The program `finnp`.
//! Must not know anything: the door is `finnp::cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    finnp::cli::main()
}
