//! Releases of the tools that the scripts are written for.
//! Must not know the scripts.

use std::collections::BTreeMap;

/// The first release, and the first one that is too new to be known.
const RELEASES: [(u32, u32); 2] = [(2022, 1), (2026, 1)];

/// A warning for each tool of another release; `versions` is what each tool says, by name.
pub(super) fn warnings(versions: &BTreeMap<String, String>) -> Vec<String> {
    let [first, end] = RELEASES;
    let mut warnings = Vec::new();
    for (tool, said) in versions {
        let found = release(said);
        if found.is_some_and(|release| (first..end).contains(&release)) {
            continue;
        }
        let which = match found {
            Some((year, number)) => format!("release {year}.{number} of `{tool}`"),
            None => format!("the unknown release of `{tool}`, which calls itself `{said}`,"),
        };
        warnings.push(format!(
            "{which} is not among those that the scripts are written for: {}.{} to {}.x",
            first.0,
            first.1,
            end.0 - 1
        ));
    }
    warnings
}

/// Year and number: 2022 and 1 of `vivado v2022.1.2 (64-bit)`.
fn release(said: &str) -> Option<(u32, u32)> {
    let mut words = said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    words.find_map(|word| {
        let mut parts = word.strip_prefix('v').unwrap_or(word).split('.');
        let year = parts.next().filter(|year| year.len() == 4)?;
        Some((year.parse().ok()?, parts.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_found_in_what_tools_say() {
        let said = [
            ("Vivado v2022.1 (64-bit)", Some((2022, 1))),
            ("vivado v2024.1.2 (64-bit)", Some((2024, 1))),
            (
                "****** Vitis HLS - High-Level Synthesis from C, C++ and OpenCL v2023.2 (64-bit)",
                Some((2023, 2)),
            ),
            ("WARNING: no 1999 licence", None),
        ];
        for (text, expected) in said {
            assert_eq!(release(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_older_newer_or_unknown_is_warned_of() {
        let count = |said: &str| warnings(&BTreeMap::from([("vivado".into(), said.into())])).len();
        for (said, expected) in [
            ("v2021.2", 1),
            ("v2022.1", 0),
            ("v2025.2", 0),
            ("v2026.1", 1),
            ("", 1),
        ] {
            assert_eq!(count(said), expected, "{said}");
        }
    }
}
