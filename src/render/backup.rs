//! What the templates of backups see of a host, as `host.backup` (pure): everything has its value, so no template has a default.

use serde_json::{Value, json};

use crate::backup::{Assignment, Backup, Place};
use crate::fleet::Host;
use crate::role::ClickHouseSpec;
use crate::schema::ObjectName;

/// Seconds that a replica may be behind when it is backed up, unless `replica_delay_limit` says otherwise.
const DELAY: u64 = 300;

/// Describes it; nothing where the host declares no place.
pub(super) fn describe(host: &Host, server: Option<&ClickHouseSpec>, assignment: &Assignment) -> Option<Value> {
    let backup = Backup::of(host)?;
    let tables = assignment.get(&host.name).into_iter().flatten().filter_map(|table| match table {
        ObjectName::Relation { database, name } => Some(json!({ "database": database, "name": name })),
        ObjectName::Database(_) | ObjectName::Function(_) | ObjectName::Collection(_) => None,
    });
    // The name of a backup has no quote in it: it stands between the two.
    let mark = "\u{1}";
    // It stands in double quotes of the script, where a backtick would begin a command.
    let of = backup.place.of(mark).replace('`', "\\`");
    let (before, after) = of.split_once(mark).unwrap_or((&of, ""));
    let disk = if let Place::Disk(disk) = &backup.place { Some(disk) } else { None };
    let delay = host.vars.get("replica_delay_limit").and_then(Value::as_u64).unwrap_or(DELAY);
    let [_, make] = crate::backup::make();
    Some(json!({
        "tables": tables.collect::<Vec<_>>(),
        "root": backup.root(host),
        "place": backup.place.word(),
        "disk": disk,
        "before": before,
        "after": after,
        "full": backup.full,
        "incremental": backup.incremental,
        "longest_chain": backup.longest_chain,
        "keep_chains": backup.keep_chains,
        "bandwidth": backup.bandwidth,
        "threads": backup.threads,
        "delay": delay,
        // Its comments are in single quotes, which the script's are too.
        "make": make.text().replace('\'', "'\\''"),
        "user": server.map_or("default", |server| server.user.as_str()),
        "password": server.and_then(|server| server.password.as_ref()).map(crate::secret::SecretRef::marker),
    }))
}
