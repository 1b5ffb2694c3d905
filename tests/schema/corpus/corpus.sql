-- Statements as production schemas have them, each of which a ClickHouse 25.8 takes.
-- The file beside this one has the form in which that server keeps each of them.

CREATE DATABASE IF NOT EXISTS analytics COMMENT 'what people did';

CREATE FUNCTION IF NOT EXISTS normalised AS (url) -> lower(replaceRegexpOne(cutQueryString(url), '/+$', ''));
CREATE FUNCTION clamped AS (x, low, high) -> if(x < low, low, if(x > high, high, x));
CREATE FUNCTION share AS (part, whole) -> whole = 0 ? 0 : part / whole * 100;
CREATE FUNCTION is_bot AS agent -> multiSearchAnyCaseInsensitive(agent, ['bot', 'crawler', 'spider']) OR agent IS NULL;

-- The MergeTree family.

CREATE TABLE sharded_events
(
    uuid UUID,
    event VARCHAR,
    properties VARCHAR CODEC(ZSTD(3)),
    timestamp DateTime64(6, 'UTC'),
    team_id Int64,
    distinct_id VARCHAR,
    elements_hash VARCHAR,
    created_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC'),
    `$session_id` VARCHAR MATERIALIZED replaceRegexpAll(JSONExtractRaw(properties, '$session_id'), '^"|"$', ''),
    `$group_0` VARCHAR MATERIALIZED trim(BOTH '"' FROM JSONExtractRaw(properties, '$group_0')) COMMENT 'column_materializer::$group_0',
    mat_host LowCardinality(Nullable(String)) MATERIALIZED JSONExtract(properties, '$host', 'LowCardinality(Nullable(String))'),
    day Date ALIAS toDate(timestamp),
    _timestamp DateTime,
    _offset UInt64,
    INDEX kafka_timestamp_minmax_sharded_events _timestamp TYPE minmax GRANULARITY 3,
    INDEX `minmax_$group_0` `$group_0` TYPE minmax GRANULARITY 1,
    INDEX by_host (lower(mat_host), event) TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(_timestamp)
PARTITION BY toYYYYMM(timestamp)
ORDER BY (team_id, toDate(timestamp), event, cityHash64(distinct_id), cityHash64(uuid))
SAMPLE BY cityHash64(distinct_id)
TTL toDateTime(timestamp) + INTERVAL 7 YEAR
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1;

CREATE TABLE person_distinct_id2
(
    team_id BIGINT NOT NULL,
    distinct_id TEXT NULL,
    person_id UUID,
    is_deleted TINYINT DEFAULT 0,
    version BIGINT SIGNED DEFAULT 1 CODEC(Delta(8), LZ4),
    ratio DOUBLE PRECISION,
    price NUMERIC(18, 4),
    fee DEC(9),
    flags INT UNSIGNED,
    digest BINARY(16),
    at TIMESTAMP DEFAULT now(),
    is_new boolean DEFAULT true
) ENGINE ReplacingMergeTree(version) ORDER BY (team_id, ifNull(distinct_id, '')) SETTINGS index_granularity = 512;

CREATE TABLE rollup
(
    bucket DateTime CODEC(DoubleDelta, ZSTD(1)),
    team_id UInt32,
    path LowCardinality(String),
    visitors AggregateFunction(uniq, String),
    visitors_if AggregateFunction(uniqIf, UUID, UInt8),
    latency AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Float64),
    first_at SimpleAggregateFunction(min, DateTime64(3)),
    last_value AggregateFunction(argMax, Nullable(String), DateTime64(6, 'UTC')),
    total SimpleAggregateFunction(sum, Decimal(38, 6)),
    tags SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    counts SimpleAggregateFunction(sumMap, Map(String, UInt64))
)
ENGINE = AggregatingMergeTree
PARTITION BY (toYYYYMM(bucket), team_id % 4)
ORDER BY (team_id, path, bucket)
PRIMARY KEY (team_id, path);

CREATE TABLE logs
(
    at DateTime64(9) CODEC(Delta(8), ZSTD(1)),
    trace_id FixedString(16),
    severity Enum8('debug' = 1, 'info' = 2, 'it''s bad' = 3, 'fatal' = -1),
    kind Enum('a', 'b', 'c'),
    body String CODEC(ZSTD(6)),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    service LowCardinality(String) DEFAULT resource['service.name'],
    host String MATERIALIZED coalesce(resource['host.name'], resource['host'], '') ,
    took Float32 DEFAULT -1.5 CODEC(Gorilla, LZ4HC(9)),
    ip IPv4 DEFAULT '127.0.0.1',
    ip6 Nullable(IPv6),
    INDEX idx_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_keys mapKeys(resource) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_values mapValues(resource) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_body body TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8,
    INDEX idx_ngram lower(body) TYPE ngrambf_v1(4, 1024, 1, 0) GRANULARITY 1,
    INDEX idx_set severity TYPE set(100) GRANULARITY 4
)
ENGINE = MergeTree()
PARTITION BY toDate(at)
ORDER BY (service, severity, toUnixTimestamp(at), trace_id)
TTL toDateTime(at) + toIntervalDay(30) DELETE WHERE severity = 'debug', toDateTime(at) + INTERVAL 90 DAY
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 0, min_bytes_for_wide_part = '10M';

CREATE TABLE metrics
(
    `name` LowCardinality(String) CODEC(ZSTD),
    `labels` Nested(key LowCardinality(String), value String),
    at DateTime('Europe/Berlin') CODEC(T64, LZ4),
    value Float64 CODEC(FPC(12), ZSTD(3)) TTL at + INTERVAL 1 MONTH,
    exemplar Nullable(String) TTL at + INTERVAL 1 WEEK,
    CONSTRAINT known_name CHECK name != '',
    CONSTRAINT value_is_finite CHECK isFinite(value) AND NOT isNaN(value),
    CONSTRAINT derived ASSUME length(name) > 0
)
ENGINE = MergeTree ORDER BY (name, at)
TTL at + INTERVAL 1 YEAR GROUP BY name SET value = avg(value), exemplar = any(exemplar);

CREATE TABLE projected
(
    a UInt64, b String, c DateTime,
    PROJECTION by_b (SELECT * ORDER BY b),
    PROJECTION totals (SELECT toStartOfHour(c) AS hour, count(), sum(a) GROUP BY hour),
    PROJECTION most (SELECT b, max(a) AS biggest GROUP BY b)
)
ENGINE = MergeTree ORDER BY a COMMENT 'has ''projections''';

CREATE TABLE documents (id UInt64, doc JSON, strict JSON(max_dynamic_paths = 16, `a.b` UInt32, SKIP c.d, SKIP REGEXP '^x'), any Dynamic, one Variant(UInt64, String, Array(String)), moved Dynamic(max_types=8)) ENGINE = MergeTree ORDER BY id;

CREATE TABLE shapes (id UInt64, at Point, area Polygon, box Tuple(x Float64, y Float64, `the width` Float64), pairs Array(Tuple(String, Nullable(UInt64))), deep Map(String, Array(Map(String, Tuple(a UInt8, b Array(Array(Int16)))))), span IntervalSecond, big UInt256, small Int128, f BFloat16) ENGINE = MergeTree ORDER BY tuple();

CREATE TABLE defaults
(
    id UUID DEFAULT generateUUIDv4(),
    a Int64 DEFAULT (1 + 2) * 3 - -4,
    b String DEFAULT concat('a', toString(a), 'b'),
    c DEFAULT toUInt8(7),
    d MATERIALIZED toDate(now()) + 1,
    e Array(String) DEFAULT ['x', 'y'],
    f Tuple(UInt8, String) DEFAULT (1, 'one'),
    g Map(String, UInt8) DEFAULT map('a', 1),
    h String DEFAULT CAST(a AS String),
    i UInt8 DEFAULT a::UInt8,
    j String DEFAULT CASE WHEN a > 1 THEN 'many' WHEN a = 1 THEN 'one' ELSE 'none' END,
    k UInt8 DEFAULT a BETWEEN 1 AND 9,
    l UInt8 DEFAULT b IN ('x', 'y') OR b LIKE '%z' OR NOT (b ILIKE 'q_'),
    m String DEFAULT if(empty(b), 'none', b),
    n Nullable(DateTime) DEFAULT NULL,
    o DateTime DEFAULT toDateTime('2020-01-01 00:00:00'),
    p Date DEFAULT DATE '2020-01-01',
    q Array(UInt64) DEFAULT arrayMap(x -> x * 2, range(10)),
    r Array(UInt64) DEFAULT arrayFilter((x, y) -> x > y AND y != 0, q, q),
    s String DEFAULT b || '-' || h,
    t UInt64 DEFAULT f.1,
    u String DEFAULT e[1],
    v Bool DEFAULT a > 0 ? true : false,
    w Float64 DEFAULT 1e10,
    x Decimal(10, 2) DEFAULT 0.10,
    y String DEFAULT 'it''s \\ a \'test\'\n',
    z String EPHEMERAL,
    aa String EPHEMERAL 'x',
    bb UInt8 ALIAS length(b) % 3,
    cc UInt64 DEFAULT bitAnd(a, 0xff),
    dd UInt64 MATERIALIZED cityHash64(b, h) MOD 16,
    ee String DEFAULT extract(b, '[0-9]+'),
    ff UInt16 DEFAULT EXTRACT(YEAR FROM o),
    gg String DEFAULT substring(b FROM 2 FOR 3),
    hh Nullable(UInt8) DEFAULT nullIf(k, 0),
    ii UInt8 DEFAULT n IS NULL,
    jj UInt8 DEFAULT n IS NOT NULL AND a <> 3 AND a == 2,
    kk String DEFAULT upper(lower(b)) COMMENT 'a -- comment; with /* marks */ and `quotes`'
) ENGINE = MergeTree ORDER BY id;

CREATE TABLE tiers (d Date, a UInt64) ENGINE = MergeTree ORDER BY d PARTITION BY toYYYYMM(d)
TTL d + INTERVAL 1 DAY TO VOLUME 'default', d + INTERVAL 2 WEEK TO DISK 'default', d + toIntervalMonth(3) RECOMPRESS CODEC(ZSTD(17)), d + INTERVAL 6 MONTH DELETE;

CREATE TABLE collapsing (id UInt64, sign Int8, v UInt8) ENGINE = VersionedCollapsingMergeTree(sign, v) ORDER BY (id);
CREATE TABLE collapsing_one (id UInt64, sign Int8) ENGINE = CollapsingMergeTree(sign) ORDER BY id DESC SETTINGS allow_experimental_reverse_key = 1;
CREATE TABLE summing (`key` UInt32, `hits` UInt64, `bytes` UInt64) ENGINE = SummingMergeTree((hits, bytes)) ORDER BY key;
CREATE TABLE replacing (id UInt64, v UInt64, gone UInt8) ENGINE = ReplacingMergeTree(v, gone) ORDER BY id SETTINGS clean_deleted_rows = 'Always';
CREATE TABLE no_key (a UInt8) ENGINE = MergeTree ORDER BY ();
CREATE TABLE keyed (id UInt64 PRIMARY KEY, name String) ENGINE = MergeTree;
CREATE TABLE keyed_inside (id UInt64, name String, PRIMARY KEY (id, name)) ENGINE = MergeTree;
CREATE TABLE keyed_longer (a UInt64, b UInt64, c UInt64) ENGINE = MergeTree PRIMARY KEY (a) ORDER BY (a, b, c) PARTITION BY tuple();
CREATE TABLE modulo (a UInt64, b DateTime) ENGINE = MergeTree PARTITION BY (a % 16, toMonday(b)) ORDER BY (-toInt64(a), b) SETTINGS index_granularity = 1024, index_granularity_bytes = 10485760, enable_mixed_granularity_parts = 1;
CREATE TABLE annotated (a UInt8 COMMENT 'it''s a', b String COMMENT $tag$in a 'heredoc'$tag$) ENGINE = MergeTree ORDER BY a COMMENT 'back\\slash and ''quotes''';
CREATE TABLE stats (a UInt64 STATISTICS(tdigest, uniq), b String STATISTICS(uniq), c UInt8 SETTINGS (min_compress_block_size = 65536, max_compress_block_size = 1048576)) ENGINE = MergeTree ORDER BY a;
CREATE TABLE lightweight (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS enable_block_number_column = true, enable_block_offset_column = 1, deduplicate_merge_projection_mode = 'drop';
CREATE TABLE replicated (a UInt8) ENGINE = ReplicatedMergeTree ORDER BY a;
CREATE TABLE replicated_path (a UInt8, b UInt64) ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/corpus.replicated_path', '{replica}', b) ORDER BY a;
CREATE TABLE replicated_arguments (a UInt8, b UInt64) ENGINE = ReplicatedReplacingMergeTree(b) ORDER BY (a);
CREATE TABLE clone AS collapsing;
CREATE TABLE clone_engine AS collapsing ENGINE = MergeTree ORDER BY id;
CREATE TABLE selected ENGINE = MergeTree ORDER BY tuple() AS SELECT 1 AS one, 'x' AS letter;

-- Other engines.

CREATE TABLE distributed_events AS sharded_events ENGINE = Distributed('posthog', 'default', 'sharded_events', sipHash64(distinct_id));
CREATE TABLE distributed_modulo (a UInt64, b String) ENGINE = Distributed(posthog, currentDatabase(), summing, a % 2 + 1, 'default') SETTINGS fsync_after_insert = 0, bytes_to_throw_insert = 0;
CREATE TABLE distributed_random (a UInt64) ENGINE = Distributed(posthog, '', 'summing', rand());
CREATE TABLE kafka_events (uuid UUID, event VARCHAR, timestamp DateTime64(6, 'UTC'), properties VARCHAR) ENGINE = Kafka(ws, kafka_topic_list = 'events', kafka_group_name = 'group1', kafka_format = 'JSONEachRow') SETTINGS kafka_skip_broken_messages = 100, kafka_num_consumers = 1, kafka_thread_per_consumer = 1;
CREATE TABLE kafka_plain (a UInt8, b LowCardinality(String)) ENGINE = Kafka('127.0.0.1:1', 'plain', 'group2', 'CSV', '', '');
CREATE TABLE kafka_settings (a UInt8) ENGINE = Kafka() SETTINGS kafka_broker_list = '127.0.0.1:1', kafka_topic_list = 'settings', kafka_group_name = 'group3', kafka_format = 'JSONEachRow', kafka_max_block_size = 1000000;
CREATE TABLE nothing (a UInt8, b String) ENGINE = Null;
CREATE TABLE nothing_called (a UInt8) ENGINE = Null();
CREATE TABLE buffered (a UInt64, b String) ENGINE = Buffer('default', 'distributed_modulo', 16, 10, 100, 10000, 1000000, 10000000, 100000000);
CREATE TABLE joined (id UInt64, v String) ENGINE = Join(ANY, LEFT, id) SETTINGS join_use_nulls = 1;
CREATE TABLE merged (a UInt64) ENGINE = Merge(currentDatabase(), '^(no_key|modulo)$');
CREATE TABLE merged_all (a UInt64) ENGINE = Merge(REGEXP('^default$'), 'modulo');
CREATE TABLE in_memory (a UInt64, b String) ENGINE = Memory SETTINGS max_rows_to_keep = 100, min_rows_to_keep = 10;
CREATE TABLE tiny (a UInt64) ENGINE = TinyLog;
CREATE TABLE striped (a UInt64) ENGINE = StripeLog COMMENT 'a log';
CREATE TABLE a_set (a UInt64) ENGINE = Set;
CREATE TABLE from_url (a UInt64) ENGINE = URL('http://127.0.0.1:1/x.csv', CSV);
CREATE TABLE `we ird.name` (`a b` UInt8, "c`d" String, `index` UInt8, `from` String) ENGINE=Memory;
CREATE TABLE rocks (k String, v UInt64) ENGINE = EmbeddedRocksDB PRIMARY KEY k;

-- Views.

CREATE MATERIALIZED VIEW events_mv TO distributed_events AS
SELECT uuid, event, properties, timestamp, 1 AS team_id, '' AS distinct_id, _timestamp, _offset
FROM kafka_events WHERE notEmpty(event) AND length(properties) < 1000000;
CREATE MATERIALIZED VIEW rollup_mv TO rollup (bucket DateTime, team_id UInt32, path LowCardinality(String), visitors AggregateFunction(uniq, String)) AS
SELECT toStartOfHour(timestamp) AS bucket, toUInt32(team_id) AS team_id, toLowCardinality(event) AS path, uniqState(distinct_id) AS visitors
FROM sharded_events GROUP BY bucket, team_id, path;
CREATE MATERIALIZED VIEW inner_mv ENGINE = SummingMergeTree ORDER BY (key) POPULATE AS SELECT key, count() AS n FROM summing GROUP BY key;
CREATE MATERIALIZED VIEW exploded_mv TO nothing AS SELECT arrayJoin(range(a)) AS a, concat(b, '!') AS b FROM (SELECT a, b FROM distributed_modulo ARRAY JOIN [1, 2] AS n WHERE n = 1);
CREATE MATERIALIZED VIEW refreshed REFRESH EVERY 1 HOUR OFFSET 5 MINUTE TO nothing AS SELECT toUInt8(1) AS a, 'x' AS b;
CREATE MATERIALIZED VIEW refreshed_after REFRESH AFTER 10 MINUTE RANDOMIZE FOR 1 MINUTE APPEND TO nothing AS SELECT toUInt8(a) AS a, toString(b) AS b FROM modulo;
CREATE MATERIALIZED VIEW joined_mv TO nothing AS WITH recent AS (SELECT id, max(v) AS v FROM replacing GROUP BY id HAVING count() > 1) SELECT toUInt8(s.key) AS a, toString(r.v) AS b FROM summing AS s LEFT JOIN recent r ON r.id = s.key AND r.v > 0 WHERE s.hits > 0 AND s.bytes BETWEEN 1 AND 5 ORDER BY a DESC NULLS LAST LIMIT 10;
CREATE MATERIALIZED VIEW owned_mv TO nothing DEFINER = default SQL SECURITY DEFINER AS SELECT a, 'x' AS b FROM no_key;

CREATE VIEW plain AS SELECT * FROM sharded_events;
CREATE VIEW listed (team UInt32, many UInt64) AS SELECT toUInt32(team_id) AS team, count(*) AS many FROM sharded_events GROUP BY team;
CREATE VIEW by_parameter AS SELECT key, hits FROM summing WHERE key = {wanted:UInt32} AND hits >= {least:UInt64} LIMIT {top:UInt8};
CREATE VIEW windows AS SELECT key, hits, row_number() OVER (PARTITION BY key ORDER BY hits DESC) AS n, sum(hits) OVER w AS running, lagInFrame(hits, 1) OVER (ORDER BY key ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before FROM summing WINDOW w AS (PARTITION BY key ORDER BY hits ROWS UNBOUNDED PRECEDING);
CREATE VIEW united AS (SELECT key, hits FROM summing FINAL WHERE key != 3) UNION ALL SELECT toUInt32(id), v FROM replacing FINAL SETTINGS max_threads = 2;
CREATE VIEW excepted AS SELECT key FROM summing EXCEPT SELECT toUInt32(id) FROM replacing;
CREATE VIEW common AS WITH (SELECT max(hits) FROM summing) AS most, 10 AS ten, base AS (SELECT key, hits / most AS share FROM summing), top AS (SELECT * FROM base ORDER BY share DESC LIMIT ten BY key) SELECT key, round(share, 2) AS rounded FROM top WHERE share > 0.1;
CREATE VIEW joins AS SELECT a.key, b.v, c.name FROM summing a INNER JOIN replacing b ON a.key = b.id ANY LEFT JOIN keyed AS c USING (id) CROSS JOIN numbers(3) AS n WHERE a.key IN (SELECT id FROM keyed WHERE name LIKE 'x%') AND (b.v, a.key) NOT IN ((1, 2), (3, 4));
CREATE VIEW asof AS SELECT s.key, t.v FROM summing s ASOF JOIN replacing t ON s.key = t.id AND s.hits >= t.v;
CREATE VIEW lambdas AS SELECT arrayMap((x, i) -> x + i, [1, 2], [3, 4]) AS m, arraySort(x -> -x, groupArray(hits)) AS sorted, arrayReduce('sum', sorted) AS s, mapFilter((k, v) -> v > 1, map('a', 1)) AS mm, tuple(1, 'a').2 AS second, [1, 2, 3][-1] AS last FROM summing;
CREATE VIEW quantiles AS SELECT key, quantileTDigest(0.95)(hits) AS p95, countIf(hits > 3 AND bytes <> 0) AS many, sumIf(hits, key % 2 = 0), any(hits), topK(3)(bytes), count(DISTINCT hits) AS d, uniqExact(hits, bytes) FROM summing GROUP BY key WITH TOTALS HAVING many > 1 ORDER BY key ASC, p95 DESC;
CREATE VIEW grouped AS SELECT key, hits, grouping(key) AS g, sum(bytes) FROM summing GROUP BY GROUPING SETS ((key), (key, hits), ());
CREATE VIEW rolled AS SELECT key, hits, count() FROM summing GROUP BY ROLLUP(key, hits);
CREATE VIEW columns_view AS SELECT * EXCEPT (bytes) REPLACE (hits + 1 AS hits), COLUMNS('^k') APPLY(toString) FROM summing;
CREATE VIEW filled AS SELECT toStartOfDay(b) AS d, count() AS n FROM modulo WHERE b >= now() - INTERVAL 1 WEEK AND b < toDateTime('2030-01-01') - toIntervalDay(1) GROUP BY d ORDER BY d WITH FILL FROM toDateTime('2020-01-01') TO toDateTime('2020-02-01') STEP toIntervalDay(1);
CREATE VIEW secure DEFINER = CURRENT_USER SQL SECURITY DEFINER AS SELECT 1 AS one COMMENT 'runs as somebody';
CREATE VIEW case_of AS SELECT CASE key WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'many' END AS word, CASE WHEN hits > 1 THEN 1 END AS c, hits IS NULL AS n, NOT hits AS nn, -hits AS neg, hits::String AS s, CAST(hits, 'Nullable(String)') AS ns, (key, hits) AS pair, 'a' || 'b' AS ab, date_trunc('month', now()) AS mon, dateDiff('day', today(), now()), TRUE AS t, exists(SELECT 1 FROM keyed) AS ex FROM summing;
CREATE VIEW other_database AS SELECT name, engine FROM system.tables WHERE database NOT IN ('system') AND total_rows > 1e6 ORDER BY total_rows DESC LIMIT 5 OFFSET 2;
CREATE VIEW clustered AS SELECT hostName() AS h, count() FROM clusterAllReplicas('posthog', system.one) GROUP BY h;

-- Dictionaries.

CREATE DICTIONARY names (id UInt64, name String DEFAULT '', parent UInt64 DEFAULT 0 HIERARCHICAL) PRIMARY KEY id SOURCE(CLICKHOUSE(TABLE 'keyed' DB 'default')) LAYOUT(HASHED()) LIFETIME(300);
CREATE DICTIONARY complex (team_id Int64, distinct_id VARCHAR, person_id UUID EXPRESSION toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')) PRIMARY KEY team_id, distinct_id SOURCE(CLICKHOUSE(HOST 'localhost' PORT 29000 USER 'default' QUERY 'SELECT team_id, distinct_id FROM person_distinct_id2 WHERE is_deleted = 0')) LIFETIME(MIN 300 MAX 600) LAYOUT(COMPLEX_KEY_HASHED(SHARDS 4 PREALLOCATE 1)) COMMENT 'people';
CREATE DICTIONARY rates (currency String, starts Date, ends Nullable(Date), rate Decimal64(10)) PRIMARY KEY (currency) SOURCE(CLICKHOUSE(TABLE 'rates_source' PASSWORD '')) LIFETIME(MIN 3000 MAX 3600) LAYOUT(COMPLEX_KEY_RANGE_HASHED(range_lookup_strategy 'max')) RANGE(MIN starts MAX ends);
CREATE DICTIONARY networks (prefix String, asn UInt32, cca2 String DEFAULT '??') PRIMARY KEY prefix SOURCE(CLICKHOUSE(TABLE 'net' INVALIDATE_QUERY 'SELECT max(asn) FROM net')) LAYOUT(IP_TRIE) LIFETIME(0);
CREATE DICTIONARY cached (id UInt64, v Nullable(String) INJECTIVE) PRIMARY KEY id SOURCE(HTTP(url 'http://127.0.0.1:1/d.tsv' format 'TSV')) LAYOUT(CACHE(SIZE_IN_CELLS 1000)) LIFETIME(MIN 1 MAX 10) SETTINGS(format_csv_allow_single_quotes = 0);
CREATE VIEW dictionary_view AS SELECT dictGet('names', 'name', toUInt64(key)) AS name, dictGetOrDefault('default.names', 'name', tuple(toUInt64(key)), 'none') FROM summing;

-- What the server writes otherwise than it was given: operators for functions, other names, types and settings.

CREATE TABLE spoken
(
    a Int64 MATERIALIZED if(greaterOrEquals(b, c), minus(b, c), Null),
    b Int64,
    c Int64 DEFAULT divide(b, 2) + negate(b),
    e Nullable(Float64) DEFAULT ceiling(b),
    at DateTime(0),
    n Nested(x UInt8, y String) CODEC(ZSTD(1)),
    p AggregateFunction(quantile(.5), Float64),
    m AggregateFunction(sumMap, Tuple(Array(String), Array(UInt64))),
    j JSON
)
ENGINE = AggregatingMergeTree
PARTITION BY (toDate(at), CEILING(b))
ORDER BY ( b, intDiv(c, 10), )
SETTINGS allow_experimental_json_type = 1, enable_json_type = 1, allow_nullable_key = 1;
CREATE TABLE looked_up (id UInt64, name String DEFAULT dictGetString('names', 'name', id), known UInt8 DEFAULT dictHas('names', id)) ENGINE = MergeTree ORDER BY id;
CREATE TABLE anything AS summing ENGINE = Merge('', lower('SUMMING'));
CREATE OR REPLACE VIEW replaced_view AS SELECT isNull(e) AS none, equals(b, c) AS same, substr('abc', 2) AS s, UCASE('a') AS u, .5 AS half FROM spoken;
CREATE OR REPLACE FUNCTION twice AS (x) -> multiply(x, 2);
