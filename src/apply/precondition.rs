//! Looks once more, right before a host's first step, whether it still is what its part of the plan was made from (edge).

use super::{Run, batch};
use crate::event::{Failure, chain};
use crate::plan::{FailurePolicy, HostPlan, Moved};
use crate::transport::advice;

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
