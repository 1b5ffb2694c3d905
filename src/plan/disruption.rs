//! What a host's changes cost it: the maximum over its files, each with its reason (pure).

use std::collections::BTreeSet;

use super::Gate;
use crate::clickhouse::config::{self, ConfigDirectory, ConfigKeys, Disruption, KeyChange};
use crate::remote::UnitName;
use crate::render::Desired;
use crate::resource::{ClickHouseFacts, FileChange, FileChangeKind, HostFacts, ObservedUnit};
use crate::role::Role;

/// The cost of a host's changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub disruption: Disruption,
    pub reasons: Vec<String>,
    /// Units that have to be restarted for a change to count.
    pub restart_units: BTreeSet<UnitName>,
    /// Whether ClickHouse has to read its configuration again.
    pub reload: bool,
}

impl Cost {
    /// Asks for a reload where the files are right, but the server refused to read them or nobody told it to.
    pub fn reload_what_was_refused(&mut self, gate: &Gate, facts: &HostFacts) {
        let (Gate::Applied { macros, clusters }, ClickHouseFacts::Up { server, .. }) = (gate, &facts.clickhouse) else {
            return;
        };
        if let Err(why) = server.tells(macros, clusters) {
            self.reload = true;
            self.disruption = self.disruption.max(Disruption::Reload);
            self.reasons.push(format!("the server has not taken its files: {why}"));
        }
    }
}

/// Adds up what the files' changes cost; a file without a unit, or whose unit does not run, costs nothing.
pub(super) fn cost(files: &[FileChange], desired: &Desired, facts: &HostFacts, role: &Role) -> Cost {
    let mut cost = Cost::default();
    for file in files {
        let Some(unit) = &file.unit else { continue };
        let runs = facts.units.get(unit).is_some_and(ObservedUnit::is_running);
        if !runs || file.kind == FileChangeKind::Metadata {
            continue;
        }
        let clickhouse = role.clickhouse.as_ref().is_some_and(|clickhouse| clickhouse.unit == *unit);
        let (disruption, reasons) = match config_changes(file, desired, facts).filter(|_| clickhouse) {
            Some((directory, changes)) => of_keys(&changes, directory),
            None => (Disruption::Restart, vec![format!("`{}` is read at start only", file.path.file_name())]),
        };
        match disruption {
            Disruption::None => {}
            Disruption::Reload => cost.reload = true,
            Disruption::Reattach | Disruption::Restart => {
                cost.restart_units.insert(unit.clone());
            }
        }
        cost.disruption = cost.disruption.max(disruption);
        cost.reasons.extend(reasons);
    }
    cost.reasons.sort();
    cost.reasons.dedup();
    cost
}

/// What changed keys cost, with a sentence for each reason. A restart stands in for a reattach, which it includes.
fn of_keys(changes: &[KeyChange], directory: ConfigDirectory) -> (Disruption, Vec<String>) {
    let (disruption, reasons) = config::disruption_of(changes, directory);
    let dearest = reasons.iter().filter(|reason| reason.disruption == disruption);
    let reasons = dearest.map(|reason| format!("`{}`: {}", reason.key, reason.reason)).collect();
    (if disruption == Disruption::Reattach { Disruption::Restart } else { disruption }, reasons)
}

/// The keys that differ between the old and the new text of a file that ClickHouse merges.
///
/// Nothing where either is no such file or cannot be read.
fn config_changes(
    file: &FileChange,
    desired: &Desired,
    facts: &HostFacts,
) -> Option<(ConfigDirectory, Vec<KeyChange>)> {
    let directory = ConfigDirectory::of(file.path.as_str())?;
    let old = match facts.files.get(&file.path).and_then(|file| file.content.as_ref()) {
        Some(content) => ConfigKeys::from_xml(std::str::from_utf8(content.expose()).ok()?).ok()?,
        None => ConfigKeys::default(),
    };
    let new = std::str::from_utf8(desired.files.get(&file.path)?.content.bytes().expose()).ok()?;
    Some((directory, config::diff(&old, &ConfigKeys::from_xml(new).ok()?)))
}
