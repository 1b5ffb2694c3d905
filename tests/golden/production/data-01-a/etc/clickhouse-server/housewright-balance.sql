-- Managed by Housewright from templates/clickhouse/balance.sql.tera: changes made here are overwritten.
WITH
    disks AS
    (
        SELECT name, total_space AS total, total_space - least(free_space, total_space) AS used, unreserved_space AS unreserved
        FROM system.disks
        WHERE type = 'Local' AND total_space > 0 AND NOT (is_remote OR is_broken OR is_read_only OR is_write_once)
    ),
    volumes AS
    (
        SELECT policy_name AS policy, arrayFilter(disk -> disk IN (SELECT name FROM disks), disks) AS names
        FROM system.storage_policies
        WHERE length(names) > 1 AND policy IN (SELECT storage_policy FROM system.tables WHERE engine LIKE '%MergeTree')
    ),
    pools AS
    (
        SELECT arrayJoin(arrayFold(
            (pools, names) -> arrayPushBack(
                arrayFilter(pool -> NOT hasAny(pool, names), pools),
                arraySort(arrayDistinct(arrayConcat(names, arrayFlatten(arrayFilter(pool -> hasAny(pool, names), pools)))))),
            groupArray(names), CAST([], 'Array(Array(String))'))) AS pool
        FROM volumes
    ),
    states AS
    (
        SELECT
            name, total, used, unreserved,
            toInt128(used) - toInt128(intDiv(toUInt128(total) * sum(used) OVER pools, sum(total) OVER pools)) AS surplus,
            intDiv(toUInt128(used) * 1000000, total) AS fullness,
            max(fullness) OVER pools - min(fullness) OVER pools AS spread,
            max(has({begun:Array(UInt64)}, cityHash64(name))) OVER pools AS has_begun
        FROM disks INNER JOIN (SELECT arrayJoin(pool) AS name, pool FROM pools) AS pooled USING (name)
        WINDOW pools AS (PARTITION BY pool)
    ),
    parts AS
    (
        SELECT
            parts.database AS database, parts.table AS table, parts.name AS part, parts.disk_name AS disk,
            parts.bytes_on_disk AS bytes, volumes.names AS names
        FROM system.parts AS parts
        INNER JOIN system.tables AS tables ON parts.database = tables.database AND parts.table = tables.name
        INNER JOIN volumes ON volumes.policy = tables.storage_policy
        WHERE parts.active AND bytes > 0 AND has(names, disk) AND tables.create_table_query NOT LIKE '% TO DISK %'
            AND (database, table, part) NOT IN (SELECT database, table, arrayJoin(source_part_names) FROM system.merges)
            AND (database, table, part) NOT IN
                (SELECT database, table, arrayJoin(parts_to_do_names) FROM system.mutations WHERE NOT is_done)
            AND (database, table, part) NOT IN (SELECT database, table, part_name FROM system.moves)
            AND NOT has({taken:Array(UInt64)}, cityHash64(database, table, part))
    )
SELECT
    bytes,
    cityHash64(source.name) AS begun,
    cityHash64(database, table, part) AS taken,
    concat(
        'ALTER TABLE `', replaceAll(replaceAll(database, '\\', '\\\\'), '`', '\\`'),
        '`.`', replaceAll(replaceAll(table, '\\', '\\\\'), '`', '\\`'),
        '` MOVE PART \'', replaceAll(replaceAll(part, '\\', '\\\\'), '\'', '\\\''),
        '\' TO DISK \'', replaceAll(replaceAll(target.name, '\\', '\\\\'), '\'', '\\\''),
        '\' SETTINGS max_local_write_bandwidth = ', toString({rate:UInt64})) AS statement
FROM (SELECT *, arrayJoin(names) AS disk_to FROM parts) AS parts
INNER JOIN states AS source ON source.name = parts.disk
INNER JOIN states AS target ON target.name = parts.disk_to
WHERE (least(source.surplus, -target.surplus) AS room) > 0
    AND source.spread > if(source.has_begun, {end:UInt64}, {begin:UInt64})
    AND (source.surplus * 2000000 > toInt128(source.total) * {end:UInt64}
        OR -target.surplus * 2000000 > toInt128(target.total) * {end:UInt64})
    AND bytes <= {bytes:UInt64}
    AND toInt128(bytes) <= toInt128(target.unreserved) - intDiv(target.total, 20)
    AND (bytes <= room OR toInt128(bytes) * 3 <= room * 4
        AND intDiv((toUInt128(target.used) + bytes) * 1000000, target.total) <= source.fullness
        AND intDiv(toUInt128(source.used - least(bytes, source.used)) * 1000000, source.total) >= target.fullness)
ORDER BY least(room, bytes) - greatest(bytes - room, 0) DESC, bytes, source.name, target.name, database, table, part
LIMIT 1
