#!/bin/sh
# Turns a fresh Debian tree ($1) into the lab's base root: what an operator's image holds before Housewright has seen the
# host. Nothing of ClickHouse or ZooKeeper is enabled or started here.
set -eu
root=$1
here=$(dirname "$0")
sh "$here/host.sh" "$root"

chroot "$root" groupadd --system --gid 980 clickhouse
chroot "$root" useradd --system --uid 980 --gid clickhouse --home-dir /nonexistent --no-create-home --shell /bin/false clickhouse
sh "$here/layout.sh" "$root"
chroot "$root" chown -R clickhouse:clickhouse /etc/clickhouse-server /var/lib/clickhouse /var/log/clickhouse-server
chmod 0750 "$root/var/lib/clickhouse" "$root/var/log/clickhouse-server"
chmod 0400 "$root/etc/clickhouse-server/config.xml" "$root/etc/clickhouse-server/users.xml"

# ZooKeeper: Debian's package and a Java that works; Housewright brings its configuration and its unit.
chroot "$root" java -version 2>&1
chroot "$root" id zookeeper
# The package's placeholder id ('replace this text ...') keeps even a standalone server from starting.
rm -f "$root/var/lib/zookeeper/myid"
chroot "$root" install -d -o zookeeper -g zookeeper -m 0750 /var/lib/zookeeper /var/log/zookeeper

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
