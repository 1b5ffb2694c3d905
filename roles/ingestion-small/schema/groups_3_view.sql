-- Moves each block from the Kafka table to the writable one.
CREATE MATERIALIZED VIEW IF NOT EXISTS groups_mv
TO writable_groups
AS SELECT
    group_type_index, group_key, created_at, team_id, group_properties,
    _timestamp, _offset
FROM kafka_groups;
