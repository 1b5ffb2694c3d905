//! The process itself: start, stop, names and places (pure data).

use super::super::rule::Rule;
use super::{CONFIG_XML, SERVER, SETTINGS, none, reload, restart};

pub(super) const RULES: &[Rule] = &[
    none(&["skip_check_for_incorrect_settings"], "it only says what is checked when files are read", CONFIG_XML),
    reload(&["resources"], "resources of workloads are read again on a reload; measured", SERVER),
    restart(
        &[
            "include_from",
            "display_name",
            "timezone",
            "umask",
            "max_open_files",
            "mlock_executable",
            "remap_executable",
            "oom_score",
            "core_dump",
            "startup_scripts",
        ],
        "it is read at the start only",
        SERVER,
    ),
    restart(
        &[
            "async_insert_queue_flush_on_shutdown",
            "async_load_databases",
            "async_load_system_database",
            "default_database",
            "disable_insertion_and_mutation",
            "license_key",
            "process_query_plan_packet",
            "shutdown_wait_backups_and_restores",
            "shutdown_wait_unfinished",
            "shutdown_wait_unfinished_queries",
            "skip_binary_checksum_checks",
            "startup_mv_delay_ms",
        ],
        "`system.server_settings` says that it is taken at the start only",
        SETTINGS,
    ),
];
