//! Looks once more, right before a host's first step, whether it still is what its part of the plan was made from (edge).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;

use super::{Run, batch, host};
use crate::event::{Failure, chain};
use crate::fleet::HostName;
use crate::plan::{Change, FailurePolicy, HostPlan, Moved, Plan};
use crate::resource::ClickHouseFacts;
use crate::schema::{read_objects, statement};
use crate::transport::advice;

/// Finds the hosts of which an object that the plan is about is another by now: another run had the locks first, and has done what
/// this one would do again.
pub(super) async fn schema(plan: &Plan, run: &Run<'_>) -> BTreeMap<HostName, Failure> {
    let mut about: BTreeMap<&HostName, BTreeSet<&str>> = BTreeMap::new();
    for host in plan.waves.iter().flat_map(|wave| &wave.hosts) {
        let objects: Vec<&str> = host.changes.iter().flat_map(Change::objects).collect();
        if !objects.is_empty() {
            about.entry(&host.host).or_default().extend(objects);
        }
    }
    let looks = about.into_iter().map(|(name, objects)| async move {
        let ClickHouseFacts::Up { objects: then, .. } = &run.found.facts(name)?.clickhouse else { return None };
        // Whoever does not answer fails at its first statement, and says why.
        let now = read_objects(&host::clickhouse(name, run)?.execute(&statement()).await.ok()?);
        let is = |object: &str| now.iter().find(|one| one.name.to_string() == object);
        let was = |object: &str| then.iter().find(|one| one.name.to_string() == object);
        let moved = objects.into_iter().find(|object| is(object) != was(object))?;
        let failure = Failure {
            step: "check that its objects are as they were planned".to_owned(),
            reason: format!("`{moved}` has changed since"),
            hint: Some("nothing was done on it; `housewright plan` shows what is there now".to_owned()),
            changed: false,
            stops_run: false,
            owes: Vec::new(),
            given_back: None,
        };
        Some((name.clone(), failure))
    });
    futures_util::stream::iter(looks)
        .buffer_unordered(run.at_once.max(1))
        .filter_map(|found| async move { found })
        .collect()
        .await
}

/// Refuses a host that has moved since the plan was made; nothing was changed there.
///
/// The run goes on without it, unless it serves less than it did: nobody knows why.
pub(super) async fn check(plan: &HostPlan, run: &Run<'_>) -> Result<(), Failure> {
    let fail = |reason: String, hint, stops: bool| Failure {
        step: "check that it is as it was planned".to_owned(),
        reason,
        hint,
        changed: false,
        stops_run: stops && plan.on_failure == FailurePolicy::StopRun,
        owes: Vec::new(),
        given_back: None,
    };
    let now = match plan.expects.probe() {
        None => None,
        Some(probe) => {
            let open = run.open.get(&plan.host).ok_or_else(|| fail("no connection".to_owned(), None, false))?;
            let outputs = batch::read(&*open.session, &probe.batch()).await;
            let outputs = outputs.map_err(|error| fail(chain(&error), advice::session(&error, &plan.host), false))?;
            Some(probe.parse(&outputs).map_err(|error| fail(chain(&error), None, false))?)
        }
    };
    let moved = plan.expects.moved(now.as_ref());
    if moved.is_empty() {
        return Ok(());
    }
    let stops = moved.iter().any(|moved| matches!(moved, Moved::Stopped(_)));
    let hint = "nothing was done on it; `housewright plan` shows what is there now".to_owned();
    Err(fail(format!("it has moved: {}", Moved::list(&moved)), Some(hint), stops))
}
