//! The locks of a run: nobody else takes a replica away while we count on it (edge).

use std::collections::BTreeSet;

use futures_util::StreamExt;

use super::Run;
use crate::event::{Event, Failure, chain};
use crate::fleet::HostName;
use crate::plan::{Gate, Plan, Step};
use crate::transport::{HostLock, advice};

/// Hosts that a plan changes, and those that must serve meanwhile: of two runs that detach the same tables, one would forget
/// what the other has away.
fn counted_on(plan: &Plan) -> BTreeSet<&HostName> {
    let mut hosts = BTreeSet::new();
    for host in plan.waves.iter().flat_map(|wave| &wave.hosts) {
        hosts.insert(&host.host);
        for step in &host.steps {
            if let Step::Gate(Gate::PeersServing { peers: others, .. } | Gate::QuorumServing { members: others, .. }) =
                step
            {
                hosts.extend(others);
            }
        }
    }
    hosts
}

/// Locks them all, or says who has one of them.
pub(super) async fn take(plan: &Plan, run: &Run<'_>) -> Result<Vec<Box<dyn HostLock>>, (HostName, Failure)> {
    let mut answers = futures_util::stream::iter(counted_on(plan))
        .map(|host| async move {
            let open = run.open.get(host).ok_or_else(|| ("no connection to it".to_owned(), None));
            let answer = match open {
                Ok(open) => open.session.lock().await.map_err(|error| (chain(&error), advice::session(&error, host))),
                Err(error) => Err(error),
            };
            (host, answer)
        })
        .buffer_unordered(run.at_once.max(1));
    let (mut locks, mut refused) = (Vec::new(), Vec::new());
    while let Some((host, answer)) = answers.next().await {
        match answer {
            Ok(lock) => locks.push(lock),
            Err(why) => refused.push((host.clone(), why)),
        }
    }
    refused.sort();
    match refused.into_iter().next() {
        None => Ok(locks),
        Some((host, (reason, hint))) => {
            let failure = Failure {
                step: "lock".to_owned(),
                reason,
                hint,
                changed: false,
                stops_run: true,
                owes: Vec::new(),
                given_back: None,
            };
            run.sink.emit(Event::HostFailed { host: host.clone(), failure: failure.clone() });
            Err((host, failure))
        }
    }
}
