//! Clusters, macros, coordination and distributed DDL (pure data).

use super::super::rule::Rule;
use super::{SERVER, SETTINGS, reload, restart};

pub(super) const RULES: &[Rule] = &[
    reload(&["remote_servers"], "clusters are read again on a reload; measured on 25.8", SERVER),
    reload(
        &["macros/generation"],
        "the server tells by it what it has read of its configuration",
        "https://clickhouse.com/docs/operations/system-tables/macros",
    ),
    reload(
        &["macros"],
        "macros are read again on a reload; tables keep the values that they were loaded with until the next start",
        "https://github.com/ClickHouse/ClickHouse/issues/26251",
    ),
    reload(
        &["zookeeper"],
        "sessions move to the changed ensemble: replicated tables are read-only for a moment",
        "https://github.com/ClickHouse/ClickHouse/issues/68318",
    ),
    reload(&["auxiliary_zookeepers", "keeper_server"], "the section is read again on a reload", SERVER),
    restart(&["distributed_ddl"], "the queue of distributed DDL is opened at the start", SERVER),
    restart(
        &[
            "replica_group_name",
            "user_defined_zookeeper_path",
            "workload_zookeeper_path",
            "keeper_map_path_prefix",
            "keeper_map_strict_mode",
            "allow_experimental_transactions",
            "transaction_log",
        ],
        "it is read at the start only",
        SERVER,
    ),
    restart(
        &[
            "default_replica_name",
            "default_replica_path",
            "series_keeper_path",
            "keeper_multiread_batch_size",
            "database_replicated_allow_detach_permanently",
            "max_database_replicated_create_table_thread_pool_size",
        ],
        "`system.server_settings` says that it is taken at the start only",
        SETTINGS,
    ),
];
