-- Persons. Not sharded, and kept in full on every data host: one Keeper path without {shard}, and a replica name that is
-- unique over all shards.
CREATE TABLE IF NOT EXISTS persons
(
    id UUID,
    team_id Int64,
    properties VARCHAR,
    is_deleted UInt8,
    version UInt64,
    created_at DateTime64(3),
    _timestamp DateTime,
    _offset UInt64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/noshard/posthog.persons', '{shard}-{replica}', version)
ORDER BY (team_id, id);
