-- Moves each block from the Kafka table to the writable one.
CREATE MATERIALIZED VIEW IF NOT EXISTS events_mv
TO writable_events
AS SELECT
    uuid, event, properties, timestamp, team_id, distinct_id, created_at,
    _timestamp, _offset
FROM kafka_events;
