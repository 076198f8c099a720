//! Options of a build of FINN, the fields of `DataflowBuildConfig`, as `[target]` of a manifest.
//! Must not know layers.

use serde_json::Value;

use super::left::{Left, Why, leave};
use crate::board::{self, Board};

/// What of a build has an equivalent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The board.
    pub board: Option<&'static Board>,
    /// Clock in MHz.
    pub clock_mhz: Option<f64>,
    /// Frames per second that are asked for.
    pub fps: Option<f64>,
    /// The file with the folding, as the build names it.
    pub folding: Option<String>,
    /// Everything else.
    pub left: Vec<Left>,
}

const FIFO: &str = "the depths of FIFOs are part of finnp's folding";
const SHELL: &str = "there are no shells, drivers and bit files of boards";
const STEPS: &str = "`finnp build --to STAGE` stops earlier, and the cache starts where it must";
const PROOF: &str = "every build simulates the C++ of every layer and of the network";
const DEBUG: &str = "it belongs to FINN's own tools";

/// Options that say nothing in a manifest.
const OPTIONS: &[(&str, Why, &str)] = &[
    (
        "output_dir",
        Why::Decided,
        "a build lies in `build`, beside the manifest",
    ),
    (
        "generate_outputs",
        Why::Decided,
        "a build makes all that finnp can make",
    ),
    (
        "hls_clk_period_ns",
        Why::Decided,
        "Vitis HLS and Vivado have the same clock",
    ),
    (
        "mvau_wwidth_max",
        Why::Decided,
        "words have 4096 bits at most",
    ),
    (
        "folding_two_pass_relaxation",
        Why::Decided,
        "folding is balanced always",
    ),
    (
        "standalone_thresholds",
        Why::Decided,
        "thresholds are part of the layer in front of them",
    ),
    (
        "minimize_bit_width",
        Why::Decided,
        "every width is the least that is exact",
    ),
    (
        "max_multithreshold_bit_width",
        Why::Decided,
        "quantisers of any width become thresholds",
    ),
    (
        "input_range_info",
        Why::Decided,
        "`[input]` tells what arrives",
    ),
    ("auto_fifo_depths", Why::Decided, FIFO),
    ("auto_fifo_strategy", Why::Decided, FIFO),
    ("split_large_fifos", Why::Decided, FIFO),
    ("large_fifo_mem_style", Why::Decided, FIFO),
    ("live_fifo_sizing", Why::Decided, FIFO),
    ("fifosim_input_throttle", Why::Decided, FIFO),
    ("fifosim_save_waveform", Why::Decided, FIFO),
    ("fifosim_n_inferences", Why::Decided, FIFO),
    ("default_swg_exception", Why::Decided, FIFO),
    ("debug_fifo", Why::Decided, FIFO),
    ("verify_steps", Why::Decided, PROOF),
    (
        "verify_save_full_context",
        Why::Decided,
        "all values of all layers are in `build/sim`",
    ),
    (
        "verify_input_npy",
        Why::DoesNotFit,
        "`[verify] inputs` takes an `.npz` with the samples as array `x`",
    ),
    (
        "verify_expected_output_npy",
        Why::NoEquivalent,
        "the expected outputs are those of finnp's own reference",
    ),
    (
        "save_intermediate_models",
        Why::Decided,
        "`finnp export` writes the network of a stage",
    ),
    ("steps", Why::NoEquivalent, STEPS),
    ("start_step", Why::NoEquivalent, STEPS),
    ("stop_step", Why::NoEquivalent, STEPS),
    (
        "specialize_layers_config_file",
        Why::NoEquivalent,
        "every layer is written in HLS C++",
    ),
    ("shell_flow_type", Why::NotYet, SHELL),
    ("vitis_platform", Why::NotYet, SHELL),
    ("vitis_floorplan_file", Why::NotYet, SHELL),
    ("vitis_opt_strategy", Why::NotYet, SHELL),
    ("fpga_memory", Why::NotYet, SHELL),
    ("signature", Why::NotYet, SHELL),
    ("enable_hw_debug", Why::NotYet, SHELL),
    ("enable_instrumentation", Why::NotYet, SHELL),
    (
        "stitched_ip_gen_dcp",
        Why::NotYet,
        "`finnp build --require link` synthesises out of context",
    ),
    (
        "verify_save_rtlsim_waveforms",
        Why::NotYet,
        "RTL is not simulated",
    ),
    ("rtlsim_batch_size", Why::NotYet, "RTL is not simulated"),
    (
        "rtlsim_use_vivado_comps",
        Why::NotYet,
        "RTL is not simulated",
    ),
    ("force_python_rtlsim", Why::NotYet, "RTL is not simulated"),
    ("enable_build_pdb_debug", Why::NoEquivalent, DEBUG),
    (
        "verbose",
        Why::NoEquivalent,
        "`finnp build --verbose` prints a line for every job",
    ),
    ("console_log_level", Why::NoEquivalent, DEBUG),
];

/// FINN's names of boards.
const BOARDS: &[(&str, &str)] = &[
    ("U250", "alveo-u250"),
    ("U280", "alveo-u280"),
    ("Pynq-Z2", "pynq-z2"),
    ("ZCU104", "zcu104"),
];

/// What the options of a build say about a manifest.
pub fn settings(options: &[(String, Value)]) -> Settings {
    let mut settings = Settings::default();
    // Whatever is `null` has FINN's default, as if it were not there.
    for (key, value) in options.iter().filter(|(_, value)| !value.is_null()) {
        let refused = match key.as_str() {
            "board" => settings.board(value),
            "fpga_part" => settings.part(value),
            "synth_clk_period_ns" => settings.clock(value),
            "target_fps" => settings.rate(value),
            "folding_config_file" => settings.file(value),
            _ => Err(reason(key, value)),
        };
        if let Err((why, words)) = refused {
            leave(&mut settings.left, (why, &words), &[key], None);
        }
    }
    settings.fit();
    settings
}

type Refused = Result<(), (Why, String)>;

fn reason(key: &str, value: &Value) -> (Why, String) {
    let later = ["bitfile", "pynq_driver", "cpp_driver", "deployment_package"];
    let wanted = |value: &Value| value.as_str().is_some_and(|name| later.contains(&name));
    if key == "generate_outputs" && value.as_array().is_some_and(|all| all.iter().any(wanted)) {
        return (Why::NotYet, SHELL.to_owned());
    }
    let found = OPTIONS.iter().find(|(name, _, _)| *name == key);
    let (why, words) = found.map_or(
        (Why::Unknown, "it is no option of a build"),
        |(_, why, words)| (*why, *words),
    );
    (why, words.to_owned())
}

fn known() -> String {
    let names: Vec<&str> = board::all()
        .iter()
        .map(|board| board.name.as_str())
        .collect();
    names.join(", ")
}

impl Settings {
    fn board(&mut self, value: &Value) -> Refused {
        let name = value.as_str().unwrap_or_default();
        let found = BOARDS.iter().find(|(theirs, _)| *theirs == name);
        self.board = found.and_then(|(_, ours)| board::find(ours));
        match self.board {
            Some(_) => Ok(()),
            None => Err((
                Why::NotYet,
                format!("{value} is none of finnp's boards: {}", known()),
            )),
        }
    }

    fn part(&mut self, value: &Value) -> Refused {
        let part = value.as_str().unwrap_or_default();
        let found = board::all()
            .iter()
            .find(|board| board.part.eq_ignore_ascii_case(part));
        match (self.board, found) {
            (Some(board), Some(found)) if board == found => Ok(()),
            (None, Some(found)) => {
                self.board = Some(found);
                Ok(())
            }
            _ => Err((
                Why::NotYet,
                format!("{value} is the part of none of finnp's boards: {}", known()),
            )),
        }
    }

    fn clock(&mut self, value: &Value) -> Refused {
        let period = value.as_f64().filter(|period| *period > 0.0);
        // A period of 3.3 ns is 303.03 MHz for everybody.
        let clock = period.map(|period| (1e5 / period).round() / 100.0);
        self.clock_mhz = clock.filter(|clock| *clock > 0.0);
        match self.clock_mhz {
            Some(_) => Ok(()),
            None => Err((Why::DoesNotFit, format!("{value} is no period"))),
        }
    }

    fn rate(&mut self, value: &Value) -> Refused {
        self.fps = value.as_f64().filter(|fps| *fps > 0.0);
        match self.fps {
            Some(_) => Ok(()),
            None => Err((
                Why::DoesNotFit,
                format!("{value} is no number of frames per second"),
            )),
        }
    }

    fn file(&mut self, value: &Value) -> Refused {
        self.folding = value.as_str().map(str::to_owned);
        match self.folding {
            Some(_) => Ok(()),
            None => Err((Why::DoesNotFit, format!("{value} is no file"))),
        }
    }

    /// Leaves out a clock that the board does not have.
    fn fit(&mut self) {
        let (Some(board), Some(clock)) = (self.board, self.clock_mhz) else {
            return;
        };
        let most = board.clock.maximum_mhz;
        if clock > most {
            self.clock_mhz = None;
            let words = format!(
                "{clock} MHz are more than {most}, the most of {}",
                board.name
            );
            let why = (Why::DoesNotFit, words.as_str());
            leave(&mut self.left, why, &["synth_clk_period_ns"], None);
        }
    }
}
