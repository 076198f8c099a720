//! What went wrong, where, what to do about it and who must act.
//! Knows nothing of any other module: every floor below speaks in these words.

mod catch;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

pub use catch::catch;

/// Result of anything in finnp that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Who must act on a failure. Decides the exit code (see [`Kind::exit_code`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The design fails: a mismatch in verification, a design that does not fit, a gate not met.
    Design,
    /// The command line, the manifest, the model or the data must be changed by the user.
    User,
    /// A tool is missing or failed, or the machine did (disk full, permission denied).
    Tool,
    /// Another process holds the lock and `--no-wait` was given.
    LockHeld,
    /// Two runs of one action gave different bytes.
    NotReproducible,
    /// The cache is damaged and could not repair itself.
    CacheCorrupt,
    /// A bound on time was reached.
    Timeout,
    /// A defect of finnp itself.
    Bug,
    /// Stopped by a signal; the field is the signal's number.
    Interrupted(u8),
}

impl Kind {
    /// Exit code of the process, as documented for users and scripts.
    pub const fn exit_code(self) -> u8 {
        match self {
            Kind::Design => 1,
            Kind::User => 2,
            Kind::Tool => 3,
            Kind::LockHeld => 4,
            Kind::NotReproducible => 5,
            Kind::CacheCorrupt => 6,
            Kind::Timeout => 7,
            Kind::Bug => 101,
            Kind::Interrupted(signal) => 128 + signal,
        }
    }
}

/// Characters in a text that a failure points at.
#[derive(Clone)]
pub struct Place {
    /// The text, with the name under which the user knows it.
    pub source: Arc<NamedSource<String>>,
    /// Byte range in the text.
    pub span: Range<usize>,
    /// Words printed under the range; empty for a bare underline.
    pub label: String,
}

impl Place {
    /// Bytes `span` of `source`, without a label.
    pub fn new(source: &Arc<NamedSource<String>>, span: Range<usize>) -> Self {
        Place {
            source: Arc::clone(source),
            span,
            label: String::new(),
        }
    }

    /// Prints `words` under the characters.
    #[must_use]
    pub fn label(mut self, words: impl Into<String>) -> Self {
        self.label = words.into();
        self
    }

    /// Whether there is anything to show: an empty text has no characters, nor a line.
    /// Neither is shown what nobody could read: a line of more than a thousand characters.
    fn is_visible(&self) -> bool {
        let text = self.source.inner();
        if self.span.end > text.len() || text.is_empty() {
            return false;
        }
        let mut start = 0;
        text.split_inclusive('\n').all(|line| {
            let near =
                start <= self.span.end + 1000 && start + line.len() + 1000 >= self.span.start;
            start += line.len();
            !near || line.len() <= 1000
        })
    }

    /// The characters themselves; empty if the range lies outside the text.
    pub fn text(&self) -> &str {
        self.source
            .inner()
            .get(self.span.clone())
            .unwrap_or_default()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.source.name(), self.span)
    }
}

/// A failure: a lower-case fragment, a remedy and, where there is one, a place.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Kind,
    message: String,
    help: Option<String>,
    place: Option<Place>,
    related: Vec<Error>,
}

impl Error {
    /// A failure of the given kind; `message` is a lower-case fragment with back-ticked literals.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            help: None,
            place: None,
            related: Vec::new(),
        }))
    }

    /// The design fails (exit code 1).
    pub fn design(message: impl Into<String>) -> Self {
        Error::new(Kind::Design, message)
    }

    /// The user must change something (exit code 2).
    pub fn user(message: impl Into<String>) -> Self {
        Error::new(Kind::User, message)
    }

    /// A tool or the machine failed (exit code 3).
    pub fn tool(message: impl Into<String>) -> Self {
        Error::new(Kind::Tool, message)
    }

    /// finnp is wrong (exit code 101).
    pub fn bug(message: impl Into<String>) -> Self {
        Error::new(Kind::Bug, message)
            .help("this is a defect of finnp, not of your project: please report it")
    }

    /// Reading or writing `path` failed (exit code 3).
    pub fn io(action: &str, path: &std::path::Path, cause: &std::io::Error) -> Self {
        Error::tool(format!("cannot {action} `{}`: {cause}", path.display()))
    }

    /// Several failures as one. A single one is returned as it is; the exit code is the first one's.
    ///
    /// # Panics
    /// Never; an empty list becomes a bug.
    pub fn many(summary: impl Into<String>, mut problems: Vec<Error>) -> Self {
        match problems.len() {
            0 => Error::bug("an empty list of problems was reported"),
            1 => problems.remove(0),
            _ => {
                let mut error = Error::new(problems[0].kind(), summary);
                error.0.related = problems;
                error
            }
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds the characters that are at fault.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.0.place = Some(place);
        self
    }

    /// Puts `words` and a colon in front of the message: the surrounding thing that failed.
    #[must_use]
    pub fn within(mut self, words: impl fmt::Display) -> Self {
        self.0.message = format!("{words}: {}", self.0.message);
        self
    }

    /// Adds to the remedy that so many more nodes of the network fail for reasons of their own.
    #[must_use]
    pub fn and_more(self, nodes: usize) -> Self {
        let block = match nodes {
            0 => return self,
            1 => "node blocks",
            _ => "nodes block",
        };
        let more = format!("{nodes} more {block}: `finnp import --explain` lists them");
        let help = match self.remedy() {
            Some(remedy) => format!("{remedy}\n{more}"),
            None => more,
        };
        self.help(help)
    }

    /// Who must act.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The message alone, without place and help.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The remedy, if one was given.
    pub fn remedy(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// The characters at fault, if the failure has a place.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The failures of which this one is the sum; empty for a single failure.
    pub fn parts(&self) -> &[Error] {
        &self.0.related
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)?;
        if let Some(help) = &self.0.help {
            write!(f, " (help: {help})")?;
        }
        for part in &self.0.related {
            write!(f, "\n  {part:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl Diagnostic for Error {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0
            .place
            .as_ref()
            .filter(|place| place.is_visible())
            .map(|place| &*place.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.0.place.as_ref().filter(|place| place.is_visible());
        place.map(|place| {
            let label = (!place.label.is_empty()).then(|| place.label.clone());
            let span = LabeledSpan::new(label, place.span.start, place.span.len());
            Box::new(std::iter::once(span)) as Box<dyn Iterator<Item = LabeledSpan>>
        })
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        if self.0.related.is_empty() {
            return None;
        }
        Some(Box::new(
            self.0.related.iter().map(|part| part as &dyn Diagnostic),
        ))
    }
}

/// The failure as text for people: message, the lines at fault, help, and all parts of a sum.
/// Ends with a line break; 100 columns, one line of context around each place.
pub fn render(error: &Error, colour: bool) -> String {
    let theme = if colour {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .without_syntax_highlighting()
        .with_links(false)
        .with_width(100)
        .with_context_lines(1);
    let mut text = String::new();
    if handler.render_report(&mut text, error).is_err() {
        text = format!("{error:?}\n");
    }
    // Lines that hold nothing but the frame end in spaces, which editors and diffs trip over.
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

/// The one of `names` that `word` was probably meant to be; none if nothing comes near.
/// Case and the difference between `-` and `_` do not count.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let word = plain(word);
    let mut best: Option<(f64, &str)> = None;
    for name in names {
        let score = strsim::normalized_damerau_levenshtein(&word, &plain(name));
        if score >= 0.55 && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_forgives_slips_and_not_more() {
        let names = ["alveo-u250", "alveo-u280", "zcu104"];
        assert_eq!(nearest("alveo_U280", names), Some("alveo-u280"));
        assert_eq!(nearest("zcu140", names), Some("zcu104"));
        assert_eq!(nearest("basys3", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn a_place_outside_of_its_text_is_still_reported() {
        let source = Arc::new(NamedSource::new("x.toml", "a = 1".to_owned()));
        let place = Place::new(&source, 100..200);
        assert_eq!(place.text(), "");
        let text = render(&Error::user("wrong").help("mend it").at(place), false);
        assert_eq!(text, "  × wrong\n  help: mend it\n");
    }
}
