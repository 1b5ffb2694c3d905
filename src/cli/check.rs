//! `housewright check`: everything that can be found wrong without any network (edge).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::context::block_on;
use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, output};
use crate::clickhouse::{StatementText, split, syntax};
use crate::problem::{Problem, Span};
use crate::render::asynchronous;
use crate::report::diagnostic;
use crate::role::SchemaFile;
use crate::schema;

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Do not ask the `clickhouse` of this machine, where it has one, whether it can read the statements
    #[arg(long)]
    no_server_syntax: bool,
}

/// Hosts of EC2 are those of the snapshot: nobody is asked.
pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let global = &Global { offline: true, ..global.clone() };
    match global.output {
        Form::Text => text(global, options),
        form => Ok(output::data_answer(form, data(global, options))),
    }
}

fn text(global: &Global, options: &Options) -> Answer {
    let project = loaded(global, options)?;
    let hosts = project.chosen(global)?;
    output::problems(&project.notes);
    let notes = match project.notes.len() {
        0 => String::new(),
        1 => ", 1 note".to_owned(),
        notes => format!(", {notes} notes"),
    };
    output::result(&format!(
        "check: {} hosts, {} clusters, {} roles, {} objects: no problems{notes}\n",
        hosts.len(),
        project.fleet.clusters.len(),
        project.fleet.roles.len(),
        objects(&project),
    ));
    Ok(Exit::Success)
}

fn data(global: &Global, options: &Options) -> Result<Value, CommandError> {
    let project = loaded(global, options)?;
    let hosts = project.chosen(global)?;
    Ok(json!({
        "schema": output::SCHEMA,
        "hosts": hosts.len(),
        "clusters": project.fleet.clusters.len(),
        "roles": project.fleet.roles.len(),
        "objects": objects(&project),
        "problems": diagnostic::json(&project.notes),
    }))
}

/// Everything that is written, with the notes about what is rendered of it.
fn loaded(global: &Global, options: &Options) -> Result<Project, CommandError> {
    let mut project = Project::load(global)?;
    let desired = project.render(&project.placeholders())?;
    project.manifests()?;
    if !options.no_server_syntax {
        unreadable(&project)?;
    }
    project.notes.extend(asynchronous(&project.fleet, &project.objects, &desired));
    Ok(project)
}

/// The statements that a `clickhouse` of this machine cannot read, each told at its place.
fn unreadable(project: &Project) -> Result<(), CommandError> {
    let files: BTreeMap<&str, &SchemaFile> = project
        .fleet
        .roles
        .values()
        .flat_map(|role| &role.schema)
        .map(|file| (file.source.name.as_str(), file))
        .collect();
    let statements: Vec<StatementText> = files.values().flat_map(|file| split(&file.source)).collect();
    let texts: Vec<&str> = statements.iter().map(StatementText::text).collect();
    if texts.is_empty() {
        return Ok(());
    }
    let found = match block_on(syntax::unreadable(&texts))? {
        Ok(found) => found.unwrap_or_default(),
        Err(why) => {
            output::say(&format!("the statements were not shown to `clickhouse`: {why}"));
            return Ok(());
        }
    };
    let problem = |wrong: &syntax::Unreadable| {
        let span = &statements.get(wrong.statement)?.span;
        let start = span.range.start + wrong.at;
        let at = Span::new(span.source.clone(), start..(start + 1).min(span.range.end).max(start));
        let problem = Problem::new(schema::code::UNREADABLE, "ClickHouse cannot read this statement").at(&at);
        Some(match &wrong.expected {
            Some(expected) => problem.hint(expected.clone()),
            None => problem,
        })
    };
    let problems: Vec<Problem> = found.iter().filter_map(problem).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

fn objects(project: &Project) -> usize {
    project.objects.values().map(Vec::len).sum()
}
