//! Tables that consume: away and back, each with its statement (edge).

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};

use super::{Run, host};
use crate::clickhouse::{ClickHouse, ClickHouseError, Statement};
use crate::event::{Event, chain};
use crate::fleet::HostName;
use crate::resource::{self, Detachment};
use crate::schema::ObjectName;

type Refusal = (String, Option<String>);

/// A host has a handful of such tables; each is closed on its own, which takes up to seconds.
const AT_ONCE: usize = 8;

/// Detaches tables, all at once: a group rebalances less often when its members leave together.
pub(super) async fn detach(
    host: &HostName,
    tables: &BTreeSet<ObjectName>,
    how: Detachment,
    limit: Duration,
    run: &Run<'_>,
) -> Result<(), Refusal> {
    let all = each(host, tables, |table| resource::detach(table, how), run);
    match tokio::time::timeout(limit, all).await {
        Ok(done) => done,
        Err(_) => Err((
            format!("still not detached after {} s", limit.as_secs()),
            Some(format!("a consumer that hangs is ended by a restart only: look at its log on `{host}` first")),
        )),
    }
}

/// Attaches tables.
pub(super) async fn attach(host: &HostName, tables: &BTreeSet<ObjectName>, run: &Run<'_>) -> Result<(), Refusal> {
    each(host, tables, resource::attach, run).await
}

async fn each(
    host: &HostName,
    tables: &BTreeSet<ObjectName>,
    statement: impl Fn(&ObjectName) -> Option<Statement>,
    run: &Run<'_>,
) -> Result<(), Refusal> {
    let clickhouse = host::clickhouse(host, run).ok_or_else(|| ("no connection".to_owned(), None))?;
    let statements: Vec<_> = tables.iter().filter_map(|table| Some((table, statement(table)?))).collect();
    futures_util::stream::iter(statements)
        .map(|(table, statement)| one(&*clickhouse, host, table, statement, run))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
}

async fn one(
    clickhouse: &dyn ClickHouse,
    host: &HostName,
    table: &ObjectName,
    statement: Statement,
    run: &Run<'_>,
) -> Result<(), Refusal> {
    let mut answer = clickhouse.execute(&statement).await;
    if let Err(ClickHouseError::Unreachable(reason)) = &answer {
        // Twice is as good as once.
        let (step, reason) = (table.to_string(), reason.clone());
        run.sink.emit(Event::AnswerLost { host: host.clone(), step, reason });
        answer = clickhouse.execute(&statement).await;
    }
    answer.map(drop).map_err(|error| {
        let hint = match &error {
            // CANNOT_GET_CREATE_TABLE_QUERY: there is nothing to attach.
            ClickHouseError::Exception { code: 390, .. } => Some("somebody dropped it meanwhile".to_owned()),
            _ => None,
        };
        (format!("{table}: {}", chain(&error)), hint)
    })
}
