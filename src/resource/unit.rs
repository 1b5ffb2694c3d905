//! Units: their state as systemd tells it, and what is to do about it (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::HostFacts;
use crate::remote::{UnitAction, UnitName};
use crate::render::Desired;

/// A unit as systemd sees it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ObservedUnit {
    /// `loaded`, `not-found`, `masked`, ...
    pub load: String,
    /// `active`, `inactive`, `failed`, `activating`, ..., and `auto-restart` for one that keeps dying.
    pub active: String,
    /// `enabled`, `disabled`, `static`, ...
    pub file_state: String,
    /// Its files have changed since systemd read them.
    pub is_stale: bool,
}

impl ObservedUnit {
    /// Tells whether its process runs or is about to.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.active.as_str(), "active" | "activating" | "reloading")
    }
}

/// One unit that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UnitChange {
    /// Which.
    pub unit: UnitName,
    /// What mends it.
    pub action: UnitAction,
    /// The state that it is in.
    pub is: String,
}

/// Reads what `systemctl show` printed: blocks of `Key=value` with an empty line between units.
pub(super) fn parse(text: &str) -> BTreeMap<UnitName, ObservedUnit> {
    let mut units = BTreeMap::new();
    for block in text.split("\n\n") {
        let get = |key: &str| {
            block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default().to_owned()
        };
        // A process that dies again and again is `activating` between its deaths.
        let active = if get("SubState") == "auto-restart" { "auto-restart".to_owned() } else { get("ActiveState") };
        let is_stale = get("NeedDaemonReload") == "yes";
        let unit = ObservedUnit { load: get("LoadState"), active, file_state: get("UnitFileState"), is_stale };
        if let Ok(name) = UnitName::new(get("Id")) {
            units.insert(name, unit);
        }
    }
    units
}

/// Names the units that run, out of what `systemctl show` printed.
#[must_use]
pub fn running_units(shown: &str) -> BTreeSet<UnitName> {
    parse(shown).into_iter().filter(|(_, unit)| unit.is_running()).map(|(name, _)| name).collect()
}

/// Tells, out of what `systemctl show` printed, whether a unit is on its way up or down.
#[must_use]
pub fn units_are_moving(shown: &str) -> bool {
    let moves = |unit: &ObservedUnit| matches!(unit.active.as_str(), "activating" | "deactivating" | "reloading");
    parse(shown).values().any(moves)
}

/// Finds the units that have to be enabled or started, in order of name.
#[must_use]
pub fn diff(desired: &Desired, facts: &HostFacts) -> Vec<UnitChange> {
    let mut changes = Vec::new();
    for (name, want) in &desired.units {
        let observed = facts.units.get(name);
        let mut push = |action, is: &str| changes.push(UnitChange { unit: name.clone(), action, is: is.to_owned() });
        let file_state = observed.map_or("not-found", |unit| unit.file_state.as_str());
        if want.enabled && !matches!(file_state, "enabled" | "static" | "generated" | "alias" | "indirect") {
            push(UnitAction::Enable, if file_state.is_empty() { "not-found" } else { file_state });
        }
        let active = observed.map_or("not-found", |unit| unit.active.as_str());
        if want.running && !observed.is_some_and(ObservedUnit::is_running) {
            push(UnitAction::Start, active);
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_that_keeps_dying_does_not_run() {
        let shown = "Id=a.service\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nUnitFileState=enabled\n\n\
                     Id=b.service\nLoadState=loaded\nActiveState=activating\nSubState=start\nUnitFileState=enabled\n";
        let running: Vec<_> = running_units(shown).iter().map(ToString::to_string).collect();
        assert_eq!(running, ["b"]);
    }

    fn facts(shown: &str) -> HostFacts {
        HostFacts { units: parse(shown), ..HostFacts::default() }
    }

    fn actions(enabled: bool, running: bool, shown: &str) -> Vec<(UnitAction, String)> {
        let mut desired = Desired::default();
        desired.units.insert(UnitName::new("a").unwrap(), crate::render::DesiredUnit { enabled, running });
        diff(&desired, &facts(shown)).into_iter().map(|change| (change.action, change.is)).collect()
    }

    fn block(load: &str, active: &str, file: &str) -> String {
        format!("Id=a.service\nLoadState={load}\nActiveState={active}\nUnitFileState={file}\n")
    }

    #[test]
    fn a_unit_is_enabled_before_it_is_started() {
        let is = |text: &str| text.to_owned();
        let stopped = block("loaded", "inactive", "disabled");
        let both = [(UnitAction::Enable, is("disabled")), (UnitAction::Start, is("inactive"))];
        assert_eq!(actions(true, true, &stopped), both);
        assert_eq!(actions(false, true, &stopped), both[1..]);
        assert_eq!(actions(true, true, &block("loaded", "failed", "enabled")), [(UnitAction::Start, is("failed"))]);
        assert_eq!(actions(true, true, &block("loaded", "active", "enabled")), []);
        assert_eq!(actions(true, true, &block("loaded", "activating", "static")), []);
        assert_eq!(actions(false, false, &stopped), [], "nothing is ever stopped or disabled");
    }

    #[test]
    fn a_unit_that_systemd_does_not_know_says_so() {
        let is = |action, text: &str| (action, text.to_owned());
        let unknown = [is(UnitAction::Enable, "not-found"), is(UnitAction::Start, "not-found")];
        assert_eq!(actions(true, true, ""), unknown);
        let shown = [is(UnitAction::Enable, "not-found"), is(UnitAction::Start, "inactive")];
        assert_eq!(actions(true, true, &block("not-found", "inactive", "")), shown);
    }

    #[test]
    fn garbage_between_units_is_passed_over() {
        let shown = format!(
            "nonsense\n\nId=\n\n{}\n\n\nId=b.timer\nActiveState=active\n",
            block("loaded", "active", "enabled")
        );
        let running: Vec<_> = running_units(&shown).iter().map(|unit| unit.as_str().to_owned()).collect();
        assert_eq!(running, ["a.service", "b.timer"]);
    }
}
