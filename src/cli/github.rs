//! Where a run of GitHub Actions shows what was found: annotations in the log, the step's summary (edge).

use std::io::Write;
use std::path::Path;

use super::output;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::report::{github, markdown};

/// Whether this is such a run.
fn runs_here() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Annotates problems at their places. The runner reads commands on both streams; stdout is for results.
pub(super) fn problems(problems: &[Problem]) {
    if runs_here() && !problems.is_empty() {
        output::say(github::problems(problems, from_root).trim_end());
    }
}

/// Annotates what is held back and who was not reached, and adds the plan to the step's summary.
pub(super) fn plan(plan: &Plan) {
    if !runs_here() {
        return;
    }
    let annotations = github::exceptions(plan);
    if !annotations.is_empty() {
        output::say(annotations.trim_end());
    }
    let Some(summary) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&summary);
    if let Err(error) = file.and_then(|mut file| writeln!(file, "{}", markdown(plan))) {
        output::say(&format!("note: the step's summary cannot be written: {error}"));
    }
}

/// A file as the repository has it: GitHub finds no other.
fn from_root(name: &str) -> String {
    let root = std::env::var_os("GITHUB_WORKSPACE");
    let path = std::path::absolute(name).ok();
    let below =
        root.as_deref().map(Path::new).zip(path.as_deref()).and_then(|(root, path)| path.strip_prefix(root).ok());
    below.map_or_else(|| name.to_owned(), |path| path.to_string_lossy().into_owned())
}
