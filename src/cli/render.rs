//! `housewright render`: the files that hosts should have (edge).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, output};
use crate::fleet::HostName;
use crate::remote::RemotePath;
use crate::render::Desired;

/// Options of `render`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Write the files below DIR/HOST/ instead of standard output; secrets stay masked
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Only files whose path ends so
    #[arg(long, value_name = "PATH")]
    file: Option<String>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    match global.output {
        Form::Text => {
            let (project, desired) = rendered(global)?;
            output::notes(&project.notes);
            for (host, path, text) in files(&desired, options) {
                match &options.to {
                    None => output::result(&format!("# {host} {path}\n{text}\n")),
                    Some(to) => output::write_file(&target(to, host, path), text)?,
                }
            }
            Ok(Exit::Success)
        }
        form => Ok(output::data_answer(form, data(global, options))),
    }
}

/// Each host's files by path: what is in them, or where they were written to.
fn data(global: &Global, options: &Options) -> Result<Value, CommandError> {
    let (_, desired) = rendered(global)?;
    let mut hosts: BTreeMap<&HostName, BTreeMap<&str, Value>> = BTreeMap::new();
    for (host, path, text) in files(&desired, options) {
        let file = match &options.to {
            None => json!({ "content": text }),
            Some(to) => {
                let target = target(to, host, path);
                output::write_file(&target, text)?;
                json!({ "written": target })
            }
        };
        hosts.entry(host).or_default().insert(path.as_str(), file);
    }
    Ok(json!(hosts))
}

/// The chosen hosts and what they should have; no secret is read for it.
fn rendered(global: &Global) -> Result<(Project, BTreeMap<HostName, Desired>), CommandError> {
    let project = Project::load(global)?;
    let hosts = project.chosen(global)?;
    let mut desired = project.render(&project.placeholders())?;
    desired.retain(|host, _| hosts.contains(host));
    Ok((project, desired))
}

/// The files that were asked for, with their texts for people.
fn files<'a>(
    desired: &'a BTreeMap<HostName, Desired>,
    options: &'a Options,
) -> impl Iterator<Item = (&'a HostName, &'a RemotePath, &'a str)> {
    let all =
        desired.iter().flat_map(|(host, desired)| desired.files.iter().map(move |(path, file)| (host, path, file)));
    let is_chosen = |path: &RemotePath| options.file.as_ref().is_none_or(|end| path.as_str().ends_with(end.as_str()));
    all.filter(move |(_, path, _)| is_chosen(path)).map(|(host, path, file)| (host, path, file.content.shown()))
}

fn target(to: &Path, host: &HostName, path: &RemotePath) -> PathBuf {
    to.join(host.as_str()).join(path.as_str().trim_start_matches('/'))
}
