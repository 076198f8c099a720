//! Reads Vivado's reports: what a design takes, and its slack.
//! Must not know the design.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the network takes, and how fast it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Look-up tables, those that are memory or shift registers too.
    pub lut: u64,
    /// Flip-flops.
    pub ff: u64,
    /// Block RAMs of 36 Kbit; half a one counts 0.5.
    pub bram: f64,
    /// UltraRAMs; 0 for families that have none.
    pub uram: u64,
    /// DSP slices.
    pub dsp: u64,
    /// Worst setup slack in nanoseconds; below 0 the clock is not reached.
    pub wns_ns: f64,
}

/// Reads `report_utilization` and `report_timing_summary`.
///
/// # Errors
/// A tool error that names what a report does not say.
pub(super) fn figures(utilisation: &str, timing: &str) -> Result<Figures> {
    let count = |names: &[&str]| {
        let value = used(utilisation, names);
        value.ok_or_else(|| lacks("utilisation", names[0]))
    };
    Ok(Figures {
        lut: count(&["CLB LUTs", "Slice LUTs"])? as u64,
        ff: count(&["Register as Flip Flop"])? as u64,
        bram: count(&["Block RAM Tile"])?,
        uram: used(utilisation, &["URAM"]).unwrap_or_default() as u64,
        dsp: count(&["DSPs", "DSP Slices"])? as u64,
        wns_ns: slack(timing).ok_or_else(|| lacks("timing", "WNS(ns)"))?,
    })
}

fn lacks(report: &str, what: &str) -> Error {
    Error::tool(format!("the report of {report} does not say `{what}`"))
        .help("this release of Vivado may write its reports in another form: please report it")
}

/// The column `Used` of the first row that is called one of `names`. Columns depend on the release.
fn used(report: &str, names: &[&str]) -> Option<f64> {
    let mut column = None;
    for line in report.lines() {
        let Some(line) = line.trim().strip_prefix('|') else {
            continue;
        };
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let Some(place) = cells.iter().position(|cell| *cell == "Used") {
            column = Some(place);
        } else if let Some(column) = column
            // A star leads to a note below the table.
            && names.contains(&cells[0].trim_end_matches('*'))
        {
            return cells.get(column)?.parse().ok();
        }
    }
    None
}

/// The first figure below `WNS(ns)`, past the line of dashes.
fn slack(report: &str) -> Option<f64> {
    let mut lines = report.lines().map(str::trim);
    lines.find(|line| line.starts_with("WNS(ns)"))?;
    let mut rows = lines.filter(|line| !line.is_empty() && !line.starts_with("---"));
    rows.next()?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ULTRASCALE: &str = "\
Utilization Design Information

1. CLB Logic
------------

+----------------------------+------+-------+------------+-----------+-------+
|          Site Type         | Used | Fixed | Prohibited | Available | Util% |
+----------------------------+------+-------+------------+-----------+-------+
| CLB LUTs*                  | 8123 |     0 |          0 |   1303680 |  0.62 |
|   LUT as Logic             | 7999 |     0 |          0 |   1303680 |  0.61 |
| CLB Registers              | 9001 |     0 |          0 |   2607360 |  0.35 |
|   Register as Flip Flop    | 9000 |     0 |          0 |   2607360 |  0.35 |
|   Register as Latch        |    1 |     0 |          0 |   2607360 | <0.01 |
+----------------------------+------+-------+------------+-----------+-------+
* Warning! The Final LUT count may be lower.

3. BLOCKRAM
-----------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    | 14.5 |     0 |          0 |      2016 |  0.72 |
|   RAMB36/FIFO*    |   14 |     0 |          0 |      2016 |  0.69 |
|   RAMB18          |    1 |     0 |          0 |      4032 |  0.02 |
| URAM              |    2 |     0 |          0 |       960 |  0.21 |
+-------------------+------+-------+------------+-----------+-------+

4. ARITHMETIC
-------------

+-----------+------+-------+------------+-----------+-------+
| Site Type | Used | Fixed | Prohibited | Available | Util% |
+-----------+------+-------+------------+-----------+-------+
| DSPs      |   12 |     0 |          0 |      9024 |  0.13 |
+-----------+------+-------+------------+-----------+-------+
";

    const SEVEN: &str = "\
1. Slice Logic
+-------------------------+------+-------+-----------+-------+
|        Site Type        | Used | Fixed | Available | Util% |
+-------------------------+------+-------+-----------+-------+
| Slice LUTs              |   32 |     0 |     53200 |  0.06 |
| Slice Registers         |   11 |     0 |    106400 |  0.01 |
|   Register as Flip Flop |   11 |     0 |    106400 |  0.01 |
+-------------------------+------+-------+-----------+-------+
| Site Type               | Used | Fixed | Available | Util% |
| Block RAM Tile          |    0 |     0 |       140 |  0.00 |
| DSPs                    |    0 |     0 |       220 |  0.00 |
";

    fn timing(wns: &str) -> String {
        format!(
            "------------\n| Design Timing Summary\n| ---------------------\n------------\n\n    \
             WNS(ns)      TNS(ns)  TNS Failing Endpoints      WHS(ns)\n    \
             -------      -------  ---------------------      -------\n      \
             {wns}        0.000                      0        0.022\n\n\n\
             All user specified timing constraints are met.\n"
        )
    }

    #[test]
    fn tables_of_either_family_are_read() {
        let found = figures(ULTRASCALE, &timing("2.479")).unwrap();
        let expected = Figures {
            lut: 8123,
            ff: 9000,
            bram: 14.5,
            uram: 2,
            dsp: 12,
            wns_ns: 2.479,
        };
        assert_eq!(found, expected);
        let found = figures(SEVEN, &timing("-0.125")).unwrap();
        assert_eq!((found.lut, found.ff, found.uram), (32, 11, 0));
        assert_eq!(found.wns_ns, -0.125);
    }

    #[test]
    fn what_a_report_does_not_say_is_named() {
        let error = figures(SEVEN, &timing("NA")).unwrap_err();
        assert!(error.message().contains("WNS(ns)"), "{error}");
        let error = figures(&SEVEN.replace("DSPs", "DSP48"), &timing("1.0")).unwrap_err();
        assert!(error.message().contains("DSPs"), "{error}");
        assert_eq!(error.kind().exit_code(), 3);
        assert!(figures("", "").is_err());
    }
}
