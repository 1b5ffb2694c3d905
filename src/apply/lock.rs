//! The locks of a run: nobody else takes a replica away while we count on it (edge).

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;

use super::Run;
use crate::event::{Event, Failure, chain};
use crate::fleet::HostName;
use crate::plan::{Gate, Plan, Step};
use crate::transport::{HostLock, SessionError, advice};

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

/// How often, and with what pause, a lock is asked for that somebody is just giving back: the host notices it a moment later.
const LOOKS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

type Locks = Vec<Box<dyn HostLock>>;

/// Why a host's lock was not got.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Refused {
    host: HostName,
    reason: String,
    hint: Option<String>,
    /// Another run has it.
    taken: bool,
}

/// Locks them all, or says who has one of them.
///
/// Of two runs that want the same hosts at the same moment one gets them. All at once, each may get some: then they are given
/// back and asked for one after the other in the order of their names, where who comes later holds nothing that the other
/// still needs.
pub(super) async fn take(plan: &Plan, run: &Run<'_>) -> Result<Locks, (HostName, Failure)> {
    let hosts = counted_on(plan);
    let locks = match all_at_once(&hosts, run).await {
        Err(refused) if refused.taken => one_by_one(&hosts, run).await,
        answer => answer,
    };
    locks.map_err(|refused| {
        let failure = Failure {
            step: "lock".to_owned(),
            reason: refused.reason,
            hint: refused.hint,
            changed: false,
            stops_run: true,
            owes: Vec::new(),
            given_back: None,
        };
        run.sink.emit(Event::HostFailed { host: refused.host.clone(), failure: failure.clone() });
        (refused.host, failure)
    })
}

async fn all_at_once(hosts: &BTreeSet<&HostName>, run: &Run<'_>) -> Result<Locks, Refused> {
    let mut answers =
        futures_util::stream::iter(hosts).map(|host| lock(host, run)).buffer_unordered(run.at_once.max(1));
    let (mut locks, mut refused) = (Vec::new(), BTreeSet::new());
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(lock) => locks.push(lock),
            Err(why) => drop(refused.insert(why)),
        }
    }
    refused.pop_first().map_or(Ok(locks), Err)
}

async fn one_by_one(hosts: &BTreeSet<&HostName>, run: &Run<'_>) -> Result<Locks, Refused> {
    let mut locks = Vec::new();
    for host in hosts {
        let mut answer = lock(host, run).await;
        for _ in 1..LOOKS {
            if !matches!(&answer, Err(refused) if refused.taken) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = lock(host, run).await;
        }
        locks.push(answer?);
    }
    Ok(locks)
}

async fn lock(host: &HostName, run: &Run<'_>) -> Result<Box<dyn HostLock>, Refused> {
    let Some(open) = run.open.get(host) else {
        return Err(Refused { host: host.clone(), reason: "no connection to it".to_owned(), hint: None, taken: false });
    };
    open.session.lock().await.map_err(|error| Refused {
        host: host.clone(),
        reason: chain(&error),
        hint: advice::session(&error, host),
        taken: matches!(error, SessionError::Locked { .. }),
    })
}
