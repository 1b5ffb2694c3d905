CREATE TABLE groups ON CLUSTER posthog (group_key String)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/groups', '{replica}')
ORDER BY group_key;
