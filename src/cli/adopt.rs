//! `housewright adopt FILE...`: files of others become Housewright's own (edge).
//!
//! It writes the hosts' lists of what is ours, and no file of a server: that is the next plan's.

use std::collections::BTreeMap;

use serde_json::json;

use super::context::{Context, Peers, block_on};
use super::error::{Answer, CommandError, Exit};
use super::output::{self, Events};
use super::plan::Planning;
use super::{Form, Global};
use crate::apply::{Refusal, adopt};
use crate::fleet::{Host, HostName};
use crate::observe::{Afterwards, Observed};
use crate::plan::{Adoption, Budget, Wanted, adoption};
use crate::report;
use crate::resource::{HostFacts, HostObservation, adoptable};

/// Options of `adopt`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Files that `plan` lists as not ours, or in the place of one of ours: whole paths, or patterns of them in quotes
    #[arg(required = true, value_name = "FILE")]
    files: Vec<Wanted>,
    /// Take them over without being asked
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    if global.output != Form::Text && !options.yes {
        return Err(CommandError::hinted("`adopt` as data asks no question", "approve what comes with `--yes`"));
    }
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    block_on(async {
        let meant = |host: &Host, facts: &HostFacts| {
            let files = context.desired.get(&host.name).map(|desired| adoptable(desired, facts)).unwrap_or_default();
            files.keys().any(|path| options.files.iter().any(|word| word.fits(path)))
        };
        let observed = context.observe(global, Peers::Not, Afterwards::KeepWhere(&meant), &*sink).await;
        let answer = adopted(global, options, &context, &observed).await;
        for open in observed.open.values() {
            open.session.close().await;
        }
        answer
    })?
}

async fn adopted(global: &Global, options: &Options, context: &Context, observed: &Observed) -> Answer {
    let (planning, budget) = (Planning::default(), Budget::default());
    let hosts = &observed.observation.hosts;
    let all_answered = hosts.values().all(|found| matches!(found, HostObservation::Reached(_)));
    let adoption = match adoption(&planning.inputs(context, observed, &budget), &options.files) {
        Ok(adoption) => adoption,
        Err(nothing) => {
            let words: Vec<String> = nothing.iter().map(ToString::to_string).collect();
            return Err(CommandError::hinted(
                words.join("\n       "),
                "nothing was done; `housewright plan` lists files that are not ours",
            ));
        }
    };
    if global.output == Form::Text {
        output::result(&report::adoption(&adoption));
    }
    if !adoption.hosts.is_empty() && !options.yes && !asked().await? {
        output::say("nothing was done");
        return Ok(Exit::Success);
    }
    let results = adopt(&adoption.hosts, &observed.open, global.forks).await;
    match global.output {
        Form::Text => output::result(&report::adopted(&adoption, &results)),
        form => output::data(form, &data(&adoption, &results, hosts)),
    }
    Ok(match adoption.refused.is_empty() && results.values().all(Result::is_ok) {
        false => Exit::Partial,
        true if !all_answered => Exit::Unreachable,
        true => Exit::Success,
    })
}

/// Asks beside the runtime, so that connections are kept alive while the operator reads.
async fn asked() -> Result<bool, CommandError> {
    tokio::task::spawn_blocking(|| output::confirm("Take them over?"))
        .await
        .map_err(|error| CommandError::plain(format!("cannot ask: {error}")))?
}

fn data(
    adoption: &Adoption,
    results: &BTreeMap<HostName, Result<(), Refusal>>,
    hosts: &BTreeMap<HostName, HostObservation>,
) -> serde_json::Value {
    let done = adoption.hosts.iter().filter(|(host, _)| results.get(*host).is_some_and(Result::is_ok));
    let fates = done.map(|(host, takeover)| {
        let fates: BTreeMap<_, _> = takeover.files.iter().map(|(path, file)| (path, file.fate)).collect();
        (host, fates)
    });
    let failed = results.iter().filter_map(|(host, result)| Some((host, result.as_ref().err()?)));
    let failed = failed.map(|(host, (reason, hint))| (host, json!({ "reason": reason, "hint": hint })));
    let refused = adoption.refused.iter();
    let refused = refused.map(|(host, path, reason)| json!({ "host": host, "path": path, "reason": reason }));
    let unreachable = hosts.iter().filter(|(_, found)| matches!(found, HostObservation::Unreachable { .. }));
    json!({
        "adopted": fates.collect::<BTreeMap<_, _>>(),
        "refused": refused.collect::<Vec<_>>(),
        "failed": failed.collect::<BTreeMap<_, _>>(),
        "unreachable": unreachable.map(|(host, _)| host).collect::<Vec<_>>(),
    })
}
