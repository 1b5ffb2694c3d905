//! Changes that a server accepts in its files and then breaks on, found before they are written (pure).
//!
//! What is not surely wrong passes: the server itself has the last word.

use super::change::{ChangeKind, KeyChange};
use super::keys::MASK;
use super::settings::{ServerSettings, ValueKind};

/// Says of each change what the server would break on; the settings are those that the host's own server knows.
#[must_use]
pub fn refused(changes: &[KeyChange], settings: Option<&ServerSettings>) -> Vec<String> {
    changes.iter().filter_map(|change| empty_cluster(change).or_else(|| no_value(change, settings?))).collect()
}

/// Measured on 25.8: the reload fails with `SHARD_HAS_NO_CONNECTIONS` and leaves the server without any cluster.
fn empty_cluster(change: &KeyChange) -> Option<String> {
    let name = change.path.strip_prefix("remote_servers/").filter(|name| !name.contains(['/', '@']))?;
    new_value(change)?;
    Some(format!("cluster `{name}` has no shard: a reload would leave the server without any cluster"))
}

/// Measured on 25.8: the server does not start with a number or switch that it cannot read.
fn no_value(change: &KeyChange, settings: &ServerSettings) -> Option<String> {
    let setting = settings.known.get(&change.path)?;
    let value = new_value(change).filter(|value| *value != MASK)?;
    let (fits, wanted) = match setting.kind {
        ValueKind::Integer => (is_number(value, false), "a whole number"),
        ValueKind::Float => (is_number(value, true), "a number"),
        ValueKind::Bool => (is_number(value, false) || is_switch(value), "`true` or `false`"),
        ValueKind::Other => return None,
    };
    (!fits).then(|| format!("`{}` is `{value}`, and the server takes {wanted}: it would not start", change.path))
}

fn new_value(change: &KeyChange) -> Option<&str> {
    match &change.kind {
        ChangeKind::Added { value: new, .. } | ChangeKind::Changed { new, .. } => Some(new),
        ChangeKind::Removed { .. } => None,
    }
}

/// Digits, perhaps with a sign, a point, an exponent, and a suffix such as `Gi`; an empty one is left to the server.
fn is_number(value: &str, point: bool) -> bool {
    const SUFFIXES: [&str; 12] = ["Ki", "Mi", "Gi", "Ti", "K", "M", "G", "T", "k", "m", "g", "t"];
    let value = SUFFIXES.iter().find_map(|suffix| value.strip_suffix(suffix)).unwrap_or(value);
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | 'e' | 'E') || (point && c == '.');
    value.is_empty() || (value.contains(|c: char| c.is_ascii_digit()) && value.chars().all(plain))
}

fn is_switch(value: &str) -> bool {
    ["true", "false", "yes", "no", "on", "off", "auto"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{ConfigKeys, ServerSetting, diff};
    use super::*;

    fn found(old: &str, new: &str) -> Vec<String> {
        let kinds = [
            ("max_connections", ValueKind::Integer),
            ("ratio", ValueKind::Float),
            ("async_load_databases", ValueKind::Bool),
            ("display_name", ValueKind::Other),
        ];
        let known = kinds.map(|(name, kind)| (name.to_owned(), ServerSetting { kind, changeable: None }));
        let settings = ServerSettings { known: BTreeMap::from(known).into(), ..ServerSettings::default() };
        let keys = |xml: &str| ConfigKeys::from_xml(&format!("<clickhouse>{xml}</clickhouse>")).unwrap();
        refused(&diff(&keys(old), &keys(new)), Some(&settings))
    }

    #[test]
    fn a_cluster_without_a_shard_is_refused() {
        let full = "<remote_servers><x><shard><replica><host>a</host></replica></shard></x></remote_servers>";
        let empty = "<remote_servers><x></x></remote_servers>";
        let why = "cluster `x` has no shard: a reload would leave the server without any cluster";
        assert_eq!(found(full, empty), [why]);
        assert_eq!(found("", empty), [why]);
        assert_eq!(found(empty, full), [""; 0]);
        assert_eq!(found("", "<remote_servers replace=\"1\"/>"), [""; 0]);
    }

    #[test]
    fn a_value_that_is_no_number_is_refused() {
        let one = |name: &str, value: &str| found("", &format!("<{name}>{value}</{name}>")).len();
        for (name, value, expected) in [
            ("max_connections", "many", 1),
            ("max_connections", "12x", 1),
            ("max_connections", "4096", 0),
            ("max_connections", "1Gi", 0),
            ("max_connections", "1e6", 0),
            ("max_connections", "", 0),
            ("ratio", "0.5", 0),
            ("ratio", "half", 1),
            ("async_load_databases", "true", 0),
            ("async_load_databases", "0", 0),
            ("async_load_databases", "maybe", 1),
            ("display_name", "many", 0),
            ("never_heard_of", "many", 0),
        ] {
            assert_eq!(one(name, value), expected, "{name} {value}");
        }
        assert_eq!(
            found("<max_connections>1</max_connections>", "<max_connections>many</max_connections>"),
            ["`max_connections` is `many`, and the server takes a whole number: it would not start"]
        );
        assert_eq!(found("<max_connections>many</max_connections>", ""), [""; 0]);
    }
}
