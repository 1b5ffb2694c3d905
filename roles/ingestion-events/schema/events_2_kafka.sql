-- The firehose.
CREATE TABLE IF NOT EXISTS kafka_events
(
    uuid UUID,
    event VARCHAR,
    properties VARCHAR,
    timestamp DateTime64(6, 'UTC'),
    team_id Int64,
    distinct_id VARCHAR,
    created_at DateTime64(6, 'UTC')
)
ENGINE = Kafka(warpstream_ingestion,
    kafka_topic_list = 'events',
    kafka_group_name = 'clickhouse',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = 4,
    kafka_thread_per_consumer = 1);
