//! `housewright leg remove`: a leg leaves its role, once another one carries its topic (edge).

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::super::error::{Answer, CommandError, Exit};
use super::super::{Form, Global, output};
use super::ask::ask;
use super::{delete, load, of_topic, shown};
use crate::duration::seconds;
use crate::leg::{Bar, Leg, drained, proven, remove};
use crate::report;
use crate::schema::Object;

/// Options of `leg remove`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The topic
    topic: String,
    /// The leg that goes, by its named collection
    #[arg(long, value_name = "COLLECTION")]
    collection: String,
    /// The role whose leg goes, where several read the topic
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Show what would be taken out, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// How long to look at what is read
    #[arg(long, value_parser = seconds, default_value = "10s", value_name = "TIME")]
    window: u64,
    /// Take it out although a bar is not cleared
    #[arg(long, value_enum, value_name = "WHAT")]
    allow: Vec<Allowed>,
}

/// What is refused unless it is allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Allowed {
    /// The leg that stays reads nothing: its topic is silent
    Idle,
    /// The leg that goes has not drained its topic: what is left there is not read
    Lag,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let project = load(global)?;
    let legs = of_topic(&project.objects, &options.topic, options.role.as_deref())?;
    let goes = |leg: &&Leg<'_>| leg.collection() == Some(options.collection.as_str());
    let Some(old) = legs.iter().find(goes) else {
        let message = format!("no leg reads the topic `{}` from `{}`", options.topic, options.collection);
        return Err(CommandError::hinted(message, format!("its legs are {}", shown(&legs))));
    };
    if legs.len() < 2 {
        return Err(CommandError::hinted(
            format!("`{}` is the only leg of the topic: nobody would read it", old.table.name),
            format!("add another one first: `housewright leg add {} --from-collection COLLECTION`", options.topic),
        ));
    }
    let all: Vec<&Object> = project.objects.values().flatten().collect();
    let edited = remove(old, &all).map_err(CommandError::plain)?;
    let told = ask(global, &project, &legs, Duration::from_secs(options.window))?;
    let bars: Vec<Bar> = legs
        .iter()
        .zip(&told.legs)
        .flat_map(|(leg, state)| if goes(&leg) { drained(state) } else { proven(state) })
        .collect();
    let allowed = |bar: &&Bar| {
        bar.permission.is_some_and(|name| options.allow.iter().any(|allowed| permission(*allowed) == name))
    };
    let held = bars.iter().any(|bar| !bar.met && !allowed(&bar));
    if !held && !options.dry_run {
        for (path, text) in &edited.files {
            match text {
                Some(text) => output::write_file(Path::new(path), text)?,
                None => delete(path)?,
            }
        }
    }
    match global.output {
        Form::Text => {
            output::result(&report::leg_bars(&bars, &told.without));
            output::say(&report::leg_removed(&edited, held, options.dry_run));
        }
        form => output::versioned(
            form,
            &json!({
                "bars": bars, "held": held, "files": edited.files, "objects": edited.objects, "kept": edited.kept,
                "written": !held && !options.dry_run,
            }),
        ),
    }
    Ok(match (held, told.without.is_empty()) {
        (false, _) => Exit::Success,
        (true, true) => Exit::Partial,
        (true, false) => Exit::Unreachable,
    })
}

fn permission(allowed: Allowed) -> &'static str {
    match allowed {
        Allowed::Idle => "idle",
        Allowed::Lag => "lag",
    }
}
