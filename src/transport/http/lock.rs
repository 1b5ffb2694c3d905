//! A host's lock where nothing but its ClickHouse answers: a query with a name of its own, which sleeps (edge).
//!
//! A server refuses a second query of the same name
//! ([`QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING`](https://clickhouse.com/docs/operations/settings/settings#replace_running_query)),
//! and ends one that only reads when its connection does: so the lock is released whatever ends this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::clickhouse::{ClickHouse, ClickHouseError, HttpClickHouse, Statement, quote_text};
use crate::event::chain;
use crate::transport::{Claim, HostLock, SessionError};

/// What the query is called; whoever looks at `system.processes` knows whose it is.
const NAME: &str = "housewright-lock";

/// `QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING`.
const RUNS_ALREADY: i32 = 216;

/// No run takes longer; a lock that outlives its run, because the server has not noticed that the connection is gone, ends so.
const LONGEST: u64 = 12 * 60 * 60;

/// Until the server shows the query.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

struct HttpLock(tokio::task::JoinHandle<()>);

impl HostLock for HttpLock {}

impl Drop for HttpLock {
    fn drop(&mut self) {
        // Its connection is closed with it.
        self.0.abort();
    }
}

/// Takes the lock; one client holds it, the other asks. `lost` is set when it ends although it is still wanted.
pub(super) async fn take(
    [holds, asks]: [HttpClickHouse; 2],
    holder: &str,
    claim: Claim,
    lost: &Arc<AtomicBool>,
) -> Result<Box<dyn HostLock>, SessionError> {
    let mut token = [0; 8];
    getrandom::fill(&mut token).map_err(|error| SessionError::NoLock(error.to_string()))?;
    let said = format!("{holder}, lock {:016x}", u64::from_be_bytes(token));
    if let Some(kill) = kill(holder, claim) {
        asks.execute(&kill).await.map_err(|error| no_lock(&error))?;
    }
    let (answer, mut answered) = tokio::sync::oneshot::channel();
    let statement = sleep(&said);
    let flag = Arc::clone(lost);
    let lock = HttpLock(tokio::spawn(async move {
        let ended = holds.stay(&statement, &query()).await;
        if let Err(ended) = answer.send(ended) {
            // Nobody waits for it any more: it was held.
            drop(ended);
            flag.store(true, Ordering::Relaxed);
        }
    }));
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(seen) = running(&asks).await?
            && seen.0 == said
        {
            return Ok(Box::new(lock));
        }
        if let Ok(ended) = answered.try_recv() {
            return Err(match ended {
                Err(ClickHouseError::Exception { code: RUNS_ALREADY, .. }) => {
                    let seen = running(&asks).await?;
                    let holder = seen.map_or_else(
                        || "it has just ended".to_owned(),
                        |(said, age)| format!("{}, for {age} s", said.split(", lock ").next().unwrap_or_default()),
                    );
                    SessionError::Locked { holder }
                }
                Err(error) => no_lock(&error),
                Ok(()) => SessionError::NoLock("the server does not hold it".to_owned()),
            });
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(SessionError::NoLock(format!("the server does not show it within {PATIENCE:?}")))
}

fn no_lock(error: &ClickHouseError) -> SessionError {
    SessionError::NoLock(chain(error))
}

/// A row at a time, so that the server looks often whether its connection is still there.
fn sleep(said: &str) -> Statement {
    let rows = LONGEST * 10;
    let said = quote_text(said);
    Statement::new(format!(
        "SELECT sleepEachRow(0.1) FROM numbers({rows}) SETTINGS max_block_size = 1, log_comment = {said}"
    ))
}

fn query() -> String {
    format!(
        "/?query_id={NAME}&default_format=Null&readonly=2&cancel_http_readonly_queries_on_client_close=1&max_execution_time={LONGEST}"
    )
}

/// Ends the query that holds it, where the claim is about it.
fn kill(holder: &str, claim: Claim) -> Option<Statement> {
    let whose = match claim {
        Claim::Free => return None,
        Claim::Again => {
            format!(" AND startsWith(Settings['log_comment'], {})", quote_text(&format!("{holder}, lock ")))
        }
        Claim::Anyone => String::new(),
    };
    Some(Statement::new(format!("KILL QUERY WHERE query_id = '{NAME}'{whose} SYNC")))
}

/// What the query that holds it says, and for how many seconds it does.
async fn running(asks: &HttpClickHouse) -> Result<Option<(String, u64)>, SessionError> {
    let question = format!(
        "SELECT Settings['log_comment'], toUInt64(elapsed) FROM system.processes WHERE query_id = '{NAME}' LIMIT 1"
    );
    let rows = asks.execute(&Statement::new(question)).await.map_err(|error| no_lock(&error))?;
    let row = rows.rows.first();
    Ok(row.and_then(|row| {
        let said = row.first()?.as_str()?.to_owned();
        let age = match row.get(1)? {
            Value::String(text) => text.parse().ok()?,
            number => number.as_u64()?,
        };
        Some((said, age))
    }))
}
