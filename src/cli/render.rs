//! `housewright render`: the files that hosts should have (edge).

use std::path::PathBuf;

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Global, output};

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
    let project = Project::load(global)?;
    output::problems(&project.notes);
    let hosts = project.chosen(global)?;
    let desired = project.render(&project.placeholders())?;
    for (host, desired) in desired.iter().filter(|(host, _)| hosts.contains(*host)) {
        for (path, file) in &desired.files {
            if options.file.as_ref().is_some_and(|end| !path.as_str().ends_with(end.as_str())) {
                continue;
            }
            match &options.to {
                None => output::result(&format!("# {host} {path}\n{}\n", file.content.shown())),
                Some(to) => {
                    let target = to.join(host.as_str()).join(path.as_str().trim_start_matches('/'));
                    let parent = target.parent().map_or_else(|| to.clone(), PathBuf::from);
                    std::fs::create_dir_all(parent)
                        .and_then(|()| std::fs::write(&target, file.content.shown()))
                        .map_err(|error| {
                            CommandError::plain(format!("cannot write `{}`: {error}", target.display()))
                        })?;
                }
            }
        }
    }
    Ok(Exit::Success)
}
