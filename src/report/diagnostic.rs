//! Shows problems as compilers do: place, source line, caret, code and what to do about it (pure: text in, text out).

use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::problem::{Problem, Severity, Shows, Source, Span};
use crate::secret::look::written_secret;
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

/// Nobody reads more at a time; JSON has them all.
const MAX_SHOWN: usize = 1000;

/// Renders problems one after another, an empty line between two; of very many only the first.
#[must_use]
pub fn render(problems: &[Problem], colour: Colour) -> String {
    let mut lines = LineNumbers::default();
    let shown = problems.iter().take(MAX_SHOWN);
    let mut texts: Vec<String> = shown.map(|problem| laid_out(problem, colour, &mut lines)).collect();
    if problems.len() > MAX_SHOWN {
        texts.push(format!("... and {} more: `-o json` has them all", problems.len() - MAX_SHOWN));
    }
    texts.join("\n\n")
}

/// Renders one problem.
#[must_use]
pub fn render_one(problem: &Problem, colour: Colour) -> String {
    laid_out(problem, colour, &mut LineNumbers::default())
}

fn laid_out(problem: &Problem, colour: Colour, lines: &mut LineNumbers) -> String {
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
        // A file that could not be read has a name and no line to show.
        Some(span) if span.source.text.is_empty() => title.element(Origin::path(span.source.name.as_str())),
        Some(span) => {
            let line = Line::of(span, problem.shows, lines.of(span));
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

/// Problems as data: code, severity, message, place and hint; never a source line.
#[must_use]
pub fn json(problems: &[Problem]) -> Value {
    let mut lines = LineNumbers::default();
    problems.iter().map(|problem| json_one(problem, &mut lines)).collect()
}

fn json_one(problem: &Problem, lines: &mut LineNumbers) -> Value {
    let severity = match problem.severity {
        Severity::Problem => "problem",
        Severity::Note => "note",
    };
    let line = problem.span.as_ref().map(|span| lines.of(span));
    json!({
        "code": problem.code,
        "severity": severity,
        "message": printable(&problem.message),
        "file": problem.span.as_ref().map(|span| &span.source.name),
        "line": line,
        "column": problem.span.as_ref().map(Span::column),
        "hint": problem.hint.as_deref().map(printable),
    })
}

/// Tells the lines of places, counted on from the place before: problems come in order, and a text of megabytes is gone
/// through once.
#[derive(Default)]
struct LineNumbers(Option<(Arc<Source>, usize, usize)>);

impl LineNumbers {
    fn of(&mut self, span: &Span) -> usize {
        let (text, at) = (span.source.text.as_bytes(), span.range.start);
        let (from, line) = match &self.0 {
            Some((source, from, line)) if Arc::ptr_eq(source, &span.source) && *from <= at => (*from, *line),
            _ => (0, 1),
        };
        let passed = text.get(from..at).unwrap_or_default();
        let line = line + passed.split(|byte| *byte == b'\n').count() - 1;
        self.0 = Some((Arc::clone(&span.source), at, line));
        line
    }
}

/// The one line on which a span starts: a file of a megabyte is not laid out for one caret.
struct Line {
    text: String,
    number: usize,
    range: std::ops::Range<usize>,
}

impl Line {
    fn of(span: &Span, how_much: Shows, number: usize) -> Self {
        let text = span.source.text.as_str();
        let at = span.range.start.min(text.len());
        let before = text.get(..at).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(start..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default().trim_end();
        let from = boundary(line, at - start);
        let to = boundary(line, span.range.end.saturating_sub(start)).max(from);
        let place = Some(from).filter(|_| how_much == Shows::BeforePlace);
        if let Some(secret) = place.into_iter().chain(written_secret(line)).min() {
            return Self::before(line, secret, number, from..to);
        }
        if line.len() <= MAX_LINE {
            return Self { text: plain(line), number, range: from..to };
        }
        let first = boundary(line, from.saturating_sub(MAX_LINE / 2));
        let last = boundary(line, first + MAX_LINE);
        let shown = line.get(first..last).unwrap_or_default();
        Self { text: plain(shown), number, range: from - first..to.min(last) - first }
    }

    /// Hides what begins at `secret`; a place behind it is the mask.
    fn before(line: &str, secret: usize, number: usize, range: std::ops::Range<usize>) -> Self {
        let first = boundary(line, secret.saturating_sub(MAX_LINE));
        let text = plain(line.get(first..secret).unwrap_or_default()) + "***";
        let within = |at: usize| at.clamp(first, secret) - first;
        let range =
            if range.end < secret { within(range.start)..within(range.end) } else { within(range.start)..text.len() };
        Self { text, number, range }
    }
}

/// The start of the character that the byte is in.
fn boundary(line: &str, at: usize) -> usize {
    (0..=at.min(line.len())).rev().find(|at| line.is_char_boundary(*at)).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn problem(text: &str, range: std::ops::Range<usize>) -> Problem {
        let source = Arc::new(Source { name: "a.yml".to_owned(), text: text.to_owned() });
        Problem::new("HW0303", "wrong").at(&Span::new(source, range)).hint("mend it")
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("first\n{}here{}", "é".repeat(500), "x".repeat(500));
        let shown = render_one(&problem(&text, 1006..1010), Colour::Plain);
        assert!(shown.contains("a.yml:2:") && shown.contains("here"), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < 230), "{shown}");
    }

    #[test]
    fn very_many_problems_of_a_long_text_are_told_at_once() {
        let text = "key: value\n".repeat(200_000);
        let source = Arc::new(Source { name: "a.yml".to_owned(), text });
        let at = |line: usize| Span::new(Arc::clone(&source), line * 11..line * 11 + 3);
        let problems: Vec<Problem> = (0..200_000).map(|line| Problem::new("HW0303", "wrong").at(&at(line))).collect();
        let started = std::time::Instant::now();
        let shown = render(&problems, Colour::Plain);
        assert!(shown.ends_with("... and 199000 more: `-o json` has them all") && shown.contains("a.yml:1000:1"));
        assert_eq!(json(&problems)[199_999]["line"], 200_000);
        let back = LineNumbers::default().of(&at(7)) + LineNumbers(Some((Arc::clone(&source), 99, 10))).of(&at(2));
        assert_eq!(back, 8 + 3, "also where places go back");
        // Counted anew for each place it takes an hour.
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    #[test]
    fn colour_changes_only_the_colour() {
        let problem = problem("shard: one\n", 7..10);
        let styled = render_one(&problem, Colour::Styled);
        assert!(styled.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&styled).to_string(), render_one(&problem, Colour::Plain));
    }

    #[test]
    fn a_written_secret_is_not_repeated() {
        let source = Arc::new(Source { name: "a.yml".to_owned(), text: "secret: hunter2 # really".to_owned() });
        let problem = Problem::new("HW0108", "wrong").at(&Span::new(source, 8..15)).hides_value();
        let shown = render_one(&problem, Colour::Plain);
        assert!(shown.contains("secret: ***") && !shown.contains("hunter2") && !shown.contains("really"), "{shown}");
    }

    #[test]
    fn a_secret_beside_the_place_is_not_shown_either() {
        for (text, range, left) in [
            ("h: { shard: 0, ansible_password: hunter2, replica: x }", 52..53, "h: { shard: 0, ansible_password: ***"),
            ("h: { shard: 0, ansible_password: hunter2 }", 12..13, "h: { shard: 0, ansible_password: ***"),
            ("CREATE USER a IDENTIFIED BY 'hunter2'", 0..6, "CREATE USER a IDENTIFIED BY ***"),
        ] {
            let shown = render_one(&problem(text, range), Colour::Plain);
            assert!(shown.contains(left) && !shown.contains("hunter2"), "{shown}");
        }
        let shown = render_one(&problem("a: hunter2 b", 3..10).hides_value(), Colour::Plain);
        assert!(shown.contains("a: ***") && !shown.contains("hunter2"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_place_of_any_text_is_shown(text in "(?s).{0,300}", start in 0_usize..400, length in 0_usize..50) {
            let shown = render_one(&problem(&text, start..start + length), Colour::Plain);
            prop_assert!(shown.starts_with("error[HW0303]: wrong"));
        }
    }
}
