//! `housewright check`: everything that can be found wrong without any network (edge).

use serde_json::{Value, json};

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, output};
use crate::render::asynchronous;
use crate::report::diagnostic;

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

/// Hosts of EC2 are those of the snapshot: nobody is asked.
pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let global = &Global { offline: true, ..global.clone() };
    match global.output {
        Form::Text => text(global),
        form => Ok(output::data_answer(form, data(global))),
    }
}

fn text(global: &Global) -> Answer {
    let project = loaded(global)?;
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

fn data(global: &Global) -> Result<Value, CommandError> {
    let project = loaded(global)?;
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
fn loaded(global: &Global) -> Result<Project, CommandError> {
    let mut project = Project::load(global)?;
    let desired = project.render(&project.placeholders())?;
    project.notes.extend(asynchronous(&project.fleet, &project.objects, &desired));
    Ok(project)
}

fn objects(project: &Project) -> usize {
    project.objects.values().map(Vec::len).sum()
}
