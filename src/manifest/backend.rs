//! `Backend`: the language in which hardware is written, as the manifest asks for it.
//! Must not know which layers have a form in which language.

use std::fmt;

/// What `backend` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// C++ for Vitis HLS.
    Hls,
    /// SystemVerilog.
    Rtl,
    /// SystemVerilog where the library has a module, C++ elsewhere.
    Auto,
}

/// Every backend with its word.
const WORDS: &[(&str, Backend)] = &[
    ("hls", Backend::Hls),
    ("rtl", Backend::Rtl),
    ("auto", Backend::Auto),
];

impl Backend {
    /// The backend of that word.
    pub fn named(word: &str) -> Option<Self> {
        let found = WORDS.iter().find(|(name, _)| *name == word);
        found.map(|(_, backend)| *backend)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = WORDS.iter().find(|(_, backend)| backend == self);
        f.write_str(found.map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::key::BACKENDS;

    #[test]
    fn every_word_of_the_key_is_one() {
        let words: Vec<&str> = WORDS.iter().map(|(word, _)| *word).collect();
        assert_eq!(words, BACKENDS);
        for word in BACKENDS {
            assert_eq!(
                Backend::named(word).map(|b| b.to_string()).as_deref(),
                Some(*word)
            );
        }
    }
}
