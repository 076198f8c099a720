//! Names of outputs, inputs and folders: relative paths with `/` that cannot leave their folder.
//! Must not know what is stored under them.

use crate::error::{Error, Result};

/// Whether `name` is a relative path of plain components.
pub(super) fn is_plain(name: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..");
    !name.contains(['\\', '\0', '\n']) && name.split('/').all(part)
}

/// Fails on a name that could leave its folder.
///
/// # Errors
/// A bug, since stages make these names; `what` says what it names.
pub(super) fn check(what: &str, name: &str) -> Result<()> {
    if is_plain(name) {
        Ok(())
    } else {
        Err(Error::bug(format!(
            "{what} `{name}` is not a relative path"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_relative_paths_are_plain() {
        for name in ["a", "a/b.hpp", ".a", "..a", "a b"] {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "", "/a", "a/", "../a", "a/../b", "a//b", "./a", "a\\b", "a\0",
        ] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
