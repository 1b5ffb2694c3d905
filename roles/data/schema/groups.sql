-- Groups of users. Not sharded: whoever writes uses the cluster posthog_single_shard.
--
-- The Keeper path holds {shard}. On a fleet with several shards a row is therefore on the replicas of the one shard that
-- took it, and posthog_single_shard sends a row to any of its hosts: read groups back through a Distributed table or with
-- clusterAllReplicas, not from a data host chosen by chance.
CREATE TABLE IF NOT EXISTS groups
(
    group_type_index UInt8,
    group_key VARCHAR,
    created_at DateTime64,
    team_id Int64,
    group_properties VARCHAR,
    _timestamp DateTime,
    _offset UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/posthog.groups', '{replica}', _timestamp)
ORDER BY (team_id, group_type_index, group_key);
