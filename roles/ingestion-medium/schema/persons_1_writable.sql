-- Where the view writes: one data host takes the row, replication gives it to all others.
CREATE TABLE IF NOT EXISTS writable_persons
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
ENGINE = Distributed('posthog_single_shard', 'default', 'persons');
