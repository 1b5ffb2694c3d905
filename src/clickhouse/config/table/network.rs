//! Listeners, protocols, TLS and connections (pure data).

use super::super::rule::Rule;
use super::super::rule::When::NewElement;
use super::{CONFIG_XML, SERVER, SETTINGS, reload, restart};

pub(super) const RULES: &[Rule] = &[
    reload(
        &[
            "listen_host",
            "http_port",
            "https_port",
            "tcp_port",
            "tcp_port_secure",
            "tcp_with_proxy_port",
            "mysql_port",
            "postgresql_port",
            "http_handlers",
            "prometheus/port",
            "protocols/*/host",
            "protocols/*/port",
        ],
        "the changed listener is stopped and made anew on a reload; measured",
        SERVER,
    ),
    reload(&["prometheus", "protocols/*"], "a new listener is opened on a reload; measured", SERVER).when(NewElement),
    restart(
        &["prometheus", "protocols"],
        "a listener that keeps its port keeps how it was made until the next start; measured",
        SERVER,
    ),
    restart(&["grpc_port", "grpc", "tcp_ssh_port", "ssh_server"], "this listener is opened at the start only", SERVER),
    restart(
        &["interserver_http_port", "interserver_https_port", "interserver_http_host", "interserver_https_host"],
        "the address that the other replicas are told is read at the start only",
        SERVER,
    ),
    restart(
        &["interserver_listen_host", "listen_try", "listen_reuse_port", "listen_backlog", "proto_caps"],
        "listeners that are open keep it until the next start",
        SERVER,
    ),
    reload(
        &["openSSL/server/certificateFile", "openSSL/server/privateKeyFile"],
        "certificates are read again on a reload",
        SERVER,
    ),
    restart(&["openSSL"], "TLS is set up once, at the start; only certificates and keys are read again", SERVER),
    reload(
        &["remote_url_allow_hosts", "http_forbid_headers"],
        "the filter is read again on a reload; measured",
        SERVER,
    ),
    restart(
        &[
            "http_options_response",
            "http_server_default_response",
            "enable_verbose_replicas_status",
            "enable_http_stacktrace",
            "max_session_timeout",
            "default_session_timeout",
            "url_scheme_mappers",
        ],
        "requests are answered by the configuration of the start",
        CONFIG_XML,
    ),
    restart(
        &[
            "max_connections",
            "keep_alive_timeout",
            "max_keep_alive_requests",
            "validate_tcp_client_information",
            "tcp_close_connection_after_queries_num",
            "tcp_close_connection_after_queries_seconds",
            "disable_internal_dns_cache",
            "dns_allow_resolve_names_to_ipv4",
            "dns_allow_resolve_names_to_ipv6",
            "dns_cache_max_entries",
            "dns_cache_update_period",
            "dns_max_consecutive_failures",
            "disk_connections_soft_limit",
            "disk_connections_store_limit",
            "disk_connections_warn_limit",
            "http_connections_soft_limit",
            "http_connections_store_limit",
            "http_connections_warn_limit",
            "storage_connections_soft_limit",
            "storage_connections_store_limit",
            "storage_connections_warn_limit",
            "replicated_fetches_http_connection_timeout",
            "replicated_fetches_http_receive_timeout",
            "replicated_fetches_http_send_timeout",
        ],
        "`system.server_settings` says that it is taken at the start only",
        SETTINGS,
    ),
];
