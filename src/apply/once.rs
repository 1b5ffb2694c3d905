//! Statements that must not be sent twice: sent once, waited for, and asked after by name where the answer is lost (edge).
//!
//! The server goes on with a statement whose client is gone, and refuses a second one of its name; what it says of it is
//! all that is believed.

use std::time::Duration;

use tokio::time::Instant;

use super::{Run, gate, host};
use crate::clickhouse::{ClickHouseError, Errand};
use crate::event::{Event, chain};
use crate::fleet::HostName;
use crate::migration::{Outcome, recording};
use crate::plan::Step;

/// Between two looks at a statement that still runs.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a server takes to write what has ended into its log: 7.5 seconds by default
/// ([query_log](https://clickhouse.com/docs/operations/system-tables/query_log)).
const LOG_PATIENCE: Duration = Duration::from_secs(20);
/// `QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING`: it was sent before, and goes on.
const ALREADY_RUNS: i32 = 216;

type Refusal = (String, Option<String>);

/// Sends it, and waits for its end.
pub(super) async fn run(host: &HostName, step: &Step, errand: &Errand<'_>, run: &Run<'_>) -> Result<(), Refusal> {
    let clickhouse = host::clickhouse(host, run).ok_or_else(|| ("no connection".to_owned(), None))?;
    let started = Instant::now();
    let lost = match clickhouse.run(errand).await {
        Ok(()) => return Ok(()),
        Err(ClickHouseError::Exception { code, .. }) if code == ALREADY_RUNS => "it runs already".to_owned(),
        Err(error @ (ClickHouseError::Refused(_) | ClickHouseError::Exception { .. })) => {
            let hint = "`housewright plan` shows what is left of it, and how to go on".to_owned();
            return Err((chain(&error), Some(hint)));
        }
        Err(error) => chain(&error),
    };
    let (told, of) = (host.clone(), step.to_string());
    run.sink.emit(Event::AnswerLost { host: told, step: of, reason: lost });
    ended(host, errand, started, run).await
}

/// Asks until the server knows of an end.
async fn ended(host: &HostName, errand: &Errand<'_>, started: Instant, run: &Run<'_>) -> Result<(), Refusal> {
    let query = errand.query_id;
    let mut silent: Option<Instant> = None;
    loop {
        let (because, patience) = match outcome(host, query, run).await {
            Ok(Outcome::Finished) => return Ok(()),
            Ok(Outcome::Failed(complaint) | Outcome::Refused(complaint)) => {
                let hint = "`housewright plan` shows what is left of it, and how to go on".to_owned();
                return Err((complaint, Some(hint)));
            }
            Ok(Outcome::Running) if started.elapsed() >= errand.limit => {
                let reason = format!("it still runs after {} s, and goes on", started.elapsed().as_secs());
                let hint = format!("`SELECT * FROM system.processes WHERE query_id = '{query}'` on `{host}`");
                return Err((reason, Some(hint)));
            }
            Ok(Outcome::Running) => {
                silent = None;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            Ok(Outcome::Unknown) => ("its server does not tell how it ended".to_owned(), LOG_PATIENCE),
            Err(because) => (because, run.gate_timeout.max(LOG_PATIENCE)),
        };
        if silent.get_or_insert_with(Instant::now).elapsed() >= patience {
            let hint = format!("`SELECT * FROM system.query_log WHERE query_id = '{query}'` on `{host}`");
            return Err((format!("nobody knows how it ended: {because}"), Some(hint)));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What the server knows of it now.
async fn outcome(host: &HostName, query: &str, run: &Run<'_>) -> Result<Outcome, String> {
    let runs = gate::rows(host, &recording::ask_runs(query), run).await?;
    if runs.number(0, "runs") != Some(0) {
        return Ok(Outcome::Running);
    }
    // A server without such a log knows nothing.
    let ends = gate::rows(host, &recording::ask_ends([query]), run).await;
    Ok(ends.ok().and_then(|rows| recording::end(&rows, 0)).unwrap_or_default())
}
