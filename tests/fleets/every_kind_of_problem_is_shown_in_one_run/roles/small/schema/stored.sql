CREATE TABLE stored (id UInt64) ENGINE = MergeTree ORDER BY id;
