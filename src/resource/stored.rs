//! Where tables keep their parts: the part of the server's probe that asks, and its reading (pure).
//!
//! The policy and the disk `default` are everywhere and cannot be removed, so nothing is asked about them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::schema::ObjectName;

/// The expression that asks which tables use which policy; the server's own log tables too.
pub(super) const ASK_POLICIES: &str = "(SELECT groupArray((storage_policy, database, name)) FROM system.tables \
     WHERE storage_policy NOT IN ('', 'default'))";

/// The expression that asks which disks hold parts of which tables, and how many.
pub(super) const ASK_PARTS: &str = "(SELECT groupArray((disk_name, database, table, c)) FROM \
     (SELECT disk_name, database, table, count() AS c FROM system.parts WHERE disk_name != 'default' \
     GROUP BY disk_name, database, table))";

/// What is on which policy and disk, beside `default`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Stored {
    /// The tables of each policy.
    pub policies: BTreeMap<String, BTreeSet<ObjectName>>,
    /// The number of parts of each table on each disk.
    pub disks: BTreeMap<String, BTreeMap<ObjectName, u64>>,
}

/// Reads both answers; a row of another shape is left out.
pub(super) fn read(policies: &Value, parts: &Value) -> Stored {
    let mut stored = Stored::default();
    for row in rows(policies) {
        if let [Value::String(policy), Value::String(database), Value::String(table)] = row {
            stored.policies.entry(policy.clone()).or_default().insert(ObjectName::relation(Some(database), table));
        }
    }
    for row in rows(parts) {
        if let [Value::String(disk), Value::String(database), Value::String(table), count] = row
            && let Some(count) = super::server::number(count)
        {
            stored.disks.entry(disk.clone()).or_default().insert(ObjectName::relation(Some(database), table), count);
        }
    }
    stored
}

fn rows(cell: &Value) -> impl Iterator<Item = &[Value]> {
    cell.as_array().into_iter().flatten().filter_map(|row| row.as_array().map(Vec::as_slice))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_are_read_by_policy_and_disk() {
        let stored = read(
            &json!([["hot", "default", "events"], ["hot", "system", "query_log"], [1]]),
            &json!([["nvme2", "default", "events", "12"], ["nvme2", "default", "groups", 3], ["x", "y", "z", "many"]]),
        );
        let shown: Vec<_> = stored.policies["hot"].iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["events", "system.query_log"]);
        let shown: Vec<_> = stored.disks["nvme2"].iter().map(|(table, count)| format!("{table} {count}")).collect();
        assert_eq!(shown, ["events 12", "groups 3"]);
        assert_eq!(stored.disks.len(), 1);
        assert_eq!(read(&json!(null), &json!(7)), Stored::default());
    }
}
