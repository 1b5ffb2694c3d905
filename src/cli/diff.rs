//! `housewright diff`: what differs now, told as drift (edge).

use std::collections::BTreeMap;

use super::context::{Context, Peers, block_on};
use super::error::{Answer, Exit};
use super::output::{self, Events};
use super::plan::Planning;
use super::{Form, Global};
use crate::fleet::Host;
use crate::observe::{Afterwards, Open};
use crate::plan::{Budget, Drift, drift};
use crate::remote::{Batch, Command, RemotePath};
use crate::report::{self, Diffs};
use crate::resource::HostFacts;

/// Options of `diff`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// How much of the files' differences is shown
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    diff: Diffs,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let context = Context::load(global)?;
    let sink = output::sink(global, Events::AreProgress);
    let drift = block_on(async {
        let keep = |host: &Host, facts: &HostFacts| context.may_come_back(host, facts);
        let observed = context.observe(global, Peers::Too, Afterwards::KeepWhere(&keep), &*sink).await;
        let (planning, budget) = (Planning::default(), Budget::default());
        let mut drift = drift(&planning.inputs(&context, &observed, &budget));
        for (host, drift) in &mut drift.hosts {
            if let Some(open) = observed.open.get(host) {
                drift.written = written(open, drift).await;
            }
        }
        for open in observed.open.values() {
            open.session.close().await;
        }
        drift
    })?;
    match global.output {
        Form::Text => output::result(&report::drift(&drift, options.diff)),
        form => output::versioned(form, &drift),
    }
    Ok(match (drift.unreachable.is_empty(), drift.hosts.is_empty()) {
        (false, _) => Exit::Unreachable,
        (true, false) => Exit::Changes,
        (true, true) => Exit::Success,
    })
}

/// When each file that differs was last written; nothing where the host does not say.
async fn written(open: &Open, drift: &Drift) -> BTreeMap<RemotePath, String> {
    let paths: Vec<&RemotePath> = drift.files().collect();
    if paths.is_empty() {
        return BTreeMap::new();
    }
    // One word each: the names are ours and in order, and none of them can be taken for an option.
    let words = ["stat", "--printf=%y\\n", "--"].into_iter().map(str::to_owned);
    let argv = words.chain(paths.iter().map(ToString::to_string)).collect();
    let Ok(outputs) = open.session.run(&Batch { commands: vec![Command::Run { argv }] }).await else {
        return BTreeMap::new();
    };
    let text = outputs.first().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    // `2026-11-22 15:04:05.123456789 +0000`: the parts of a second say nothing.
    let times = text.lines().map(|line| match line.split_once('.') {
        Some((time, rest)) => format!("{time}{}", rest.find(' ').map_or("", |at| &rest[at..])),
        None => line.to_owned(),
    });
    let all: Vec<String> = times.collect();
    if all.len() == paths.len() { paths.into_iter().cloned().zip(all).collect() } else { BTreeMap::new() }
}
