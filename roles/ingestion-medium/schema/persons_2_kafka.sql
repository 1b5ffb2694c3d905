-- Four consumers. Without kafka_thread_per_consumer all four would share one thread and gain nothing.
CREATE TABLE IF NOT EXISTS kafka_persons
(
    id UUID,
    team_id Int64,
    properties VARCHAR,
    is_deleted UInt8,
    version UInt64,
    created_at DateTime64(3)
)
ENGINE = Kafka(warpstream_ingestion,
    kafka_topic_list = 'persons',
    kafka_group_name = 'persons',
    kafka_format = 'JSONEachRow',
    kafka_num_consumers = 4,
    kafka_thread_per_consumer = 1);
