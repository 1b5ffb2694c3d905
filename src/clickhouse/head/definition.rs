//! What a CREATE says, clause by clause (pure).
//!
//! A clause's inside is an opaque run of tokens. What belongs to no known clause is kept as such a run too, so that no
//! token of the statement is lost.

use std::collections::BTreeMap;

use super::super::cursor::{Cursor, by_commas};
use super::super::script::StatementText;
use super::super::token::{Token, TokenKind};
use super::column::{Column, Part};
use super::phrase::Phrase;
use super::{Create, CreateKind, create};

/// A CREATE, clause by clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it makes.
    pub kind: CreateKind,
    /// Its columns or attributes, in order; none where the list is not understood.
    pub columns: Vec<Column>,
    /// Its indexes, projections and constraints, in order.
    pub parts: Vec<Part>,
    /// Its clauses.
    pub clauses: BTreeMap<Clause, Phrase>,
    /// The pairs of `SETTINGS`.
    pub settings: BTreeMap<String, Phrase>,
}

/// What a run of tokens in a CREATE is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clause {
    /// A list of columns that is not understood.
    Columns,
    /// `AS other_table`, or `AS function(...)`.
    Copies,
    /// `REFRESH ...` of a view.
    Refresh,
    /// `TO table` of a materialized view.
    Target,
    /// `DEFINER = ... SQL SECURITY ...`.
    Security,
    /// `ENGINE = ...` with its arguments.
    Engine,
    /// `PARTITION BY ...`.
    PartitionBy,
    /// `PRIMARY KEY ...`, also in the list of columns.
    PrimaryKey,
    /// `ORDER BY ...`.
    OrderBy,
    /// `SAMPLE BY ...`.
    SampleBy,
    /// `TTL ...` of the table.
    Ttl,
    /// `SOURCE(...)` of a dictionary.
    Source,
    /// `LAYOUT(...)` of a dictionary.
    Layout,
    /// `LIFETIME(...)` of a dictionary.
    Lifetime,
    /// `RANGE(...)` of a dictionary.
    Range,
    /// `COMMENT '...'`.
    Comment,
    /// `AS SELECT ...`, a function's body, or a collection's pairs.
    Query,
    /// What is not understood.
    Unknown,
}

/// The words that begin a clause.
const STARTS: [(&[&str], Clause); 17] = [
    (&["ENGINE"], Clause::Engine),
    (&["PARTITION", "BY"], Clause::PartitionBy),
    (&["PRIMARY", "KEY"], Clause::PrimaryKey),
    (&["ORDER", "BY"], Clause::OrderBy),
    (&["SAMPLE", "BY"], Clause::SampleBy),
    (&["TTL"], Clause::Ttl),
    (&["COMMENT"], Clause::Comment),
    (&["REFRESH"], Clause::Refresh),
    (&["DEFINER"], Clause::Security),
    (&["SQL", "SECURITY"], Clause::Security),
    (&["SOURCE"], Clause::Source),
    (&["LAYOUT"], Clause::Layout),
    (&["LIFETIME"], Clause::Lifetime),
    (&["RANGE"], Clause::Range),
    (&["TO"], Clause::Target),
    (&["SETTINGS"], Clause::Unknown),
    (&["AS"], Clause::Query),
];

/// Words that mean something only while the object is made.
const AT_BIRTH: [&str; 2] = ["POPULATE", "EMPTY"];

impl Definition {
    /// Reads a CREATE; nothing where the statement is another.
    #[must_use]
    pub fn read(statement: &StatementText) -> Option<Self> {
        let text = statement.span.source.text.as_str();
        let mut cursor = Cursor::new(text, &statement.tokens);
        let create = create::begin(statement, &mut cursor)?;
        let mut definition = Self {
            kind: create.kind,
            columns: Vec::new(),
            parts: Vec::new(),
            clauses: BTreeMap::new(),
            settings: BTreeMap::new(),
        };
        if matches!(create.kind, CreateKind::Function | CreateKind::NamedCollection) {
            cursor.take(&["AS"]);
            definition.put(Clause::Query, text, cursor.rest());
        } else {
            definition.walk(text, &mut cursor, &create);
        }
        Some(definition)
    }

    /// The text of a clause.
    #[must_use]
    pub fn clause(&self, clause: Clause) -> Option<&Phrase> {
        self.clauses.get(&clause)
    }

    /// A column by its name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    fn walk(&mut self, text: &str, cursor: &mut Cursor<'_>, create: &Create) {
        while !cursor.is_done() {
            let lists = self.columns.is_empty() && !self.has(Clause::Engine) && !self.has(Clause::Columns);
            if lists && create.kind != CreateKind::Database && cursor.sees_symbol("(") {
                let group = cursor.group().unwrap_or_default();
                self.list(text, group);
            } else if let Some((words, clause)) = start(text, cursor, create.kind) {
                let from = cursor.at();
                cursor.take(words);
                match clause {
                    Clause::Query => self.source(text, cursor),
                    Clause::Unknown => self.settings(text, cursor),
                    Clause::Engine => {
                        cursor.take_symbol("=");
                        self.until_next(clause, text, cursor, create.kind);
                    }
                    Clause::Target => {
                        cursor.take(&["INNER", "UUID"]);
                        let from = cursor.at();
                        cursor.qualified();
                        self.put(clause, text, cursor.between(from));
                    }
                    Clause::Security => {
                        skip_to_next(text, cursor, create.kind);
                        self.put(clause, text, cursor.between(from));
                    }
                    _ => self.until_next(clause, text, cursor, create.kind),
                }
            } else if !AT_BIRTH.iter().any(|word| cursor.take(&[word])) {
                let from = cursor.at();
                cursor.skip_one();
                self.put(Clause::Unknown, text, cursor.between(from));
            }
        }
    }

    fn until_next(&mut self, clause: Clause, text: &str, cursor: &mut Cursor<'_>, kind: CreateKind) {
        let from = cursor.at();
        skip_to_next(text, cursor, kind);
        self.put(clause, text, cursor.between(from));
    }

    fn has(&self, clause: Clause) -> bool {
        self.clauses.contains_key(&clause)
    }

    /// A second run of one clause is added to the first.
    fn put(&mut self, clause: Clause, text: &str, tokens: &[Token]) {
        let phrase = Phrase::new(text, tokens);
        match self.clauses.get_mut(&clause) {
            Some(old) => *old = Phrase::from_text(&format!("{old} {phrase}")),
            None => {
                self.clauses.insert(clause, phrase);
            }
        }
    }

    fn list(&mut self, text: &str, group: &[Token]) {
        for element in by_commas(text, group) {
            let mut cursor = Cursor::new(text, element);
            if let Some(part) = Part::read(text, element) {
                self.parts.push(part);
            } else if cursor.take(&["PRIMARY", "KEY"]) {
                self.put(Clause::PrimaryKey, text, cursor.rest());
            } else if let Some(column) = Column::read(text, element) {
                self.columns.push(column);
            } else {
                self.columns.clear();
                self.parts.clear();
                self.put(Clause::Columns, text, group);
                return;
            }
        }
    }

    /// What follows AS: a query to the statement's end, or another table.
    fn source(&mut self, text: &str, cursor: &mut Cursor<'_>) {
        let is_query = ["SELECT", "WITH", "FROM", "EXPLAIN"].iter().any(|word| cursor.sees(&[word]));
        if !is_query && !cursor.sees_symbol("(") {
            let from = cursor.at();
            cursor.qualified();
            cursor.group_of("(");
            self.put(Clause::Copies, text, cursor.between(from));
            return;
        }
        let mut rest = cursor.rest();
        if let [query @ .., word, comment] = rest
            && word.text(text).eq_ignore_ascii_case("COMMENT")
            && matches!(comment.kind, TokenKind::Text | TokenKind::Heredoc)
        {
            self.put(Clause::Comment, text, std::slice::from_ref(comment));
            rest = query;
        }
        self.put(Clause::Query, text, rest);
        cursor.seek(usize::MAX);
    }

    /// `name = value` pairs; a dictionary's stand in brackets.
    fn settings(&mut self, text: &str, cursor: &mut Cursor<'_>) {
        if let Some(group) = cursor.group_of("(") {
            self.settings.extend(by_commas(text, group).into_iter().filter_map(|pair| setting(text, pair)));
            return;
        }
        loop {
            let from = cursor.at();
            cursor.name();
            if !cursor.take_symbol("=") {
                cursor.seek(from);
                return;
            }
            // A sign, and a value of one token, a bracket, or a function with its arguments.
            let signed = cursor.sees_symbol("-") || cursor.sees_symbol("+");
            if signed {
                cursor.skip();
            }
            cursor.skip_one();
            cursor.group_of("(");
            self.settings.extend(setting(text, cursor.between(from)));
            if !cursor.take_symbol(",") {
                return;
            }
        }
    }
}

fn setting(text: &str, pair: &[Token]) -> Option<(String, Phrase)> {
    let mut cursor = Cursor::new(text, pair);
    let name = cursor.name()?;
    cursor.take_symbol("=").then(|| (name, Phrase::new(text, cursor.rest())))
}

/// Passes one thing at least.
fn skip_to_next(text: &str, cursor: &mut Cursor<'_>, kind: CreateKind) {
    cursor.skip_one();
    while !cursor.is_done() && start(text, cursor, kind).is_none() && !AT_BIRTH.iter().any(|word| cursor.sees(&[word]))
    {
        cursor.skip_one();
    }
}

/// The clause that begins here.
fn start(text: &str, cursor: &Cursor<'_>, kind: CreateKind) -> Option<(&'static [&'static str], Clause)> {
    let (words, clause) = *STARTS.iter().find(|(words, _)| cursor.sees(words))?;
    let mut after = cursor.clone();
    after.take(words);
    let is_text = |cursor: &Cursor<'_>| {
        cursor.token().is_some_and(|token| matches!(token.kind, TokenKind::Text | TokenKind::Heredoc))
    };
    let begins = match clause {
        Clause::Comment => is_text(&after),
        Clause::Source | Clause::Layout | Clause::Lifetime | Clause::Range => {
            kind == CreateKind::Dictionary && after.sees_symbol("(")
        }
        Clause::Target | Clause::Refresh => kind == CreateKind::MaterializedView && is_name(&after),
        // A word that an operator or the end follows is a column's name.
        _ => after.token().is_some_and(|token| token.kind != TokenKind::Symbol || "(=[-'".contains(token.text(text))),
    };
    begins.then_some((words, clause))
}

fn is_name(cursor: &Cursor<'_>) -> bool {
    let places = ["VOLUME", "DISK"];
    cursor.token().is_some_and(|token| matches!(token.kind, TokenKind::Word | TokenKind::Quoted))
        && !places.iter().any(|place| cursor.sees(&[place]))
}
