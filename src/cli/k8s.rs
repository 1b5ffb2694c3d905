//! `housewright k8s render`: the manifests of pods (edge).

use std::path::PathBuf;

use serde_json::json;

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, output};
use crate::k8s::Manifest;
use crate::report;

/// Options of `k8s`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Write the `ClickHouseInstallation`s that `--limit` has a pod of, whole; no secret is read, and none is in them
    Render(RenderOptions),
}

#[derive(Debug, clap::Args)]
struct RenderOptions {
    /// Write them below DIR/NAMESPACE/ instead of standard output
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let Verb::Render(options) = &options.verb;
    let project = Project::load(global)?;
    let manifests = chosen(&project, global)?;
    if global.output != Form::Text {
        let data = manifests.iter().map(|manifest| {
            json!({
                "namespace": manifest.namespace,
                "name": manifest.name,
                "secret": manifest.secret,
                "keys": manifest.keys,
                "left_out": manifest.left_out,
                "resource": manifest.resource,
            })
        });
        let data: Vec<_> = data.collect();
        output::data(global.output, &json!({ "schema": output::SCHEMA, "installations": data }));
        return Ok(Exit::Success);
    }
    output::notes(&project.notes);
    match &options.to {
        None => {
            let all: Vec<String> = manifests.iter().map(Manifest::yaml).collect();
            output::plain(&all.join("---\n"));
        }
        Some(to) => {
            for manifest in &manifests {
                let path = to.join(&manifest.namespace).join(format!("{}.yaml", manifest.name));
                output::write_file(&path, &manifest.yaml())?;
            }
        }
    }
    manifests.iter().for_each(|manifest| output::say(&report::manifest(manifest)));
    Ok(Exit::Success)
}

/// Those that have a pod that is chosen; none is an error, because it would look like success.
fn chosen(project: &Project, global: &Global) -> Result<Vec<Manifest>, CommandError> {
    let named = project.named(global)?;
    let mut manifests = project.manifests()?;
    manifests.retain(|manifest| manifest.hosts.iter().any(|host| named.contains(host)));
    if manifests.is_empty() {
        return Err(CommandError::hinted(
            "no pod is among the chosen hosts",
            "a pod has the variable `kubernetes`: docs/operating.md, \"Pods\"",
        ));
    }
    Ok(manifests)
}
