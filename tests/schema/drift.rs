//! The objects of hosts against their roles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use housewright::fleet::HostName;
use housewright::observe::NoRows;
use housewright::report::schema_drift;
use housewright::schema::{ObjectName, ObservedObject, Schema, drift};
use serde_json::json;

use crate::fleet::{INGESTION, STORAGE, fleet};

fn relation(database: &str, name: &str, engine: &str, statement: &str) -> ObservedObject {
    let name = ObjectName::relation(Some(database), name);
    ObservedObject { name, engine: engine.to_owned(), create_query: statement.to_owned() }
}

#[test]
fn drift_is_told_once_for_all_hosts_that_have_it() {
    let mut fleet = fleet(STORAGE, INGESTION);
    let (schema, problems) = Schema::read(&fleet);
    assert_eq!(problems, []);
    let engine = "ReplicatedReplacingMergeTree";
    let groups = relation("default", "groups", engine, &STORAGE.replace("groups\n(", "default.groups ("));
    let other = relation("default", "groups", engine, &STORAGE.replace("team_id Int64,\n", ""));
    let foreign = relation("default", "we ird", "Log", "CREATE TABLE default.`we ird` (`a` Int8) ENGINE = Log");
    let ours = relation("housewright", "objects", "ReplacingMergeTree", "");
    let collection = |name: &str| ObservedObject {
        name: ObjectName::Collection(name.to_owned()),
        engine: String::new(),
        create_query: String::new(),
    };
    let database = |name: &str| ObservedObject {
        name: ObjectName::Database(name.to_owned()),
        engine: "Atomic".to_owned(),
        create_query: String::new(),
    };
    for host in fleet.hosts.values_mut() {
        let collections = Arc::new(json!({ "warpstream_ingestion": {} }));
        host.vars.insert("clickhouse_named_collections".to_owned(), collections);
    }
    let everywhere =
        [database("default"), database("housewright"), ours, collection("warpstream_ingestion"), collection("by_hand")];
    let host = |name: &str, own: &[&ObservedObject]| {
        let objects = everywhere.iter().chain(own.iter().copied()).cloned().collect::<Vec<_>>();
        (HostName::new(name).unwrap(), objects)
    };
    let live = BTreeMap::from([
        host("data-1a", &[&groups]),
        host("data-1b", &[&other, &foreign]),
        host("data-2a", &[&other]),
        host("data-2b", &[]),
    ]);
    let found = drift(&fleet, &schema.roles, &live);
    let dead = (HostName::new("small-1").unwrap(), NoRows::Unreachable("no route".to_owned()));
    let text = schema_drift(&found, &BTreeMap::from([dead]), live.len());
    insta::assert_snapshot!(anstream::adapter::strip_str(&text).to_string(), @r"
    data
      + missing    groups  on 1 host: data-2b  roles/data/schema/all.sql:1:1
      ~ differs    groups  on 2 hosts: data-1b, data-2a  roles/data/schema/all.sql:1:1
          column team_id is missing: `Int64`
      ? unmanaged  collection by_hand  on 4 hosts: data-1a, data-1b, data-2a, data-2b
      ? unmanaged  `we ird` (Log)  on 1 host: data-1b

    x small-1: no route
    schema drift: 1 missing, 1 differing, 2 unmanaged, 1 host as the role wants, 1 host without an answer
    ");
    let whole: BTreeSet<&str> = found.iter().flat_map(|one| &one.hosts).map(HostName::as_str).collect();
    assert_eq!(whole.len(), 4);
}

#[test]
fn hosts_as_their_role_wants_have_no_drift() {
    let fleet = fleet(STORAGE, INGESTION);
    let (schema, _) = Schema::read(&fleet);
    let as_written = |objects: &[housewright::schema::Object]| {
        let live = |object: &housewright::schema::Object| ObservedObject {
            name: object.name.clone(),
            engine: match object.engine_name() {
                "" => "MaterializedView".to_owned(),
                engine => engine.to_owned(),
            },
            create_query: object.statement.text().to_owned(),
        };
        objects.iter().map(live).collect::<Vec<_>>()
    };
    let live = fleet.hosts.values().map(|host| (host.name.clone(), as_written(schema.of(&host.role)))).collect();
    assert_eq!(drift(&fleet, &schema.roles, &live), []);
}
