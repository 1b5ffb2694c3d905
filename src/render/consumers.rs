//! How many consumers a role's hosts run, and the thread pool that they need (pure).

use std::collections::BTreeSet;

use crate::role::Role;
use crate::schema::{Family, Object, ObjectKind, ObjectName, kafka_setting, read};

/// ClickHouse's own size of the pool: it is never made smaller
/// ([`background_message_broker_schedule_pool_size`](https://clickhouse.com/docs/operations/server-configuration-parameters/settings)).
const LEAST_POOL: u64 = 16;
/// A consumer with a thread of its own takes one of the pool for good. With none to spare, polls come late, and the broker
/// takes the partitions away; a quarter more is
/// [Altinity's rule](https://kb.altinity.com/altinity-kb-integrations/altinity-kb-kafka/background_message_broker_schedule_pool_size/).
const SPARE: (u64, u64) = (5, 4);

/// Counts the consumers of all tables that drain a queue.
///
/// A table that no view reads from drains nothing: it is there to be written to.
pub(super) fn consumers(role: &Role) -> u64 {
    let (objects, _) = read(role);
    let read_from: BTreeSet<&ObjectName> = objects
        .iter()
        .filter(|object| object.kind == ObjectKind::MaterializedView)
        .flat_map(|view| &view.sources)
        .collect();
    let drains = |object: &&Object| {
        object.kind == ObjectKind::Table
            && Family::of(object.engine_name()) == Family::Queue
            && read_from.contains(&object.name)
    };
    objects.iter().filter(drains).map(of_table).fold(0, u64::saturating_add)
}

/// Engines other than Kafka have one, as a Kafka table that says nothing.
fn of_table(table: &Object) -> u64 {
    kafka_setting(table, "kafka_num_consumers").and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The size of the pool that so many consumers need.
pub(super) fn broker_pool(consumers: u64) -> u64 {
    consumers.saturating_mul(SPARE.0).div_ceil(SPARE.1).max(LEAST_POOL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_has_a_quarter_to_spare_and_is_never_small() {
        for (consumers, pool) in [(0, 16), (12, 16), (13, 17), (16, 20), (40, 50), (u64::MAX, u64::MAX / 4 + 1)] {
            assert_eq!(broker_pool(consumers), pool, "{consumers}");
        }
    }
}
