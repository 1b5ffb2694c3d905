//! Who may come in, and what must not be read (pure data).

use super::super::rule::Rule;
use super::{CONFIG_XML, SERVER, SETTINGS, reload, restart};

pub(super) const RULES: &[Rule] = &[
    reload(
        &["interserver_http_credentials"],
        "credentials between servers are read again on a reload",
        "https://github.com/ClickHouse/ClickHouse/issues/32934",
    ),
    reload(
        &["ldap_servers", "kerberos", "http_authentication_servers"],
        "the section is read again on a reload",
        SERVER,
    ),
    reload(&["query_masking_rules"], "rules are read again on a reload; measured", SERVER),
    reload(&["encryption_codecs"], "keys are read again on a reload", SERVER),
    restart(
        &["user_directories", "access_control_path", "users_config"],
        "the places of users are set up at the start; a reload reads their content only, measured",
        SERVER,
    ),
    restart(
        &[
            "access_control_improvements",
            "allow_plaintext_password",
            "allow_no_password",
            "allow_implicit_no_password",
            "default_password_type",
            "bcrypt_workfactor",
            "password_complexity",
            "custom_settings_prefixes",
        ],
        "access control is set up at the start; measured",
        CONFIG_XML,
    ),
    restart(
        &["default_profile", "system_profile", "buffer_profile"],
        "background work takes its profile at the start",
        SERVER,
    ),
    restart(
        &[
            "max_authentication_methods_per_user",
            "display_secrets_in_show_and_select",
            "ignore_empty_sql_security_in_create_view_query",
        ],
        "`system.server_settings` says that it is taken at the start only",
        SETTINGS,
    ),
];
