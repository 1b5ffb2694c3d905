//! What looks like a secret: by its name, by its value, by what stands before it in a line (pure).
//!
//! Errs on the side of hiding: a value that is shown can never be taken back.

use serde_json::Value;

use super::{MARKER_END, MARKER_START};

/// What stands for a secret-looking value that no reference explains.
pub const HIDDEN: &str = "‹hidden›";

/// Parts of names that mean a secret wherever they stand.
const PARTS: [&str; 19] = [
    "jaas",
    "sasl_username",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "access_key",
    "accesskey",
    "account_key",
    "accountkey",
    "private_key",
    "api_key",
    "apikey",
    "connection_string",
    "connectionstring",
    "signature",
    "key_hex",
];
/// Whole names that mean one.
const NAMES: [&str; 10] =
    ["pwd", "pass", "sas", "auth", "identity", "digest", "key", "salt", "authorization", "cookie"];

/// Whether a name means a secret; names of files and switches do not.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let harmless =
        name.ends_with("_file") || name.starts_with("allow_") || name.starts_with("use_") || name == "no_password";
    let means = || NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part));
    !harmless && (means() || name.ends_with("_pass"))
}

/// Whether a value is a URL with a password, the text of a header such as `Authorization: ...`, or a connection string.
#[must_use]
pub fn is_secret_value(value: &str) -> bool {
    let start = value.trim_start().to_ascii_lowercase();
    has_password(value) || start.starts_with("bearer ") || start.starts_with("basic ") || has_pair(value)
}

/// Whether a key's value must not be shown, by its path (`a/b[2]/@c`) or by the value itself.
#[must_use]
pub fn is_secret(path: &str, value: &str) -> bool {
    let (mut below_header, mut is_header) = (false, false);
    path.split('/').any(|part| {
        let name = part.split('[').next().unwrap_or_default().trim_start_matches('@');
        below_header |= is_header;
        is_header = is_header_name(name);
        is_secret_name(name) || (below_header && name.eq_ignore_ascii_case("value"))
    }) || is_header
        || is_secret_value(value)
}

/// Whether an element of this name holds an HTTP header.
#[must_use]
pub fn is_header_name(name: &str) -> bool {
    name.eq_ignore_ascii_case("header") || name.eq_ignore_ascii_case("headers")
}

/// `scheme://user:password@host`; the password may hold any character.
fn has_password(value: &str) -> bool {
    value.split("://").skip(1).any(|rest| rest.contains('@'))
}

/// `name: value` or `name=value` with a secret's name.
fn has_pair(value: &str) -> bool {
    value.match_indices([':', '=']).any(|(at, _)| {
        let before = value.get(..at).unwrap_or_default().trim_end();
        let after = value.get(at + 1..).unwrap_or_default().trim_start();
        let name_at = before.rfind(|c| !is_word(c)).map_or(0, |end| end + 1);
        let name = before.get(name_at..).unwrap_or(before);
        !after.is_empty() && !after.starts_with("//") && is_secret_name(name)
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// Where in a line of any language the first secret begins that somebody wrote out; references are none.
#[must_use]
pub fn written_secret(line: &str) -> Option<usize> {
    let url = line.find("://").map(|at| at + 3).filter(|at| line.get(*at..).is_some_and(|rest| rest.contains('@')));
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let start = at + rest.find(is_word).unwrap_or(rest.len());
        let word = line.get(start..).unwrap_or_default();
        let end = start + word.find(|c| !is_word(c)).unwrap_or(word.len());
        if let Some(found) = value_behind(line, start, end) {
            return Some(url.map_or(found, |url| url.min(found)));
        }
        at = end.max(at + 1);
    }
    url
}

/// Where the value begins that the word names: `word: v`, `word = v`, `word 'v'`, `<word>v`, `IDENTIFIED .. BY 'v'`.
fn value_behind(line: &str, start: usize, end: usize) -> Option<usize> {
    let word = line.get(start..end)?;
    let rest = line.get(end..)?;
    let by = word.eq_ignore_ascii_case("by") && line.get(..start)?.to_ascii_lowercase().contains("identified");
    if !by && !is_secret_name(word) && !matches!(word.to_ascii_lowercase().as_str(), "bearer" | "basic") {
        return None;
    }
    let open = rest.trim_start_matches(['"', '\'', '`']).trim_start();
    let tagged = line.get(..start)?.ends_with('<');
    let value = match open.chars().next()? {
        ':' | '=' => open.get(1..)?,
        '>' if tagged => open.get(1..).filter(|text| !text.trim_start().starts_with('<'))?,
        '\'' if by || rest.starts_with(char::is_whitespace) => open,
        _ if word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic") => open,
        _ => return None,
    };
    let value = value.trim_start();
    let inner = value.trim_start_matches(['"', '\'', '{', ' ']);
    let reference = ["env:", "file:", "exec:", "from_secret", "!vault", "{%", "‹", "***"]
        .iter()
        .any(|start| inner.starts_with(start))
        || value.trim_start_matches(['"', '\'']).starts_with("{{");
    let nothing = value.is_empty() || value.starts_with('#') || value == "''";
    (!reference && !nothing).then(|| line.len() - value.len())
}

/// The value with everything hidden that looks like a secret, at any depth; references stay.
#[must_use]
pub fn hide(value: &Value) -> Value {
    hide_at("", value)
}

fn hide_at(path: &str, value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entry = |(key, item): (&String, &Value)| (key.clone(), hide_at(&format!("{path}/{key}"), item));
            Value::Object(map.iter().map(entry).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| hide_at(path, item)).collect()),
        Value::Null => Value::Null,
        Value::String(text) if is_reference(text) => value.clone(),
        Value::String(text) if is_secret(path, text) => Value::String(HIDDEN.to_owned()),
        Value::Bool(_) | Value::Number(_) if is_secret(path, "") => Value::String(HIDDEN.to_owned()),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Whether a text is one secret's marker and nothing else.
fn is_reference(text: &str) -> bool {
    let inside = text.strip_prefix(MARKER_START).and_then(|rest| rest.strip_suffix(MARKER_END));
    inside.is_some_and(|inside| !inside.contains([MARKER_START, MARKER_END]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_secrets_are_known_and_those_of_files_are_none() {
        for name in
            ["ansible_become_pass", "ansible_password", "key", "Authorization", "X-Api-Key", "kafka_sasl_password"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["ansible_ssh_private_key_file", "sasl_mechanism", "shard", "allow_no_password", "compass"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn values_tell_too() {
        for value in ["Authorization: Basic eDp5", "bearer abc", "https://u:p@h/x", "a=b;AccountKey=abc="] {
            assert!(is_secret_value(value), "{value}");
        }
        for value in ["text/html; charset=UTF-8", "https://host/x", "::", "10.0.0.1:9000", "token", "a: b"] {
            assert!(!is_secret_value(value), "{value}");
        }
    }

    #[test]
    fn a_header_is_secret_by_its_place() {
        assert!(is_secret("url/headers/header[2]/value", "x"));
        assert!(is_secret("url/header", "X-Thing: x"));
        assert!(!is_secret("url/headers/header/name", "X-Thing"));
    }

    #[test]
    fn a_line_is_cut_where_its_first_secret_begins() {
        for (line, shown) in [
            ("  ansible_password: hunter2", "  ansible_password: "),
            ("h: { ansible_ssh_pass: \"a\", shard: 0 }", "h: { ansible_ssh_pass: "),
            ("SETTINGS kafka_sasl_password = 'x'", "SETTINGS kafka_sasl_password = "),
            ("SOURCE(MYSQL(USER 'u' PASSWORD 'x'))", "SOURCE(MYSQL(USER 'u' PASSWORD "),
            (
                "CREATE USER u IDENTIFIED WITH sha256_password BY 'x'",
                "CREATE USER u IDENTIFIED WITH sha256_password BY ",
            ),
            ("<password>x</password>", "<password>"),
            ("url: https://u:p@h", "url: https://"),
            ("\"password\": 5", "\"password\": "),
            ("é password: x", "é password: "),
        ] {
            assert_eq!(written_secret(line).and_then(|at| line.get(..at)), Some(shown), "{line}");
        }
        for line in [
            "password: { from_secret: env:X }",
            "secret: \"env:X\"",
            "password:",
            "<password>{{ password }}</password>",
            "<password><x>",
            "shard: 1",
            "password String",
        ] {
            assert_eq!(written_secret(line), None, "{line}");
        }
    }

    #[test]
    fn variables_are_hidden_at_any_depth() {
        let marker = crate::secret::SecretRef::Env("X".to_owned()).marker();
        let vars = json!({
            "users": { "m": { "password": "hunter2", "password_sha256_hex": marker, "profile": "default" } },
            "tokens": ["a", 5, null], "urls": ["https://u:p@h", "https://h"], "api_key": { "from_secret": marker },
            "headers": [{ "name": "X-Thing", "value": "v" }],
        });
        let shown = json!({
            "users": { "m": { "password": HIDDEN, "password_sha256_hex": marker, "profile": "default" } },
            "tokens": [HIDDEN, HIDDEN, null], "urls": [HIDDEN, "https://h"], "api_key": { "from_secret": marker },
            "headers": [{ "name": "X-Thing", "value": HIDDEN }],
        });
        assert_eq!(hide(&vars), shown);
    }

    proptest! {
        #[test]
        fn any_line_is_cut_at_a_character(line in "(?s).{0,80}", word in "password|by|<key>", rest in ".{0,20}") {
            let line = format!("{line}{word}{rest}");
            prop_assert!(written_secret(&line).is_none_or(|at| line.is_char_boundary(at)));
            let _ = is_secret_value(&line);
        }
    }
}
