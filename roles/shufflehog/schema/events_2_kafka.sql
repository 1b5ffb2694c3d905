-- The events topic again, under a consumer group of its own: the inserter's place in the topic is not ours.
CREATE TABLE IF NOT EXISTS kafka_events_json
(
    uuid UUID,
    event VARCHAR,
    properties VARCHAR,
    team_id Int64,
    distinct_id VARCHAR
)
ENGINE = Kafka(warpstream_ingestion,
    kafka_topic_list = 'events',
    kafka_group_name = 'shufflehog',
    kafka_format = 'JSONEachRow');
