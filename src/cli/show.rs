//! `housewright show`: a saved plan as `plan` would print it; no inventory and no host is read (edge).

use std::path::PathBuf;

use super::discover::now;
use super::error::{Answer, Exit};
use super::{Form, Global, output, saved};
use crate::discovery::time;
use crate::duration;
use crate::migration::{GoOn, MigrationId};
use crate::plan::SavedPlan;
use crate::report::{self, Diffs};

/// Options of `show`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A plan that was saved with `plan --out`
    plan: PathBuf,
    /// How much of the files' differences is shown
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    diff: Diffs,
    /// Exit with 2 when there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let saved = saved::read(&options.plan)?;
    match global.output {
        Form::Text => {
            output::result(&report::plan(saved.plan(), options.diff));
            output::say(&about(&saved));
        }
        Form::Markdown => output::plain(&report::markdown(saved.plan())),
        form => output::data(form, &saved),
    }
    Ok(Exit::of_plan(saved.plan(), options.detailed_exitcode))
}

/// When it was made, with what, and whether it may still be run.
fn about(saved: &SavedPlan) -> String {
    let mut parts = Vec::new();
    if let Some(made_at) = saved.made_at() {
        let age = time::seconds(made_at).and_then(|made| now().checked_sub(made));
        let age = age.map(|age| format!(", {} ago", duration::words(age))).unwrap_or_default();
        parts.push(format!("made at {made_at}{age}"));
    }
    let made = saved.made_with();
    parts.extend(made.limit.as_ref().map(|limit| format!("with `--limit '{limit}'`")));
    parts.extend(made.allow.iter().map(|allow| format!("with `--allow {allow}`")));
    let migration = |(id, how): (&MigrationId, &GoOn)| format!("with `--migration {id}={}`", how.word());
    parts.extend(made.migration.iter().map(migration));
    parts.extend(made.allow_destroy.iter().map(|name| format!("with `--allow-destroy {name}`")));
    parts.push(match saved.may_run(now()) {
        Ok(()) => saved.good_until().map(|until| format!("good until {until}")).unwrap_or_default(),
        Err(error) => format!("it cannot be run any more: {error}"),
    });
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}
