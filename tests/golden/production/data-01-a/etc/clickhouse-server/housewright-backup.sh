#!/bin/sh
# Managed by Housewright from templates/backup/backup.sh.tera: changes made here are overwritten.
# Backs up this host's tables, one after the other: sh housewright-backup.sh full|incremental
# What was begun and what became of it is in the table housewright.backups; the server says it, not this script.
set -u
kind=$1
root='housewright/data/shard-1/data-01-a'
place='url:https://clickhouse-us-east-1.s3.us-east-1.amazonaws.com/backups'
url='http://127.0.0.1:8123/'
exec 9>"${RUNTIME_DIRECTORY:-/run/housewright-backup}/lock" || exit 1
flock -n 9 || { echo "another run of this script is at work" >&2; exit 75; }

# A question or statement, then NAME=VALUE of its parameters. The user and the key stand in a file: everybody can read a command line.
ask() {
    query=$1
    shift
    for pair; do
        shift
        set -- "$@" --form-string "param_$pair"
    done
    curl -sS --fail-with-body --max-time 300 -H @/etc/clickhouse-server/housewright-backup.headers \
        "$url" --form-string "query=$query" "$@"
}

# What the server says of everything that was begun and has ended: a backup that it does not know died with it.
settle() {
    ask "INSERT INTO housewright.backups
        (database, table, name, kind, chain, number, base, place, state, rows_before, rows_after, bytes, complaint, began, at)
        SELECT r.database, r.table, r.name, r.kind, r.chain, r.number, r.base, r.place,
            multiIf(b.status = 'BACKUP_CREATED', 'done', b.status = '', 'lost', 'failed'), r.rows_before, t.rows, b.bytes,
            if(b.status = '', 'the server ended before it did', left(b.error, 500)), r.began,
            greatest(now64(6), r.at + toIntervalMicrosecond(1))
        FROM (SELECT * FROM housewright.backups FINAL WHERE state = 'begun') AS r
        LEFT JOIN (SELECT id, toString(status) AS status, compressed_size AS bytes, error FROM system.backups) AS b ON b.id = r.name
        LEFT JOIN (SELECT database, name AS table, toUInt64(ifNull(total_rows, 0)) AS rows FROM system.tables) AS t
            ON t.database = r.database AND t.table = r.table
        WHERE b.status != 'CREATING_BACKUP'"
}

# Why a table cannot be backed up now, or nothing. A read-only replica may have no part, and its backup would look like a good one.
obstacle() {
    ask "SELECT multiIf(
        (SELECT count() FROM system.tables WHERE database = {database:String} AND name = {table:String}) = 0,
            'the table is not there',
        (SELECT count() FROM system.replicas WHERE database = {database:String} AND table = {table:String}
            AND (is_readonly OR is_session_expired)) > 0, 'the replica is read-only',
        (SELECT count() FROM system.replicas WHERE database = {database:String} AND table = {table:String}
            AND absolute_delay > 300) > 0, 'the replica is more than 300 s behind',
        (SELECT count() FROM system.backups WHERE status = 'CREATING_BACKUP') > 0, 'the server takes another backup', '')" "$@"
}

# Kind, chain, number and base of the next backup: a full one where there is no whole chain, or it is as long as it may be.
next() {
    ask "SELECT if(fresh, 'full', 'incremental'), if(fresh, {now:String}, newest.1), if(fresh, 1, newest.2 + 1),
            if(fresh, '', newest.3)
        FROM (SELECT max((chain, number, name)) AS newest,
                count() = 0 OR {kind:String} = 'full' OR newest.2 >= 14 AS fresh
            FROM housewright.backups FINAL
            WHERE database = {database:String} AND table = {table:String} AND state = 'done' AND place = {place:String}
                AND startsWith(name, {root:String} || '/'))" "$@"
}

note() {
    ask "INSERT INTO housewright.backups (database, table, name, kind, chain, number, base, place, state, rows_before, complaint)
        SELECT {database:String}, {table:String}, {name:String}, {kind:String}, {chain:String}, {number:UInt32}, {base:String},
            {place:String}, {state:String},
            (SELECT toUInt64(ifNull(sum(total_rows), 0)) FROM system.tables
                WHERE database = {database:String} AND name = {table:String}), {complaint:String}" "$@"
}

# One line of a text, without what means something to the server's reader of parameters.
line() {
    printf '%s' "$1" | tr '\\\t\n\r' '/   ' | cut -c 1-300
}

back_up() {
    database=$1 table=$2
    now=$(date -u +%Y%m%dT%H%M%SZ)
    if ! plan=$(next "database=$database" "table=$table" "kind=$kind" "now=$now" "place=$place" "root=$root"); then
        echo "$database.$table: $plan" >&2
        return 1
    fi
    IFS='	' read -r this chain number base <<END
$plan
END
    name="$root/$database.$table/$chain/$(printf %03d "$number")-$this-$now"
    set -- "database=$database" "table=$table" "name=$name" "kind=$this" "chain=$chain" "number=$number" "base=$base" "place=$place"
    if ! why=$(obstacle "database=$database" "table=$table") || [ -n "$why" ]; then
        echo "$database.$table: $why" >‹hidden›