-- Re-keys by project and event, so that one partition owns each pair.
CREATE MATERIALIZED VIEW IF NOT EXISTS shufflehog_mv
TO kafka_property_definitions_sink
AS SELECT
    team_id, event, properties,
    concat(toString(team_id), ':', event) AS _key
FROM kafka_events_json;
