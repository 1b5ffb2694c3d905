-- Where the view writes: the sharding key sends each row to its shard.
CREATE TABLE IF NOT EXISTS writable_events
(
    uuid UUID,
    event VARCHAR,
    properties VARCHAR,
    timestamp DateTime64(6, 'UTC'),
    team_id Int64,
    distinct_id VARCHAR,
    created_at DateTime64(6, 'UTC'),
    _timestamp DateTime,
    _offset UInt64
)
ENGINE = Distributed('posthog', 'default', 'sharded_events', sipHash64(distinct_id));
