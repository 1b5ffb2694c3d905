//! What a statement of a migration may be (pure).
//!
//! What the role's schema says is no migration's to change; and what leaves nothing behind, or takes the server away,
//! has no place in one.

use std::collections::BTreeSet;

use super::code;
use crate::clickhouse::{CreateKind, Head, StatementText, Token, TokenKind, WhenPresent, read_head, unquote};
use crate::problem::Problem;
use crate::schema::{OWN_DATABASE, ObjectName};

/// Why a statement has no place, and what to do instead.
type Refusal = (&'static str, String, &'static str);

const STATE: &str = "change the statement in the role's `schema/`; `housewright plan` shows what that means";

/// Looks at the statements of one file, in order.
pub(super) struct Judge<'a> {
    /// What the schemas of the role's hosts say.
    pub owned: &'a BTreeSet<&'a ObjectName>,
    /// What the file made before.
    pub made: BTreeSet<ObjectName>,
    /// A statement takes rows away that the file did not make.
    pub destroys: bool,
}

/// The significant tokens of one statement.
struct Words<'a> {
    text: &'a str,
    tokens: &'a [Token],
}

impl Words<'_> {
    /// The keyword at a place, in capitals.
    fn word(&self, at: usize) -> String {
        let token = self.tokens.get(at).filter(|token| token.kind == TokenKind::Word);
        token.map(|token| token.text(self.text).to_ascii_uppercase()).unwrap_or_default()
    }

    fn is_symbol(&self, at: usize, symbol: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Symbol && token.text(self.text) == symbol)
    }

    fn name(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        matches!(token.kind, TokenKind::Word | TokenKind::Quoted).then(|| unquote(token.text(self.text)))
    }

    /// `name` or `database.name` at a place, and the place behind it.
    fn qualified(&self, at: usize) -> Option<(ObjectName, usize)> {
        let first = self.name(at)?;
        match self.name(at + 2).filter(|_| self.is_symbol(at + 1, ".")) {
            Some(second) => Some((ObjectName::relation(Some(&first), &second), at + 3)),
            None => Some((ObjectName::relation(None, &first), at + 1)),
        }
    }

    /// All that could be a name of an object.
    fn mentioned(&self) -> BTreeSet<ObjectName> {
        let mut all = BTreeSet::new();
        for at in 0..self.tokens.len() {
            if let Some((name, _)) = self.qualified(at).filter(|_| at == 0 || !self.is_symbol(at - 1, ".")) {
                all.insert(name);
            }
            if let Some(name) = self.name(at) {
                all.extend([ObjectName::Database(name.clone()), ObjectName::Function(name.clone())]);
                all.insert(ObjectName::Collection(name));
            }
        }
        all
    }

    /// Places at which something begins that is in no bracket: the first, and those behind commas.
    fn parts(&self, from: usize) -> Vec<usize> {
        let (mut depth, mut starts) = (0_usize, vec![from]);
        for at in from..self.tokens.len() {
            match self.tokens.get(at).map(|token| (token.kind, token.text(self.text))) {
                Some((TokenKind::Symbol, "(" | "[" | "{")) => depth += 1,
                Some((TokenKind::Symbol, ")" | "]" | "}")) => depth = depth.saturating_sub(1),
                Some((TokenKind::Symbol, ",")) if depth == 0 => starts.push(at + 1),
                _ => {}
            }
        }
        starts
    }

    /// The cluster of `ON CLUSTER`; a join's `ON cluster = ...` is none.
    fn on_cluster(&self) -> Option<&Token> {
        let names = |at: usize| {
            let token = self.tokens.get(at)?;
            matches!(token.kind, TokenKind::Word | TokenKind::Quoted | TokenKind::Text).then_some(token)
        };
        (1..self.tokens.len()).find_map(|at| {
            let is = self.word(at - 1) == "ON" && self.word(at) == "CLUSTER";
            names(at + 1).filter(|_| is)?;
            self.tokens.get(at)
        })
    }
}

impl Judge<'_> {
    /// Says what is wrong with the next statement.
    pub fn look(&mut self, statement: &StatementText) -> Option<Problem> {
        let words = Words { text: &statement.span.source.text, tokens: &statement.tokens };
        if words.word(0) != "INSERT"
            && let Some(token) = words.on_cluster()
        {
            let message = "`ON CLUSTER` is refused: the statement goes to exactly the hosts that the header says";
            let span = statement.span_of(token);
            return Some(
                Problem::new(crate::schema::code::ON_CLUSTER, message).at(&span).hint("remove `ON CLUSTER ...`"),
            );
        }
        let (code, message, hint) = self.judge(statement, &words).err()?;
        let first = statement.tokens.first().map_or_else(|| statement.span.clone(), |token| statement.span_of(token));
        Some(Problem::new(code, message).at(&first).hint(hint))
    }

    fn judge(&mut self, statement: &StatementText, words: &Words<'_>) -> Result<(), Refusal> {
        let verb = words.word(0);
        let no_place = |message: String, hint| Err((code::NO_PLACE, message, hint));
        match verb.as_str() {
            "SET" | "USE" => {
                return no_place(
                    format!("`{verb}` has no effect: each statement of a migration has a session of its own"),
                    "write `SETTINGS ...` behind the statement, and databases before names",
                );
            }
            "CREATE" if words.word(1) == "TEMPORARY" => {
                return no_place(
                    "a temporary table is gone with its session, which is over with the statement".to_owned(),
                    "create a table of your own, and drop it in the last statement",
                );
            }
            "SELECT" | "SHOW" | "EXPLAIN" | "DESCRIBE" | "DESC" | "EXISTS" | "CHECK" => return reads_only(&verb),
            "WITH" if !(0..words.tokens.len()).any(|at| words.word(at) == "INSERT") => return reads_only(&verb),
            "SYSTEM" if takes_away(words) => {
                return no_place(
                    format!("`SYSTEM {}` takes the server, or a replica, away", words.word(1)),
                    "`housewright restart` restarts servers in an order that keeps their shards",
                );
            }
            "INSERT" if has_data(words) => {
                return no_place(
                    "`FORMAT` with data behind it is read by the client, and not by the server".to_owned(),
                    "write `INSERT INTO ... VALUES`, or `SELECT ... FROM url(...)`",
                );
            }
            _ => {}
        }
        let mentioned = words.mentioned();
        let is_own =
            |name: &ObjectName| matches!(name, ObjectName::Relation { database, .. } if database == OWN_DATABASE);
        if mentioned.iter().any(is_own) {
            return no_place(
                format!("`{OWN_DATABASE}` holds what Housewright remembers of the host"),
                "leave it alone; `housewright schema migrations` tells what is on record",
            );
        }
        match verb.as_str() {
            "CREATE" => self.create(statement)?,
            "ALTER" => self.alter(words)?,
            "DROP" | "DETACH" | "ATTACH" | "RENAME" | "EXCHANGE" | "UNDROP" | "REPLACE" => {
                self.not_of_the_schema(&verb, &mentioned)?;
                self.destroys |= verb == "DROP" && mentioned.is_disjoint(&self.made);
            }
            "TRUNCATE" | "DELETE" => self.destroys |= mentioned.is_disjoint(&self.made),
            _ => {}
        }
        Ok(())
    }

    /// Whether a name is of the schema; a database is too that has something of it.
    fn of_the_schema(&self, name: &ObjectName) -> bool {
        let has = |owned: &&ObjectName| {
            matches!((owned, name),
            (ObjectName::Relation { database, .. }, ObjectName::Database(dropped)) if database == dropped)
        };
        self.owned.contains(name) || (matches!(name, ObjectName::Database(_)) && self.owned.iter().any(has))
    }

    fn not_of_the_schema(&self, verb: &str, mentioned: &BTreeSet<ObjectName>) -> Result<(), Refusal> {
        // A word such as `default` names a database only behind `DATABASE`, which is in there too.
        let said = mentioned.contains(&ObjectName::Database("DATABASE".to_owned()));
        let is = |name: &&ObjectName| match name {
            ObjectName::Database(_) if !said => false,
            name => self.of_the_schema(name),
        };
        match mentioned.iter().find(is) {
            Some(name) => Err((code::STATE, format!("`{verb}` of `{name}`, which the role's schema has"), STATE)),
            None => Ok(()),
        }
    }

    fn create(&mut self, statement: &StatementText) -> Result<(), Refusal> {
        let Head::Create(create) = read_head(statement) else { return Ok(()) };
        let name = match create.kind {
            CreateKind::Database => ObjectName::Database(create.name.clone()),
            CreateKind::Function => ObjectName::Function(create.name.clone()),
            CreateKind::NamedCollection => ObjectName::Collection(create.name.clone()),
            _ => ObjectName::relation(create.database.as_deref(), &create.name),
        };
        if self.owned.contains(&name) {
            return Err((code::STATE, format!("`CREATE` of `{name}`, which the role's schema has"), STATE));
        }
        self.destroys |= create.when_present == WhenPresent::Replace && !self.made.contains(&name);
        self.made.insert(name);
        Ok(())
    }

    fn alter(&mut self, words: &Words<'_>) -> Result<(), Refusal> {
        let at = if words.word(2) == "IF" && words.word(3) == "EXISTS" { 4 } else { 2 };
        let Some((name, from)) = words.qualified(at) else { return Ok(()) };
        for at in words.parts(from) {
            let at = if words.is_symbol(at, "(") { at + 1 } else { at };
            let (verb, what) = (words.word(at), words.word(at + 1));
            if is_state(&verb, &what) && self.owned.contains(&name) {
                return Err((
                    code::STATE,
                    format!("`ALTER` of `{name}`, which the role's schema has: {verb} {what}"),
                    STATE,
                ));
            }
            let takes = match verb.as_str() {
                "DELETE" => true,
                "DROP" | "DETACH" | "CLEAR" => true,
                "REPLACE" => what == "PARTITION",
                "MOVE" => (at..words.tokens.len()).any(|at| words.word(at) == "TABLE"),
                _ => false,
            };
            self.destroys |= takes && !self.made.contains(&name);
        }
        Ok(())
    }
}

/// Whether a command of an ALTER is about what a table is, and not about its rows.
fn is_state(verb: &str, what: &str) -> bool {
    const PARTS: [&str; 5] = ["COLUMN", "INDEX", "PROJECTION", "CONSTRAINT", "STATISTICS"];
    match verb {
        "ADD" | "DROP" | "MODIFY" | "RENAME" | "COMMENT" | "ALTER" if PARTS.contains(&what) => true,
        "MODIFY" => {
            ["TTL", "SETTING", "ORDER", "SAMPLE", "QUERY", "COMMENT", "REFRESH", "SQL", "DEFINER"].contains(&what)
        }
        "RESET" => what == "SETTING",
        "REMOVE" => ["TTL", "SAMPLE"].contains(&what),
        _ => false,
    }
}

fn reads_only(verb: &str) -> Result<(), Refusal> {
    let message = format!("`{verb}` only reads: nobody sees what it says");
    Err((code::NO_PLACE, message, "ask the hosts with `housewright sql`"))
}

/// `SYSTEM` commands behind which a server or a replica is not there.
fn takes_away(words: &Words<'_>) -> bool {
    match words.word(1).as_str() {
        "SHUTDOWN" | "KILL" | "SUSPEND" => true,
        "DROP" => ["REPLICA", "DATABASE"].contains(&words.word(2).as_str()),
        _ => false,
    }
}

/// `INSERT ... FORMAT CSV` with rows behind it.
fn has_data(words: &Words<'_>) -> bool {
    let starts = |at: usize| words.word(at) == "FORMAT" && !words.is_symbol(at + 1, "(");
    let reads = (0..words.tokens.len()).any(|at| words.word(at) == "SELECT");
    !reads && (0..words.tokens.len()).any(starts)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clickhouse::split;
    use crate::problem::Source;

    fn judged(text: &str) -> (Vec<String>, bool) {
        let source = Arc::new(Source { name: "a.sql".to_owned(), text: text.to_owned() });
        let names = [
            ObjectName::relation(None, "events"),
            ObjectName::relation(Some("other"), "t"),
            ObjectName::Function("f".to_owned()),
        ];
        let owned = names.iter().collect();
        let mut judge = Judge { owned: &owned, made: BTreeSet::new(), destroys: false };
        let found: Vec<String> =
            split(&source).iter().filter_map(|statement| judge.look(statement)).map(|found| found.message).collect();
        (found, judge.destroys)
    }

    #[test]
    fn what_works_on_rows_is_taken() {
        for text in [
            "INSERT INTO events SELECT a, 'x;y' FROM old_events AS o JOIN c ON cluster = o.c",
            "INSERT INTO events VALUES (1)",
            "WITH 1 AS x INSERT INTO events SELECT x",
            "ALTER TABLE events UPDATE a = 1, add = 2 WHERE b",
            "ALTER TABLE default.events MATERIALIZE COLUMN c, MATERIALIZE INDEX i IN PARTITION 1",
            "OPTIMIZE TABLE events FINAL",
            "SYSTEM SYNC REPLICA events; SYSTEM RELOAD DICTIONARY d",
            "CREATE TABLE scratch AS events ENGINE = MergeTree ORDER BY a; INSERT INTO scratch SELECT * FROM events; \
             ALTER TABLE scratch ADD COLUMN b UInt8; RENAME TABLE scratch TO scratch2; DROP TABLE scratch",
            "KILL MUTATION WHERE database = 'default'",
        ] {
            assert_eq!(judged(text), (vec![], false), "{text}");
        }
    }

    #[test]
    fn what_takes_rows_away_is_known() {
        for text in [
            "ALTER TABLE events DELETE WHERE a = 1",
            "ALTER TABLE events DROP PARTITION 1",
            "ALTER TABLE events UPDATE a = 1 WHERE 1, DELETE WHERE 2",
            "DELETE FROM events WHERE a",
            "TRUNCATE TABLE events",
            "DROP TABLE unknown",
            "CREATE OR REPLACE TABLE unknown (a UInt8) ENGINE = Memory",
            "CREATE TABLE scratch (a UInt8) ENGINE = Memory; DROP TABLE other_one",
        ] {
            assert_eq!(judged(text), (vec![], true), "{text}");
        }
    }

    #[test]
    fn what_the_schema_says_and_what_has_no_place_is_refused() {
        for (text, said) in [
            (
                "CREATE TABLE IF NOT EXISTS events (a UInt8) ENGINE = Memory",
                "`CREATE` of `events`, which the role's schema has",
            ),
            ("DROP TABLE IF EXISTS `events` SYNC", "`DROP` of `events`, which the role's schema has"),
            ("DROP DATABASE other", "`DROP` of `other`, which the role's schema has"),
            ("DROP FUNCTION f", "`DROP` of `f`, which the role's schema has"),
            ("RENAME TABLE a TO default.events", "`RENAME` of `events`, which the role's schema has"),
            ("EXCHANGE TABLES a AND other.t", "`EXCHANGE` of `other.t`, which the role's schema has"),
            ("DETACH TABLE events", "`DETACH` of `events`, which the role's schema has"),
            ("ALTER TABLE events ADD COLUMN b UInt8", "`ALTER` of `events`, which the role's schema has: ADD COLUMN"),
            (
                "ALTER TABLE events (DELETE WHERE 1), (MODIFY TTL x)",
                "`ALTER` of `events`, which the role's schema has: MODIFY TTL",
            ),
            (
                "OPTIMIZE TABLE events ON CLUSTER '{cluster}'",
                "`ON CLUSTER` is refused: the statement goes to exactly the hosts that the header says",
            ),
            ("SET max_threads = 1", "`SET` has no effect: each statement of a migration has a session of its own"),
            ("SELECT 1", "`SELECT` only reads: nobody sees what it says"),
            ("with 1 as x select x", "`WITH` only reads: nobody sees what it says"),
            ("SYSTEM SHUTDOWN", "`SYSTEM SHUTDOWN` takes the server, or a replica, away"),
            ("SYSTEM DROP REPLICA 'a'", "`SYSTEM DROP` takes the server, or a replica, away"),
            (
                "INSERT INTO events FORMAT CSV 1,2",
                "`FORMAT` with data behind it is read by the client, and not by the server",
            ),
            (
                "CREATE TEMPORARY TABLE x (a UInt8)",
                "a temporary table is gone with its session, which is over with the statement",
            ),
            ("TRUNCATE TABLE housewright.migrations", "`housewright` holds what Housewright remembers of the host"),
        ] {
            assert_eq!(judged(text).0, [said], "{text}");
        }
    }
}
