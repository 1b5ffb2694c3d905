//! One statement on one host: sent, and sent again where its failure passes by itself (edge).
//!
//! How long that goes on is the plan's word; what a server has refused for what it says is never sent again.

use std::time::Duration;

use super::{Run, gate, host};
use crate::clickhouse::{ClickHouseError, Statement};
use crate::event::{Event, chain};
use crate::plan::{HostPlan, Step, Verb};

/// The pause before it is sent again; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// A session with the coordination comes back within seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

type Refusal = (String, Option<String>);

/// Executes a statement that, sent twice, does no more than once.
pub(super) async fn execute(plan: &HostPlan, step: &Step, statement: &Statement, run: &Run<'_>) -> Result<(), Refusal> {
    let clickhouse = host::clickhouse(&plan.host, run).ok_or_else(|| ("no connection".to_owned(), None))?;
    let patience = match step {
        Step::Execute { retry, .. } => *retry,
        _ => Duration::ZERO,
    };
    let (mut since, mut pause) = (None, FIRST_PAUSE);
    let (mut first, mut said): (Option<String>, Option<String>) = (None, None);
    loop {
        let Err(error) = clickhouse.execute(statement).await else { return Ok(()) };
        // Whether it was done is not known. A reload may be done twice; an object that is there was made.
        if (first.is_some() || error.passes()) && is_made(plan, step, run).await {
            return Ok(());
        }
        let is_lost = matches!(error, ClickHouseError::Unreachable(_)) && first.is_none();
        // A statement may take a minute to fail: it is sent again at least once.
        let waited = since.get_or_insert_with(tokio::time::Instant::now).elapsed();
        if !(is_lost || error.passes() && waited < patience) {
            let waited = (first.is_some() && !patience.is_zero()).then_some(waited);
            return Err((reason(&error, first.as_deref(), waited), Some(hint(plan, step, &error))));
        }
        let (host, step_text, because) = (plan.host.clone(), step.to_string(), chain(&error));
        match &error {
            ClickHouseError::Unreachable(reason) if is_lost => {
                run.sink.emit(Event::AnswerLost { host, step: step_text, reason: reason.clone() });
            }
            _ if said.as_ref() == Some(&because) => {}
            _ => run.sink.emit(Event::GateWaiting { host, gate: step_text, because: because.clone() }),
        }
        first.get_or_insert_with(|| because.clone());
        said = Some(because);
        if !is_lost {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn is_made(plan: &HostPlan, step: &Step, run: &Run<'_>) -> bool {
    match step {
        Step::Execute { object, verb: Verb::Create, .. } => gate::has_object(&plan.host, object, run).await,
        _ => false,
    }
}

/// What it says now, for how long that has been tried, and what it said first, where that was something else.
fn reason(error: &ClickHouseError, first: Option<&str>, waited: Option<Duration>) -> String {
    let mut told = chain(error);
    let first = first.filter(|first| *first != told).map(|first| format!("; at first: {first}"));
    told.extend(waited.filter(|_| error.passes()).map(|waited| format!("; still so after {} s", waited.as_secs())));
    told.extend(first);
    told
}

fn hint(plan: &HostPlan, step: &Step, error: &ClickHouseError) -> String {
    match (step, error) {
        // Its tables are read-only, or it has no session.
        (Step::Execute { .. }, ClickHouseError::Exception { .. }) if error.passes() => format!(
            "is the coordination well? `housewright status`; then `housewright apply`, which finds what of it is done on `{}`",
            plan.host
        ),
        // TABLE_NOT_EMPTY
        (Step::Execute { verb: Verb::Drop, .. }, ClickHouseError::Exception { code: 705, .. }) => {
            "rows came meanwhile, and they are all there: `housewright plan` shows them".to_owned()
        }
        // REPLICA_ALREADY_EXISTS: a server that was not asked, because it did not run, has lost its table.
        (Step::Execute { object, verb: Verb::Create, .. }, ClickHouseError::Exception { code: 253, .. }) => format!(
            "the coordination has this replica of `{object}`, and its server has not: `housewright plan` says now whether it may go"
        ),
        (Step::Execute { object, verb: Verb::Create | Verb::Alter(_), .. }, ClickHouseError::Exception { .. }) => {
            format!("mend the statement of `{object}` in its role's `schema/`, then `housewright plan`")
        }
        (Step::Execute { .. }, ClickHouseError::Exception { .. }) => {
            "may its user do that? then `housewright plan` shows what is left".to_owned()
        }
        // Its code is 297; on 25.8 it stands within a CANNOT_LOAD_CONFIG.
        (_, ClickHouseError::Exception { code, message, .. })
            if *code == 297 || message.contains("SHARD_HAS_NO_CONNECTIONS") =>
        {
            "the server has forgotten ALL clusters until it reads a good file: mend it at once, then `housewright apply`"
                .to_owned()
        }
        (_, ClickHouseError::Exception { .. }) => {
            "the server keeps its old configuration; mend it, then `housewright plan`".to_owned()
        }
        _ => format!("is the server well? `housewright status --limit {}`", plan.host),
    }
}
