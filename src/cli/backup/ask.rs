//! Asks the hosts for their records of backups, and tries backups on them (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;

use super::super::Global;
use super::super::context::{block_on, transport};
use super::super::error::{CommandError, Exit};
use super::super::output::{self, Events};
use super::super::project::Project;
use super::super::schema::ask::rows;
use crate::apply::{Depth, Trier};
use crate::backup::{Assignment, Backup, BackupRecord, Trial, ask, assign, latest, read};
use crate::event::chain;
use crate::fleet::{Host, HostName, Placement};
use crate::observe::NoRows;
use crate::report::Attempt;
use crate::schema::ObjectName;
use crate::transport::lasting::{self, Patience};

/// What the hosts of backups told.
pub(super) struct Told {
    pub project: Project,
    pub assignment: Assignment,
    /// Those of the hosts that answered.
    pub records: BTreeMap<HostName, Vec<BackupRecord>>,
    /// Why the others have none.
    pub without: BTreeMap<HostName, NoRows>,
}

/// The hosts of `--limit` that declare backups; none is an error, because it would look like success.
pub(super) fn hosts(global: &Global, project: &Project) -> Result<BTreeSet<HostName>, CommandError> {
    let mut hosts = project.chosen(global)?;
    let declares = |host: &Host| matches!(host.placement, Placement::Storage { .. }) && Backup::of(host).is_some();
    hosts.retain(|name| project.fleet.hosts.get(name).is_some_and(declares));
    if hosts.is_empty() {
        return Err(CommandError::hinted(
            "none of the chosen hosts has backups",
            "`backup_tables` and `backup` of storage hosts say what is backed up, and where to",
        ));
    }
    Ok(hosts)
}

/// Asks them all.
pub(super) fn told(global: &Global) -> Result<Told, CommandError> {
    let project = Project::load(global)?;
    output::notes(&project.notes);
    let hosts = hosts(global, &project)?;
    let assignment = assign(&project.fleet, &project.objects);
    let (mut records, mut without) = (BTreeMap::new(), BTreeMap::new());
    for (host, answer) in rows(global, &project, &hosts, &ask())? {
        match answer.map(|rows| read(&rows)) {
            Ok(Ok(read)) => drop(records.insert(host, read)),
            Ok(Err(error)) => drop(without.insert(host, NoRows::Refused(chain(&error)))),
            // Nothing was ever backed up there: neither the table nor, maybe, its database is there.
            Err(NoRows::Refused(reason))
                if ["UNKNOWN_TABLE", "UNKNOWN_DATABASE"].iter().any(|name| reason.contains(name)) =>
            {
                records.insert(host, Vec::new());
            }
            Err(why) => drop(without.insert(host, why)),
        }
    }
    Ok(Told { project, assignment, records, without })
}

impl Told {
    /// Those that did not answer, with the reason, for data.
    pub(super) fn silent(&self) -> BTreeMap<String, &str> {
        self.without.iter().map(|(host, why)| (host.to_string(), why.reason())).collect()
    }

    /// The exit code of what looks at many.
    pub(super) fn exit(&self, all_is_well: bool) -> Exit {
        match (self.without.is_empty(), all_is_well) {
            (false, _) => Exit::Unreachable,
            (true, false) => Exit::Partial,
            (true, true) => Exit::Success,
        }
    }

    /// The backup of each host and table that is meant: one by name, else the last of each.
    pub(super) fn meant(&self, wanted: &Wanted) -> Result<Vec<(HostName, BackupRecord)>, CommandError> {
        let mut meant = Vec::new();
        for (host, records) in &self.records {
            if let Some(name) = &wanted.backup {
                meant.extend(
                    records.iter().filter(|record| record.name == *name).map(|one| (host.clone(), one.clone())),
                );
                continue;
            }
            let tables: BTreeSet<&ObjectName> = records.iter().map(|record| &record.table).collect();
            let chosen =
                |table: &&ObjectName| wanted.table.is_empty() || wanted.table.iter().any(|text| is_table(table, text));
            for table in tables.into_iter().filter(chosen) {
                // A table that went over to another replica is there with its last backup only.
                let has = |host: &HostName| self.assignment.get(host).is_some_and(|tables| tables.contains(table));
                let own = records.iter().filter(|record| record.table == *table);
                if let (true, Some(last)) = (has(host), latest(own)) {
                    meant.push((host.clone(), last.clone()));
                }
            }
        }
        if meant.is_empty() && self.without.is_empty() {
            return Err(CommandError::hinted("there is no such backup", "`housewright backup list` shows them all"));
        }
        Ok(meant)
    }

    /// Tries each on its host, at most `--forks` hosts at a time, one after the other on each; a host that cannot be reached is an
    /// attempt that failed.
    pub(super) fn attempt(
        &self,
        global: &Global,
        meant: &[(HostName, BackupRecord)],
        work: &Work,
    ) -> Result<Vec<Attempt>, CommandError> {
        let endpoints = self.project.endpoints(&self.project.passwords_of_servers()?);
        let mut by_host: BTreeMap<&HostName, Vec<&BackupRecord>> = BTreeMap::new();
        for (host, record) in meant {
            by_host.entry(host).or_default().push(record);
        }
        self.project.enter_network()?;
        let (sink, transport) = (output::sink(global, Events::AreProgress), transport(BTreeMap::new(), None));
        let (sink, transport) = (&*sink, &transport);
        let attempts = block_on(async {
            let each = by_host.into_iter().map(|(name, records)| {
                let (host, endpoint) = (self.project.fleet.hosts.get(name), endpoints.get(name));
                async move {
                    let failed = |why: &str| {
                        let of = |record: &&BackupRecord| Attempt {
                            host: name.clone(),
                            record: (*record).clone(),
                            outcome: Err(why.to_owned()),
                        };
                        records.iter().map(of).collect::<Vec<_>>()
                    };
                    let (Some(host), Some(endpoint)) = (host, endpoint) else { return failed("it runs no ClickHouse") };
                    let session = match lasting::connect(transport, host, Patience::FIRST, sink).await {
                        Ok(session) => session,
                        Err(error) => return failed(&chain(&error)),
                    };
                    let clickhouse = session.clickhouse(endpoint);
                    let mut attempts = Vec::new();
                    for (number, record) in records.iter().enumerate() {
                        let id = format!("{}-{number}", work.id);
                        let trier = Trier { clickhouse: &*clickhouse, limit: work.limit, id: &id };
                        let outcome = work.of(&trier, record, &id).await;
                        attempts.push(Attempt { host: name.clone(), record: (*record).clone(), outcome });
                    }
                    session.close().await;
                    attempts
                }
            });
            futures_util::stream::iter(each).buffered(global.forks.max(1)).collect::<Vec<_>>().await
        })?;
        Ok(attempts.into_iter().flatten().collect())
    }
}

/// Which backups are meant.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Wanted {
    /// Only of this table; `events` is `default.events`
    #[arg(long, value_name = "TABLE")]
    table: Vec<String>,
    /// This one, by its name in `backup list`, and not the last one of each table
    #[arg(long, value_name = "NAME", conflicts_with = "table")]
    backup: Option<String>,
}

/// What is done with each.
pub(super) struct Work {
    pub id: String,
    pub limit: Duration,
    pub what: What,
}

/// How far it goes.
pub(super) enum What {
    Try(Depth),
    Live { more_rows: bool },
}

impl Work {
    async fn of(
        &self,
        trier: &Trier<'_>,
        record: &BackupRecord,
        id: &str,
    ) -> Result<Option<crate::apply::Tried>, String> {
        let trial = Trial::new(id, record);
        match self.what {
            What::Try(depth) => trier.attempt(&trial, record, depth).await,
            What::Live { more_rows } => {
                let live = trier.restore_live(&trial, more_rows).await?;
                let verdict = crate::backup::Verdict::of(live, live, record);
                Ok(Some(crate::apply::Tried { back: live, live, verdict }))
            }
        }
    }
}

/// The id of this run: the time and the process, so that two that begin together have two.
pub(super) fn id() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    format!("{}x{}", since.as_secs(), std::process::id())
}

fn is_table(table: &ObjectName, text: &str) -> bool {
    let ObjectName::Relation { database, name } = table else { return false };
    text == table.to_string() || text == format!("{database}.{name}")
}
