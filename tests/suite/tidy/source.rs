//! Rust files as tokens: comments are gone, and every token knows its line and whether only tests see it.
//! Must not know the rules.

use std::collections::BTreeSet;
use std::fs;
use std::sync::LazyLock;

use walkdir::WalkDir;

use super::root;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Identifier, keyword or number.
    Word,
    /// What a string literal holds, escapes as they are written.
    Text,
    /// `::` or a single other character.
    Mark,
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
    /// Under `#[cfg(test)]`.
    pub(super) test: bool,
}

/// A path such as `crate::layer::Port`, or one leaf of a tree in braces.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) parts: Vec<String>,
    pub(super) line: usize,
    pub(super) test: bool,
    /// Modules in braces around it.
    pub(super) inner: usize,
}

/// One Rust file.
#[derive(Debug)]
pub(super) struct Source {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) tokens: Vec<Token>,
}

/// Every Rust file of the project, in the order of paths.
pub(super) static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let mut all: Vec<Source> = ["src", "cache/src", "tests", "build.rs"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|path| path.ends_with(".rs"))
        .map(|path| Source::new(&path, &fs::read_to_string(root().join(&path)).unwrap()))
        .collect();
    mark_test_files(&mut all);
    assert!(all.len() > 50, "the sources were not found");
    all
});

/// Files below a folder of the project, with `/`, in order.
pub(super) fn files(folder: &str) -> Vec<String> {
    let entries = WalkDir::new(root().join(folder)).sort_by_file_name();
    let entries = entries.into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(root()).unwrap();
            path.to_str().unwrap().replace('\\', "/")
        })
        .collect()
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let mut tokens = tokens(text);
        mark_tests(&mut tokens);
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            tokens,
        }
    }

    /// `file:line: `, the way compilers say it.
    pub(super) fn at(&self, line: usize) -> String {
        format!("{}:{line}: ", self.path)
    }

    /// Path of the module: `["layer", "mvau"]` for `src/layer/mvau.rs`, empty for the root of a crate.
    pub(super) fn module(&self) -> Vec<&str> {
        let inside = self
            .path
            .split_once("src/")
            .map_or("", |(_, inside)| inside);
        let mut parts: Vec<&str> = inside.trim_end_matches(".rs").split('/').collect();
        if matches!(parts.last(), Some(&("mod" | "lib" | "main" | ""))) {
            parts.pop();
        }
        parts
    }

    /// Name of its last module.
    pub(super) fn stem(&self) -> &str {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.rsplit('/').next().unwrap_or(path)
    }

    /// First token of every place where these words and marks follow each other.
    pub(super) fn find(&self, words: &[&str]) -> Vec<usize> {
        let same = |at: &[Token]| {
            at.iter()
                .zip(words)
                .all(|(token, word)| token.text == *word)
        };
        let windows = self.tokens.windows(words.len().max(1)).enumerate();
        windows
            .filter(|(_, at)| same(at))
            .map(|(at, _)| at)
            .collect()
    }

    /// Files of the modules that it declares with `mod x;`, without `.rs`, each with whether only tests see it.
    pub(super) fn declared(&self) -> Vec<(String, bool)> {
        let folder = match self.path.rsplit_once('/') {
            Some((folder, "mod.rs" | "lib.rs" | "main.rs")) => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        self.tokens
            .windows(3)
            .filter(|at| at[0].text == "mod" && at[0].kind == Kind::Word && at[2].text == ";")
            .map(|at| (format!("{folder}/{}", at[1].text), at[0].test))
            .collect()
    }

    /// Every path, and every leaf of every tree of `use`.
    pub(super) fn chains(&self) -> Vec<Chain> {
        let (mut chains, mut at, mut modules) = (Vec::new(), 0, Vec::new());
        while at < self.tokens.len() {
            match self.text_at(at) {
                "{" => {
                    let word = |back| at >= back && self.text_at(at - back) == "mod";
                    modules.push(word(2));
                }
                "}" => drop(modules.pop()),
                _ if self.tokens[at].kind == Kind::Word && self.text_at(at + 1) == "::" => {
                    let inner = modules.iter().filter(|module| **module).count();
                    at = self.chain(at, &mut Vec::new(), inner, &mut chains);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        chains
    }

    fn text_at(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// Reads one path or tree behind `before`; returns the first token after it.
    fn chain(
        &self,
        mut at: usize,
        before: &mut Vec<String>,
        inner: usize,
        out: &mut Vec<Chain>,
    ) -> usize {
        let (depth, first) = (before.len(), self.tokens[at].clone());
        loop {
            if self.text_at(at) == "{" {
                at += 1;
                while at < self.tokens.len() && self.text_at(at) != "}" {
                    at = match self.text_at(at) {
                        "," => at + 1,
                        _ => self.chain(at, before, inner, out),
                    };
                }
                before.truncate(depth);
                return at + 1;
            }
            before.push(self.text_at(at).to_owned());
            let goes_on = self.text_at(at + 1) == "::"
                && self.tokens.get(at + 2).is_some_and(|next| {
                    next.kind == Kind::Word || matches!(next.text.as_str(), "{" | "*")
                });
            if !goes_on {
                break;
            }
            at += 2;
        }
        at += 1;
        if self.text_at(at) == "as" {
            at += 2;
        }
        out.push(Chain {
            parts: before.clone(),
            line: first.line,
            test: first.test,
            inner,
        });
        before.truncate(depth);
        at
    }

    /// The token that closes the bracket at `open`.
    pub(super) fn close(&self, open: usize) -> usize {
        close(&self.tokens, open)
    }
}

fn close(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match (token.kind, token.text.as_str()) {
            (Kind::Mark, "(" | "[" | "{") => depth += 1,
            (Kind::Mark, ")" | "]" | "}") => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len().saturating_sub(1)
}

/// Marks what stands behind `#[cfg(test)]`, to the end of its braces or to its semicolon.
fn mark_tests(tokens: &mut [Token]) {
    for start in 0..tokens.len() {
        let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
        if (text(start), text(start + 1), text(start + 2)) != ("#", "[", "cfg") {
            continue;
        }
        let mut end = close(tokens, start + 1);
        let condition = &tokens[start..end];
        let says = |word| condition.iter().any(|token| token.text == word);
        if !says("test") || says("not") {
            continue;
        }
        while end < tokens.len() && tokens[end].text != ";" {
            end = close(tokens, end);
            if tokens[end].text == "}" {
                break;
            }
            end += 1;
        }
        let last = end.min(tokens.len() - 1);
        tokens[start..=last]
            .iter_mut()
            .for_each(|token| token.test = true);
    }
}

/// Files that are declared under `#[cfg(test)]`, and what they declare, are test code as a whole.
fn mark_test_files(all: &mut [Source]) {
    let mut tests = BTreeSet::new();
    loop {
        let before = tests.len();
        for source in &*all {
            let declared = source.declared().into_iter();
            tests.extend(declared.filter(|(_, test)| *test).map(|(path, _)| path));
        }
        if tests.len() == before {
            return;
        }
        for source in &mut *all {
            let path = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
            if tests.contains(path) {
                source.tokens.iter_mut().for_each(|token| token.test = true);
            }
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let (kind, from, to, length) = token(rest, first);
        if let Some(kind) = kind {
            let text = rest[from..to].to_owned();
            let test = false;
            tokens.push(Token {
                kind,
                text,
                line,
                test,
            });
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

/// Kind of the first token of `rest`, `None` for what means nothing; where its text is; its whole length.
fn token(rest: &str, first: char) -> (Option<Kind>, usize, usize, usize) {
    let until = |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at);
    if rest.starts_with("//") {
        return (None, 0, 0, until(0, "\n"));
    }
    if rest.starts_with("/*") {
        return (None, 0, 0, (until(2, "*/") + 2).min(rest.len()));
    }
    if first == '_' || first.is_alphanumeric() {
        let word = |c: char| c == '_' || c.is_alphanumeric();
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        let raw = rest[..end].ends_with('r');
        return match (&rest[..end], literal(&rest[end..], raw)) {
            ("r" | "br" | "cr" | "b" | "c", Some((from, to, length))) => {
                (Some(Kind::Text), end + from, end + to, end + length)
            }
            _ => (Some(Kind::Word), 0, end, end),
        };
    }
    if first == '"'
        && let Some((from, to, length)) = literal(rest, false)
    {
        return (Some(Kind::Text), from, to, length);
    }
    if let Some(after) = rest.strip_prefix('\'') {
        // Else it is a lifetime.
        let escaped = after.starts_with('\\');
        let skip = after
            .chars()
            .take(if escaped { 2 } else { 1 })
            .map(char::len_utf8)
            .sum::<usize>();
        if escaped || after[skip..].starts_with('\'') {
            let end = until(1 + skip, "'");
            return (Some(Kind::Text), 1, end, (end + 1).min(rest.len()));
        }
    }
    let length = match rest.starts_with("::") {
        true => 2,
        false => first.len_utf8(),
    };
    let kind = (!first.is_whitespace()).then_some(Kind::Mark);
    (kind, 0, length, length)
}

/// A string at the start of `rest`, raw ones behind their `r`: start and end of what it holds, whole length.
fn literal(rest: &str, raw: bool) -> Option<(usize, usize, usize)> {
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    rest[hashes..].starts_with('"').then_some(())?;
    if raw {
        let end = format!("\"{}", "#".repeat(hashes));
        let at = hashes + 1 + rest[hashes + 1..].find(&end)?;
        return Some((hashes + 1, at, at + end.len()));
    }
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some((1, at, at + 1)),
            _ => {}
        }
    }
    None
}

#[test]
fn tokens_of_odd_code() {
    let text =
        "fn a<'x>(b: &'x str) { /* \" { */ let c = '\"'; // '}\n r#\"{\"}\"#; r\"\\\"; \"\\\"{\" }";
    let source = Source::new("src/a.rs", text);
    let texts: Vec<&str> = (source.tokens.iter())
        .filter(|token| token.kind == Kind::Text)
        .map(|token| token.text.as_str())
        .collect();
    assert_eq!(texts, ["\"", "{\"}", "\\", "\\\"{"]);
    let open = source.find(&["{"])[0];
    assert_eq!(source.close(open), source.tokens.len() - 1);
    assert_eq!(source.tokens.last().map(|token| token.line), Some(2));
}

#[test]
fn chains_of_nested_trees() {
    let text = "use std::{fs::{self, File}, io as x};\n#[cfg(test)]\nmod t { use super::a::*; }\nfn f() { crate::b::<u8>() }";
    let source = Source::new("src/a.rs", text);
    let chains: Vec<String> = (source.chains().iter())
        .map(|chain| {
            format!(
                "{} {} {} {}",
                chain.parts.join("."),
                chain.line,
                chain.test,
                chain.inner
            )
        })
        .collect();
    let expected = [
        "std.fs.self 1 false 0",
        "std.fs.File 1 false 0",
        "std.io 1 false 0",
        "super.a.* 3 true 1",
        "crate.b 4 false 0",
    ];
    assert_eq!(chains, expected);
}
