//! Tcl for Vitis HLS: C simulation, synthesis and export, of the whole network and of one layer.
//! Written for 2022.1 and later. Must not know C++.

/// The part and clock that synthesis aims at.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Name of the project.
    pub project: String,
    /// Full part name.
    pub part: String,
    /// Clock in MHz.
    pub clock_mhz: f64,
}

impl Target {
    /// Clock period in nanoseconds, rounded down to picoseconds so that the clock is never slower.
    fn period_ns(&self) -> String {
        format!("{:.3}", (1e6 / self.clock_mhz).floor() / 1e3)
    }

    fn solution(&self) -> String {
        format!(
            "open_solution -reset -flow_target vivado solution\nset_part {}\ncreate_clock -period {} -name default\n",
            self.part,
            self.period_ns()
        )
    }

    fn finish(name: &str) -> String {
        format!(
            "csynth_design\nexport_design -format ip_catalog -vendor finnp -library hls -ipname {name} -version 1.0\nexit\n"
        )
    }
}

/// The script of the whole network; `sources` are relative to the script.
pub(super) fn network(target: &Target, sources: &[String]) -> String {
    let project = &target.project;
    let files: String = sources
        .iter()
        .map(|file| format!("add_files -cflags $flags $here/{file}\n"))
        .collect();
    format!(
        "# C simulation, synthesis and export of the accelerator `{project}`.\n\
         #   vitis_hls -f vitis_hls.tcl                 in this folder (2022.1 and later)\n\
         #   vitis-run --mode hls --tcl vitis_hls.tcl   with the newer command\n\
         set here [file normalize [file dirname [info script]]]\n\
         set flags \"-std=c++17 -I$here -I$here/library\"\n\n\
         open_project -reset {project}\n{files}add_files -tb -cflags $flags $here/testbench.cpp\nset_top top\n\n\
         {solution}\n\
         # Simulation runs where a file input.npy [frames, ...] lies beside this script.\n\
         if {{[file exists $here/input.npy]}} {{\n    \
         csim_design -argv \"$here/layers $here/input.npy $here/output.npy\"\n}}\n{finish}",
        solution = target.solution(),
        finish = Target::finish(&identifier(project)),
    )
}

/// The script of one layer with its memories; it lies in `layers/<folder>/`.
pub(super) fn layer(target: &Target, folder: &str, function: &str, tag: &str) -> String {
    format!(
        "# Synthesis and export of the layer `{folder}` alone, with AXI4-Stream ports.\n\
         #   vitis_hls -f vitis_hls.tcl   (2022.1 and later)\n\
         set here [file normalize [file join [file dirname [info script]] ../..]]\n\
         set flags \"-std=c++17 -I$here -I$here/library\"\n\n\
         open_project -reset {function}\n\
         add_files -cflags $flags $here/layers/{folder}/{function}.cpp\n\
         add_files -cflags $flags $here/shapes/{tag}.cpp\n\
         set_top {function}\n\n{solution}\
         set_directive_interface -mode axis {function} in\n\
         set_directive_interface -mode axis {function} out\n\
         set_directive_interface -mode ap_ctrl_none {function} return\n\n{finish}",
        solution = target.solution(),
        finish = Target::finish(function),
    )
}

/// IP names are identifiers.
fn identifier(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn the_period_is_never_longer_than_the_clock_allows() {
        for (clock_mhz, expected) in [(144.0, "6.944"), (200.0, "5.000"), (300.0, "3.333")] {
            let target = Target {
                project: "x".into(),
                part: "y".into(),
                clock_mhz,
            };
            assert_eq!(target.period_ns(), expected);
        }
    }
}
