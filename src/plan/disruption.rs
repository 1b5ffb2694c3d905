//! What a host's changes cost it: the maximum over its files, each with its reason (pure).

use std::collections::BTreeSet;

use super::effective::{self, Compared, Outcome};
use super::queues::{self, Whereabouts};
use super::references;
use super::setting::{GENERATION_KEY, SettingChange};
use crate::clickhouse::config::{self, ConfigDirectory, ConfigKeys, Disruption, HostSays, KeyChange};
use crate::ground::GroundChange;
use crate::remote::{RemotePath, UnitName};
use crate::render::Desired;
use crate::resource::{
    Applied, ClickHouseFacts, FileChange, FileChangeKind, HostFacts, ObservedUnit, Owed, Removal, ServerFacts, Shows,
};
use crate::role::Role;
use crate::schema::ObjectName;

/// The cost of a host's changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub disruption: Disruption,
    pub reasons: Vec<String>,
    /// Units that have to be restarted for a change to count.
    pub restart_units: BTreeSet<UnitName>,
    /// Whether ClickHouse has to read its configuration again.
    pub reload: bool,
    /// Its tables of queues that have to be attached anew.
    pub reattach: BTreeSet<ObjectName>,
    /// The keys of its effective configuration that change.
    pub settings: Vec<SettingChange>,
    /// Why the server would refuse its configuration as it will be.
    pub refused: Option<String>,
}

/// Whether each configuration that changes was compared as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// What changed keys cost.
struct OfKeys {
    disruption: Disruption,
    reasons: Vec<String>,
    /// The tables that keep the old values until they are attached anew.
    stale: BTreeSet<ObjectName>,
}

impl Cost {
    fn add(&mut self, OfKeys { disruption, reasons, stale }: OfKeys, unit: &UnitName) {
        match disruption {
            Disruption::None => {}
            Disruption::Reload => self.reload = true,
            Disruption::Reattach => {
                self.reload = true;
                self.reattach.extend(stale);
            }
            Disruption::Restart => {
                self.restart_units.insert(unit.clone());
            }
        }
        self.disruption = self.disruption.max(disruption);
        self.reasons.extend(reasons);
    }

    /// Compares ClickHouse's configurations as wholes; a change of one that nobody runs costs nothing.
    fn compare(
        &mut self,
        (paths, old): (&[&RemotePath], Shows),
        desired: &Desired,
        facts: &HostFacts,
        unit: &UnitName,
    ) -> Whole {
        let runs = facts.units.get(unit).is_some_and(ObservedUnit::is_running);
        let mut whole = Whole::Yes;
        for Compared { directory, outcome } in effective::compare(paths, old, desired, facts) {
            match outcome {
                Outcome::Refused(why) => self.refused = Some(why),
                Outcome::FileByFile(why) => {
                    whole = Whole::No;
                    self.reasons.extend(runs.then_some(why));
                }
                Outcome::Keys(changes) if runs => {
                    self.add(of_keys(&changes, directory, facts), unit);
                    self.settings.extend(SettingChange::of(&changes, directory));
                }
                Outcome::Keys(_) => {}
            }
        }
        whole
    }

    /// Adds what an earlier run left undone; a unit that does not run takes its files when it starts.
    fn take_owed(&mut self, owed: &Owed, facts: &HostFacts) {
        let unit = match owed {
            Owed::Reload(unit) | Owed::Reattach(unit) | Owed::Restart(unit) => unit,
            Owed::Attach(_) => return self.take_detached(facts),
            // It costs nothing: `HostTraffic` says whether it is brought back.
            Owed::Traffic => return,
        };
        if !facts.units.get(unit).is_some_and(ObservedUnit::is_running) {
            return;
        }
        match owed {
            Owed::Reload(_) => {
                self.disruption = self.disruption.max(Disruption::Reload);
                self.reload = true;
            }
            Owed::Reattach(_) => {
                self.disruption = self.disruption.max(Disruption::Reattach);
                self.reload = true;
                // The marker does not say which.
                self.reattach.extend(queues::all(facts).0.into_keys());
            }
            Owed::Restart(_) => {
                self.disruption = Disruption::Restart;
                self.restart_units.insert(unit.clone());
            }
            Owed::Attach(_) | Owed::Traffic => {}
        }
        self.reasons.push(format!("{unit} runs without what an earlier run wrote"));
    }

    /// Adds what runs with what was there before, until it is started anew.
    pub fn take_ground(&mut self, ground: &[GroundChange], facts: &HostFacts) {
        for change in ground {
            let Some(unit) = &change.restarts else { continue };
            if facts.units.get(unit).is_some_and(ObservedUnit::is_running) {
                self.disruption = Disruption::Restart;
                self.restart_units.insert(unit.clone());
                self.reasons.push(format!("{unit} runs with what was there before: {} {}", change.kind, change.name));
            }
        }
    }

    /// What an earlier run detached, and nothing else.
    pub fn of_detached(facts: &HostFacts) -> Self {
        let mut cost = Self::default();
        if facts.owed.iter().any(|owed| matches!(owed, Owed::Attach(_))) {
            cost.take_detached(facts);
        }
        cost
    }

    /// Adds what an earlier run detached; a server that does not answer cannot be told to attach it.
    fn take_detached(&mut self, facts: &HostFacts) {
        let ClickHouseFacts::Up { .. } = facts.clickhouse else { return };
        if queues::unreadable_marker(facts).is_some() {
            return;
        }
        self.disruption = self.disruption.max(Disruption::Reattach);
        let owed = queues::owed(facts);
        let still = owed.iter().filter(|(_, (_, place))| *place == Whereabouts::Detached);
        let still: Vec<_> = still.map(|(name, _)| name.to_string()).collect();
        self.reasons.push(match (still.as_slice(), owed.is_empty()) {
            ([], true) => "what an earlier run detached is not there any more".to_owned(),
            ([], false) => "an earlier run did not see its queues consume again".to_owned(),
            _ => format!("an earlier run detached {} and did not attach it", still.join(", ")),
        });
    }
}

/// Adds up what the files' changes cost; a file without a unit, or whose unit does not run, costs nothing.
pub(super) fn cost(
    files: &[FileChange],
    removals: &[Removal],
    desired: &Desired,
    facts: &HostFacts,
    role: &Role,
    applied: &Applied,
) -> Cost {
    let mut cost = Cost::default();
    let written = files.iter().filter(|file| file.kind != FileChangeKind::Metadata);
    let written: Vec<_> = written.map(|file| (&file.path, file.unit.as_ref())).collect();
    let gone = removals.iter().map(|file| (&file.path, file.unit.as_ref()));
    let touched: Vec<_> = written.into_iter().chain(gone).collect();
    let paths: Vec<_> = touched.iter().map(|(path, _)| *path).collect();
    let old = if removals.iter().all(|file| file.shows == Shows::Text) { Shows::Text } else { Shows::Nothing };
    let compared =
        role.clickhouse.as_ref().map(|clickhouse| cost.compare((&paths, old), desired, facts, &clickhouse.unit));
    for (path, unit) in touched {
        let Some(unit) = unit.or_else(|| server_of(path, role)) else { continue };
        let runs = facts.units.get(unit).is_some_and(ObservedUnit::is_running);
        if !runs {
            continue;
        }
        let clickhouse = role.clickhouse.as_ref().is_some_and(|clickhouse| clickhouse.unit == *unit);
        if clickhouse && compared == Some(Whole::Yes) && effective::is_compared(path) {
            continue;
        }
        let of_file = match config_changes(path, desired, facts).filter(|_| clickhouse) {
            Some((directory, changes)) => of_keys(&changes, directory, facts),
            None => OfKeys {
                disruption: Disruption::Restart,
                reasons: vec![format!("`{}` is read at start only", path.file_name())],
                stale: BTreeSet::new(),
            },
        };
        cost.add(of_file, unit);
    }
    for owed in &facts.owed {
        cost.take_owed(owed, facts);
    }
    if let (ClickHouseFacts::Up { server, .. }, Cost { disruption: Disruption::None, .. }) = (&facts.clickhouse, &cost)
        && let Some(missing) = not_taken(applied, server)
    {
        cost.disruption = Disruption::Reload;
        cost.reload = true;
        cost.reasons.push(format!("the server has not taken its files: {missing}"));
    }
    cost.reasons.sort();
    cost.reasons.dedup();
    if cost.reasons.len() > 1 {
        // It changes because something else does: that is the reason.
        cost.reasons.retain(|reason| !reason.starts_with(&format!("`{GENERATION_KEY}`")));
    }
    cost
}

/// What a server tells otherwise than its files say; of many hosts the same, so that a plan says it once.
fn not_taken(applied: &Applied, server: &ServerFacts) -> Option<String> {
    let others = applied.without_generation().missing_in(server);
    others.or_else(|| applied.missing_in(server).map(|_| "it tells another generation".to_owned()))
}

/// Whether a host has tables that consume, detached ones too: they keep what they were attached with, and their server what
/// it was started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queues {
    Some,
    None,
    Unknown,
}

fn queues_of(facts: &HostFacts) -> Queues {
    match &facts.clickhouse {
        ClickHouseFacts::Up { .. } if queues::has_any(facts) => Queues::Some,
        ClickHouseFacts::Up { .. } => Queues::None,
        ClickHouseFacts::Down { .. } | ClickHouseFacts::NotAsked => Queues::Unknown,
    }
}

/// The unit that reads a file of ClickHouse's configuration, whoever wrote the role.
fn server_of<'a>(path: &RemotePath, role: &'a Role) -> Option<&'a UnitName> {
    ConfigDirectory::of(path.as_str())?;
    role.clickhouse.as_ref().map(|clickhouse| &clickhouse.unit)
}

/// What changed keys cost, with a sentence for each reason.
///
/// Where no table keeps what changes, a reload is enough; where that is not known, or others than queues keep it, a restart
/// includes it.
fn of_keys(changes: &[KeyChange], directory: ConfigDirectory, facts: &HostFacts) -> OfKeys {
    let queues = queues_of(facts);
    let settings = match &facts.clickhouse {
        ClickHouseFacts::Up { server, .. } => Some(&server.settings),
        ClickHouseFacts::NotAsked | ClickHouseFacts::Down { .. } => None,
    };
    let host = HostSays { settings, consumes: queues != Queues::None };
    let (disruption, reasons) = config::disruption_of(changes, directory, host);
    let stale = references::stale(changes, facts);
    let dearest = reasons.iter().filter(|reason| reason.disruption == disruption);
    let reasons = dearest.map(|reason| match (&stale, reason.disruption) {
        (Some(tables), Disruption::Reattach) if !tables.is_empty() => {
            format!("`{}`: {}: {}", reason.key, reason.reason, references::names(tables.iter().copied()))
        }
        (Some(_), Disruption::Reattach) => format!("`{}`: no table keeps what changes", reason.key),
        _ => format!("`{}`: {}", reason.key, reason.reason),
    });
    let reasons = reasons.collect();
    let all = queues::all(facts).0;
    let (disruption, stale) = match (disruption, stale) {
        (Disruption::Reattach, Some(tables)) if tables.is_empty() => (Disruption::Reload, tables),
        (Disruption::Reattach, Some(tables)) if tables.iter().all(|table| all.contains_key(*table)) => {
            (Disruption::Reattach, tables)
        }
        (Disruption::Reattach, _) => (Disruption::Restart, BTreeSet::new()),
        (other, _) => (other, BTreeSet::new()),
    };
    OfKeys { disruption, reasons, stale: stale.into_iter().cloned().collect() }
}

/// The keys that differ between the old and the new text of a file that ClickHouse merges.
///
/// A file that is not there holds none. Nothing where either is no such file or cannot be read.
pub(super) fn config_changes(
    path: &RemotePath,
    desired: &Desired,
    facts: &HostFacts,
) -> Option<(ConfigDirectory, Vec<KeyChange>)> {
    let directory = ConfigDirectory::of(path.as_str())?;
    let old = match facts.files.get(path).and_then(|file| file.content.as_ref()) {
        Some(content) => ConfigKeys::from_file(path.as_str(), std::str::from_utf8(content.expose()).ok()?).ok()?,
        None => ConfigKeys::default(),
    };
    let new = match desired.files.get(path) {
        Some(file) => {
            ConfigKeys::from_file(path.as_str(), std::str::from_utf8(file.content.bytes().expose()).ok()?).ok()?
        }
        None => ConfigKeys::default(),
    };
    Some((directory, config::diff(&old, &new)))
}
