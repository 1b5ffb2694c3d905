//! Migrations on a real server: its record of them, what it does once, and what it tells of how that ended.
//!
//! One server on the loopback, with a log of queries.

use std::time::{Duration, Instant};

use housewright::clickhouse::{ClickHouse, ClickHouseError, Endpoint, Errand, HttpClickHouse, Statement};
use housewright::fleet::{HostName, RoleName};
use housewright::migration::recording::{self, Mark, Next};
use housewright::migration::{Migration, MigrationRecord, Outcome, Progress, read};
use housewright::observe::ask_migrations;
use housewright::problem::Source;
use housewright::role::{PlacementKind, Role, SchemaFile};

use crate::keys::server::Server;

const LOG: &str = "<query_log><database>system</database><table>query_log</table>\
                   <flush_interval_milliseconds>100</flush_interval_milliseconds></query_log>";

fn migration(text: &str) -> Migration {
    let role = RoleName::new("data").unwrap();
    let text = format!("-- housewright: once per host, limit 20s\n{text}");
    let source = Source { name: "0004_a.sql".to_owned(), text }.into();
    let migrations = vec![SchemaFile { role: role.clone(), source }];
    let role = Role { migrations, ..Role::empty(role, PlacementKind::Storage) };
    let found = read(&[(role.name.clone(), role)].into(), &[].into());
    assert_eq!(found.problems, []);
    found.roles.into_values().flatten().next().unwrap()
}

struct Host {
    server: Server,
    clickhouse: HttpClickHouse,
    name: HostName,
}

impl Host {
    fn new() -> Self {
        let config = include_str!("statements/config.xml").replace("</clickhouse>", &format!("{LOG}</clickhouse>"));
        let server = Server::start_with(&config);
        let endpoint = Endpoint { http_port: server.port(), user: "default".to_owned(), password: None };
        let clickhouse = HttpClickHouse::direct("127.0.0.1", &endpoint, Duration::from_secs(20));
        for statement in ["CREATE DATABASE housewright", recording::make().text(), recording::make().text()] {
            server.sql(statement).unwrap();
        }
        Self { server, clickhouse, name: HostName::new("a").unwrap() }
    }

    fn mark(&self, migration: &Migration, attempt: u32, done: u32, next: Next) {
        let mark = Mark { host: self.name.as_str(), attempt, done, next };
        self.server.sql(recording::write(migration, &mark).text()).unwrap();
    }

    fn says_yes(&self, question: &Statement) -> bool {
        self.server.sql(question.text()).unwrap().trim() == "1"
    }

    async fn run(&self, migration: &Migration, number: u32, attempt: u32) -> Result<(), ClickHouseError> {
        let statement = &migration.statements[number as usize - 1];
        let query_id = migration.query_id(number, attempt);
        self.clickhouse.run(&Errand { statement, query_id: &query_id, limit: Duration::from_secs(20) }).await
    }

    async fn record(&self, migration: &Migration) -> MigrationRecord {
        ask_migrations(&self.clickhouse, &self.name).await.unwrap().remove(&migration.id).unwrap()
    }

    /// What becomes of the statement that was begun, once the log has it.
    async fn outcome(&self, migration: &Migration) -> Outcome {
        let started = Instant::now();
        loop {
            match self.record(migration).await.outcome {
                Outcome::Unknown if started.elapsed() < Duration::from_secs(15) => {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                outcome => return outcome,
            }
        }
    }
}

#[tokio::test]
async fn the_record_is_what_was_written_last() {
    let host = Host::new();
    let migration = migration("OPTIMIZE TABLE a FINAL; OPTIMIZE TABLE b FINAL");
    let id = &migration.id;
    assert!(host.says_yes(&recording::ask_none(id)) && !host.says_yes(&recording::ask_done(id)));
    host.mark(&migration, 1, 0, Next::Announced);
    assert!(!host.says_yes(&recording::ask_none(id)) && host.says_yes(&recording::ask_begun(id, 1)));
    let first = host.record(&migration).await;
    assert_eq!((first.query.as_str(), first.progress, first.done, first.statements), ("", Progress::Begun, 0, 2));
    assert_eq!(first.checksum, migration.checksum);
    // A clock that went back: what is written last is the latest all the same.
    host.server.sql("INSERT INTO housewright.migrations SELECT * REPLACE(now64(6) + 3600 AS at) FROM housewright.migrations FINAL").unwrap();
    host.mark(&migration, 1, 1, Next::Sent);
    let second = host.record(&migration).await;
    assert_eq!((second.query, second.done), (migration.query_id(2, 1), 1));
    assert!(!host.says_yes(&recording::ask_stands(id, &first)));
    host.mark(&migration, 1, 2, Next::Nothing);
    assert!(host.says_yes(&recording::ask_done(id)));
    assert_eq!(host.record(&migration).await.progress, Progress::Done);
}

#[tokio::test]
async fn the_server_tells_how_what_was_begun_has_ended() {
    let host = Host::new();
    host.server.sql("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a").unwrap();
    let migration = migration(
        "INSERT INTO t SELECT number FROM numbers(3);
         INSERT INTO missing SELECT 1;
         INSERT INTO t SELECT throwIf(number = 5) FROM numbers(10) SETTINGS max_block_size = 1;
         INSERT INTO t SELECT sleepEachRow(1) FROM numbers(3) SETTINGS max_block_size = 1;
         ALTER TABLE t DELETE WHERE sleepEachRow(0.3) = 0 AND a > 0",
    );
    host.mark(&migration, 1, 0, Next::Sent);
    host.run(&migration, 1, 1).await.unwrap();
    assert_eq!(host.outcome(&migration).await, Outcome::Finished);

    host.mark(&migration, 1, 1, Next::Sent);
    assert!(matches!(host.run(&migration, 2, 1).await, Err(ClickHouseError::Exception { code: 60, .. })));
    let outcome = host.outcome(&migration).await;
    assert!(matches!(&outcome, Outcome::Refused(why) if why.contains("missing")), "{outcome:?}");

    host.mark(&migration, 1, 2, Next::Sent);
    assert!(matches!(host.run(&migration, 3, 1).await, Err(ClickHouseError::Exception { code: 395, .. })));
    let outcome = host.outcome(&migration).await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");

    // Whoever sends it goes away; the server goes on, refuses a second one of that name, and knows how it ended.
    host.mark(&migration, 1, 3, Next::Sent);
    let gone = tokio::time::timeout(Duration::from_millis(700), host.run(&migration, 4, 1)).await;
    assert!(gone.is_err());
    assert_eq!(host.record(&migration).await.outcome, Outcome::Running);
    assert!(matches!(host.run(&migration, 4, 1).await, Err(ClickHouseError::Exception { code: 216, .. })));
    while host.record(&migration).await.outcome == Outcome::Running {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(host.outcome(&migration).await, Outcome::Finished);

    host.mark(&migration, 1, 4, Next::Sent);
    host.run(&migration, 5, 1).await.unwrap();
    let left = host.server.sql("SELECT count() FROM system.mutations WHERE NOT is_done").unwrap();
    assert_eq!(left.trim(), "0", "a mutation is waited for");
}
