//! The thread pool that a role's consumers need (pure).

/// ClickHouse's own size of the pool: it is never made smaller
/// ([`background_message_broker_schedule_pool_size`](https://clickhouse.com/docs/operations/server-configuration-parameters/settings)).
const LEAST_POOL: u64 = 16;
/// A consumer with a thread of its own takes one of the pool for good. With none to spare, polls come late, and the broker
/// takes the partitions away; a quarter more is
/// [Altinity's rule](https://kb.altinity.com/altinity-kb-integrations/altinity-kb-kafka/background_message_broker_schedule_pool_size/).
const SPARE: (u64, u64) = (5, 4);

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
