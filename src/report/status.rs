//! Facts and status of the hosts, as a table or as JSON; never a file's content (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::fleet::{Fleet, Host, HostName, Placement};
use crate::render::Desired;
use crate::resource::{ClickHouseFacts, HostFacts, HostObservation, KeeperFacts, Observation, ServerFacts};
use crate::schema::{ObjectName, ObservedObject};

/// A column of the table.
struct Column {
    title: &'static str,
    /// Which are left out first where the terminal is narrow; 0 never.
    rank: u8,
    aligned: Aligned,
}

#[derive(PartialEq, Eq)]
enum Aligned {
    Left,
    Right,
}

const COLUMNS: [Column; 12] = [
    Column { title: "host", rank: 0, aligned: Aligned::Left },
    Column { title: "role", rank: 4, aligned: Aligned::Left },
    Column { title: "place", rank: 1, aligned: Aligned::Left },
    Column { title: "clickhouse", rank: 5, aligned: Aligned::Left },
    Column { title: "up", rank: 2, aligned: Aligned::Right },
    Column { title: "generation", rank: 10, aligned: Aligned::Left },
    Column { title: "objects", rank: 9, aligned: Aligned::Right },
    Column { title: "replicas", rank: 6, aligned: Aligned::Right },
    Column { title: "delay", rank: 3, aligned: Aligned::Right },
    Column { title: "unsent", rank: 7, aligned: Aligned::Right },
    Column { title: "consumers", rank: 3, aligned: Aligned::Right },
    Column { title: "disk", rank: 8, aligned: Aligned::Right },
];
/// What the state needs at least.
const STATE_WIDTH: usize = 24;
const GAP: &str = "  ";

/// The form of the facts as data; it changes when a reader of the older one could misread a newer one.
const FACTS_SCHEMA: u64 = 1;

/// One line per host: what it is and how it is. Columns are left out where `width` is too narrow for all.
#[must_use]
pub fn status(
    fleet: &Fleet,
    desired: &BTreeMap<HostName, Desired>,
    observation: &Observation,
    width: Option<usize>,
) -> String {
    let rows: Vec<_> = observation
        .hosts
        .iter()
        .filter_map(|(name, found)| {
            let host = fleet.hosts.get(name)?;
            let wanted = desired.get(name).and_then(|desired| desired.generation.as_deref());
            Some((cells(host, wanted, found), state(found)))
        })
        .collect();
    let widths: Vec<usize> = COLUMNS
        .iter()
        .enumerate()
        .map(|(index, column)| {
            rows.iter().map(|(cells, _)| cells[index].chars().count()).max().unwrap_or(0).max(column.title.len())
        })
        .collect();
    let shown = shown(&widths, &rows, width);
    let line = |cells: &[String; 12]| {
        let cell = |index: &usize| match COLUMNS[*index].aligned {
            Aligned::Left => format!("{:1$}", cells[*index], widths[*index]),
            Aligned::Right => format!("{:>1$}", cells[*index], widths[*index]),
        };
        shown.iter().map(cell).collect::<Vec<_>>().join(GAP)
    };
    let titles = COLUMNS.map(|column| column.title.to_owned());
    let mut out = format!("{}\n", paint(HEAD, format!("{}{GAP}state", line(&titles))));
    for (cells, state) in &rows {
        let _ = writeln!(out, "{}{GAP}{state}", line(cells));
    }
    out
}

/// The columns that fit, and of those the ones that say something on some host.
fn shown(widths: &[usize], rows: &[([String; 12], String)], width: Option<usize>) -> Vec<usize> {
    let says = |index: &usize| COLUMNS[*index].rank == 0 || rows.iter().any(|(cells, _)| !cells[*index].is_empty());
    let mut shown: Vec<usize> = (0..COLUMNS.len()).filter(says).collect();
    let Some(width) = width else { return shown };
    while shown.iter().map(|index| widths[*index] + GAP.len()).sum::<usize>() + STATE_WIDTH > width {
        let Some(last) =
            shown.iter().copied().filter(|index| COLUMNS[*index].rank > 0).max_by_key(|index| COLUMNS[*index].rank)
        else {
            break;
        };
        shown.retain(|index| *index != last);
    }
    shown
}

fn cells(host: &Host, wanted: Option<&str>, found: &HostObservation) -> [String; 12] {
    let place = match &host.placement {
        Placement::Storage { shard, replica } => format!("s{shard} r{replica}"),
        Placement::Stateless => "stateless".to_owned(),
        Placement::Keeper { id } => format!("keeper {id}"),
    };
    let none = String::new;
    let [
        mut version,
        mut up,
        mut generation,
        mut objects,
        mut replicas,
        mut delay,
        mut unsent,
        mut consumers,
        mut disk,
    ] = [(); 9].map(|()| none());
    if let HostObservation::Reached(facts) = found
        && let ClickHouseFacts::Up { server, objects: live } = &facts.clickhouse
    {
        version.clone_from(&server.version);
        up = duration(server.uptime);
        generation = generations(server.generation(), wanted);
        objects = live.iter().filter(|object| is_relation(object)).count().to_string();
        if server.replicas > 0 {
            replicas = match server.readonly {
                0 => server.replicas.to_string(),
                readonly => format!("{}, {readonly} ro", server.replicas),
            };
            delay = duration(server.delay);
        }
        consumers = polling(facts, server);
        let files: u64 = facts.flow.spooled.values().map(|spool| spool.files).sum();
        let broken: u64 = facts.flow.spooled.values().map(|spool| spool.broken).sum();
        unsent = match (files, broken) {
            (0, 0) => none(),
            (files, 0) => files.to_string(),
            (files, broken) => format!("{files}, {broken} broken"),
        };
        // The fullest says when to act.
        let used = |(free, total): &(u64, u64)| u128::from(total - free) * 100 / u128::from(*total);
        disk = server.disks.values().map(used).max().map_or_else(none, |share| format!("{share}%"));
    }
    [
        host.name.to_string(),
        host.role.to_string(),
        place,
        version,
        up,
        generation,
        objects,
        replicas,
        delay,
        unsent,
        consumers,
        disk,
    ]
}

/// `=` where the server has read what the inventory says; else what it has read, and what it says.
fn generations(told: Option<&str>, wanted: Option<&str>) -> String {
    match (told, wanted) {
        (Some(told), Some(wanted)) if told == wanted => "=".to_owned(),
        (told, Some(wanted)) => format!("{} -> {wanted}", told.unwrap_or("none")),
        (told, None) => told.unwrap_or_default().to_owned(),
    }
}

/// `polling/all`: consumers that ask the broker for rows, and those that are there.
fn polling(facts: &HostFacts, server: &ServerFacts) -> String {
    let polling: u64 = facts.flow.consumers.values().map(|consumers| consumers.polling).sum();
    match (server.consumers, facts.flow.consumers.is_empty()) {
        (0, _) => String::new(),
        (all, true) => all.to_string(),
        (all, false) => format!("{polling}/{all}"),
    }
}

/// Seconds in the largest unit that keeps two digits or less where it can: `45s`, `12m`, `7h`, `31d`.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn state(found: &HostObservation) -> String {
    let facts = match found {
        HostObservation::Unreachable { reason, .. } => return paint(BAD, reason),
        HostObservation::Reached(facts) => facts,
    };
    let owed: Vec<_> = facts.owed.iter().map(ToString::to_string).collect();
    let owed = if owed.is_empty() { String::new() } else { paint(WARN, format!(", owes {}", owed.join(", "))) };
    serves(facts) + &owed
}

fn serves(facts: &HostFacts) -> String {
    match &facts.clickhouse {
        ClickHouseFacts::NotAsked => {
            let down = facts.units.iter().find(|(_, unit)| !unit.is_running());
            match down {
                None => keeper(&facts.keeper),
                Some((unit, _)) => paint(BAD, format!("{unit} does not run")),
            }
        }
        ClickHouseFacts::Down { reason } => paint(BAD, reason),
        ClickHouseFacts::Up { server, .. } => match server.serves() {
            Ok(()) => paint(GOOD, "serving"),
            Err(why) => paint(WARN, why),
        },
    }
}

/// Tables, views and dictionaries; databases and collections of the configuration are nobody's doing.
fn is_relation(object: &ObservedObject) -> bool {
    matches!(object.name, ObjectName::Relation { .. })
}

fn keeper(facts: &KeeperFacts) -> String {
    match facts {
        KeeperFacts::NotAsked => paint(GOOD, "up"),
        KeeperFacts::Up { mode } => format!("{}{}", paint(GOOD, "serving"), paint(QUIET, format!(", {mode}"))),
        KeeperFacts::Down { reason } => paint(BAD, reason),
    }
}

/// All facts as JSON: metadata of files, never their content.
#[must_use]
pub fn facts(observation: &Observation) -> Value {
    let hosts: BTreeMap<&HostName, Value> = observation.hosts.iter().map(|(name, found)| (name, host(found))).collect();
    json!({ "schema": FACTS_SCHEMA, "hosts": hosts })
}

/// The facts, and of each host which generation it should have read, where one is known.
#[must_use]
pub fn status_data(desired: &BTreeMap<HostName, Desired>, observation: &Observation) -> Value {
    let mut data = facts(observation);
    for (name, desired) in desired {
        if let (Some(host), Some(wanted)) = (data["hosts"].get_mut(name.as_str()), &desired.generation) {
            host["wanted_generation"] = json!(wanted);
        }
    }
    data
}

fn host(found: &HostObservation) -> Value {
    let facts = match found {
        HostObservation::Unreachable { reason, hint } => {
            return json!({ "reachable": false, "reason": reason, "hint": hint });
        }
        HostObservation::Reached(facts) => facts,
    };
    let metadata =
        |owner: &str, group: &str, mode: u32| json!({ "owner": owner, "group": group, "mode": format!("{mode:04o}") });
    let files: BTreeMap<_, _> =
        facts.files.iter().map(|(path, file)| (path.as_str(), metadata(&file.owner, &file.group, file.mode))).collect();
    let directories: BTreeMap<_, _> =
        facts.directories.iter().map(|(path, is)| (path.as_str(), metadata(&is.owner, &is.group, is.mode))).collect();
    let units: BTreeMap<_, _> = facts
        .units
        .iter()
        .map(|(name, unit)| {
            (name.as_str(), json!({ "load": unit.load, "active": unit.active, "file": unit.file_state }))
        })
        .collect();
    let clickhouse = match &facts.clickhouse {
        ClickHouseFacts::NotAsked => Value::Null,
        ClickHouseFacts::Down { reason } => json!({ "up": false, "reason": reason }),
        ClickHouseFacts::Up { server, objects } => json!({
            "up": true,
            "version": server.version,
            "uptime": server.uptime,
            "generation": server.generation(),
            "macros": server.shown_macros(),
            "clusters": server.clusters,
            "replicas": server.replicas,
            "readonly_replicas": server.readonly,
            "delay": server.delay,
            "kafka_consumers": server.consumers,
            "kafka_consumers_polling": facts.flow.consumers.values().map(|consumers| consumers.polling).sum::<u64>(),
            "unsent_files": facts.flow.spooled.values().map(|spool| spool.files).sum::<u64>(),
            "disks": server.disks.iter().map(|(name, (free, total))| (name.clone(), json!({ "free": free, "total": total }))).collect::<BTreeMap<_, _>>(),
            "objects": objects.iter().map(|object| json!({ "name": object.name.to_string(), "engine": object.engine })).collect::<Vec<_>>(),
        }),
    };
    json!({
        "reachable": true,
        "os": facts.identity.os,
        "hostname": facts.identity.hostname,
        "directories": directories,
        "files": files,
        "units": units,
        "owed": facts.owed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "clickhouse": clickhouse,
    })
}
