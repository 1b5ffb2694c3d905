//! Tera's errors as problems with a place (pure).

use std::collections::BTreeMap;
use std::sync::Arc;

use tera::{Error, ErrorKind, ReportError};

use crate::problem::{Problem, Source, Span, near_name};

type Sources = BTreeMap<String, Arc<Source>>;

/// What is wrong with templates before any is rendered.
pub(super) fn parsing(error: &Error, template: Option<&Arc<Source>>, sources: &Sources) -> Vec<Problem> {
    match error.kind() {
        ErrorKind::Msg(text) if text.starts_with("error: ") => {
            text.split("error: ").filter(|part| !part.is_empty()).map(|part| from_text(part, sources)).collect()
        }
        _ => vec![problem("HW0501", error, template, sources)],
    }
}

/// What is wrong with a template and the variables that it is given.
pub(super) fn rendering(error: &Error, template: Option<&Arc<Source>>, sources: &Sources) -> Problem {
    problem("HW0502", error, template, sources)
}

fn problem(code: &'static str, error: &Error, template: Option<&Arc<Source>>, sources: &Sources) -> Problem {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let problem = with_hint(Problem::new(code, sentence(report.message())), report.message());
            match sources.get(report.filename()).or(template) {
                Some(source) => problem.at(&place(source, report)),
                None => problem,
            }
        }
        other => {
            let problem = Problem::new(code, sentence(&other.to_string()));
            match template {
                Some(source) => problem.at(&Span::new(Arc::clone(source), 0..0)),
                None => problem,
            }
        }
    }
}

fn place(source: &Arc<Source>, report: &ReportError) -> Span {
    Span::new(Arc::clone(source), report.span().range.clone())
}

/// Reads `message`, then ` --> file:line:column`: names that nothing has, such as filters, are told only as text.
fn from_text(text: &str, sources: &Sources) -> Problem {
    let problem = Problem::new("HW0501", sentence(text));
    let place = text.lines().find_map(|line| {
        let mut parts = line.trim_start().strip_prefix("--> ")?.rsplitn(3, ':');
        let mut number = || parts.next()?.trim().parse::<usize>().ok()?.checked_sub(1);
        let (column, line) = (number()?, number()?);
        let source = sources.get(parts.next()?)?;
        let start: usize = source.text.split_inclusive('\n').take(line).map(str::len).sum();
        let mut letters = source.text.get(start..)?.chars();
        let before: usize = letters.by_ref().take(column).map(char::len_utf8).sum();
        let width = letters.next().map_or(0, char::len_utf8);
        Some(Span::new(Arc::clone(source), start + before..start + before + width))
    });
    match place {
        Some(place) => problem.at(&place),
        None => problem,
    }
}

/// Tera's message as one of ours: what is there instead is told by the hint, and only the near name.
fn sentence(message: &str) -> String {
    let message = message.split(" Available ").next().unwrap_or(message);
    let message = message.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn with_hint(mut problem: Problem, message: &str) -> Problem {
    if let Some((said, available)) = message.split_once(" Available ") {
        let written = said.split('`').nth(1).unwrap_or_default();
        let known = available.split_once(": ").map(|(_, names)| names).unwrap_or_default();
        problem.hint = near_name(written, known.split(", "));
    }
    problem
}
