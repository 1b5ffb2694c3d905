//! Statements as production schemas have them against what a ClickHouse 25.8 makes of them.

use std::collections::BTreeMap;

use housewright::clickhouse::Rows;
use housewright::schema::{ObjectChange, ObservedObject, ROWS, Recorded, Records, Schema, diff, read_objects};

use crate::fleet::{fleet, role_name};

const STATEMENTS: &str = include_str!("corpus/corpus.sql");
/// Recorded by the live test `statements::the_recorded_corpus_is_the_servers`.
const ANSWERS: &str = include_str!("corpus/corpus.jsonl");

fn observed() -> Vec<ObservedObject> {
    let rows = ANSWERS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    read_objects(&Rows { columns: ROWS.iter().map(ToString::to_string).collect(), rows })
}

fn told(changes: &[ObjectChange]) -> Vec<String> {
    let line = |change: &ObjectChange| match change {
        ObjectChange::Create(object) => format!("create {}", object.name),
        ObjectChange::Alter { object, why, .. }
        | ObjectChange::Recreate { object, why }
        | ObjectChange::Held { object, why, .. } => {
            format!("{}: {}", object.name, why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    };
    changes.iter().map(line).collect()
}

#[test]
fn what_was_created_from_the_same_text_does_not_differ() {
    let (schema, problems) = Schema::read(&fleet("", STATEMENTS));
    assert_eq!(problems, vec![]);
    let objects = schema.of(&role_name("ingestion-small"));
    assert!(objects.len() >= 80, "{}", objects.len());
    let none = told(&diff(objects, &observed(), &Records::new()));
    assert!(none.is_empty(), "{}", none.join("\n"));
    let record = |live_is_as_applied| -> Records {
        let record = |object: &housewright::schema::Object| Recorded {
            role: object.role.clone(),
            statement: object.statement.text().to_owned(),
            live_is_as_applied,
        };
        objects.iter().map(|object| (object.name.clone(), record(object))).collect::<BTreeMap<_, _>>()
    };
    for live_is_as_applied in [true, false] {
        let changes = told(&diff(objects, &observed(), &record(live_is_as_applied)));
        assert!(changes.is_empty(), "{}", changes.join("\n"));
    }
}
