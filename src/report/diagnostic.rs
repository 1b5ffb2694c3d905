//! Shows problems as compilers do: place, source line, caret, code and what to do about it (pure: text in, text out).

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::problem::{Problem, Severity, Span};
use crate::secret::{MARKER_END, MARKER_START};

/// Whether the text carries ANSI colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// For a terminal.
    Styled,
    /// For files, pipes and tests.
    Plain,
}

/// Lines longer than this are cut around the place.
const MAX_LINE: usize = 200;

/// Renders problems one after another, an empty line between two.
#[must_use]
pub fn render(problems: &[Problem], colour: Colour) -> String {
    let texts: Vec<String> = problems.iter().map(|problem| render_one(problem, colour)).collect();
    texts.join("\n\n")
}

/// Renders one problem.
#[must_use]
pub fn render_one(problem: &Problem, colour: Colour) -> String {
    let level = match problem.severity {
        Severity::Problem => Level::ERROR,
        Severity::Note => Level::NOTE,
    };
    let renderer = match colour {
        Colour::Styled => Renderer::styled(),
        Colour::Plain => Renderer::plain(),
    };
    let title = level.primary_title(printable(&problem.message)).id(problem.code);
    let mut group = match &problem.span {
        Some(span) => {
            let line = Line::of(span);
            title.element(
                Snippet::source(line.text)
                    .path(span.source.name.as_str())
                    .line_start(line.number)
                    .annotation(AnnotationKind::Primary.span(line.range)),
            )
        }
        None => Group::with_title(title),
    };
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(printable(hint)));
    }
    renderer.render(&[group])
}

/// The one line on which a span starts: a file of a megabyte is not laid out for one caret.
struct Line {
    text: String,
    number: usize,
    range: std::ops::Range<usize>,
}

impl Line {
    fn of(span: &Span) -> Self {
        let text = span.source.text.as_str();
        let at = span.range.start.min(text.len());
        let before = text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(start..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default().trim_end();
        let from = (at - start).min(line.len());
        let to = (span.range.end.saturating_sub(start)).clamp(from, line.len());
        let number = before.matches('\n').count() + 1;
        // Secrets do not stand in the operator's files, but a control character may.
        if line.len() <= MAX_LINE {
            return Self { text: plain(line), number, range: from..to };
        }
        let cut = |at: usize| (0..=at.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default();
        let first = cut(from.saturating_sub(MAX_LINE / 2));
        let last = cut(first + MAX_LINE);
        let shown = line.get(first..last).unwrap_or_default();
        Self { text: plain(shown), number, range: from - first..to.min(last) - first }
    }
}

/// Replaces control characters by as many bytes, so that places stay right.
fn plain(line: &str) -> String {
    line.chars().map(|c| if c.is_ascii_control() && c != '\t' { ' ' } else { c }).collect()
}

fn printable(text: &str) -> String {
    let shown = |c: char| match c {
        MARKER_START => '‹',
        MARKER_END => '›',
        c if c.is_control() => ' ',
        c => c,
    };
    text.chars().map(shown).collect()
}
