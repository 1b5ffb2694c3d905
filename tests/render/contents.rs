//! Rules that the roles' SQL keeps; a real server is asked elsewhere.

use std::collections::BTreeMap;
use std::fs;

use super::fleets::root;

/// Each SQL file below `roles/`, by `role/file`, without comment lines.
fn statements() -> BTreeMap<String, String> {
    let mut statements = BTreeMap::new();
    for role in fs::read_dir(root().join("roles")).unwrap() {
        let role = role.unwrap().path();
        for file in fs::read_dir(role.join("schema")).into_iter().flatten() {
            let path = file.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let code: Vec<&str> = text.lines().filter(|line| !line.starts_with("--")).collect();
            let name = path.strip_prefix(root().join("roles")).unwrap().display().to_string();
            statements.insert(name, code.join("\n"));
        }
    }
    assert!(statements.len() >= 16);
    statements
}

/// What stands in quotes after `key = `.
fn setting<'a>(statement: &'a str, key: &str) -> Option<&'a str> {
    statement.split_once(&format!("{key} = '"))?.1.split('\'').next()
}

#[test]
fn each_file_is_one_statement_that_never_says_on_cluster() {
    for (name, text) in statements() {
        assert!(text.starts_with("CREATE ") && text.contains(" IF NOT EXISTS "), "{name}");
        assert!(text.trim_end().ends_with(';') && text.matches(';').count() == 1, "{name}");
        assert!(!text.to_uppercase().contains("ON CLUSTER"), "{name}");
    }
}

#[test]
fn no_two_kafka_tables_share_a_consumer_group() {
    let mut owners = BTreeMap::new();
    for (name, text) in statements() {
        if let Some(group) = setting(&text, "kafka_group_name") {
            assert_eq!(owners.insert(group.to_owned(), name.clone()), None, "{group} of {name}");
        }
    }
    assert_eq!(owners.len(), 5);
}

#[test]
fn the_stateless_tiers_store_nothing() {
    for (name, text) in statements() {
        assert_eq!(text.contains("MergeTree"), name.starts_with("data/") && !name.ends_with("/events.sql"), "{name}");
    }
}

/// As the talk has it: a change here moves existing tables to another Keeper path.
#[test]
fn the_groups_table_keeps_its_keeper_path() {
    let groups = &statements()["data/schema/groups.sql"];
    assert!(groups.contains(
        "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/posthog.groups', '{replica}', _timestamp)"
    ));
}
