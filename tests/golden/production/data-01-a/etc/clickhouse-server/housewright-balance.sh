#!/bin/sh
# Managed by Housewright from templates/clickhouse/balance.sh.tera: changes made here are overwritten.
# Moves parts from fuller disks to emptier ones, one after the other, until the query beside this file knows of no better place,
# or so much was moved as one run may. The query id keeps `housewright balance` away meanwhile, and this from it.
set -eu
# Of a million: a run begins above the spread and goes on to half of it.
begin=100000 end=$((10 * 5000))
left=200000000000
rate=100000000
next=$RUNTIME_DIRECTORY/next
begun='' taken='' refused=0

server() {
    clickhouse-client --host 127.0.0.1 --port 9000 "$@"
}

while [ "$refused" -lt 3 ]; do
    : > "$next"
    {
        cat "$(dirname "$0")/housewright-balance.sql"
        printf "\nINTO OUTFILE '%s' TRUNCATE FORMAT TSVRaw" "$next"
    } | server --param_begin="$begin" --param_end="$end" --param_bytes="$left" --param_rate="$rate" \
        --param_begun="[$begun]" --param_taken="[$taken]"
    IFS='	' read -r bytes disk part statement < "$next" || exit 0
    begun=${begun:+$begun,}$disk taken=${taken:+$taken,}$part
    printf '%s\n' "$statement"
    code=0
    server --query_id=housewright-balance --query "$statement" < /dev/null || code=$?
    # The client exits with the error's number, modulo 256.
    case $code in
    0) left=$((left - bytes)) refused=0 ;;
    # QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: somebody else moves parts.
    216) exit 0 ;;
    # UNKNOWN_TABLE, UNKNOWN_DATABASE, NO_SUCH_DATA_PART, PART_IS_TEMPORARILY_LOCKED, UNKNOWN_DISK: it changed meanwhile.
    60 | 81 | 232 | 128 | 223) ;;
    *) refused=$((refused + 1)) ;;
    esac
done
echo 'the server refuses moves' >&2
exit 1
