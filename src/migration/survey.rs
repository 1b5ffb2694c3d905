//! What has become of each migration on each host, equal answers once (pure).
//!
//! Says what is on record, and not what would be done.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Migration, MigrationId, MigrationRecord, MigrationRecords, Outcome, Progress, RoleMigrations};
use crate::fleet::{Fleet, HostName};

/// One migration, and what the hosts know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// `data/0004`.
    pub migration: MigrationId,
    /// What its file is called behind the number, or was.
    pub name: String,
    /// How often it is run: `shard`.
    pub scope: String,
    /// How many statements it has.
    pub statements: u32,
    /// It is only on record: no role of a host that was asked has the file.
    pub file_is_gone: bool,
    /// Hosts by what they know of it.
    pub hosts: Vec<(Ran, Vec<HostName>)>,
}

/// What a host knows of a migration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Ran {
    /// It is done.
    Done {
        /// The host that has run it.
        by: String,
    },
    /// What was run is another text than the file's.
    Changed {
        /// The host that has run it.
        by: String,
        /// Of what was run.
        checksum: String,
    },
    /// A run has begun it, and it is not done.
    Begun {
        /// The host that runs it.
        by: String,
        /// How many statements are done.
        done: u32,
        /// Its statement runs right now.
        runs: bool,
    },
    /// It was not run there, as far as the host knows.
    Not,
}

/// Puts together what hosts have on record.
#[must_use]
pub fn survey(
    fleet: &Fleet,
    migrations: &RoleMigrations,
    records: &BTreeMap<HostName, MigrationRecords>,
) -> Vec<Survey> {
    let mut all: BTreeMap<MigrationId, (Survey, BTreeMap<Ran, Vec<HostName>>)> = BTreeMap::new();
    for (host, own) in records {
        let role = fleet.hosts.get(host).map(|host| &host.role);
        let files = role.and_then(|role| migrations.get(role)).map(Vec::as_slice).unwrap_or_default();
        for file in files {
            let (_, hosts) = all.entry(file.id.clone()).or_insert_with(|| (of_file(file), BTreeMap::new()));
            hosts.entry(ran(own.get(&file.id), Some(file))).or_default().push(host.clone());
        }
        for (id, record) in own.iter().filter(|(id, _)| files.iter().all(|file| file.id != **id)) {
            let (_, hosts) = all.entry(id.clone()).or_insert_with(|| (of_record(id, record), BTreeMap::new()));
            hosts.entry(ran(Some(record), None)).or_default().push(host.clone());
        }
    }
    all.into_values().map(|(survey, hosts)| Survey { hosts: hosts.into_iter().collect(), ..survey }).collect()
}

fn of_file(file: &Migration) -> Survey {
    Survey {
        migration: file.id.clone(),
        name: file.name.clone(),
        scope: file.scope.word().to_owned(),
        statements: file.count(),
        file_is_gone: false,
        hosts: Vec::new(),
    }
}

fn of_record(id: &MigrationId, record: &MigrationRecord) -> Survey {
    Survey {
        migration: id.clone(),
        name: record.name.clone(),
        scope: record.scope.clone(),
        statements: record.statements,
        file_is_gone: true,
        hosts: Vec::new(),
    }
}

fn ran(record: Option<&MigrationRecord>, file: Option<&Migration>) -> Ran {
    let Some(record) = record else { return Ran::Not };
    let by = record.host.clone();
    match record.progress {
        _ if file.is_some_and(|file| file.checksum != record.checksum) => {
            Ran::Changed { by, checksum: record.checksum.clone() }
        }
        Progress::Done => Ran::Done { by },
        Progress::Begun => Ran::Begun { by, done: record.done, runs: record.outcome == Outcome::Running },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::RoleName;

    #[test]
    fn what_is_only_on_record_is_told_too() {
        let id: MigrationId = "data/0004".parse().unwrap();
        let record = MigrationRecord {
            name: "old".to_owned(),
            scope: "shard".to_owned(),
            checksum: "abc".to_owned(),
            host: "a".to_owned(),
            statements: 2,
            done: 1,
            progress: Progress::Begun,
            attempt: 1,
            query: "q".to_owned(),
            at: "now".to_owned(),
            outcome: Outcome::Running,
        };
        let hosts = ["a", "b"].map(|host| HostName::new(host).unwrap());
        let records = hosts.iter().map(|host| (host.clone(), [(id.clone(), record.clone())].into())).collect();
        let told = survey(&Fleet::default(), &RoleMigrations::default(), &records);
        let [one] = told.as_slice() else { panic!("{told:?}") };
        assert!(one.file_is_gone && one.migration.role == RoleName::new("data").unwrap());
        assert_eq!(one.hosts, [(Ran::Begun { by: "a".to_owned(), done: 1, runs: true }, hosts.to_vec())]);
    }
}
