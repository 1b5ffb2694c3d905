//! The templates, parsed once, and their errors as problems with a place (pure).
//!
//! An undefined variable is an error; values in `*.xml.tera` are escaped; a secret's marker never is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;

use tera::{Context, Error, Tera};

use super::escape::{Escape, XML_SUFFIX};
use super::filters;
use super::template_error::{parsing, rendering};
use crate::problem::{Problem, Source, near_name};

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
        let mut problems: Vec<Problem> = sources.values().flat_map(super::order::unordered_loops).collect();
        let mut tera = engine();
        if let Err(error) = tera.add_raw_templates(sources.iter().map(|(name, source)| (name, &source.text))) {
            problems.extend(each_alone(&sources, &error));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
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

    /// A template's text.
    pub(super) fn source(&self, template: &str) -> Option<&Arc<Source>> {
        self.sources.get(template)
    }

    /// Renders one template.
    ///
    /// # Errors
    /// Says where the template goes wrong, such as at an undefined variable.
    pub(super) fn render(&self, template: &str, context: &Context) -> Result<String, Problem> {
        self.tera
            .render(template, context)
            .map_err(|error| rendering(&error, self.sources.get(template), &self.sources))
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
    tera.set_escape_fn(|text: &str, out: &mut dyn Write| out.write_all(Escape::Xml.around_markers(text).as_bytes()));
    filters::register(&mut tera);
    tera
}

/// Parses each template with all others empty, so that one bad template does not hide the next.
fn each_alone(sources: &BTreeMap<String, Arc<Source>>, together: &Error) -> Vec<Problem> {
    let alone = |name: &String| {
        let text =
            |other: &String, source: &Arc<Source>| if other == name { source.text.clone() } else { String::new() };
        engine().add_raw_templates(sources.iter().map(|(other, source)| (other, text(other, source)))).err()
    };
    let problems: Vec<Problem> = sources
        .iter()
        .filter_map(|(name, source)| Some(parsing(&alone(name)?, Some(source), sources)))
        .flatten()
        .collect();
    if problems.is_empty() { parsing(together, None, sources) } else { problems }
}
