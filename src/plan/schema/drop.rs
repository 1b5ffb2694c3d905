//! What Housewright made and its host's role wants no more: dropped behind all that is made, in the reverse order (pure).
//!
//! What holds rows goes only where the operator has named it; what somebody has changed since, or relies on, stays.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::{Change, Gate, Hold, Inputs, Step, Verb, Wave};
use super::alter::{full_name, may_destroy, pair};
use super::host::HostSchema;
use super::{execute, forget, part, wave};
use crate::clickhouse::{Statement, quote_name};
use crate::fleet::HostName;
use crate::plan::steps::Limits;
use crate::schema::{
    Family, Object, ObjectKind, ObjectName, ObjectRecord, ObservedObject, RecordState, Remote, Stage, read_live,
    recording,
};

/// Something that is dropped.
struct Dropped<'a> {
    name: &'a ObjectName,
    record: &'a ObjectRecord,
    stage: Stage,
    statement: Statement,
    holds: Option<(u64, u64)>,
    /// It keeps rows, and had none.
    is_empty: bool,
    /// Several views read from it.
    is_shared_queue: bool,
}

/// One wave for each stage, the last stage of making first.
pub(super) fn waves(
    inputs: &Inputs<'_>,
    hosts: &BTreeMap<&HostName, HostSchema<'_>>,
    holds: &mut Vec<Hold>,
) -> Vec<Wave> {
    let all: BTreeMap<_, _> = hosts.iter().map(|(name, own)| (*name, of(inputs, own, holds))).collect();
    let stages = [Stage::View, Stage::Queue, Stage::Proxy, Stage::Storage, Stage::Definition];
    let wave_of = |stage: Stage| {
        let parts = all.iter().filter_map(|(name, dropped)| {
            let mut these: Vec<_> = dropped.iter().filter(|dropped| dropped.stage == stage).collect();
            these.sort_by_key(|dropped| !dropped.is_shared_queue);
            let own = hosts.get(*name).filter(|_| !these.is_empty())?;
            Some(host_part(own, stage, &these))
        });
        wave(
            format!("schema: drop {stage}"),
            "no role of the host wants it; behind all that relied on it",
            parts.collect(),
        )
    };
    stages.into_iter().filter_map(wave_of).collect()
}

fn host_part(own: &HostSchema<'_>, stage: Stage, these: &[&Dropped<'_>]) -> super::super::HostPlan {
    let change = |dropped: &&Dropped<'_>| Change::ObjectDrop {
        name: dropped.name.to_string(),
        role: dropped.record.role.to_string(),
        holds: dropped.holds,
    };
    let mut steps = Vec::new();
    if stage == Stage::Proxy {
        // Rows that wait in a Distributed table go with it: <https://clickhouse.com/docs/engines/table-engines/special/distributed>.
        steps.push(Step::Gate(Gate::Drained { limit: Limits::of(own.host).drain }));
    }
    for dropped in these {
        steps.extend(dropped.is_empty.then(|| still_empty(dropped.name)));
        steps.push(execute(dropped.name.to_string(), Verb::Drop, dropped.statement.clone()));
    }
    steps.push(forget(these.iter().map(|dropped| dropped.name)));
    part(&own.host.name, these.iter().map(change).collect(), steps)
}

/// Rows may have come since the host was asked: nobody has allowed to drop those.
fn still_empty(name: &ObjectName) -> Step {
    let (database, table) = pair(name);
    let query = Statement::new(format!(
        "SELECT count() = 0 FROM system.tables WHERE database = {database} AND name = {table} \
         AND (total_rows IS NULL OR total_rows > 0)"
    ));
    let hint = Some("rows came since: `housewright plan` shows what is there now".to_owned());
    Step::Gate(Gate::Asked { name: format!("{name} holds no rows"), query, limit: Some(Duration::ZERO), hint })
}

/// What goes on one host; the rest is held.
fn of<'a>(inputs: &Inputs<'_>, own: &HostSchema<'a>, holds: &mut Vec<Hold>) -> Vec<Dropped<'a>> {
    let records = own.facts.records.iter().flatten();
    let unwanted = records.filter(|(name, _)| own.object(name).is_none() && !recording::is_own(name));
    let mut going = Vec::new();
    for (name, record) in unwanted {
        let Some(live) = own.live.iter().find(|live| live.name == *name) else { continue };
        match may_go(inputs, own, live, record) {
            Ok(_) if own.objects.is_empty() && !may_destroy(inputs, name) => {
                let reason =
                    "its role has no schema at all any more, which may be a directory that is missing".to_owned();
                let hint = format!("allow it by name: `--allow-destroy {}`", full_name(name));
                holds.push(own.hold(format!("drop `{name}`"), reason, Some(hint)));
            }
            Ok(dropped) => going.push(Dropped { name, record, ..dropped }),
            Err((reason, hint)) => holds.push(own.hold(format!("drop `{name}`"), reason, Some(hint))),
        }
    }
    let mut going = relied_on(own, going, holds);
    for queue in going.iter_mut().filter(|dropped| dropped.stage == Stage::Queue && views_of(own, dropped.name) > 1) {
        // What it read between the drops of two views would reach one of them: <https://github.com/ClickHouse/ClickHouse/issues/6533>.
        (queue.stage, queue.is_shared_queue) = (Stage::View, true);
    }
    going
}

/// How many materialized views read from a table.
fn views_of(own: &HostSchema<'_>, table: &ObjectName) -> usize {
    let views = own.live.iter().filter(|live| live.engine == "MaterializedView");
    let views = views.filter_map(|live| read_live(live, &own.host.role));
    views.filter(|view| view.sources.contains(table)).count()
}

type Refusal = (String, String);

fn may_go<'a>(
    inputs: &Inputs<'_>,
    own: &HostSchema<'a>,
    live: &'a ObservedObject,
    record: &'a ObjectRecord,
) -> Result<Dropped<'a>, Refusal> {
    let name = &live.name;
    let by_hand = || "look at it, and drop it by hand".to_owned();
    match record.state {
        RecordState::AsApplied => {}
        RecordState::Moved => return Err(("somebody has changed it since it was applied".to_owned(), by_hand())),
        RecordState::Begun | RecordState::Gone => {
            return Err(("a run ended while it was made: nobody knows whose it is".to_owned(), by_hand()));
        }
    }
    if record.mutations > 0 {
        return Err((format!("{} of its mutations are not done", record.mutations), by_hand()));
    }
    let object = read_live(live, &own.host.role);
    let kind = match (name, object.as_ref().map(|object| object.kind)) {
        (ObjectName::Database(_), _) => {
            return Err(("a database goes with all that anybody has in it".to_owned(), by_hand()));
        }
        (ObjectName::Function(_), _) => ObjectKind::Function,
        (ObjectName::Collection(_), _) => ObjectKind::NamedCollection,
        (ObjectName::Relation { .. }, Some(kind)) => kind,
        (ObjectName::Relation { .. }, None) => {
            return Err(("the server's own statement cannot be understood".to_owned(), by_hand()));
        }
    };
    let stage = object.as_ref().map_or(Stage::Definition, Stage::of);
    let mut holds = None;
    let keeps_rows = keeps_rows(kind, live, object.as_ref());
    if keeps_rows && record.rows != Some(0) {
        if !may_destroy(inputs, name) {
            let rows = record.rows.map_or_else(|| "an unknown number of".to_owned(), |rows| rows.to_string());
            let bytes = record.bytes.map(|bytes| format!(" of {bytes} bytes")).unwrap_or_default();
            let hint = format!("allow it by name: `--allow-destroy {}`", full_name(name));
            return Err((format!("it holds {rows} rows{bytes}"), hint));
        }
        holds = Some((record.rows.unwrap_or_default(), record.bytes.unwrap_or_default()));
    }
    let cannot = || ("it has no name that a statement can say".to_owned(), by_hand());
    let is_empty = keeps_rows && holds.is_none();
    let statement = statement(name, kind, if is_empty { Rows::Stay } else { Rows::Go }).ok_or_else(cannot)?;
    Ok(Dropped { name, record, stage, statement, holds, is_empty, is_shared_queue: false })
}

/// Whether rows go with it. A materialized view without a target has a table of its own.
fn keeps_rows(kind: ObjectKind, live: &ObservedObject, object: Option<&Object>) -> bool {
    match kind {
        ObjectKind::Table => matches!(Family::of(&live.engine), Family::Storage | Family::Other),
        ObjectKind::MaterializedView => object.is_none_or(|view| view.target.is_none()),
        ObjectKind::View | ObjectKind::Dictionary | ObjectKind::Function | ObjectKind::NamedCollection => false,
        ObjectKind::Database => true,
    }
}

/// Holds what others on the host rely on that stay, until nothing of that is left.
fn relied_on<'a>(own: &HostSchema<'a>, mut going: Vec<Dropped<'a>>, holds: &mut Vec<Hold>) -> Vec<Dropped<'a>> {
    if going.is_empty() {
        return going;
    }
    let others: Vec<(&ObjectName, Object)> =
        own.live.iter().filter_map(|live| Some((&live.name, read_live(live, &own.host.role)?))).collect();
    loop {
        let stays = |name: &ObjectName| !going.iter().any(|dropped| dropped.name == name);
        let relies = |dropped: &Dropped<'_>| {
            let needs = |(name, object): &&(&ObjectName, Object)| {
                let remote = Remote::of(object).map(|remote| remote.table);
                let is_needed = object.depends_on.contains(dropped.name) || remote.as_ref() == Some(dropped.name);
                is_needed && stays(name) && *name != dropped.name
            };
            others.iter().find(needs).map(|(name, _)| *name)
        };
        let Some((at, by)) = going.iter().enumerate().find_map(|(at, dropped)| Some((at, relies(dropped)?))) else {
            return going;
        };
        let dropped = going.remove(at);
        let hint = "drop that first, or leave this in the role".to_owned();
        holds.push(own.hold(format!("drop `{}`", dropped.name), format!("`{by}` relies on it and stays"), Some(hint)));
    }
}

/// What becomes of rows that are in what is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// They go: it keeps none, or the operator has named it.
    Go,
    /// The server refuses: there were none when the host was asked.
    Stay,
}

/// The statement that drops an object; nothing for a database.
///
/// `IF EMPTY` closes the way between the gate and the drop. It asks what the gate asks, `total_rows`, and where the server does not
/// know that (25.8: TinyLog, File, EmbeddedRocksDB) it drops; so only the gate stands before those.
pub(super) fn statement(name: &ObjectName, kind: ObjectKind, rows: Rows) -> Option<Statement> {
    let what = match kind {
        ObjectKind::Table | ObjectKind::MaterializedView | ObjectKind::View => "TABLE",
        ObjectKind::Dictionary => "DICTIONARY",
        ObjectKind::Function => "FUNCTION",
        ObjectKind::NamedCollection => "NAMED COLLECTION",
        ObjectKind::Database => return None,
    };
    let unless = if rows == Rows::Stay { " IF EMPTY" } else { "" };
    Some(Statement::new(match name {
        // Without SYNC its replica would stay in the coordination for minutes, and its name with it.
        ObjectName::Relation { database, name } => {
            format!("DROP {what} IF EXISTS{unless} {}.{} SYNC", quote_name(database), quote_name(name))
        }
        ObjectName::Function(name) | ObjectName::Collection(name) => {
            format!("DROP {what} IF EXISTS {}", quote_name(name))
        }
        ObjectName::Database(_) => return None,
    }))
}
