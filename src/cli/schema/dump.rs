//! `housewright schema dump`: role files out of a live fleet (edge).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::error::{Answer, CommandError, Exit};
use super::super::project::Project;
use super::super::roles::Roles;
use super::super::{Form, Global, output};
use super::ask;
use crate::fleet::RoleName;
use crate::report;
use crate::schema::{RoleDump, dump, laid_out};

/// Options of `schema dump`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    roles: Roles,
    /// Write `DIR/roles/ROLE/schema/*.sql`; a role that has SQL files there already is refused
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let project = Project::load(global)?;
    let hosts = options.roles.hosts(&project, global)?;
    let live = ask::objects(global, &project, &hosts, &laid_out())?;
    let roles = dump(&project.fleet, &live.objects);
    if let Some(directory) = &options.out {
        write(directory, &roles)?;
    }
    match global.output {
        Form::Text => {
            if options.out.is_none() {
                output::plain(&report::schema_files(&roles));
            }
            output::say(&report::schema_dump(&roles, &live.without, options.out.as_deref()));
        }
        form => {
            let without: BTreeMap<String, &str> =
                live.without.iter().map(|(host, why)| (host.to_string(), why.reason())).collect();
            output::versioned(form, &json!({ "roles": roles, "unreachable": without }));
        }
    }
    Ok(if !live.without.is_empty() {
        Exit::Unreachable
    } else if roles.values().any(|role| !role.left.is_empty()) {
        Exit::Partial
    } else {
        Exit::Success
    })
}

/// Everything is looked at before the first file is written.
fn write(directory: &Path, roles: &BTreeMap<RoleName, RoleDump>) -> Result<(), CommandError> {
    let below = |role: &RoleName| directory.join("roles").join(role.as_str()).join("schema");
    for role in roles.keys() {
        let schema = below(role);
        let entries = std::fs::read_dir(&schema).into_iter().flatten().flatten();
        let mut files = entries.map(|entry| entry.path());
        if let Some(file) = files.find(|path| path.is_dir() || path.extension().is_some_and(|end| end == "sql")) {
            return Err(CommandError::hinted(
                format!("`{}` is there already: nothing was written", file.display()),
                "name an empty directory with `--out`, and compare",
            ));
        }
    }
    for (role, dump) in roles {
        for (name, text) in &dump.files {
            output::write_file(&below(role).join(name), text)?;
        }
    }
    Ok(())
}
