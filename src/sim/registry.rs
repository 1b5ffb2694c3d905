//! The replicas that the simulated coordination knows, and what servers say and do about them (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;

use super::server::exception;
use super::{SimServer, World};
use crate::clickhouse::{ClickHouseError, Rows, Statement, TokenKind, lex, quote_text, split, unquote};
use crate::fleet::{HostName, RoleName};
use crate::problem::Source;
use crate::resource::Place;
use crate::schema::{ObjectName, ObservedObject, read_live};

/// A replica as the coordination has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimReplica {
    /// Whose server made it.
    pub host: Option<HostName>,
    /// What it is called there.
    pub table: Option<ObjectName>,
    /// The server's id.
    pub creator: String,
    /// The names of its parts.
    pub parts: BTreeSet<String>,
    /// Somebody else has its session.
    pub taken: bool,
}

/// A replica that the coordination was told to forget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// Whose it was.
    pub host: Option<HostName>,
    /// What it was called there.
    pub table: Option<ObjectName>,
    /// It had a session.
    pub active: bool,
    /// What no other replica has whose server takes writes.
    pub lost: BTreeSet<String>,
    /// Its server had the table.
    pub had_table: bool,
}

/// By the table's path and the replica's name.
pub type Registry = BTreeMap<(String, String), SimReplica>;

type Answer = Result<Rows, ClickHouseError>;

impl World {
    /// What a host's server answers about replicas; nothing where the statement is of something else, or changes more than these.
    pub(super) fn coordination(&mut self, name: &HostName, statement: &Statement) -> Option<Answer> {
        let text = statement.text();
        let server = self.hosts.get(name)?.server.as_ref()?;
        if server.refuses.as_ref().is_some_and(|refused| text.contains(refused.as_str())) {
            return None;
        }
        if text.contains("AS registered, name FROM system.zookeeper") {
            return Some(Ok(self.about_registered(text)));
        }
        if text.contains("AS creator") {
            return Some(Ok(self.about_here(server, text)));
        }
        if text.contains("AS few, ") {
            return Some(Ok(self.about_peer(name, server, text)));
        }
        if let Some(rest) = text.strip_prefix("SYSTEM DROP REPLICA ") {
            return Some(self.forget(name, rest));
        }
        if let Some(object) = created(statement) {
            return self.register(name, &object);
        }
        if text.starts_with("DROP TABLE ") {
            let full = |table: &ObjectName| server.rows.get(table).is_some_and(|(rows, _)| *rows > 0);
            let stays = |table: &ObjectName| text.contains(" IF EMPTY ") && full(table);
            let gone = |replica: &SimReplica| {
                replica.host.as_ref() == Some(name)
                    && replica.table.as_ref().is_some_and(|table| super::objects::names(text, table) && !stays(table))
            };
            let gone: Vec<_> =
                self.registry.iter().filter(|(_, replica)| gone(replica)).map(|(key, _)| key.clone()).collect();
            gone.iter().for_each(|key| drop(self.registry.remove(key)));
        }
        None
    }

    /// Whether a replica has a session.
    fn is_active(&self, replica: &SimReplica) -> bool {
        replica.taken || self.has_table(replica)
    }

    /// Whether the server that made a replica runs and has its table.
    fn has_table(&self, replica: &SimReplica) -> bool {
        let server = replica.host.as_ref().and_then(|host| self.hosts.get(host)?.server.as_ref());
        server.is_some_and(|server| {
            server.up && server.objects.iter().any(|object| Some(&object.name) == replica.table.as_ref())
        })
    }

    fn about_registered(&self, text: &str) -> Rows {
        let is_asked = |(path, replica): &&(String, String)| {
            text.contains(&format!("({}, {})", quote_text(&format!("{path}/replicas")), quote_text(replica)))
        };
        let row = |(path, replica): &(String, String)| vec![json!(format!("{path}/replicas")), json!(replica)];
        rows(&["registered", "name"], self.registry.keys().filter(is_asked).map(row).collect())
    }

    /// The replica whose path and what follows it a statement speaks of.
    fn spoken_of(&self, text: &str, behind: &str) -> Option<(&(String, String), &SimReplica)> {
        self.registry
            .iter()
            .find(|((path, replica), _)| text.contains(&quote_text(&format!("{path}/replicas/{replica}{behind}"))))
    }

    fn about_here(&self, server: &SimServer, text: &str) -> Rows {
        let texts: Vec<String> = lex(text)
            .iter()
            .filter(|token| token.kind == TokenKind::Text)
            .map(|token| unquote(token.text(text)))
            .collect();
        // A question about the answer has a text before them.
        let asks = text.starts_with("SELECT objects = 0 AND ");
        let at = usize::from(asks);
        let table =
            texts.get(at).zip(texts.get(at + 1)).map(|(database, name)| ObjectName::relation(Some(database), name));
        let detached = server.flow.detached.iter().map(|(object, _)| &object.name);
        let all = server.objects.iter().map(|object| &object.name).chain(detached);
        let objects = all.filter(|name| Some(*name) == table.as_ref()).count();
        let creator = self.spoken_of(text, "").map(|(_, replica)| replica.creator.clone()).unwrap_or_default();
        if asks {
            let empty = objects == 0 && !creator.is_empty() && creator != server.id;
            return rows(&["answer"], vec![vec![json!(u8::from(empty))]]);
        }
        rows(&["objects", "server", "creator"], vec![vec![json!(objects), json!(server.id), json!(creator)]])
    }

    fn about_peer(&self, name: &HostName, server: &SimServer, text: &str) -> Rows {
        let asks = text.starts_with("SELECT count() = 1 FROM ");
        let none = || if asks { rows(&["answer"], vec![vec![json!(0)]]) } else { Rows::default() };
        let Some(((path, _), gone)) = self.spoken_of(text, "/parts") else { return none() };
        let own = |((of, _), replica): &(&(String, String), &SimReplica)| {
            of == path && replica.host.as_ref() == Some(name) && self.has_table(replica)
        };
        let Some((_, own)) = self.registry.iter().find(own) else { return none() };
        let lacks: Vec<&String> = gone.parts.difference(&own.parts).collect();
        let digest = lacks.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(" ");
        let (away, active) = (server.readonly() > 0, self.is_active(gone));
        if asks {
            let same = text.contains(&format!(" AND lost = {} AND parts = {} AND ", server.lost, lacks.len()))
                && text.contains(&format!(" AND digest = {}", quote_text(&digest)));
            let limit = text.rsplit_once(" AND delay <= ").and_then(|(_, limit)| limit.parse::<u64>().ok());
            let yes = same && !away && !active && limit.is_none_or(|limit| server.delay <= limit);
            return rows(&["answer"], vec![vec![json!(u8::from(yes))]]);
        }
        let table = match &own.table {
            Some(ObjectName::Relation { database, name }) => [database.clone(), name.clone()],
            _ => return none(),
        };
        let few: Vec<_> = lacks.iter().take(3).collect();
        let cells = vec![
            json!(table[0]),
            json!(table[1]),
            json!(u8::from(away)),
            json!(server.delay),
            json!(server.lost),
            json!(u8::from(active)),
            json!(lacks.len()),
            json!(few),
            json!(digest),
        ];
        rows(&["database", "table", "away", "delay", "lost", "active", "parts", "few", "digest"], vec![cells])
    }

    /// Measured on 25.8: one that is active or the server's own is refused, one that is not there is none of its business.
    fn forget(&mut self, name: &HostName, rest: &str) -> Answer {
        let Some((replica, table)) = rest.split_once(" FROM TABLE ") else {
            return Err(exception(62, "SYNTAX_ERROR", "from which table?"));
        };
        let tokens = lex(table);
        let words: Vec<String> = tokens.iter().map(|token| unquote(token.text(table))).collect();
        let table = match words.as_slice() {
            [database, _, table, ..] => ObjectName::relation(Some(database), table),
            _ => return Err(exception(62, "SYNTAX_ERROR", "from which table?")),
        };
        let own = |replica: &SimReplica| replica.host.as_ref() == Some(name) && replica.table.as_ref() == Some(&table);
        let Some((path, own)) =
            self.registry.iter().find(|(_, replica)| own(replica)).map(|((path, own), _)| (path.clone(), own.clone()))
        else {
            return Err(exception(60, "UNKNOWN_TABLE", format!("Table {table} does not exist")));
        };
        let key = (path, unquote(replica));
        if key.1 == own {
            return Err(exception(
                305,
                "TABLE_WAS_NOT_DROPPED",
                "We can't drop local replica, please use `DROP TABLE`",
            ));
        }
        let Some(gone) = self.registry.get(&key).cloned() else { return Ok(Rows::default()) };
        let active = self.is_active(&gone);
        let here = |other: &SimReplica| {
            let server = other.host.as_ref().and_then(|host| self.hosts.get(host)?.server.as_ref());
            self.has_table(other) && server.is_some_and(|server| server.readonly() == 0)
        };
        let others =
            self.registry.iter().filter(|((path, replica), other)| *path == key.0 && *replica != key.1 && here(other));
        let kept: BTreeSet<String> = others.flat_map(|(_, other)| other.parts.iter().cloned()).collect();
        let lost = gone.parts.difference(&kept).cloned().collect();
        let had_table = self.has_table(&gone);
        self.forgotten.push(Forgotten { host: gone.host.clone(), table: gone.table.clone(), active, lost, had_table });
        if active {
            return Err(exception(
                305,
                "TABLE_WAS_NOT_DROPPED",
                format!("Can't drop replica: {}, because it's active", key.1),
            ));
        }
        self.registry.remove(&key);
        Ok(Rows::default())
    }

    /// A replica of a name that is taken is refused; another one fetches what the others have.
    fn register(&mut self, name: &HostName, object: &ObservedObject) -> Option<Answer> {
        let server = self.hosts.get(name)?.server.as_ref()?;
        if server.objects.iter().any(|live| live.name == object.name) || server.hides(&object.name) {
            return None;
        }
        let read = read_live(object, &RoleName::new("sim").ok()?)?;
        let place = Place::of(&read, &server.loaded.macros)?;
        let key = (place.path.clone(), place.replica.clone());
        if self.registry.contains_key(&key) {
            let message = format!("Replica {}/replicas/{} already exists.", place.path, place.replica);
            return Some(Err(exception(253, "REPLICA_ALREADY_EXISTS", message)));
        }
        let others = self.registry.iter().filter(|((path, _), other)| *path == place.path && self.is_active(other));
        let parts = others.flat_map(|(_, other)| other.parts.iter().cloned()).collect();
        let replica = SimReplica {
            host: Some(name.clone()),
            table: Some(object.name.clone()),
            creator: server.id.clone(),
            parts,
            taken: false,
        };
        self.registry.insert(key, replica);
        None
    }
}

/// The replicated table that a statement makes.
fn created(statement: &Statement) -> Option<ObservedObject> {
    if !statement.text().trim_start().starts_with("CREATE TABLE") {
        return None;
    }
    let source = Arc::new(Source { name: String::new(), text: statement.text().to_owned() });
    let crate::clickhouse::Head::Create(create) = split(&source).first().map(crate::clickhouse::read_head)? else {
        return None;
    };
    let object = super::server::observed(&create, statement);
    object.engine.starts_with("Replicated").then_some(object)
}

fn rows(columns: &[&str], rows: Vec<Vec<serde_json::Value>>) -> Rows {
    Rows { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
}
