//! What is declared: the variables `backup` and `backup_tables` of a host (pure).
//!
//! The vocabulary has judged the shapes; what stands in here goes into a script, a statement and a path, and has no character that
//! means anything to one of them.

use serde_json::Value;

use crate::clickhouse::{quote_name, quote_text};
use crate::fleet::{Host, Placement};
use crate::schema::ObjectName;

/// The variable that says where backups go.
pub const BACKUP: &str = "backup";
/// The variable that names the tables.
pub const BACKUP_TABLES: &str = "backup_tables";

/// Where backups go, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Where to.
    pub place: Place,
    /// The path below it, without a slash at its end.
    pub prefix: String,
    /// When full ones are taken, as systemd's `OnCalendar`.
    pub full: String,
    /// When incremental ones are taken.
    pub incremental: String,
    /// Backups in a chain, the full one among them.
    pub longest_chain: u64,
    /// Whole chains that stay.
    pub keep_chains: u64,
    /// Hours between two backups of a table.
    pub max_age: u64,
    /// Bytes each second; 0 is all that there are.
    pub bandwidth: u64,
    /// Threads of a backup.
    pub threads: u64,
}

/// What holds backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A disk of the server's `storage_configuration`.
    Disk(String),
    /// A bucket, by a named collection that has its address and keys.
    Collection(String),
    /// A bucket to which the host has the right by itself.
    Url(String),
}

impl Place {
    /// A word for it, as it is on record: kind and name.
    #[must_use]
    pub fn word(&self) -> String {
        match self {
            Self::Disk(name) => format!("disk:{name}"),
            Self::Collection(name) => format!("collection:{name}"),
            Self::Url(url) => format!("url:{url}"),
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        let (kind, name) = word.split_once(':')?;
        let name = name.to_owned();
        match kind {
            "disk" => Some(Self::Disk(name)),
            "collection" => Some(Self::Collection(name)),
            "url" => Some(Self::Url(name)),
            _ => None,
        }
    }

    /// `Disk(...)` or `S3(...)` of a backup by its name; no secret is in it.
    #[must_use]
    pub fn of(&self, name: &str) -> String {
        match self {
            Self::Disk(disk) => format!("Disk({}, {})", quote_text(disk), quote_text(name)),
            Self::Collection(collection) => format!("S3({}, {})", quote_name(collection), quote_text(name)),
            Self::Url(url) => format!("S3({})", quote_text(&format!("{}/{name}", url.trim_end_matches('/')))),
        }
    }
}

impl Backup {
    /// Reads what a host declares; nothing where it declares none, or not exactly one place.
    #[must_use]
    pub fn of(host: &Host) -> Option<Self> {
        let value = host.vars.get(BACKUP)?;
        let text = |key: &str, usual: &str| value.get(key).and_then(Value::as_str).unwrap_or(usual).to_owned();
        // Numbers may have been written as texts: in an INI file everything is one.
        let number = |key: &str, usual: u64| {
            let written = value.get(key)?;
            written.as_u64().or_else(|| written.as_str()?.parse().ok()).or(Some(usual))
        };
        let number = |key: &str, usual: u64| number(key, usual).unwrap_or(usual);
        Some(Self {
            place: place(value)?,
            prefix: text("prefix", "housewright").trim_end_matches('/').to_owned(),
            full: text("full", "Sun *-*-* 02:00:00"),
            incremental: text("incremental", "Mon..Sat *-*-* 02:00:00"),
            longest_chain: number("longest_chain", 14),
            keep_chains: number("keep_chains", 3),
            max_age: number("max_age", 26),
            bandwidth: number("bandwidth", 0),
            threads: number("threads", 4),
        })
    }

    /// The path below which all backups of a host lie; other hosts have others, whatever they back up.
    #[must_use]
    pub fn root(&self, host: &Host) -> String {
        let shard = match host.placement {
            Placement::Storage { shard, .. } => shard,
            Placement::Stateless | Placement::Keeper { .. } => 0,
        };
        format!("{}/{}/shard-{shard}/{}", self.prefix, host.role, host.name)
    }
}

fn place(value: &Value) -> Option<Place> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let s3 = value.get("s3").filter(|s3| !s3.is_null());
    let collection = s3.and_then(|s3| text(s3, "collection")).map(Place::Collection);
    let url = s3.and_then(|s3| text(s3, "url")).map(Place::Url);
    match (text(value, "disk"), collection, url, s3.is_some()) {
        (Some(disk), None, None, false) => Some(Place::Disk(disk)),
        (None, Some(place), None, _) | (None, None, Some(place), _) => Some(place),
        _ => None,
    }
}

/// The tables that a host declares, as they are written, each with its name where it is one.
#[must_use]
pub fn declared(host: &Host) -> Vec<(String, Option<ObjectName>)> {
    let items = host.vars.get(BACKUP_TABLES).and_then(Value::as_array);
    let texts = items.into_iter().flatten().filter_map(Value::as_str);
    texts.map(|text| (text.to_owned(), name(text))).collect()
}

/// `table` or `database.table`, of letters, digits and `_`: what a script can have in its lines.
fn name(text: &str) -> Option<ObjectName> {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match text.split_once('.') {
        Some((database, name)) if plain(database) && plain(name) => Some(ObjectName::relation(Some(database), name)),
        None if plain(text) => Some(ObjectName::relation(None, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_word_and_quoted_into_a_statement() {
        let url = "https://b.example/x/";
        for (place, sql) in [
            (Place::Disk("backups".to_owned()), "Disk('backups', 'a/b')"),
            (Place::Collection("store".to_owned()), "S3(`store`, 'a/b')"),
            (Place::Url(url.to_owned()), "S3('https://b.example/x/a/b')"),
        ] {
            assert_eq!(Place::read(&place.word()), Some(place.clone()));
            assert_eq!(place.of("a/b"), sql);
        }
        assert_eq!((Place::read("floppy:a"), Place::read("disk")), (None, None));
    }

    #[test]
    fn exactly_one_place() {
        let read = |text: &str| place(&serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"disk": "a"}"#), Some(Place::Disk("a".to_owned())));
        assert_eq!(read(r#"{"s3": {"collection": "a"}}"#), Some(Place::Collection("a".to_owned())));
        for text in ["{}", r#"{"disk": "a", "s3": {"url": "u"}}"#, r#"{"s3": {"collection": "a", "url": "u"}}"#] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(r#"{"s3": {}}"#), None);
    }

    #[test]
    fn a_name_is_one_only_where_a_script_can_have_it() {
        assert_eq!(name("events"), Some(ObjectName::relation(None, "events")));
        assert_eq!(name("a.b"), Some(ObjectName::relation(Some("a"), "b")));
        for text in ["", "a.", ".b", "a.b.c", "a b", "a;b", "`a`"] {
            assert_eq!(name(text), None, "{text}");
        }
    }
}
