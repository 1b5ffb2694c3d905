//! Queues, named collections, dictionaries and functions of the configuration (pure data).

use super::super::rule::Rule;
use super::super::rule::When::NewElement;
use super::{CONFIG_XML, SERVER, SETTINGS, reattach, reload, restart};

pub(super) const RULES: &[Rule] = &[
    reload(
        &["named_collections/*"],
        "a new named collection can be used at once; measured",
        "https://github.com/ClickHouse/ClickHouse/issues/34502",
    )
    .when(NewElement),
    reattach(
        &["named_collections"],
        "running tables keep the collection as it was when they were attached",
        "https://github.com/ClickHouse/ClickHouse/issues/107593",
    ),
    restart(
        &["kafka"],
        "settings of librdkafka are read at the start only",
        "https://github.com/ClickHouse/ClickHouse/issues/62308",
    ),
    restart(&["rabbitmq", "nats", "named_collections_storage"], "it is read at the start only", SERVER),
    restart(
        &["s3queue_disable_streaming"],
        "a reload does not take it, whatever `system.server_settings` says; measured",
        SERVER,
    ),
    reload(
        &["dictionaries_config", "user_defined_executable_functions_config"],
        "dictionaries and functions of files are looked for again on a reload; measured",
        SERVER,
    ),
    restart(
        &["builtin_dictionaries_reload_interval", "jdbc_bridge", "odbc_bridge"],
        "it is read at the start only",
        CONFIG_XML,
    ),
    restart(
        &["dictionaries_lazy_load", "wait_dictionaries_load_at_startup", "dictionary_background_reconnect_interval"],
        "`system.server_settings` says that it is taken at the start only",
        SETTINGS,
    ),
];
