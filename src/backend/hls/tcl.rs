//! Tcl for Vitis HLS: C simulation, synthesis and export, of the whole network and of one core.
//! Written for 2022.1 and later. Must not know C++.

use super::core::CORE_TO_HLS;
use super::reserved::is_reserved;

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
    pub fn period_ns(&self) -> String {
        format!("{:.3}", (1e6 / self.clock_mhz).floor() / 1e3)
    }

    /// Clock in Hz.
    pub fn clock_hz(&self) -> u64 {
        (self.clock_mhz * 1e6).round() as u64
    }

    fn solution(&self) -> String {
        format!(
            "open_solution -reset -flow_target vivado solution\nset_part {}\ncreate_clock -period {} -name default\n",
            self.part,
            self.period_ns()
        )
    }
}

/// What synthesis of `name` leaves behind, in the folder in which it runs.
pub fn archive(name: &str) -> String {
    format!("{name}.zip")
}

/// Folder of the project of synthesis: none of the sources' folders can have this name.
fn folder(name: &str) -> String {
    format!("{name}_vitis_hls")
}

fn finish(name: &str) -> String {
    format!(
        "csynth_design\nexport_design -format ip_catalog -vendor finnp -library accelerator -ipname {name} -version 1.0\n\
         file copy -force {folder}/solution/impl/export.zip {archive}\nexit\n",
        folder = folder(name),
        archive = archive(name),
    )
}

/// The script of the whole network; `sources` are relative to the script.
pub(super) fn network(target: &Target, sources: &[String]) -> String {
    let name = ip_name(&target.project);
    let files: String = sources
        .iter()
        .map(|file| format!("add_files -cflags $flags $here/{file}\n"))
        .collect();
    format!(
        "# C simulation, synthesis and export of the accelerator `{project}` as one IP, to\n         # {archive}.\n\
         #   vitis_hls -f vitis_hls.tcl                 in this folder (2022.1 and later)\n\
         #   vitis-run --mode hls --tcl vitis_hls.tcl   with the newer command\n\
         set here [file normalize [file dirname [info script]]]\n\
         set flags \"-std=c++17 -I$here -I$here/library\"\n\n\
         open_project -reset {folder}\n{files}add_files -tb -cflags $flags $here/testbench.cpp\nset_top top\n\n\
         {solution}\n\
         # Simulation runs where a file input.npy [frames, ...] lies beside this script.\n\
         if {{[file exists $here/input.npy]}} {{\n    \
         csim_design -argv \"$here/layers $here/input.npy $here/output.npy\"\n}}\n{finish}",
        project = target.project,
        archive = archive(&name),
        folder = folder(&name),
        solution = target.solution(),
        finish = finish(&name),
    )
}

/// The script of the core called `name`; `sources` are relative to the script.
pub fn core_script(target: &Target, name: &str, sources: &[String]) -> String {
    let files: String = sources
        .iter()
        .map(|file| format!("add_files -cflags $flags $here/{file}\n"))
        .collect();
    format!(
        "# Synthesis and export of this core, {archive}.\n\
         #   vitis_hls -f vitis_hls.tcl                 (2022.1 and later)\n\
         #   vitis-run --mode hls --tcl vitis_hls.tcl   with the newer command\n\
         set here [file normalize [file dirname [info script]]]\n\
         set hls [file normalize $here/{CORE_TO_HLS}]\n\
         set flags \"-std=c++17 -I$here -I$hls -I$hls/library\"\n\
         cd $here\n\n\
         open_project -reset {folder}\n{files}set_top {name}\n\n{solution}\n{finish}",
        archive = archive(name),
        folder = folder(name),
        solution = target.solution(),
        finish = finish(name),
    )
}

/// The name of the whole network's IP: an identifier that begins with a letter and that a module may have.
pub fn ip_name(project: &str) -> String {
    let name = project.replace('-', "_");
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic());
    match begins && !is_reserved(&name) {
        true => name,
        false => format!("ip_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, ip_name};

    #[test]
    fn names_of_ip_begin_with_a_letter() {
        for (project, expected) in [
            ("digits", "digits"),
            ("2-b", "ip_2_b"),
            ("-", "ip__"),
            ("table", "ip_table"),
            ("finnp_fifo", "ip_finnp_fifo"),
            ("DSP48E2", "ip_DSP48E2"),
            ("RAM32M16", "ip_RAM32M16"),
            ("RAM64M8", "ip_RAM64M8"),
        ] {
            assert_eq!(ip_name(project), expected);
        }
    }

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
