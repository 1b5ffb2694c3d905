//! The templates, parsed once, and their errors as problems with a place (pure).
//!
//! An undefined variable is an error; values in `*.xml.tera` are escaped; a secret's marker never is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use tera::{Context, Error, ErrorKind, ReportError, Tera};

use super::filters;
use crate::problem::{Problem, Source, Span, near_name};
use crate::secret::{MARKER_END, MARKER_START};

/// What the names of XML templates end in.
pub(super) const XML_SUFFIX: &str = ".xml.tera";

/// All templates, by their path below `templates/`.
#[derive(Debug)]
pub struct Templates {
    tera: Tera,
    sources: BTreeMap<String, Arc<Source>>,
    variables: BTreeMap<String, BTreeSet<String>>,
}

impl Templates {
    /// Parses the templates.
    ///
    /// # Errors
    /// Tells each template that cannot be parsed, or that includes what is not there.
    pub fn new(sources: BTreeMap<String, Arc<Source>>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        for (name, source) in &sources {
            problems.extend(parse(name, source));
            problems.extend(super::order::unordered_loops(source));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut tera = engine();
        tera.add_raw_templates(sources.iter().map(|(name, source)| (name, &source.text)))
            .map_err(|error| vec![problem("HW0501", &error, None, &sources)])?;
        let variables = sources
            .keys()
            .map(|name| {
                let used = tera.get_template_variables(name).unwrap_or_default();
                (name.clone(), used.into_iter().map(str::to_owned).collect())
            })
            .collect();
        Ok(Self { tera, sources, variables })
    }

    /// The variables that a template uses, itself and through what it includes; none for an unknown template.
    pub(super) fn variables(&self, template: &str) -> Option<&BTreeSet<String>> {
        self.variables.get(template)
    }

    /// Renders one template.
    ///
    /// # Errors
    /// Says where the template goes wrong, such as at an undefined variable.
    pub(super) fn render(&self, template: &str, context: &Context) -> Result<String, Problem> {
        self.tera
            .render(template, context)
            .map_err(|error| problem("HW0502", &error, self.sources.get(template), &self.sources))
    }

    /// Says that there is no such template.
    pub(super) fn unknown(&self, template: &str) -> Problem {
        let problem = Problem::new("HW0503", format!("template `{template}` does not exist"));
        match near_name(template, self.sources.keys().map(String::as_str)) {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

fn engine() -> Tera {
    let mut tera = Tera::default();
    tera.autoescape_on([XML_SUFFIX]);
    tera.set_escape_fn(escape);
    filters::register(&mut tera);
    tera
}

/// Parses one template alone, so that one bad template does not hide the others.
fn parse(name: &str, source: &Arc<Source>) -> Option<Problem> {
    let error = engine().add_raw_template(name, &source.text).err()?;
    // What a template extends or includes is only there once all are loaded.
    matches!(error.kind(), ErrorKind::SyntaxError(_)).then(|| problem("HW0501", &error, Some(source), &BTreeMap::new()))
}

fn problem(
    code: &'static str,
    error: &Error,
    template: Option<&Arc<Source>>,
    sources: &BTreeMap<String, Arc<Source>>,
) -> Problem {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let problem = Problem::new(code, sentence(report.message()));
            let source = sources.get(report.filename()).or(template);
            match source {
                Some(source) => with_hint(problem.at(&place(source, report)), report.message()),
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

/// Tera's message as one of ours: what is there instead is told by the hint, and only the near name.
fn sentence(message: &str) -> String {
    let message = message.split(" Available ").next().unwrap_or(message);
    let message = message.lines().next().unwrap_or_default().trim_end_matches('.');
    let mut letters = message.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn with_hint(problem: Problem, message: &str) -> Problem {
    let Some((said, available)) = message.split_once(" Available ") else { return problem };
    let written = said.split('`').nth(1).unwrap_or_default();
    let known = available.split_once(": ").map(|(_, names)| names).unwrap_or_default();
    match near_name(written, known.split(", ")) {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// Escapes text for XML; a secret's marker stays as it is, because its value is escaped when it is put in.
pub(super) fn escape(text: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut rest = text;
    while let Some(start) = rest.find(MARKER_START) {
        let end = rest[start..].find(MARKER_END).map_or(rest.len(), |at| start + at + MARKER_END.len_utf8());
        out.write_all(quick_xml::escape::escape(&rest[..start]).as_bytes())?;
        out.write_all(&rest.as_bytes()[start..end])?;
        rest = &rest[end..];
    }
    out.write_all(quick_xml::escape::escape(rest).as_bytes())
}
