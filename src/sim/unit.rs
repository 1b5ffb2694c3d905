//! The units of a simulated host: what systemd knows, what runs, what dies and comes back (edge).

use std::fmt::Write as _;

use super::SimHost;
use super::server::Loaded;
use super::session::{done, failed};
use crate::remote::{EntryKind, Output, RemotePath, UnitName};

impl SimHost {
    /// Notes that a unit runs or does not, and with it its server; says what it was before.
    pub(super) fn note(&mut self, unit: &UnitName, runs: bool) -> Option<bool> {
        let files = self.entries.iter().map(|(path, entry)| (path.clone(), entry.kind.clone()));
        let unread = self.unread.iter();
        let state = self.units.get_mut(unit)?;
        let before = std::mem::replace(&mut state.running, runs);
        if runs {
            state.started_with = files.filter(|(path, _)| !self.unread.contains_key(path)).collect();
            // Of units, it starts what systemd has read.
            let read = unread.filter_map(|(path, old)| Some((path.clone(), old.clone()?)));
            state.started_with.extend(read);
        }
        if let Some(server) = self.server.as_mut().filter(|server| server.unit == *unit) {
            server.up = runs;
            if runs {
                server.restarted();
            }
        }
        Some(before)
    }

    /// A unit that runs is killed, and not by us; says which, where one did.
    pub fn die(&mut self) -> Option<UnitName> {
        let unit = self.units.iter().find(|(_, unit)| unit.running).map(|(name, _)| name.clone())?;
        self.note(&unit, false);
        Some(unit)
    }

    /// systemd starts a unit that died (`Restart=`); says whether it came up.
    pub fn revive(&mut self, unit: &UnitName) -> bool {
        if self.units.get(unit).is_some_and(|unit| unit.running) || !start_unit(self, unit).succeeded() {
            return false;
        }
        self.note(unit, true).is_some()
    }
}

pub(super) fn unit_state(host: &SimHost, units: &[UnitName]) -> Output {
    let mut text = String::new();
    for name in units {
        let (load, active, file) = match host.units.get(name) {
            None => ("not-found", "inactive", ""),
            Some(unit) if unit.masked => ("masked", "inactive", "masked"),
            Some(unit) => (
                "loaded",
                if unit.running { "active" } else { "inactive" },
                if unit.enabled { "enabled" } else { "disabled" },
            ),
        };
        let stale = if host.units.get(name).is_some_and(|unit| unit.stale && !unit.masked) { "yes" } else { "no" };
        let name = name.as_str();
        let _ = writeln!(
            text,
            "Id={name}\nLoadState={load}\nActiveState={active}\nUnitFileState={file}\nNeedDaemonReload={stale}\n"
        );
    }
    done(text)
}

/// Notes that a unit's file or drop-in is not the one any more that systemd has read.
pub(super) fn touched(host: &mut SimHost, path: &RemotePath, old: Option<EntryKind>) {
    let Some(below) = path.as_str().strip_prefix("/etc/systemd/system/") else { return };
    let name = below.split_once('/').map_or(below, |(directory, _)| directory.trim_end_matches(".d"));
    if let Some(unit) = UnitName::new(name).ok().and_then(|name| host.units.get_mut(&name)) {
        unit.stale = true;
        host.unread.entry(path.clone()).or_insert(old);
    }
}

/// Unit files that were written become units.
pub(super) fn daemon_reload(host: &mut SimHost) -> Output {
    let written = host.entries.keys().filter(|path| path.parent().as_str() == "/etc/systemd/system");
    let names: Vec<_> = written.filter_map(|path| UnitName::new(path.file_name()).ok()).collect();
    for name in names {
        host.units.entry(name).or_default();
    }
    for unit in host.units.values_mut() {
        unit.stale = false;
    }
    host.unread.clear();
    done("")
}

pub(super) fn start_unit(host: &mut SimHost, unit: &UnitName) -> Output {
    if let Some(reason) = host.units.get(unit).and_then(|unit| unit.start_fails.clone()) {
        return failed(1, &format!("Job for {} failed. {reason}", unit.as_str()));
    }
    if let Some((text, reason)) = host.units.get(unit).and_then(|unit| unit.start_refuses.clone())
        && host.entries.keys().any(|path| host.text(path).is_some_and(|is| is.contains(&text)))
    {
        return failed(1, &format!("Job for {} failed. {reason}", unit.as_str()));
    }
    if host.server.as_ref().is_some_and(|server| server.unit == *unit) {
        let loaded = Loaded::read(host);
        let Some(server) = host.server.as_mut() else { return done("") };
        match loaded {
            Ok(loaded) => {
                server.started_with.clone_from(&loaded.settings);
                server.loaded = loaded;
            }
            Err(error) => return failed(1, &format!("Job for {} failed. {error}", unit.as_str())),
        }
    }
    done("")
}
