//! The keys of a discovery file: those that are read, those that would change nothing here, and those that hold secrets (pure).

use crate::inventory::Node;
use crate::problem::Problem;
use crate::vocabulary::EC2_FILE;

/// Keys of the plugin that are not read, and what holds instead.
const UNREAD: [(&str, &str); 15] = [
    ("allow_duplicated_hosts", "each instance is one host, under its first name"),
    ("aws_ca_bundle", "`AWS_CA_BUNDLE` names further authorities"),
    ("cache_connection", "the cache is in the user's cache directory"),
    ("cache_plugin", "the cache is in the user's cache directory"),
    ("cache_prefix", "the cache is in the user's cache directory"),
    ("debug_botocore_endpoint_logs", "there is no such log"),
    ("include_extra_api_calls", "`events` and `persistent` are not asked"),
    ("route53_enabled", "names are those of EC2 and of tags"),
    ("route53_excluded_zones", "names are those of EC2 and of tags"),
    ("route53_hostnames", "names are those of EC2 and of tags"),
    ("strict_permissions", "a region that may not be listed is always an error"),
    ("use_contrib_script_compatible_sanitization", "group names have letters, digits and `_` only"),
    ("use_extra_vars", "there are no extra variables"),
    ("use_ssm_inventory", "nothing is asked of Systems Manager"),
    ("validate_certs", "certificates are always checked"),
];

const SECRETS: [&str; 13] = [
    "access_key",
    "access_token",
    "aws_access_key",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_secret_key",
    "aws_security_token",
    "aws_session_token",
    "ec2_access_key",
    "ec2_secret_key",
    "secret_key",
    "security_token",
    "session_token",
];

/// Every key that is not a slip.
pub(super) fn known() -> Vec<&'static str> {
    EC2_FILE.keys.iter().map(|key| key.name).chain(UNREAD.map(|(key, _)| key)).chain(SECRETS).collect()
}

/// Notes the keys that are not read, and refuses credentials.
pub(super) fn check(root: &Node, problems: &mut Vec<Problem>) {
    for entry in root.entries().unwrap_or_default() {
        let key = entry.key.as_str();
        if SECRETS.contains(&key) {
            let message = format!("`{key}`: credentials are never written into the inventory");
            let hint = "leave the key out: the environment, `profile`, SSO or the machine's role has them, and change a key that was written out";
            problems.push(Problem::new("HW0108", message).at(&entry.value.span).hint(hint).hides_value());
        }
        let default = entry.value.is_null() || entry.value.flag() == Some(default_of(key));
        if let Some((_, instead)) = UNREAD.iter().find(|(unread, _)| *unread == key && !default) {
            let message = format!("`{key}` is not read: {instead}");
            problems.push(Problem::note("HW0166", message).at(&entry.key_span).hint("remove it, or nothing"));
        }
    }
}

/// What the plugin takes where the key is absent, for those that are flags.
fn default_of(key: &str) -> bool {
    matches!(key, "strict_permissions" | "validate_certs")
}
