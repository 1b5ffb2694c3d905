//! What a journal tells of a run: how it was started, how far it came, how it ended (pure).
//!
//! The last line of a program that was killed may be cut: what cannot be read is passed over.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::SCHEMA;
use crate::fleet::HostName;

/// How a run was started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its name.
    pub run: String,
    /// The inventory's absolute path.
    pub inventory: String,
    /// The directory where it was started.
    #[serde(default)]
    pub directory: String,
    /// The command line behind the program's name.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The digest of what the hosts should have.
    #[serde(default)]
    pub desired: String,
    /// In how many waves each host has something to do.
    #[serde(default)]
    pub hosts: BTreeMap<HostName, usize>,
    /// The run that it goes on with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes: Option<String>,
}

impl Begun {
    /// The first line.
    #[must_use]
    pub fn line(&self) -> Value {
        let mut line = json!({ "event": "run-started", "schema": SCHEMA, "housewright": env!("CARGO_PKG_VERSION") });
        if let (Value::Object(line), Ok(Value::Object(more))) = (&mut line, serde_json::to_value(self)) {
            line.extend(more);
        }
        line
    }
}

/// A run that is over, or that goes on in another process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastRun {
    /// How it was started.
    pub begun: Begun,
    /// Hosts that went through all of their waves.
    pub finished: BTreeSet<HostName>,
    /// Hosts that failed, with the step.
    pub failed: BTreeMap<HostName, String>,
    /// Hosts in the middle of a step, when nothing was heard any more.
    pub under_way: BTreeMap<HostName, String>,
    /// How it ended; nothing where nobody was there any more to say so.
    pub exit: Option<u8>,
    /// Its process is still there.
    pub goes_on: bool,
}

impl PastRun {
    /// Reads the lines.
    ///
    /// # Errors
    /// The first line is none of ours, or of a newer form.
    pub fn read(text: &str, goes_on: bool) -> Result<Self, String> {
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let first = lines.next().filter(|line| line["event"] == "run-started").ok_or("it is no journal of a run")?;
        match first["schema"].as_u64() {
            Some(schema) if schema <= SCHEMA => {}
            other => return Err(format!("its form is {}, this program knows {SCHEMA}", other.unwrap_or_default())),
        }
        let begun: Begun = serde_json::from_value(first).map_err(|error| error.to_string())?;
        let mut waves = begun.hosts.clone();
        let mut past = Self { begun, goes_on, ..Self::default() };
        for line in lines {
            let host = line["host"].as_str().and_then(|host| HostName::new(host).ok());
            let step = || line["step"].as_str().unwrap_or_default().to_owned();
            match (line["event"].as_str().unwrap_or_default(), host) {
                ("step-started" | "fallback-started", Some(host)) => drop(past.under_way.insert(host, step())),
                ("host-finished", Some(host)) => {
                    past.under_way.remove(&host);
                    if let Some(left) = waves.get_mut(&host) {
                        *left = left.saturating_sub(1);
                    }
                }
                ("host-failed", Some(host)) => {
                    past.under_way.remove(&host);
                    let step = line["failure"]["step"].as_str().unwrap_or_default().to_owned();
                    past.failed.insert(host, step);
                }
                ("run-finished", _) => past.exit = line["exit"].as_u64().and_then(|exit| u8::try_from(exit).ok()),
                _ => {}
            }
        }
        let done = waves.into_iter().filter(|(host, left)| *left == 0 && !past.failed.contains_key(host));
        past.finished = done.map(|(host, _)| host).collect();
        Ok(past)
    }

    /// Hosts that have something left to do.
    #[must_use]
    pub fn left(&self) -> BTreeSet<&HostName> {
        self.begun.hosts.keys().filter(|host| !self.finished.contains(*host)).collect()
    }

    /// Whether there is nothing to go on with.
    #[must_use]
    pub fn came_to_its_end(&self) -> bool {
        self.exit == Some(0) || (self.exit.is_some() && self.left().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"at":"2026-11-22T10:00:00Z","event":"run-started","schema":1,"run":"r","inventory":"/i","hosts":{"a":2,"b":1,"c":1,"d":1}}
{"event":"step-started","host":"a","step":"write 2 files"}
{"event":"host-finished","host":"a"}
{"event":"step-started","host":"b","step":"restart clickhouse-server"}
{"event":"host-failed","host":"b","failure":{"step":"restart clickhouse-server"}}
{"event":"host-finished","host":"c"}
{"event":"step-started","host":"a","step":"create default.groups"}
{"event":"host-fin"#;

    fn names<'a>(hosts: impl IntoIterator<Item = &'a HostName>) -> Vec<&'a str> {
        hosts.into_iter().map(HostName::as_str).collect()
    }

    #[test]
    fn a_killed_run_tells_who_was_in_the_middle_of_what() {
        let past = PastRun::read(TEXT, false).unwrap();
        assert_eq!(names(&past.finished), ["c"]);
        assert_eq!(names(past.failed.keys()), ["b"]);
        assert_eq!(
            past.under_way.iter().map(|(host, step)| (host.as_str(), step.as_str())).collect::<Vec<_>>(),
            [("a", "create default.groups")]
        );
        assert_eq!(names(past.left()), ["a", "b", "d"]);
        assert!(!past.came_to_its_end());
    }

    #[test]
    fn what_is_no_journal_or_a_newer_one_is_refused() {
        assert_eq!(PastRun::read("", false), Err("it is no journal of a run".to_owned()));
        assert_eq!(PastRun::read("{\"event\":\"planned\"}", false), Err("it is no journal of a run".to_owned()));
        let newer = TEXT.replace("\"schema\":1", "\"schema\":2");
        assert_eq!(PastRun::read(&newer, false), Err("its form is 2, this program knows 1".to_owned()));
    }

    #[test]
    fn the_first_line_reads_back() {
        let begun = Begun { run: "r".to_owned(), arguments: vec!["apply".to_owned()], ..Begun::default() };
        assert_eq!(PastRun::read(&begun.line().to_string(), false).unwrap().begun, begun);
    }
}
