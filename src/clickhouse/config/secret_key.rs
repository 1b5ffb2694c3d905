//! Which keys hold secrets (pure).
//!
//! Errs on the side of hiding: a value that is shown can never be taken back.

/// Parts of names that mean a secret wherever they stand.
const PARTS: [&str; 15] = [
    "jaas",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "access_key",
    "accesskey",
    "account_key",
    "private_key",
    "api_key",
    "connection_string",
    "signature",
    "key_hex",
];
/// Whole names that mean one.
const NAMES: [&str; 9] = ["pwd", "sas", "auth", "identity", "digest", "key", "salt", "authorization", "cookie"];

/// Whether a key's value must not be shown, by its path or because the value is a URL with a password in it.
pub(super) fn is_secret(path: &str, value: &str) -> bool {
    let mut above_is_header = false;
    path.split('/').any(|part| {
        let name =
            part.split('[').next().unwrap_or_default().trim_start_matches('@').to_ascii_lowercase().replace('-', "_");
        let is_header_value = above_is_header && name == "value";
        above_is_header = matches!(name.as_str(), "header" | "headers");
        is_header_value || NAMES.contains(&name.as_str()) || PARTS.iter().any(|secret| name.contains(secret))
    }) || has_password(value)
}

/// `scheme://user:password@host`; the password may hold any character.
fn has_password(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| rest.contains('@'))
}
