//! `housewright render`: the files that hosts should have (edge).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, effective, output};
use crate::fleet::HostName;
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
    /// The configurations that ClickHouse and Keeper make of the files: merged by their own rules, as XML
    #[arg(long)]
    effective: bool,
    /// Files that lie beside the rendered ones: DIR/config.xml, users.xml, config.d/, users.d/, ...
    #[arg(long, value_name = "DIR", requires = "effective")]
    base: Option<PathBuf>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    match global.output {
        Form::Text => {
            let (project, desired) = rendered(global)?;
            output::notes(&project.notes);
            for (host, path, text) in texts(&desired, options)? {
                match &options.to {
                    None => output::result(&format!("# {host} {path}\n{text}\n")),
                    Some(to) => output::write_file(&target(to, host, &path), &text)?,
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
    let mut hosts: BTreeMap<&HostName, BTreeMap<String, Value>> = BTreeMap::new();
    for (host, path, text) in texts(&desired, options)? {
        let file = match &options.to {
            None => json!({ "content": text }),
            Some(to) => {
                let target = target(to, host, &path);
                output::write_file(&target, &text)?;
                json!({ "written": target })
            }
        };
        hosts.entry(host).or_default().insert(path, file);
    }
    Ok(json!({ "schema": output::SCHEMA, "hosts": hosts }))
}

/// The chosen hosts and what they should have; no secret is read for it.
fn rendered(global: &Global) -> Result<(Project, BTreeMap<HostName, Desired>), CommandError> {
    let project = Project::load(global)?;
    let hosts = project.chosen(global)?;
    let mut desired = project.render(&project.placeholders())?;
    desired.retain(|host, _| hosts.contains(host));
    Ok((project, desired))
}

/// The files or configurations that were asked for, with their texts for people.
fn texts<'a>(
    desired: &'a BTreeMap<HostName, Desired>,
    options: &Options,
) -> Result<Vec<(&'a HostName, String, String)>, CommandError> {
    let mut texts: Vec<_> = if options.effective {
        let made = effective::configurations(desired, options.base.as_deref())?;
        made.into_iter().map(|(host, file)| (host, file.path, file.xml)).collect()
    } else {
        let files = desired.iter().flat_map(|(host, desired)| desired.files.iter().map(move |file| (host, file)));
        files.map(|(host, (path, file))| (host, path.to_string(), file.content.shown().to_owned())).collect()
    };
    texts.retain(|(_, path, _)| options.file.as_ref().is_none_or(|end| path.ends_with(end.as_str())));
    Ok(texts)
}

fn target(to: &Path, host: &HostName, path: &str) -> PathBuf {
    to.join(host.as_str()).join(path.trim_start_matches('/'))
}
