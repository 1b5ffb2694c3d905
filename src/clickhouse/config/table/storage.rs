//! Disks, policies, paths, formats of parts and backups (pure data).

use super::super::rule::Rule;
use super::super::rule::When::NewElement;
use super::{CONFIG_XML, SERVER, SETTINGS, reload, restart};

pub(super) const RULES: &[Rule] = &[
    reload(
        &[
            "storage_configuration/disks/*",
            "storage_configuration/policies/*",
            "storage_configuration/policies/*/volumes/*",
            "storage_configuration/policies/*/volumes/*/disk",
        ],
        "a new disk, policy or volume is taken on a reload; measured",
        "https://github.com/ClickHouse/ClickHouse/issues/58285",
    )
    .when(NewElement),
    reload(
        &[
            "storage_configuration/disks/*/keep_free_space_bytes",
            "storage_configuration/policies/*/move_factor",
            "storage_configuration/policies/*/volumes/*/max_data_part_size_bytes",
            "storage_configuration/policies/*/volumes/*/perform_ttl_move_on_insert",
            "storage_configuration/policies/*/volumes/*/prefer_not_to_merge",
            "storage_configuration/policies/*/volumes/*/load_balancing",
        ],
        "it is read again on a reload; measured",
        SERVER,
    ),
    restart(
        &["storage_configuration"],
        "a changed or removed disk or policy is taken at the start only, and until then the server ignores every change of policies, silently",
        "https://github.com/ClickHouse/ClickHouse/issues/45475",
    ),
    reload(&["s3"], "settings of S3 by endpoint are read again on a reload", SERVER),
    restart(
        &["filesystem_caches", "filesystem_caches_path", "custom_cached_disks_base_directory"],
        "caches are set up at the start; a new one is not taken on a reload, measured",
        SERVER,
    ),
    restart(
        &[
            "path",
            "tmp_path",
            "user_files_path",
            "user_scripts_path",
            "format_schema_path",
            "google_protos_path",
            "dictionaries_lib_path",
            "top_level_domains_path",
            "top_level_domains_lists",
            "path_to_regions_hierarchy_file",
            "path_to_regions_names_files",
            "user_defined_path",
            "workload_path",
        ],
        "it is read at the start only",
        SERVER,
    ),
    restart(
        &["merge_tree", "replicated_merge_tree"],
        "settings of MergeTree are read at the start only; measured",
        "https://github.com/ClickHouse/ClickHouse/issues/40389",
    ),
    restart(
        &["compression", "distributed", "rocksdb", "graphite_rollup_example", "backups"],
        "tables and backups are made by the configuration of the start; measured",
        CONFIG_XML,
    ),
    restart(
        &[
            "tmp_policy",
            "temporary_data_in_cache",
            "max_temporary_data_on_disk_size",
            "storage_metadata_write_full_object_key",
            "storage_shared_set_join_use_inner_uuid",
            "backup_threads",
            "restore_threads",
            "database_atomic_delay_before_drop_table_sec",
            "database_catalog_drop_error_cooldown_sec",
            "database_catalog_drop_table_concurrency",
            "database_catalog_unused_dir_cleanup_period_sec",
            "database_catalog_unused_dir_hide_timeout_sec",
            "database_catalog_unused_dir_rm_timeout_sec",
            "parts_kill_delay_period",
            "parts_kill_delay_period_random_add",
            "parts_killer_pool_size",
            "distributed_cache_apply_throttling_settings_from_client",
            "distributed_cache_keep_up_free_connections_ratio",
            "drop_distributed_cache_pool_size",
            "drop_distributed_cache_queue_size",
            "enable_azure_sdk_logging",
        ],
        "`system.server_settings` says that it is taken at the start only",
        SETTINGS,
    ),
];
