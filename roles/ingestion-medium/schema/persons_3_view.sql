-- Moves each block from the Kafka table to the writable one.
CREATE MATERIALIZED VIEW IF NOT EXISTS persons_mv
TO writable_persons
AS SELECT
    id, team_id, properties, is_deleted, version, created_at,
    _timestamp, _offset
FROM kafka_persons;
