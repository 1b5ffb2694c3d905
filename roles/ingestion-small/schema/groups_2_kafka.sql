-- Reads the topic. The named collection has the brokers; the group name keeps the place in the topic.
CREATE TABLE IF NOT EXISTS kafka_groups
(
    group_type_index UInt8,
    group_key VARCHAR,
    created_at DateTime64,
    team_id Int64,
    group_properties VARCHAR
)
ENGINE = Kafka(warpstream_ingestion,
    kafka_topic_list = 'groups',
    kafka_group_name = 'group1',
    kafka_format = 'JSONEachRow');
