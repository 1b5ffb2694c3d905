//! Problems in what the operator wrote: collected, all at once, each with its place (pure).

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// One text that the operator wrote: a YAML file, a template, an SQL file.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the operator would type it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

/// A place in a [`Source`].
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The text that the range is in.
    pub source: Arc<Source>,
    /// Byte offsets into the text.
    pub range: Range<usize>,
}

impl Span {
    /// Makes a span; a range outside the text is pulled back to its end.
    #[must_use]
    pub fn new(source: Arc<Source>, range: Range<usize>) -> Self {
        let end = range.end.min(source.text.len());
        let start = range.start.min(end);
        Self { source, range: start..end }
    }

    /// Tells line and column, both counted from 1, the column in characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let before = self.source.text.get(..self.range.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        (line, self.column())
    }

    /// Tells the column, counted from 1 in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        let before = self.source.text.get(..self.range.start).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().chars().count() + 1
    }
}

/// `file:line:column`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Whether a finding stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Invalid: nothing is planned until it is mended.
    Problem,
    /// Doubtful: shown, and the run goes on.
    Note,
}

/// One finding of the static checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code, such as `HW0104`; listed in `docs/problems.md`.
    pub code: &'static str,
    /// Whether it stops the run.
    pub severity: Severity,
    /// One sentence, lowercase, no full stop, names in backticks.
    pub message: String,
    /// Where; without a place only where there is none.
    pub span: Option<Span>,
    /// A command to run or the near name.
    pub hint: Option<String>,
    /// How much of its source line may be shown.
    pub shows: Shows,
}

/// How much of a source line may be shown; what looks like a secret is hidden in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shows {
    /// All of it.
    Line,
    /// What stands before the place: at the place there is or may be a secret.
    BeforePlace,
}

impl Problem {
    /// An invalid thing without a place yet.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Problem, message: message.into(), span: None, hint: None, shows: Shows::Line }
    }

    /// A doubtful thing without a place yet.
    #[must_use]
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::new(code, message) }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: &Span) -> Self {
        self.span = Some(span.clone());
        self
    }

    /// Hides the place and what stands behind it: it may be a secret.
    #[must_use]
    pub fn hides_value(mut self) -> Self {
        self.shows = Shows::BeforePlace;
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// `file:line:column: message`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.span {
            Some(span) => write!(f, "{span}: {}", self.message),
            None => write!(f, "{}", self.message),
        }
    }
}

/// Says `did you mean ...` when a known name is near the one that was written.
#[must_use]
pub fn near_name<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance > 0 && *distance <= (name.len().max(written.len()) / 3).max(1))
        .min()
        .map(|(_, name)| format!("did you mean `{name}`?"))
}

/// What the system says, in words and without its number.
#[must_use]
pub fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::NotADirectory => "it is not a directory".to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        io::ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        _ => match error.to_string().split(" (os error").next().unwrap_or_default() {
            "Too many levels of symbolic links" => "links lead in a circle".to_owned(),
            text => text.to_lowercase(),
        },
    }
}
