//! What differs, and what mends it, on a real server: each object is made, changed in each thing that can be, mended by the
//! statements that the comparison gives, and compared again.
//!
//! One server on the loopback, without Keeper: replicated tables take the same statements on the lab's hosts.

#[path = "statements/cases.rs"]
mod cases;

use std::fs;
use std::path::Path;

use cases::{CASES, Case};
use housewright::clickhouse::Rows;
use housewright::fleet::RoleName;
use housewright::problem::Source;
use housewright::role::{PlacementKind, Role, SchemaFile};
use housewright::schema::{
    Class, Object, ObjectChange, ObservedObject, ROWS, Recorded, Records, Schema, diff, read_objects, statement,
};
use serde_json::Value;

use crate::keys::server::Server;

const CORPUS: &str = "tests/schema/corpus/corpus.sql";
const ANSWERS: &str = "tests/schema/corpus/corpus.jsonl";

fn server() -> Server {
    Server::start_with(include_str!("statements/config.xml"))
}

fn objects(sql: &str) -> Vec<Object> {
    let name = RoleName::new("data").unwrap();
    let source = Source { name: "data/schema/a.sql".to_owned(), text: sql.to_owned() }.into();
    let schema = vec![SchemaFile { role: name.clone(), source }];
    let role = Role { schema, ..Role::empty(name.clone(), PlacementKind::Storage) };
    let (schema, problems) = Schema::read_roles(&[(name.clone(), role)].into());
    assert_eq!(problems, vec![], "{sql}");
    schema.of(&name).to_vec()
}

fn rows(server: &Server) -> Vec<Vec<Value>> {
    let asked = format!("{} FORMAT JSONCompactEachRow", statement().text());
    server.sql(&asked).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn observed(rows: Vec<Vec<Value>>) -> Vec<ObservedObject> {
    read_objects(&Rows { columns: ROWS.iter().map(ToString::to_string).collect(), rows })
}

fn records(objects: &[Object], live_is_as_applied: bool) -> Records {
    let record = |object: &Object| Recorded {
        role: object.role.clone(),
        statement: object.statement.text().to_owned(),
        live_is_as_applied,
    };
    objects.iter().map(|object| (object.name.clone(), record(object))).collect()
}

/// A change in one line each: its kind, and each statement with its class.
fn told(changes: &[ObjectChange]) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes {
        match change {
            ObjectChange::Create(object) => lines.push(format!("create {}", object.name)),
            ObjectChange::Recreate { .. } => lines.push("recreate".to_owned()),
            ObjectChange::Held { hint, .. } => lines.push(format!("held: {hint}")),
            ObjectChange::Alter { operations, .. } => lines.extend(operations.iter().map(|operation| {
                let class = match operation.class {
                    Class::Metadata => "",
                    Class::Reattach => "reattach: ",
                    Class::Rewrites => "rewrites: ",
                    Class::Destroys => "destroys: ",
                };
                format!("{class}{}", operation.what)
            })),
        }
    }
    lines
}

fn why(changes: &[ObjectChange]) -> String {
    let lines = changes.iter().map(|change| match change {
        ObjectChange::Create(object) => format!("create {}", object.name),
        ObjectChange::Alter { object, why, .. }
        | ObjectChange::Recreate { object, why }
        | ObjectChange::Held { object, why, .. } => {
            format!("{}: {}", object.name, why.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Nothing differs for whoever has no record, a record and a live statement that moved, or one that did not.
fn nothing_differs(server: &Server, objects: &[Object]) -> Result<(), String> {
    let live = observed(rows(server));
    let none = [Records::new(), records(objects, true), records(objects, false)];
    match none.iter().map(|records| diff(objects, &live, records)).find(|changes| !changes.is_empty()) {
        None => Ok(()),
        Some(changes) => Err(format!("differs and should not: {}", why(&changes))),
    }
}

fn run(server: &Server, case: &Case) -> Result<(), String> {
    let sql = |text: &str| server.sql(text).map_err(|error| format!("{text}: {error}"));
    let (before, after) = (objects(case.before), objects(case.after));
    for object in &before {
        sql(object.statement.text())?;
    }
    for statement in case.rows {
        sql(statement)?;
    }
    nothing_differs(server, &before)?;
    let live = observed(rows(server));
    let known = records(&before, true);
    let changes = diff(&after, &live, &known);
    if told(&changes) != case.expected {
        return Err(format!("expected {:#?}, got {:#?}", case.expected, told(&changes)));
    }
    // Somebody else's hand on the object changes nothing of what is found, where the server's form tells it.
    if case.is_seen_on_the_server && told(&diff(&after, &live, &records(&before, false))) != case.expected {
        return Err(format!("by the server's form: {:#?}", told(&diff(&after, &live, &records(&before, false)))));
    }
    for change in changes {
        match change {
            ObjectChange::Alter { operations, .. } => {
                for operation in operations {
                    sql(operation.statement.text())?;
                }
            }
            ObjectChange::Recreate { object, .. } => {
                sql(&format!("DROP TABLE {} SYNC", object.name))?;
                sql(object.statement.text())?;
            }
            ObjectChange::Create(_) | ObjectChange::Held { .. } => return Ok(()),
        }
    }
    nothing_differs(server, &after)
}

#[test]
fn each_change_is_found_mended_and_gone() {
    let server = server();
    let mut wrong = Vec::new();
    for (number, case) in CASES.iter().enumerate() {
        if let Err(error) = run(&server, case) {
            wrong.push(format!("{number}: {}\n{error}", case.after));
        }
        for table in server.sql("SHOW TABLES").unwrap().lines() {
            let _ = server.sql(&format!("DROP TABLE `{table}` SYNC"));
            let _ = server.sql(&format!("DROP DICTIONARY `{table}` SYNC"));
        }
        let _ = server.sql("DROP FUNCTION IF EXISTS f");
    }
    let stuck =
        server.sql("SELECT count() FROM system.mutations WHERE NOT is_done AND latest_fail_reason != ''").unwrap();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
    assert_eq!(stuck, "0", "mutations that cannot end");
}

#[test]
fn the_recorded_corpus_is_the_servers() {
    let server = server();
    let profile =
        "<profiles><default><allow_experimental_statistics>1</allow_experimental_statistics></default></profiles>";
    server.put_users(profile).unwrap();
    let objects = objects(&fs::read_to_string(CORPUS).unwrap());
    // Without Keeper there are none of these.
    let (replicated, rest): (Vec<_>, Vec<_>) =
        objects.into_iter().partition(|object| object.engine_name().starts_with("Replicated"));
    for object in &rest {
        server.sql(object.statement.text()).unwrap_or_else(|error| panic!("{}: {error}", object.statement.text()));
    }
    let line = |row: &Vec<Value>| serde_json::to_string(row).unwrap();
    let now: Vec<String> = rows(&server).iter().map(line).collect();
    let recorded = fs::read_to_string(ANSWERS).unwrap();
    let is_kept = |row: &Vec<Value>| replicated.iter().any(|it| row.get(2) == Some(&it.name.to_string().into()));
    let kept = recorded.lines().map(|line| serde_json::from_str(line).unwrap()).filter(is_kept);
    let mut all: Vec<String> = now.into_iter().chain(kept.map(|row| line(&row))).collect();
    all.sort();
    let all = all.join("\n") + "\n";
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        fs::write(Path::new(ANSWERS), &all).unwrap();
    }
    assert!(fs::read_to_string(ANSWERS).unwrap() == all, "the server answers otherwise:\n{all}");
    nothing_differs(&server, &rest).unwrap();
}
