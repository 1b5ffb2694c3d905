//! The settings of the server as it tells them: the part of the server's probe that asks, and its reading (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::ClickHouseFacts;
use crate::clickhouse::config::{Changeable, ServerSetting, ServerSettings, ValueKind};

/// The expression that asks; `COLUMNS` takes those of its columns that this version has
/// (`changeable_without_restart` came with 23.11).
pub(super) const ASK: &str =
    "(SELECT groupArray(tuple(COLUMNS('^(name|value|type|changeable_without_restart)$'))) FROM system.server_settings)";

/// Reads the answer; a row of another shape is left out.
pub(super) fn read(cell: &Value) -> ServerSettings {
    let mut known = BTreeMap::new();
    let (mut now, mut running) = (BTreeMap::new(), BTreeMap::new());
    for row in cell.as_array().into_iter().flatten() {
        let texts: Vec<&str> = row.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let [name, value, kind, rest @ ..] = texts.as_slice() else { continue };
        let changeable = rest.first().and_then(|word| Changeable::read(word));
        if let (Some(Changeable::IncreaseOnly | Changeable::DecreaseOnly), Ok(value)) = (changeable, value.parse()) {
            now.insert((*name).to_owned(), value);
        }
        if matches!(changeable, Some(Changeable::No | Changeable::IncreaseOnly | Changeable::DecreaseOnly)) {
            running.insert((*name).to_owned(), (*value).to_owned());
        }
        known.insert((*name).to_owned(), ServerSetting { kind: ValueKind::read(kind), changeable });
    }
    ServerSettings { known: Arc::new(known), now, running: Arc::new(running) }
}

/// Tables of settings that were seen; servers of one version share one, and so do those that run with the same.
#[derive(Debug, Default)]
pub struct SeenSettings {
    known: BTreeSet<Arc<BTreeMap<String, ServerSetting>>>,
    running: BTreeSet<Arc<BTreeMap<String, String>>>,
}

impl SeenSettings {
    /// Puts a table that was seen before in the place of an equal one.
    pub fn share(&mut self, facts: &mut ClickHouseFacts) {
        let ClickHouseFacts::Up { server, .. } = facts else { return };
        share(&mut self.known, &mut server.settings.known);
        share(&mut self.running, &mut server.settings.running);
    }
}

fn share<T: Ord>(seen: &mut BTreeSet<Arc<T>>, table: &mut Arc<T>) {
    match seen.get(table) {
        Some(known) => *table = Arc::clone(known),
        None => drop(seen.insert(Arc::clone(table))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resource::ServerFacts;

    #[test]
    fn settings_are_read_with_and_without_the_column_of_later_versions() {
        let rows = json!([
            ["background_pool_size", "16", "UInt64", "IncreaseOnly"],
            ["max_concurrent_queries", "0", "UInt64", "Yes"],
            ["old", "1", "Bool"],
            ["strange", "1", "UInt64", "Sometimes"],
            ["broken"],
            7
        ]);
        let settings = read(&rows);
        assert_eq!(settings.now, BTreeMap::from([("background_pool_size".to_owned(), 16)]));
        let shown = |name: &str| settings.known.get(name).map(|setting| (setting.kind, setting.changeable));
        assert_eq!(shown("max_concurrent_queries"), Some((ValueKind::Integer, Some(Changeable::Yes))));
        assert_eq!(shown("old"), Some((ValueKind::Bool, None)));
        assert_eq!(shown("strange"), Some((ValueKind::Integer, None)));
        assert_eq!(shown("broken"), None);
        assert_eq!(read(&json!(null)), ServerSettings::default());
    }

    #[test]
    fn servers_of_one_version_share_their_table() {
        let up = |name: &str| {
            let settings = read(&json!([[name, "1", "UInt64", "Yes"]]));
            let server = ServerFacts { settings, ..ServerFacts::default() };
            ClickHouseFacts::Up { server: Box::new(server), objects: Vec::new() }
        };
        let mut seen = SeenSettings::default();
        let mut hosts = [up("a"), up("a"), up("b")];
        hosts.iter_mut().for_each(|facts| seen.share(facts));
        let tables: Vec<_> = hosts
            .iter()
            .filter_map(|facts| match facts {
                ClickHouseFacts::Up { server, .. } => Some(Arc::as_ptr(&server.settings.known)),
                _ => None,
            })
            .collect();
        assert!(tables[0] == tables[1] && tables[0] != tables[2]);
    }
}
