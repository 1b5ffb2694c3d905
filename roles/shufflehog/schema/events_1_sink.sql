-- Where the view writes: another topic. The value of `_key` becomes the Kafka message's key, and the key decides the
-- partition. Nothing reads this table: its consumer group only satisfies the engine.
CREATE TABLE IF NOT EXISTS kafka_property_definitions_sink
(
    team_id Int64,
    event VARCHAR,
    properties VARCHAR,
    _key String
)
ENGINE = Kafka(warpstream_ingestion,
    kafka_topic_list = 'property_definitions',
    kafka_group_name = 'shufflehog_property_definitions_sink',
    kafka_format = 'JSONEachRow');
