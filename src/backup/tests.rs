//! What is told of backups by their records.

use std::collections::BTreeMap;

use serde_json::json;

use super::survey::{Complaint, TableBackups};
use super::*;
use crate::clickhouse::{Rows, Statement};
use crate::fleet::{Fleet, Host, HostName, Placement, Reach, RoleName, Vars};
use crate::schema::ObjectName;

const DAY: u64 = 24 * 3600;

fn name(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn fleet() -> Fleet {
    let mut fleet = Fleet::default();
    for (host, shard) in [("a", 1), ("b", 1), ("c", 2)] {
        let vars = json!({ "backup": { "disk": "d", "longest_chain": 3, "max_age": 26 }, "backup_tables": ["ev"] });
        let vars = Vars::from(vars.as_object().unwrap().clone());
        let placement = Placement::Storage { shard, replica: host.to_owned() };
        let role = RoleName::new("data").unwrap();
        let (fqdn, reach, zone) = (host.to_owned(), Reach::Member, None);
        fleet.hosts.insert(name(host), Host { name: name(host), role, placement, fqdn, zone, reach, vars });
    }
    fleet
}

fn record(host: &str, shard: u32, chain: &str, number: u64, age: u64, state: BackupState) -> BackupRecord {
    let path = |number: u64| format!("housewright/data/shard-{shard}/{host}/default.ev/{chain}/{number:03}");
    BackupRecord {
        name: path(number),
        table: ObjectName::relation(None, "ev"),
        kind: if number == 1 { Kind::Full } else { Kind::Incremental },
        chain: chain.to_owned(),
        number,
        base: if number == 1 { String::new() } else { path(number - 1) },
        place: Place::Disk("d".to_owned()),
        state,
        rows_before: 1,
        rows_after: 1,
        bytes: 1,
        complaint: if state == BackupState::Failed { "no room".to_owned() } else { String::new() },
        began: format!("{} d ago", age / DAY),
        age,
    }
}

fn look(records: Vec<BackupRecord>) -> TableBackups {
    let table = ObjectName::relation(None, "ev");
    let assignment = [(name("a"), [table].into())].into();
    let records = [(name("a"), records), (name("b"), Vec::new())].into();
    let mut all = survey(&fleet(), &assignment, &records);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn whole_days() -> Vec<BackupRecord> {
    let of = |chain, number, days| record("a", 1, chain, number, days * DAY + 60, BackupState::Done);
    vec![of("A", 1, 4), of("A", 2, 3), of("A", 3, 2), of("B", 1, 1), of("B", 2, 0)]
}

#[test]
fn a_table_with_a_backup_each_day_is_well() {
    let found = look(whole_days());
    assert_eq!(found.complaints, []);
    assert_eq!((found.chain, found.last_full.unwrap().number, found.last.unwrap().number), (2, 1, 2));
    let deleted = whole_days().into_iter().map(|one| {
        let state = if one.chain == "A" { BackupState::Deleted } else { one.state };
        BackupRecord { state, ..one }
    });
    assert_eq!(look(deleted.collect()).complaints, [], "what is removed was there in its time");
}

#[test]
fn days_without_a_backup_are_found() {
    let gap = |left: Vec<usize>| {
        let all = whole_days().into_iter().enumerate().filter(|(index, _)| left.contains(index));
        look(all.map(|(_, one)| one).collect()).complaints
    };
    let most = 26;
    assert_eq!(gap(vec![0, 1, 3, 4]), [Complaint::Gap { before: "1 d ago".to_owned(), hours: 48, most }]);
    assert_eq!(gap(vec![0, 1, 2, 3]), []);
    assert_eq!(gap(vec![0, 1, 2]), [Complaint::Old { hours: 48, most }]);
    assert_eq!(gap(vec![]), [Complaint::Never]);
    assert_eq!(
        gap(vec![3, 4, 0]),
        [Complaint::Gap { before: "1 d ago".to_owned(), hours: 72, most }],
        "an older chain counts for the days"
    );
}

#[test]
fn a_chain_that_is_too_long_or_lacks_one_is_found() {
    let mut long = whole_days();
    long.push(record("a", 1, "B", 3, 50, BackupState::Done));
    long.push(record("a", 1, "B", 4, 40, BackupState::Done));
    assert_eq!(look(long).complaints, [Complaint::Long { chain: "B".to_owned(), backups: 4, most: 3 }]);
    let broken: Vec<_> = whole_days().into_iter().filter(|one| (one.chain.as_str(), one.number) != ("B", 1)).collect();
    let missing = "housewright/data/shard-1/a/default.ev/B/001".to_owned();
    let found = look(broken.clone()).complaints;
    assert!(found.contains(&Complaint::Broken { missing: missing.clone() }), "{found:?}");
    assert_eq!(chain_of(broken.last().unwrap(), &broken), Err(missing));
    let all = whole_days();
    assert_eq!(chain_of(&all[2], &all).unwrap().len(), 3);
    // Two that name each other are no chain, and no loop.
    let mut ring = whole_days();
    ring[4].base = ring[4].name.clone();
    assert!(chain_of(&ring[4], &ring).is_err());
}

#[test]
fn what_died_or_failed_is_found_until_one_goes_well() {
    let with = |state, age| {
        let mut all = whole_days();
        all.push(BackupRecord { name: "p/x".to_owned(), ..record("a", 1, "B", 3, age, state) });
        look(all).complaints
    };
    assert_eq!(
        with(BackupState::Failed, 10),
        [Complaint::Failed { name: "p/x".to_owned(), why: "no room".to_owned() }]
    );
    assert_eq!(with(BackupState::Failed, 4000), [], "one went well since");
    assert_eq!(
        with(BackupState::Lost, 4000),
        [Complaint::Lost { name: "p/x".to_owned() }],
        "what it left is there still"
    );
    assert_eq!(with(BackupState::Running, 10), []);
}

#[test]
fn a_table_that_went_over_to_another_replica_keeps_its_past_and_another_shard_is_not_its_own() {
    let table = ObjectName::relation(None, "ev");
    let assignment: Assignment = [(name("b"), [table].into())].into();
    let mut elsewhere = record("a", 2, "Z", 1, 10, BackupState::Done);
    elsewhere.name = elsewhere.name.replace("shard-1", "shard-2");
    let records: BTreeMap<_, _> =
        [(name("a"), whole_days().into_iter().chain([elsewhere]).collect()), (name("b"), Vec::new())].into();
    let all = survey(&fleet(), &assignment, &records);
    assert_eq!(all[0].complaints, []);
    assert_eq!(all[0].last.as_ref().unwrap().chain, "B");
    // A host that did not answer is told elsewhere, and never as one without backups.
    assert_eq!(survey(&fleet(), &assignment, &[(name("a"), Vec::new())].into()), []);
}

#[test]
fn rows_are_read_and_what_is_not_ours_is_left_out() {
    let row = |kind: &str, state: &str, place: &str| {
        vec![
            json!("default"),
            json!("ev"),
            json!("n"),
            json!(kind),
            json!("C"),
            json!(1),
            json!(""),
            json!(place),
            json!(state),
            json!(1),
            json!(2),
            json!(3),
            json!(""),
            json!("2026-11-23 02:00:00"),
            json!("7"),
        ]
    };
    let columns: Vec<String> = RECORD_ROWS.iter().map(|name| (*name).to_owned()).collect();
    let rows = vec![
        row("full", "done", "disk:d"),
        row("half", "done", "disk:d"),
        row("full", "?", "disk:d"),
        row("full", "lost", "x"),
    ];
    let found = read(&Rows { columns: columns.clone(), rows }).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].age, found[0].rows_after, found[0].state), (7, 2, BackupState::Done));
    assert!(read(&Rows { columns: vec!["a".to_owned()], rows: vec![vec![json!(1)]] }).is_err());
    let asked: Vec<Statement> = vec![ask()];
    assert!(RECORD_ROWS.iter().all(|column| asked[0].text().contains(&format!(" AS {column}"))));
}
