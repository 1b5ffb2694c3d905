//! Variables that a template uses and nobody defines (pure).
//!
//! Printing one is an error by itself. `{% if misspelt %}` is not: it is false for ever, and nobody notices.

use std::collections::{BTreeMap, BTreeSet};

use super::Templates;
use super::context::OURS;
use crate::fleet::{Fleet, Reach};
use crate::problem::{Problem, Span, near_name};

/// Notes each variable that a role's template uses although no host of that role has it.
#[must_use]
pub fn undeclared(fleet: &Fleet, templates: &Templates) -> Vec<Problem> {
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut used: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for host in fleet.hosts.values().filter(|host| !matches!(host.reach, Reach::Member)) {
        for spec in fleet.role_of(host).into_iter().flat_map(|role| role.files.values()) {
            let names = host.vars.keys().chain(host.vars.refused_names()).map(String::as_str);
            known.entry(&spec.template).or_default().extend(names);
            let variables = templates.variables(&spec.template).into_iter().flatten().map(String::as_str);
            used.entry(&spec.template).or_default().extend(variables);
        }
    }
    let mut problems = Vec::new();
    for (template, variables) in used {
        let known = &known[template];
        for variable in variables.iter().filter(|name| !known.contains(**name) && !OURS.contains(name)) {
            problems.push(note(template, variable, known, templates));
        }
    }
    problems
}

fn note(template: &str, variable: &str, known: &BTreeSet<&str>, templates: &Templates) -> Problem {
    let message = format!("template `{template}` uses `{variable}`, which no host that has the file defines");
    let mut note = Problem::note("HW0512", message);
    note.hint = near_name(variable, known.iter().copied());
    let source = templates.source(template);
    match source.and_then(|source| Some((source, source.text.find(variable)?))) {
        Some((source, at)) => note.at(&Span::new(source.clone(), at..at + variable.len())),
        None => note,
    }
}
