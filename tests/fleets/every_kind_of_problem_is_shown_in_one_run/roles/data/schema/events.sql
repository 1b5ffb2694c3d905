CREATE TABLE events ON CLUSTER posthog (id UInt64) ENGINE = MergeTree ORDER BY id;
DROP TABLE old_events;
