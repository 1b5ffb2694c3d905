//! What servers answered to one question: one table with a column for the host (pure).
//!
//! Hosts without rows are told apart; a terminal never obeys what a server answers.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::hosts::count;
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use super::table::{Side, lines};
use crate::clickhouse::Rows;
use crate::fleet::HostName;
use crate::observe::{NoRows, Said};

/// How the values of a row are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separated {
    /// By commas ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).
    Commas,
    /// By tabs, with ClickHouse's own escapes.
    Tabs,
}

/// Answers, and how many rows of each are shown.
pub struct Asking<'a> {
    /// What was said, group by group.
    pub said: &'a [Said],
    /// The most rows of one host.
    pub most: usize,
}

impl<'a> Asking<'a> {
    /// Who has rows, in the order of hosts.
    fn rows(&self) -> Vec<(&'a HostName, &'a Rows)> {
        let all = self.said.iter().flatten();
        let mut rows: Vec<_> = all.filter_map(|(host, answer)| Some((host, answer.as_ref().ok()?))).collect();
        rows.sort_by_key(|(host, _)| *host);
        rows
    }

    /// Who has none, and why.
    fn without(&self) -> Vec<(&'a HostName, &'a NoRows)> {
        let all = self.said.iter().flatten();
        let mut without: Vec<_> = all.filter_map(|(host, answer)| Some((host, answer.as_ref().err()?))).collect();
        without.sort_by_key(|(host, _)| *host);
        without
    }

    fn shown(&self, rows: &'a Rows) -> &'a [Vec<Value>] {
        rows.rows.get(..self.most).unwrap_or(&rows.rows)
    }

    /// Hosts that have more rows than are shown.
    fn cut(&self) -> Vec<&'a HostName> {
        self.rows().into_iter().filter(|(_, rows)| rows.len() > self.most).map(|(host, _)| host).collect()
    }

    /// Lists of columns, each once: servers of several versions may have several.
    fn columns(&self) -> Vec<&'a [String]> {
        let mut seen = BTreeSet::new();
        let all = self.rows().into_iter().map(|(_, rows)| rows.columns.as_slice());
        all.filter(|columns| !columns.is_empty() && seen.insert(*columns)).collect()
    }

    /// For people.
    #[must_use]
    pub fn text(&self, width: Option<usize>) -> String {
        let mut out = String::new();
        for columns in self.columns() {
            let of = |(_, rows): &(&HostName, &Rows)| rows.columns.as_slice() == columns;
            let answers: Vec<_> = self.rows().into_iter().filter(of).collect();
            let mut heading = vec![("host".to_owned(), Side::Left)];
            heading.extend(columns.iter().enumerate().map(|(at, name)| {
                let mut cells = answers.iter().flat_map(|(_, rows)| self.shown(rows)).filter_map(|row| row.get(at));
                let numbers = cells.all(|cell| cell.is_number() || cell.is_null());
                (printable(name), if numbers { Side::Right } else { Side::Left })
            }));
            let row = |host: &HostName, row: &Vec<Value>| {
                std::iter::once(host.to_string()).chain(row.iter().map(|cell| printable(&text(cell)))).collect()
            };
            let rows: Vec<Vec<String>> =
                answers.iter().flat_map(|(host, rows)| self.shown(rows).iter().map(|cells| row(host, cells))).collect();
            if !rows.is_empty() {
                for line in lines(&heading, &rows, width) {
                    let _ = writeln!(out, "{line}");
                }
                out.push('\n');
            }
        }
        for (host, why) in self.without() {
            let _ = writeln!(out, "{} {host}: {}", paint(BAD, "x"), printable(why.reason()));
        }
        for host in self.cut() {
            let _ = writeln!(out, "{} {host}: has more than {} rows (`--rows N`)", paint(WARN, "!"), self.most);
        }
        let (with, without) = (self.rows(), self.without());
        let rows: usize = with.iter().map(|(_, rows)| self.shown(rows).len()).sum();
        let mut parts = vec![paint(GOOD, format!("{} of {}", count(rows, "row"), count(with.len(), "host")))];
        if !without.is_empty() {
            parts.push(paint(BAD, format!("{} without an answer", count(without.len(), "host"))));
        }
        let note =
            if rows == 0 && without.is_empty() { paint(QUIET, " (no rows is an answer)") } else { String::new() };
        let _ = writeln!(out, "{} {}{note}", paint(HEAD, "sql:"), parts.join(", "));
        out
    }

    /// The same as data: rows as objects, as ClickHouse's `JSON` format has them.
    #[must_use]
    pub fn data(&self) -> Value {
        let object = |columns: &[String], row: &[Value]| -> Map<String, Value> {
            columns.iter().cloned().zip(row.iter().cloned()).collect()
        };
        let mut hosts = Map::new();
        for (host, rows) in self.rows() {
            let all: Vec<_> = self.shown(rows).iter().map(|row| object(&rows.columns, row)).collect();
            hosts.insert(host.to_string(), json!({ "rows": all, "more": rows.len() > self.most }));
        }
        for (host, why) in self.without() {
            let reached = matches!(why, NoRows::Refused(_));
            hosts.insert(host.to_string(), json!({ "error": why.reason(), "reached": reached }));
        }
        json!({ "hosts": hosts })
    }

    /// The same for a program that reads tables; hosts without rows are not in it.
    #[must_use]
    pub fn separated(&self, by: Separated) -> String {
        let mut out = String::new();
        for columns in self.columns() {
            let heading = std::iter::once("host".to_owned()).chain(columns.iter().cloned());
            line(&mut out, by, heading);
            for (host, rows) in self.rows().iter().filter(|(_, rows)| rows.columns.as_slice() == columns) {
                for row in self.shown(rows) {
                    line(&mut out, by, std::iter::once(host.to_string()).chain(row.iter().map(|cell| value(cell, by))));
                }
            }
        }
        out
    }

    /// Hosts that were asked and have more rows, and those without any, as lines for the person.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let without = self.without().into_iter().map(|(host, why)| format!("{host}: {}", printable(why.reason())));
        let cut = self.cut().into_iter().map(|host| format!("{host}: has more than {} rows (`--rows N`)", self.most));
        without.chain(cut).collect()
    }
}

fn text(cell: &Value) -> String {
    match cell {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// One line each, and nothing that a terminal would obey.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

/// NULL is an empty value between commas, and `\N` between tabs, as ClickHouse writes it.
fn value(cell: &Value, by: Separated) -> String {
    match (cell, by) {
        (Value::Null, Separated::Commas) => String::new(),
        (Value::Null, Separated::Tabs) => "\\N".to_owned(),
        (cell, Separated::Commas) => text(cell),
        (cell, Separated::Tabs) => text(cell).replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n"),
    }
}

fn line(out: &mut String, by: Separated, cells: impl Iterator<Item = String>) {
    let cells = cells.map(|cell| match by {
        Separated::Commas if cell.contains([',', '"', '\n', '\r']) => format!("\"{}\"", cell.replace('"', "\"\"")),
        Separated::Commas | Separated::Tabs => cell,
    });
    let separator = match by {
        Separated::Commas => ",",
        Separated::Tabs => "\t",
    };
    out.push_str(&cells.collect::<Vec<_>>().join(separator));
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Vec<Said> {
        let rows = |rows: Vec<Vec<Value>>| Rows { columns: vec!["name".to_owned(), "n".to_owned()], rows };
        let host = |name: &str| HostName::new(name).unwrap();
        vec![
            vec![(host("data-2"), Ok(rows(vec![vec![json!("a,\"b\"\n\u{1b}[31m"), json!(12)]])))],
            vec![
                (host("data-0"), Err(NoRows::Unreachable("no route".to_owned()))),
                (host("data-1"), Ok(rows(vec![vec![json!("x"), json!(null)], vec![json!("y"), json!(3)]]))),
            ],
        ]
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn one_table_with_a_host_column_and_who_has_no_rows_beside_it() {
        let said = said();
        insta::assert_snapshot!(plain(&Asking { said: &said, most: 1 }.text(None)), @r#"
        host    name             n
        data-1  x             NULL
        data-2  a,"b"\n�[31m    12

        x data-0: no route
        ! data-1: has more than 1 rows (`--rows N`)
        sql: 2 rows of 2 hosts, 1 host without an answer
        "#);
    }

    #[test]
    fn data_keeps_what_a_terminal_would_not_be_shown() {
        let said = said();
        let asking = Asking { said: &said, most: 5 };
        assert_eq!(asking.data()["hosts"]["data-2"]["rows"][0]["name"], "a,\"b\"\n\u{1b}[31m");
        assert_eq!(asking.data()["hosts"]["data-0"], json!({ "error": "no route", "reached": false }));
        let commas = asking.separated(Separated::Commas);
        assert_eq!(commas, "host,name,n\ndata-1,x,\ndata-1,y,3\ndata-2,\"a,\"\"b\"\"\n\u{1b}[31m\",12\n");
        let tabs = asking.separated(Separated::Tabs);
        assert!(tabs.contains("data-1\tx\t\\N\n") && tabs.contains("data-2\ta,\"b\"\\n"), "{tabs}");
    }
}
