//! Out of traffic before a restart, and back behind its gates (pure).
//!
//! Invariant: the host notes that it is out before the first command, and forgets it behind the last.

use std::collections::BTreeSet;

use crate::fleet::{Hook, Placement};
use crate::plan::change::HostChanges;
use crate::plan::{Gate, Step, Traffic};
use crate::resource::{ClickHouseFacts, Owed};

/// What comes first: it is noted, and taken out.
pub(super) fn out(host: &HostChanges<'_>) -> Vec<Step> {
    let drain = &host.traffic.hooks.drain;
    if host.restarts.is_empty() || drain.is_empty() {
        return Vec::new();
    }
    let note = (!host.traffic.is_out).then(|| super::note(BTreeSet::from([Owed::Traffic])));
    note.into_iter().chain(hooks(Traffic::Drain, drain)).collect()
}

/// What comes last: it is brought back, and forgotten. Where nothing else was done, its servers are looked at once more.
pub(super) fn back(host: &HostChanges<'_>, steps: &[Step]) -> Vec<Step> {
    let restore = &host.traffic.hooks.restore;
    let is_out = host.traffic.is_out && (host.traffic.returns || host.starts_clickhouse());
    if restore.is_empty() || (host.restarts.is_empty() && !is_out) {
        return Vec::new();
    }
    let looks = steps.iter().any(|step| matches!(step, Step::Gate(_)));
    let mut back = Vec::new();
    match (&host.facts.clickhouse, &host.host.placement) {
        _ if looks => {}
        (ClickHouseFacts::Up { .. }, _) => {
            back.push(Step::Gate(Gate::Serving));
            back.extend(super::questions(host.role));
        }
        (_, Placement::Keeper { .. }) => back.push(Step::Gate(Gate::KeeperServing)),
        _ => {}
    }
    back.extend(hooks(Traffic::Restore, restore));
    back.push(Step::Settle { owed: BTreeSet::from([Owed::Traffic]) });
    back
}

fn hooks(traffic: Traffic, hooks: &[Hook]) -> impl Iterator<Item = Step> {
    hooks.iter().map(move |hook| Step::Hook { traffic, hook: hook.clone() })
}
