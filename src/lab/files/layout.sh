#!/bin/sh
# Lays ClickHouse out below a directory ($1) as its packages do. The binary is bind-mounted at /opt/clickhouse when a host
# starts.
set -eu
root=$1
mkdir -p "$root/opt/clickhouse" "$root/usr/bin" "$root/usr/lib/systemd/system"
ln -sfn /opt/clickhouse/clickhouse "$root/usr/bin/clickhouse"
for name in clickhouse-server clickhouse-client clickhouse-local; do
    ln -sfn clickhouse "$root/usr/bin/$name"
done
for directory in lib/clickhouse log/clickhouse-server; do
    mkdir -p "$root/var/$directory"
done
mkdir -p "$root/etc/clickhouse-server/config.d" "$root/etc/clickhouse-server/users.d"
cat > "$root/usr/lib/systemd/system/clickhouse-server.service" <<'END'
[Unit]
Description=ClickHouse Server (analytic DBMS for big data)
Requires=network-online.target
After=time-sync.target network-online.target
Wants=time-sync.target

[Service]
Type=notify
User=clickhouse
Group=clickhouse
Restart=always
RestartSec=1
TimeoutStartSec=120
TimeoutStopSec=60
RuntimeDirectory=clickhouse-server
Environment=CLICKHOUSE_WATCHDOG_ENABLE=0
EnvironmentFile=-/etc/default/clickhouse
ExecStart=/usr/bin/clickhouse-server --config=/etc/clickhouse-server/config.xml --pid-file=/run/clickhouse-server/clickhouse-server.pid
LimitCORE=0
LimitNOFILE=500000

[Install]
WantedBy=multi-user.target
END
cat > "$root/etc/clickhouse-server/config.xml" <<'END'
<clickhouse>
    <!-- No listen_host: as in the package, the server listens on localhost only. -->
    <logger>
        <level>information</level>
        <log>/var/log/clickhouse-server/clickhouse-server.log</log>
        <errorlog>/var/log/clickhouse-server/clickhouse-server.err.log</errorlog>
        <size>100M</size>
        <count>3</count>
    </logger>

    <http_port>8123</http_port>
    <tcp_port>9000</tcp_port>
    <interserver_http_port>9009</interserver_http_port>

    <path>/var/lib/clickhouse/</path>
    <tmp_path>/var/lib/clickhouse/tmp/</tmp_path>
    <user_files_path>/var/lib/clickhouse/user_files/</user_files_path>
    <format_schema_path>/var/lib/clickhouse/format_schemas/</format_schema_path>
    <user_directories>
        <users_xml><path>users.xml</path></users_xml>
        <local_directory><path>/var/lib/clickhouse/access/</path></local_directory>
    </user_directories>
    <default_profile>default</default_profile>
    <default_database>default</default_database>

    <!-- Many servers share one small machine: small pools, few metrics. -->
    <background_pool_size>2</background_pool_size>
    <background_merges_mutations_concurrency_ratio>2</background_merges_mutations_concurrency_ratio>
    <background_schedule_pool_size>4</background_schedule_pool_size>
    <background_common_pool_size>2</background_common_pool_size>
    <background_fetches_pool_size>2</background_fetches_pool_size>
    <background_move_pool_size>1</background_move_pool_size>
    <background_message_broker_schedule_pool_size>4</background_message_broker_schedule_pool_size>
    <background_distributed_schedule_pool_size>2</background_distributed_schedule_pool_size>
    <mark_cache_size>16777216</mark_cache_size>
    <asynchronous_metrics_update_period_s>30</asynchronous_metrics_update_period_s>
    <merge_tree>
        <!-- Their defaults assume 16 merge threads; the server refuses to start when they exceed a small pool. -->
        <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
        <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
        <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    </merge_tree>

    <query_log>
        <database>system</database>
        <table>query_log</table>
        <flush_interval_milliseconds>7500</flush_interval_milliseconds>
    </query_log>
    <distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
</clickhouse>
END
cat > "$root/etc/clickhouse-server/users.xml" <<'END'
<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users>
        <default>
            <password></password>
            <networks>
                <ip>::1</ip>
                <ip>127.0.0.1</ip>
            </networks>
            <profile>default</profile>
            <quota>default</quota>
            <access_management>1</access_management>
            <named_collection_control>1</named_collection_control>
        </default>
    </users>
</clickhouse>
END
