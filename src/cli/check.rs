//! `housewright check`: everything that can be found wrong without any network (edge).

use super::error::{Answer, Exit};
use super::project::Project;
use super::{Global, output};

/// Options of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {}

pub(super) fn run(global: &Global, _options: &Options) -> Answer {
    let project = Project::load(global)?;
    let hosts = project.chosen(global)?;
    output::problems(&project.notes);
    project.render(&project.placeholders())?;
    let notes = match project.notes.len() {
        0 => String::new(),
        1 => ", 1 note".to_owned(),
        notes => format!(", {notes} notes"),
    };
    let objects: usize = project.objects.values().map(Vec::len).sum();
    output::result(&format!(
        "check: {} hosts, {} clusters, {} roles, {objects} objects: no problems{notes}\n",
        hosts.len(),
        project.fleet.clusters.len(),
        project.fleet.roles.len(),
    ));
    Ok(Exit::Success)
}
