//! An observation as a file: all that a plan needs, without secrets, for planning without any network (pure).
//!
//! Equal texts of many hosts are in it once. A secret is a keyed digest, so that whether it is the one that is wanted can still be told;
//! who has no key can tell nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clickhouse::config::ServerSetting;
use crate::clickhouse::{TokenKind, lex};
use crate::discovery::time;
use crate::fleet::HostName;
use crate::remote::{RemotePath, UnitName};
use crate::render::Desired;
use crate::render::redact::{self, Candidates, Piece};
use crate::resource::{
    ClickHouseFacts, HostFacts, HostObservation, Manifest, Observation, ObservedFile, Shows, Written, shown_macro,
};
use crate::secret::keyed::{DigestKey, Keyed};
use crate::secret::look::{is_secret_name, is_secret_value};
use crate::secret::{Secret, SecretStore};

/// The form of the file.
const VERSION: u64 = 1;
/// A shorter secret may be a common word, which is in every text.
const LONG_ENOUGH: usize = 8;

/// The file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Recorded {
    version: u64,
    housewright: String,
    observed_at: String,
    key: Keyed,
    texts: BTreeMap<Keyed, Text>,
    settings: Vec<BTreeMap<String, ServerSetting>>,
    hosts: BTreeMap<HostName, RecordedHost>,
}

/// The content of files.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Text {
    Pieces(Vec<Piece>),
    /// No text: so many bytes.
    Bytes(usize),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RecordedHost {
    Reached(Box<Reached>),
    Unreachable { reason: String, hint: Option<String> },
}

/// A host's facts; what can be a secret stands beside them.
#[derive(Debug, Serialize, Deserialize)]
struct Reached {
    facts: HostFacts,
    files: BTreeMap<RemotePath, Keyed>,
    config_tree: BTreeMap<RemotePath, Keyed>,
    manifest: BTreeMap<RemotePath, Known>,
    macros: BTreeMap<String, Vec<Piece>>,
    queries: Vec<Vec<Piece>>,
    /// Of the records, in order of their objects' names.
    #[serde(default)]
    statements: Vec<Vec<Piece>>,
    settings: Option<usize>,
    /// What was asked for: of anything else it is not known whether it is there.
    asked: BTreeSet<RemotePath>,
}

/// What the manifest says of a file: its digest could tell a short secret, so only whether it is that of what is there.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Known {
    unit: Option<UnitName>,
    holds_secrets: bool,
    as_written: bool,
}

impl Known {
    fn of((path, written): (&RemotePath, &Written), facts: &HostFacts) -> (RemotePath, Self) {
        let as_written = digest_of(path, facts).is_some_and(|digest| written.digests.contains(&digest));
        let holds_secrets = written.shows == Shows::Nothing;
        (path.clone(), Self { unit: written.unit.clone(), holds_secrets, as_written })
    }

    /// What was edited has a digest that no content has.
    fn written(&self, path: &RemotePath, facts: &HostFacts) -> Written {
        let digest = digest_of(path, facts).filter(|_| self.as_written).unwrap_or_default();
        let shows = if self.holds_secrets { Shows::Nothing } else { Shows::Text };
        Written { digests: BTreeSet::from([digest]), unit: self.unit.clone(), shows }
    }
}

fn digest_of(path: &RemotePath, facts: &HostFacts) -> Option<[u8; 32]> {
    facts.files.get(path)?.content.as_ref().map(|content| Sha256::digest(content.expose()).into())
}

/// Why there is no observation.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// It is not such a file.
    #[error("it is no recorded observation: {0}")]
    Unreadable(String),
    /// Another program wrote it.
    #[error("it has form {0}, not {VERSION}")]
    Version(u64),
    /// Nothing can be compared.
    #[error("it was recorded with another key of digests")]
    AnotherKey,
    /// A secret would have been written.
    #[error("it would hold the secret `{0}`")]
    Secret(String),
}

/// What to hide and how.
pub struct Hiding<'a> {
    /// What should be on each host.
    pub desired: &'a BTreeMap<HostName, Desired>,
    /// The values that the fleet knows.
    pub secrets: &'a SecretStore,
    /// The key of digests.
    pub key: &'a DigestKey,
}

impl Recorded {
    /// Records an observation.
    ///
    /// # Errors
    /// A secret of the fleet would be in it all the same.
    pub fn new(observation: &Observation, at: u64, hiding: &Hiding<'_>) -> Result<Self, RecordedError> {
        let known: Vec<Secret<String>> = hiding.secrets.values().cloned().collect();
        let mut contents: BTreeMap<Keyed, (Bytes, Vec<Range<usize>>)> = BTreeMap::new();
        let mut settings: Vec<Arc<BTreeMap<String, ServerSetting>>> = Vec::new();
        let mut hosts = BTreeMap::new();
        for (name, found) in &observation.hosts {
            let host = match found {
                HostObservation::Unreachable { reason, hint } => {
                    RecordedHost::Unreachable { reason: reason.clone(), hint: hint.clone() }
                }
                HostObservation::Reached(facts) => {
                    let desired = hiding.desired.get(name);
                    let mut keep = |(path, file): (&RemotePath, &ObservedFile)| {
                        let bytes = file.content.as_ref()?.expose();
                        let digest = hiding.key.digest("a content", &[bytes]);
                        let content = desired.and_then(|desired| desired.files.get(path)).map(|file| &file.content);
                        let places = std::str::from_utf8(bytes).map(|text| redact::secrets_in(text, content, &known));
                        let kept = contents.entry(digest.clone()).or_insert_with(|| (bytes.clone(), Vec::new()));
                        kept.1.extend(places.unwrap_or_default());
                        Some((path.clone(), digest))
                    };
                    let files = facts.files.iter().filter_map(&mut keep).collect();
                    let config_tree = facts.config_tree.iter().filter_map(&mut keep).collect();
                    let query = |query: &str| redact::redact(query, &places_in_sql(query, &known), hiding.key);
                    let (mut macros, mut queries, mut table) = (BTreeMap::new(), Vec::new(), None);
                    if let ClickHouseFacts::Up { server, objects } = &facts.clickhouse {
                        macros =
                            server.macros.iter().map(|(name, value)| macro_pieces(name, value, hiding.key)).collect();
                        queries = objects.iter().map(|object| query(&object.create_query)).collect();
                        let at = settings.iter().position(|table| *table == server.settings.known);
                        table = Some(at.unwrap_or(settings.len()));
                        if at.is_none() {
                            settings.push(Arc::clone(&server.settings.known));
                        }
                    }
                    let records = facts.records.iter().flatten();
                    let statements = records.map(|(_, record)| query(&record.statement)).collect();
                    let asked = desired.map(asked).unwrap_or_default();
                    let manifest = facts.manifest.files.0.iter().map(|written| Known::of(written, facts)).collect();
                    RecordedHost::Reached(Box::new(Reached {
                        facts: (**facts).clone(),
                        files,
                        config_tree,
                        manifest,
                        macros,
                        queries,
                        statements,
                        settings: table,
                        asked,
                    }))
                }
            };
            hosts.insert(name.clone(), host);
        }
        let text = |(digest, (bytes, places)): (Keyed, (Bytes, Vec<Range<usize>>))| match std::str::from_utf8(&bytes) {
            Ok(text) => (digest, Text::Pieces(redact::redact(text, &redact::joined(places), hiding.key))),
            Err(_) => (digest, Text::Bytes(bytes.len())),
        };
        let recorded = Self {
            version: VERSION,
            housewright: env!("CARGO_PKG_VERSION").to_owned(),
            observed_at: time::utc(at),
            key: hiding.key.id(),
            texts: contents.into_iter().map(text).collect(),
            settings: settings.iter().map(|table| (**table).clone()).collect(),
            hosts,
        };
        recorded.holds_no_secret(hiding.secrets)?;
        Ok(recorded)
    }

    /// Looks once more: a complaint of a server may repeat what it was given.
    fn holds_no_secret(&self, secrets: &SecretStore) -> Result<(), RecordedError> {
        let text = self.to_text();
        let found = secrets.iter().find(|(_, value)| {
            let value = value.expose();
            let quoted = serde_json::to_string(value).unwrap_or_default();
            value.len() >= LONG_ENOUGH && text.contains(quoted.trim_matches('"'))
        });
        found.map_or(Ok(()), |(reference, _)| Err(RecordedError::Secret(reference.to_string())))
    }

    /// The file's text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Refuses a file that is unreadable or has another form.
    pub fn read(text: &str) -> Result<Self, RecordedError> {
        #[derive(Deserialize)]
        struct Head {
            version: u64,
        }
        let unreadable = |error: serde_json::Error| RecordedError::Unreadable(error.to_string());
        let head: Head = serde_json::from_str(text).map_err(unreadable)?;
        if head.version != VERSION {
            return Err(RecordedError::Version(head.version));
        }
        serde_json::from_str(text).map_err(unreadable)
    }

    /// When the hosts were asked, in seconds since 1970 and as text.
    #[must_use]
    pub fn observed_at(&self) -> (Option<u64>, &str) {
        (time::seconds(&self.observed_at), &self.observed_at)
    }

    /// The observation of some hosts; a host that is not in the file did not answer.
    ///
    /// # Errors
    /// Refuses a file with digests of another key.
    pub fn observation(&self, hosts: &BTreeSet<HostName>, hiding: &Hiding<'_>) -> Result<Observation, RecordedError> {
        if self.key != hiding.key.id() {
            return Err(RecordedError::AnotherKey);
        }
        let candidates = candidates(hiding);
        let mut wanted: BTreeMap<Keyed, Bytes> = BTreeMap::new();
        for file in hiding.desired.values().flat_map(|desired| desired.files.values()) {
            let bytes = file.content.bytes().expose();
            wanted.insert(hiding.key.digest("a content", &[bytes]), bytes.clone());
        }
        let restored = |(digest, text): (&Keyed, &Text)| {
            let content = match (wanted.get(digest), text) {
                (Some(bytes), _) => bytes.clone(),
                (None, Text::Pieces(pieces)) => redact::restore(pieces, &candidates).into(),
                // No text either, and as long.
                (None, Text::Bytes(length)) => vec![0xff; *length].into(),
            };
            (digest.clone(), content)
        };
        let contents: BTreeMap<Keyed, Bytes> = self.texts.iter().map(restored).collect();
        let tables: Vec<_> = self.settings.iter().cloned().map(Arc::new).collect();
        let host = |name: &HostName| {
            let found = match self.hosts.get(name) {
                Some(RecordedHost::Reached(host)) => {
                    HostObservation::Reached(Box::new(host.facts(&contents, &tables, &candidates)))
                }
                Some(RecordedHost::Unreachable { reason, hint }) => {
                    HostObservation::Unreachable { reason: reason.clone(), hint: hint.clone() }
                }
                None => HostObservation::Unreachable {
                    reason: "the recorded observation does not have it".to_owned(),
                    hint: Some("record it again: `housewright facts --out FILE`".to_owned()),
                },
            };
            (name.clone(), found)
        };
        Ok(Observation { hosts: hosts.iter().map(host).collect() })
    }

    /// What is wanted now and was not asked for then: whether it is there is not known.
    #[must_use]
    pub fn not_asked(&self, hosts: &BTreeSet<HostName>, desired: &BTreeMap<HostName, Desired>) -> BTreeSet<RemotePath> {
        let missing = |name: &HostName| match (self.hosts.get(name), desired.get(name)) {
            (Some(RecordedHost::Reached(host)), Some(desired)) => {
                asked(desired).difference(&host.asked).cloned().collect::<Vec<_>>()
            }
            _ => Vec::new(),
        };
        hosts.iter().flat_map(missing).collect()
    }
}

impl Reached {
    fn facts(
        &self,
        contents: &BTreeMap<Keyed, Bytes>,
        tables: &[Arc<BTreeMap<String, ServerSetting>>],
        candidates: &Candidates,
    ) -> HostFacts {
        let mut facts = self.facts.clone();
        let fill = |files: &mut BTreeMap<RemotePath, ObservedFile>, from: &BTreeMap<RemotePath, Keyed>| {
            for (path, file) in files {
                file.content = from.get(path).and_then(|digest| contents.get(digest)).cloned().map(Secret::new);
            }
        };
        fill(&mut facts.files, &self.files);
        fill(&mut facts.config_tree, &self.config_tree);
        let known = self.manifest.iter().map(|(path, known)| (path.clone(), known.written(path, &facts)));
        facts.manifest.files = Manifest(known.collect());
        if let ClickHouseFacts::Up { server, objects } = &mut facts.clickhouse {
            let restored = self.macros.iter().map(|(name, pieces)| (name.clone(), redact::restore(pieces, candidates)));
            server.macros = restored.collect();
            if let Some(table) = self.settings.and_then(|at| tables.get(at)) {
                server.settings.known = Arc::clone(table);
            }
            for (object, pieces) in objects.iter_mut().zip(&self.queries) {
                object.create_query = redact::restore(pieces, candidates);
            }
        }
        for ((_, record), pieces) in facts.records.iter_mut().flatten().zip(&self.statements) {
            record.statement = redact::restore(pieces, candidates);
        }
        facts
    }
}

fn asked(desired: &Desired) -> BTreeSet<RemotePath> {
    desired.files.keys().chain(desired.directories.keys()).cloned().collect()
}

/// A macro that says where a host belongs is no secret; any other can be one.
fn macro_pieces(name: &str, value: &str, key: &DigestKey) -> (String, Vec<Piece>) {
    let piece = if shown_macro(name) {
        Piece::Text(value.to_owned())
    } else {
        Piece::Secret(redact::digest(value.trim(), key))
    };
    (name.to_owned(), vec![piece])
}

/// Known secrets, and strings that look like one or stand behind a secret's name.
fn places_in_sql(query: &str, known: &[Secret<String>]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for value in known.iter().filter(|value| !value.expose().is_empty()) {
        found.extend(query.match_indices(value.expose().as_str()).map(|(at, text)| at..at + text.len()));
    }
    let mut name = "";
    for token in lex(query) {
        let text = query.get(token.range.clone()).unwrap_or_default();
        match token.kind {
            TokenKind::Word | TokenKind::Quoted => name = text.trim_matches(['`', '"']),
            TokenKind::Text if is_secret_name(name) || name.eq_ignore_ascii_case("by") || is_secret_value(text) => {
                found.push(token.range.start + 1..token.range.end.saturating_sub(1).max(token.range.start + 1));
            }
            TokenKind::Symbol if matches!(text, "," | ")") => name = "",
            _ => {}
        }
    }
    found.retain(|range| !range.is_empty() && query.get(range.clone()).is_some());
    redact::joined(found)
}

/// All that may stand in a secret's place: the fleet's secrets, and what is wanted in such places.
fn candidates(hiding: &Hiding<'_>) -> Candidates {
    let known: Vec<Secret<String>> = hiding.secrets.values().cloned().collect();
    let mut candidates = Candidates::new();
    for value in &known {
        redact::know(&mut candidates, value, hiding.key);
    }
    let mut seen: BTreeSet<&Bytes> = BTreeSet::new();
    for file in hiding.desired.values().flat_map(|desired| desired.files.values()) {
        if seen.insert(file.content.bytes().expose()) {
            redact::know_content(&mut candidates, &file.content, &known, hiding.key);
        }
    }
    candidates
}
