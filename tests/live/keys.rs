//! The table of disruptions is what a real server does: change the key, reload, read the setting back.
//!
//! What the table calls a reload must be taken; what it calls a restart must not be, or the table is needlessly dear.

#[path = "keys/cases.rs"]
mod cases;
#[path = "keys/server.rs"]
pub mod server;

use std::collections::BTreeSet;

use cases::{CASES, Case, Read, UNREADABLE};
use housewright::clickhouse::config::{ConfigDirectory, ConfigKeys, Disruption, HostSays, diff, disruption_of, rules};
use server::Server;

/// Settings that `system.server_settings` shows in another form than they are written, each with the reason.
const OTHERWISE: [(&str, &str); 5] = [
    ("backups_io_thread_pool_queue_size", "it is shown as at least the size of the pool"),
    ("max_server_memory_usage", "it is cut to the machine's memory"),
    ("allow_feature_tier", "it takes 0, 1 and 2"),
    ("s3queue_disable_streaming", "the server calls it changeable and does not change it; the table says restart"),
    ("cannot_allocate_thread_fault_injection_probability", "it is taken, and then no query has a thread to run in"),
];

/// What the table says of one change, without a host's own word.
fn cost(directory: ConfigDirectory, before: &str, after: &str) -> Disruption {
    let keys = |xml: &str| ConfigKeys::from_xml(&format!("<clickhouse>{xml}</clickhouse>")).unwrap();
    let silent = HostSays { settings: None, consumes: false };
    disruption_of(&diff(&keys(before), &keys(after)), directory, silent).0
}

#[test]
fn a_reload_takes_what_the_table_says_and_nothing_else() {
    let server = Server::start();
    let known: BTreeSet<&str> = include_str!("../../src/clickhouse/config/table/known.txt")
        .lines()
        .filter_map(|line| line.strip_prefix("setting ")?.split(' ').next())
        .collect();
    let (mut taken, mut left, mut wrong) = settings(&server, &known);
    for case in CASES {
        let took = take(&server, case);
        let said = cost(case.directory, case.before, case.after);
        match (took, said <= Disruption::Reload || case.tables_only) {
            (Ok(true), true) => taken += 1,
            (Ok(false), false) => left += 1,
            (Ok(took), _) => wrong.push(format!("{}: the table says {said}, the reload took it: {took}", case.name)),
            (Err(error), _) => wrong.push(format!("{}: {error}", case.name)),
        }
    }
    // Every key of the table is measured here, or says why it is not.
    let measured: BTreeSet<&str> = CASES.iter().map(|case| case.key).collect();
    for key in rules().flat_map(|rule| rule.keys) {
        let first = key.split('/').next().unwrap_or_default();
        let told =
            known.contains(first) || measured.contains(key) || UNREADABLE.iter().any(|(keys, _)| keys.contains(key));
        if !told {
            wrong.push(format!("{key}: neither measured nor excused"));
        }
    }
    let excused: usize = UNREADABLE.iter().map(|(keys, _)| keys.len()).sum::<usize>() + OTHERWISE.len();
    eprintln!("{taken} changes taken by a reload, {left} left to a restart, {excused} keys cannot be read back");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(taken >= 80 && left >= 170, "{taken} and {left}: something was not measured");
}

/// All first-level settings, by the server's own table.
fn settings(server: &Server, known: &BTreeSet<&str>) -> (usize, usize, Vec<String>) {
    let (mut taken, mut left, mut wrong) = (0, 0, Vec::new());
    let rows = server.sql("SELECT name, type, value FROM system.server_settings ORDER BY name").unwrap();
    for row in rows.lines() {
        let fields: Vec<&str> = row.split('\t').collect();
        let [name, kind, value] = fields[..] else { panic!("{row}") };
        if !known.contains(name) {
            wrong.push(format!("{name}: the list of settings does not have it"));
        }
        let next = match kind {
            "Bool" => if value == "1" { "0" } else { "1" }.to_owned(),
            "Float" | "Double" => "0.4".to_owned(),
            "String" | "GroupArrayActionWhenLimitReached" => continue,
            _ => (value.parse::<f64>().unwrap() as i64 + 3).to_string(),
        };
        if OTHERWISE.iter().any(|(otherwise, _)| *otherwise == name) {
            continue;
        }
        let xml = |value: &str| format!("<{name}>{value}</{name}>");
        let reload = server.put(&xml(&next));
        let is = server.sql(&format!("SELECT value FROM system.server_settings WHERE name = '{name}'")).unwrap();
        let took = is == next || matches!((is.parse::<f64>(), next.parse::<f64>()), (Ok(is), Ok(next)) if is == next);
        let said = cost(ConfigDirectory::Config, &xml(value), &xml(&next));
        match (took, said <= Disruption::Reload) {
            (true, true) => taken += 1,
            (false, false) => left += 1,
            _ => wrong.push(format!("{name}: the table says {said}; {value} -> {next} gave {is}; {reload:?}")),
        }
    }
    server.put("").unwrap();
    (taken, left, wrong)
}

/// Changes one key, and tells whether what is read changes with it.
fn take(server: &Server, case: &Case) -> Result<bool, String> {
    let read = |read: &Read| match read {
        Read::Sql(statements) => {
            let mut answer = String::new();
            for statement in *statements {
                answer = server.sql(statement).unwrap_or_else(|error| error);
            }
            answer
        }
        Read::Ports(ports) => ports.iter().map(|port| if server.listens(*port) { '+' } else { '-' }).collect(),
        Read::Http(port, path) => server.http(*port, path),
    };
    let put = |xml: &str| match case.directory {
        ConfigDirectory::Config => server.put(xml),
        ConfigDirectory::Users => server.put_users(xml),
    };
    put(case.before).map_err(|error| format!("before: {error}"))?;
    let before = read(&case.read);
    // A reload that fails has not taken it.
    let reload = put(case.after);
    let after = read(&case.read);
    put(case.back.unwrap_or("")).map_err(|error| format!("back: {error}"))?;
    if let (Err(error), true) = (&reload, before != after) {
        return Err(format!("the reload failed and changed something: {error}"));
    }
    Ok(before != after)
}
