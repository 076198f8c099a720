//! The script with which Yosys maps a module to the cells of UltraScale+ and counts them.
//! Must not know who runs it.

/// The outside of the family's multiplier, `(file, text)`: Yosys' reader of SystemVerilog does not know it.
pub const PRIMITIVES: (&str, &str) = ("dsp48e2.sv", include_str!("synthesis/dsp48e2.sv"));

/// File that the script leaves: what cells there are, as Yosys' command `stat -json` writes it.
pub const STAT: &str = "stat.json";

/// Modules of constants, as the reader names them.
const ROM: &str = "finnp_rom*";

/// A script of Yosys 0.70 for the module `top` in `files`, with these values of its parameters. Products that the
/// library leaves to look-up tables stay there; the multipliers that it instantiates are taken as they are. The
/// script maps, runs `then` on the netlist, and counts.
pub fn synthesis_script(
    top: &str,
    files: &[String],
    parameters: &[(String, String)],
    then: &[String],
) -> String {
    let given: String = parameters
        .iter()
        .map(|(name, value)| format!(" -G {name}={value}"))
        .collect();
    // One thread: Yosys in WebAssembly has no other.
    let read = format!(
        "read_slang --threads 1 --keep-hierarchy -D FINNP_DSP48E2 --blackboxed-module DSP48E2 --top {top}{given} {} {}",
        PRIMITIVES.0,
        files.join(" ")
    );
    // The step `begin` would read several times as many cells; all that matter are in `cells_sim.v`. The multiplier is
    // read again for its parameters, which the other reader forgets. Memories of constants are mapped by themselves:
    // mapped with the rest, one of 64 words takes several times as many tables as it has bits a word. Constants that
    // never change are left to be drawn into what they are compared with.
    let map = [
        format!("setattr -mod -set keep_hierarchy 1 {ROM}/w:at {ROM}/s:2: %i %m"),
        format!("read_verilog -sv -lib -overwrite {}", PRIMITIVES.0),
        "read_verilog -lib -specify +/xilinx/cells_sim.v".to_owned(),
        "synth_xilinx -family xcup -noiopad -noclkbuf -nodsp -flatten -run prepare:check"
            .to_owned(),
        format!("setattr -mod -unset keep_hierarchy {ROM}"),
        "flatten".to_owned(),
    ];
    let count = format!("tee -q -o {STAT} stat -json");
    let lines = [read].into_iter().chain(map);
    let lines = lines.chain(then.iter().cloned()).chain([count]);
    lines.map(|line| line + "\n").collect()
}
