//! Objects of a simulated server that change: altered, dropped, carried to other replicas, and the record of them (edge).

use std::sync::Arc;

use serde_json::{Value, json};

use super::server::exception;
use super::{SimFleet, SimServer};
use crate::clickhouse::{ClickHouseError, Definition, Rows, Statement, StatementText, TokenKind, lex, split, unquote};
use crate::fleet::HostName;
use crate::problem::Source;
use crate::schema::recording::{self, RECORD_ROWS, key};
use crate::schema::{ObjectName, ObservedObject};

/// One row of `housewright.objects`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimRecord {
    /// Whose schema has it.
    pub role: String,
    /// As it was applied.
    pub statement: String,
    /// What the server had right after; stands for its digest.
    pub live: String,
    /// It was dropped.
    pub gone: bool,
}

type Answer = Result<Rows, ClickHouseError>;

impl SimServer {
    /// Does what is said of objects that are there, or of their record; nothing where the statement is another.
    pub(super) fn alters(&mut self, statement: &Statement) -> Option<Answer> {
        let text = statement.text();
        if *statement == recording::ask() {
            return Some(Ok(self.about_records()));
        }
        if let Some(answer) = self.migrates(statement) {
            return Some(answer);
        }
        if let Some(rest) = text.strip_prefix("INSERT INTO housewright.objects ") {
            return Some(self.recorded().map(|()| self.insert(rest)).map(|()| Rows::default()));
        }
        if text.contains("FROM system.zookeeper") {
            return Some(Ok(answer(self.follows())));
        }
        if text.starts_with("SELECT count() = 0 FROM system.mutations WHERE NOT is_done AND database = ") {
            let waits = self.mutations.keys().any(|name| names(text, name));
            return Some(Ok(answer(!waits)));
        }
        if text.starts_with("SELECT count() = 0 FROM system.tables WHERE database = ") {
            let holds = self.rows.iter().any(|(name, (rows, _))| *rows > 0 && names(text, name));
            return Some(Ok(answer(!holds)));
        }
        let tokens = words(text);
        match tokens.first().map(String::as_str) {
            Some("DROP") => Some(self.drop_object(&tokens)),
            Some("ALTER") => {
                let table = qualified("relation", words_after(&tokens, &["ALTER", "TABLE"])).map(|(name, _)| name);
                let may = table.map_or(Ok(()), |table| self.cannot_alter(&table));
                Some(may.and_then(|()| self.alter(&tokens)))
            }
            Some("CREATE") if tokens.get(1).is_some_and(|word| word == "OR") => Some(self.replace(text)),
            _ => None,
        }
    }

    /// Whether the table of records is there.
    fn recorded(&self) -> Result<(), ClickHouseError> {
        let table = recording::own_table();
        if self.objects.iter().any(|object| object.name == table) {
            return Ok(());
        }
        Err(exception(60, "UNKNOWN_TABLE", "Table housewright.objects does not exist"))
    }

    fn insert(&mut self, rest: &str) {
        let texts = |part: &str| -> Vec<String> {
            let texts = lex(part).into_iter().filter(|token| token.kind == TokenKind::Text);
            texts.map(|token| unquote(token.text(part))).collect()
        };
        let new = rest.split_once("arrayJoin([").and_then(|(_, rest)| rest.split_once("]) AS o) WHERE "));
        let renewed = rest.split_once(" VALUES ").map(|(_, values)| values);
        if let Some(values) = new.map(|(values, _)| values).or(renewed) {
            for row in texts(values).chunks_exact(6) {
                let [kind, database, name, role, statement, _] = row else { continue };
                let record = SimRecord { role: role.clone(), statement: statement.clone(), ..SimRecord::default() };
                let is_there = |name: &ObjectName| self.objects.iter().any(|object| object.name == *name);
                let name = named(kind, database, name).filter(|name| new.is_none() || !is_there(name));
                self.records.extend(name.map(|name| (name, record)));
            }
            return;
        }
        let gone = rest.contains("1 FROM housewright.objects FINAL");
        let (_, keys) = rest.rsplit_once(" IN (").unwrap_or_default();
        for row in texts(keys).chunks_exact(3) {
            let [kind, database, name] = row else { continue };
            let Some(name) = named(kind, database, name) else { continue };
            let live = self.objects.iter().find(|object| object.name == name).map(digest);
            match (self.records.get_mut(&name), live) {
                (Some(record), _) if gone => record.gone = true,
                (Some(record), Some(live)) if record.live.is_empty() => (record.live, record.gone) = (live, false),
                _ => {}
            }
        }
    }

    fn about_records(&self) -> Rows {
        let row = |(name, record): (&ObjectName, &SimRecord)| {
            let live = self.objects.iter().find(|object| object.name == *name).map(digest);
            let state = match live {
                None => "gone",
                Some(_) if record.live.is_empty() => "begun",
                Some(live) if live == record.live => "as-applied",
                Some(_) => "moved",
            };
            let (rows, bytes) = self.rows.get(name).copied().unwrap_or_default();
            let mutations = self.mutations.get(name).copied().unwrap_or_default();
            let [kind, database, name] = key(name);
            vec![
                json!(kind),
                json!(database),
                json!(name),
                json!(record.role),
                json!(record.statement),
                json!(state),
                json!(rows),
                json!(bytes),
                json!(mutations),
                json!(""),
            ]
        };
        let rows = self.records.iter().filter(|(_, record)| !record.gone).map(row).collect();
        Rows { columns: RECORD_ROWS.map(str::to_owned).to_vec(), rows }
    }

    /// Whether it has followed its replicas; each look brings it nearer.
    pub(super) fn follows(&mut self) -> bool {
        for (left, _) in &mut self.behind {
            *left = left.saturating_sub(1);
        }
        let (done, behind) = self.behind.drain(..).partition(|(left, _)| *left == 0);
        self.behind = behind;
        let done: Vec<(u64, Statement)> = done;
        for (_, statement) in done {
            let _ = self.alter(&words(statement.text()));
        }
        self.behind.is_empty()
    }

    fn drop_object(&mut self, tokens: &[String]) -> Answer {
        let rest = words_after(tokens, &["DROP"]);
        let (kind, rest) = match rest {
            [a, b, rest @ ..] if a == "NAMED" && b == "COLLECTION" => ("collection", rest),
            [a, rest @ ..] if a == "FUNCTION" => ("function", rest),
            [_, rest @ ..] => ("relation", rest),
            [] => return Err(exception(62, "SYNTAX_ERROR", "DROP what?")),
        };
        let exists = rest.first().is_some_and(|word| word == "IF");
        let rest = words_after(rest, &["IF", "EXISTS"]);
        let only_empty = rest.first().is_some_and(|word| word == "IF");
        let rest = words_after(rest, &["IF", "EMPTY"]);
        let Some((name, _)) = qualified(kind, rest) else { return Err(exception(62, "SYNTAX_ERROR", "DROP what?")) };
        if only_empty && self.rows.get(&name).is_some_and(|(rows, _)| *rows > 0) {
            return Err(exception(705, "TABLE_NOT_EMPTY", format!("Table {name} is not empty")));
        }
        let before = self.objects.len();
        self.objects.retain(|object| object.name != name);
        let rows = self.rows.remove(&name).map_or(0, |(rows, _)| rows);
        if before > self.objects.len() {
            self.took_hold(format!("drop {name}"));
            if rows > 0 {
                self.took_hold(format!("rows of {name} go"));
            }
        } else if !exists {
            return Err(exception(60, "UNKNOWN_TABLE", "Table does not exist"));
        }
        Ok(Rows::default())
    }

    /// Knows `ADD COLUMN [IF NOT EXISTS]`, `MODIFY COLUMN` and `MODIFY QUERY`; what else there is changes only what it
    /// tells of the object.
    fn alter(&mut self, tokens: &[String]) -> Answer {
        let rest = words_after(tokens, &["ALTER", "TABLE"]);
        let Some((name, rest)) = qualified("relation", rest) else {
            return Err(exception(62, "SYNTAX_ERROR", "ALTER what?"));
        };
        let Some(object) = self.objects.iter_mut().find(|object| object.name == name) else {
            return Err(exception(60, "UNKNOWN_TABLE", "Table does not exist"));
        };
        let settings = rest.iter().rposition(|word| word == "SETTINGS").filter(|at| *at > 1).unwrap_or(rest.len());
        let rest = rest.get(..settings).unwrap_or_default();
        let words: Vec<&str> = rest.iter().map(String::as_str).collect();
        let has = |column: &[&str]| {
            let name = column.first().map(|name| unquote(name));
            name.is_some_and(|name| definition(&object.create_query).is_some_and(|of| of.column(&name).is_some()))
        };
        let before = object.create_query.clone();
        object.create_query = match words.as_slice() {
            ["ADD", "COLUMN", "IF", "NOT", "EXISTS", column @ ..] if has(column) => before.clone(),
            ["ADD", "COLUMN", "IF", "NOT", "EXISTS", column @ ..] => with_column(&object.create_query, column),
            ["ADD", "COLUMN", column @ ..] if has(column) => {
                return Err(exception(
                    15,
                    "DUPLICATE_COLUMN",
                    "Cannot add column: column with this name already exists",
                ));
            }
            ["ADD", "COLUMN", column @ ..] => with_column(&object.create_query, column),
            ["MODIFY", "QUERY", query @ ..] => match object.create_query.split_once(" AS ") {
                Some((head, _)) => format!("{head} AS {}", query.join(" ")),
                None => object.create_query.clone(),
            },
            other => {
                let said = format!(" /* {} */", other.join(" "));
                let again = object.create_query.contains(&said);
                if again { before.clone() } else { before.clone() + &said }
            }
        };
        if object.create_query != before {
            self.took_hold(format!("{name}: {}", words.join(" ")));
        }
        Ok(Rows::default())
    }

    fn replace(&mut self, text: &str) -> Answer {
        let text = text.replacen("CREATE OR REPLACE", "CREATE", 1);
        let at = self.objects.iter().position(|object| text.contains(key(&object.name)[2]) && text.contains(" VIEW "));
        match at.and_then(|at| self.objects.get_mut(at)) {
            Some(object) => {
                object.create_query = text;
                Ok(Rows::default())
            }
            None => Err(exception(62, "SYNTAX_ERROR", "the simulated server replaces views only")),
        }
    }
}

impl SimFleet {
    /// What one replica was told of a replicated table, the others of its shard follow, some of them later.
    pub(super) fn carry(&self, host: &HostName, statement: &Statement) {
        if !statement.text().starts_with("ALTER TABLE") || statement.text().contains(" SETTING ") {
            return;
        }
        self.with(|world| {
            let Some(teller) = world.hosts.get(host).and_then(|host| host.server.as_ref()) else { return };
            let shard = teller.loaded.macros.get("shard").cloned();
            let role = teller.loaded.macros.get("hostClusterRole").cloned();
            let is_replicated = |object: &ObservedObject| {
                object.engine.starts_with("Replicated") && names(statement.text(), &object.name)
            };
            let Some(table) =
                teller.objects.iter().find(|object| is_replicated(object)).map(|object| object.name.clone())
            else {
                return;
            };
            for (name, other) in &mut world.hosts {
                let Some(server) = other.server.as_mut().filter(|_| name != host) else { continue };
                let same = server.loaded.macros.get("shard") == shard.as_ref()
                    && server.loaded.macros.get("hostClusterRole") == role.as_ref();
                if same && server.objects.iter().any(|object| object.name == table) {
                    server.behind.push((server.lags + 1, statement.clone()));
                }
            }
        });
    }
}

/// The tokens of a statement that mean something.
fn words(text: &str) -> Vec<String> {
    let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
    let of = |statement: &StatementText| statement.tokens.iter().map(|token| token.text(text).to_owned()).collect();
    split(&source).first().map(of).unwrap_or_default()
}

fn definition(text: &str) -> Option<Definition> {
    let source = Arc::new(Source { name: String::new(), text: text.to_owned() });
    split(&source).first().and_then(Definition::read)
}

/// Stands for the server's digest.
fn digest(object: &ObservedObject) -> String {
    format!("{} {}", object.engine, object.create_query)
}

fn answer(yes: bool) -> Rows {
    Rows { columns: vec!["answer".to_owned()], rows: vec![vec![Value::from(u8::from(yes))]] }
}

/// Whether a statement speaks of a table.
pub(super) fn names(text: &str, table: &ObjectName) -> bool {
    let tokens = lex(text);
    tokens.iter().any(|token| unquote(token.text(text)) == key(table)[2])
}

fn named(kind: &str, database: &str, name: &str) -> Option<ObjectName> {
    Some(match kind {
        "database" => ObjectName::Database(name.to_owned()),
        "relation" => ObjectName::relation(Some(database), name),
        "function" => ObjectName::Function(name.to_owned()),
        "collection" => ObjectName::Collection(name.to_owned()),
        _ => return None,
    })
}

/// What follows some words, where they stand there.
fn words_after<'t>(tokens: &'t [String], words: &[&str]) -> &'t [String] {
    let stand = words.iter().zip(tokens).all(|(word, token)| token.eq_ignore_ascii_case(word));
    if stand { tokens.get(words.len()..).unwrap_or_default() } else { tokens }
}

/// A name, and what follows.
fn qualified<'t>(kind: &str, tokens: &'t [String]) -> Option<(ObjectName, &'t [String])> {
    match tokens {
        [database, dot, name, rest @ ..] if dot == "." => {
            Some((named(kind, &unquote(database), &unquote(name))?, rest))
        }
        [name, rest @ ..] => Some((named(kind, "", &unquote(name))?, rest)),
        [] => None,
    }
}

/// Puts a column into a statement's list: behind the one that it names, else at the end.
fn with_column(create: &str, column: &[&str]) -> String {
    let place = column.iter().position(|word| *word == "AFTER" || *word == "FIRST").unwrap_or(column.len());
    let (definition, place) = column.split_at(place);
    let definition = definition.join(" ");
    let tokens = lex(create);
    let (mut depth, mut after, mut found) = (0_usize, None, false);
    for token in &tokens {
        let text = token.text(create);
        match text {
            "(" => {
                depth += 1;
                if depth == 1 && place.first() == Some(&"FIRST") {
                    let (head, tail) = create.split_at(token.range.end);
                    return format!("{head}{definition}, {tail}");
                }
            }
            ")" | "," if depth == 1 && (found || text == ")") => {
                after = Some(token.range.start);
                break;
            }
            ")" => depth = depth.saturating_sub(1),
            _ if depth == 1 && place.get(1).is_some_and(|behind| unquote(behind) == unquote(text)) => found = true,
            _ => {}
        }
    }
    match after {
        Some(at) => {
            let (head, tail) = create.split_at(at);
            format!("{head}, {definition}{tail}")
        }
        None => create.to_owned(),
    }
}
