//! What of a host's schema is not as its role wants it: to make, to alter, to make anew, to note (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Hold, Inputs, queues};
use super::reasons;
use crate::clickhouse::lex;
use crate::fleet::{Host, HostName};
use crate::resource::{ClickHouseFacts, HostFacts, SERVER_LOG};
use crate::schema::{
    self, Object, ObjectChange, ObjectName, ObjectRecord, ObservedObject, Operation, RecordState, recording,
};

/// One host's part.
pub(super) struct HostSchema<'a> {
    pub host: &'a Host,
    pub facts: &'a HostFacts,
    /// What its role wants.
    pub objects: &'a [Object],
    /// What lives in it; nothing where its server is started first.
    pub live: &'a [ObservedObject],
    /// It has a table of records.
    pub keeps_records: bool,
    pub missing: BTreeSet<&'a ObjectName>,
    /// What of it is made as its other replicas have it.
    pub theirs: BTreeMap<&'a ObjectName, Object>,
    /// The operations of each, and what differs.
    pub altered: BTreeMap<&'a ObjectName, Vec<Operation>>,
    /// What is there as its role wants it.
    pub alike: BTreeSet<&'a ObjectName>,
    /// What differs of what is made anew.
    pub anew: BTreeMap<&'a ObjectName, String>,
    /// The same, of what is in a group.
    pub why: BTreeMap<&'a ObjectName, String>,
    /// What is made anew together, first what the others need.
    pub groups: Vec<Vec<&'a Object>>,
    /// What is as its role wants it, and is to be noted first, or was noted and its digest is to be added.
    pub unfinished: BTreeMap<&'a ObjectName, Noted>,
    /// What is on record, not there and not wanted: a run ended behind its drop, or somebody dropped it.
    pub stale: Vec<(&'a ObjectName, &'a ObjectRecord)>,
}

/// What of a record is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// Nothing that is right.
    No,
    /// All but the digest.
    Yes,
}

impl<'a> HostSchema<'a> {
    /// Compares; nothing where nobody knows what its server has, which is held where something was to be done.
    pub fn of(
        inputs: &Inputs<'a>,
        name: &'a HostName,
        starting: &BTreeSet<HostName>,
        holds: &mut Vec<Hold>,
    ) -> Option<Self> {
        let (host, facts) = (inputs.fleet.hosts.get(name)?, inputs.observation.facts(name)?);
        let objects = inputs.objects.get(&host.role).map(Vec::as_slice).unwrap_or_default();
        let mut own = Self {
            host,
            facts,
            objects,
            live: &[],
            keeps_records: facts.records.is_some(),
            missing: BTreeSet::new(),
            theirs: BTreeMap::new(),
            altered: BTreeMap::new(),
            alike: BTreeSet::new(),
            anew: BTreeMap::new(),
            why: BTreeMap::new(),
            groups: Vec::new(),
            unfinished: BTreeMap::new(),
            stale: Vec::new(),
        };
        match &facts.clickhouse {
            ClickHouseFacts::Up { objects: live, .. } => {
                own.live = live;
                own.compare(inputs.permissions.adopt_objects, holds);
            }
            ClickHouseFacts::Down { .. } if starting.contains(name) => {
                own.missing = objects.iter().map(|object| &object.name).collect();
            }
            ClickHouseFacts::Down { reason } if !objects.is_empty() => {
                let what = format!("apply the schema ({} objects)", objects.len());
                let hint = Some(format!("look at its log on `{name}`: `sudo tail -n 50 {SERVER_LOG}`"));
                holds.push(Hold { host: name.clone(), what, reason: reason.clone(), hint });
            }
            ClickHouseFacts::Down { .. } | ClickHouseFacts::NotAsked => {}
        }
        Some(own)
    }

    /// Holds something back here.
    pub fn hold(&self, what: String, reason: String, hint: Option<String>) -> Hold {
        Hold { host: self.host.name.clone(), what, reason, hint }
    }

    /// The role's own object of a name.
    pub fn object(&self, name: &ObjectName) -> Option<&'a Object> {
        self.objects.iter().find(|object| object.name == *name)
    }

    fn compare(&mut self, adopts: bool, holds: &mut Vec<Hold>) {
        let mut differ: BTreeSet<ObjectName> = BTreeSet::new();
        for change in schema::diff(self.objects, self.live, &self.facts.recorded()) {
            match change {
                ObjectChange::Create(object) => {
                    differ.insert(object.name.clone());
                    self.create(&object.name, holds);
                }
                ObjectChange::Alter { object, operations, .. } => {
                    differ.insert(object.name.clone());
                    self.alter(&object.name, operations, holds);
                }
                ObjectChange::Recreate { object, why } => {
                    differ.insert(object.name.clone());
                    if let Some(object) = self.object(&object.name) {
                        self.anew.insert(&object.name, reasons(&why));
                    }
                }
                ObjectChange::Held { object, why, hint } => {
                    differ.insert(object.name.clone());
                    holds.push(self.hold(format!("change `{}`", object.name), reasons(&why), Some(hint)));
                }
            }
        }
        for object in self.objects.iter().filter(|object| !differ.contains(&object.name)) {
            self.alike.insert(&object.name);
            let record = self.facts.records.as_ref().and_then(|records| records.get(&object.name));
            let noted = match record.map(|record| (record.state, is_same(&record.statement, object.statement.text()))) {
                Some((RecordState::Begun, true)) => Noted::Yes,
                // Whatever it was altered from, it is what its role wants now.
                Some((RecordState::Begun | RecordState::Moved, false)) => Noted::No,
                None if adopts => Noted::No,
                Some(_) | None => continue,
            };
            self.unfinished.insert(&object.name, noted);
        }
        let records = self.facts.records.iter().flatten().filter(|(_, record)| record.state == RecordState::Gone);
        let is_detached = |name: &ObjectName| self.facts.flow.detached.iter().flatten().any(|table| table == name);
        let is_stale =
            |name: &&ObjectName| self.object(name).is_none() && !is_detached(name) && !recording::is_own(name);
        self.stale = records.filter(|(name, _)| is_stale(name)).collect();
    }

    fn create(&mut self, name: &ObjectName, holds: &mut Vec<Hold>) {
        let is_detached = self.facts.flow.detached.as_ref().is_some_and(|tables| tables.contains(name));
        if !is_detached {
            self.missing.extend(self.object(name).map(|object| &object.name));
        } else if queues::detached_by_others(self.facts).any(|detached| detached == name) {
            // CREATE would say that all is well and make nothing: <https://clickhouse.com/docs/sql-reference/statements/detach>.
            let hint = format!("attach it when that is over: `ATTACH TABLE {name}`");
            holds.push(self.hold(format!("create `{name}`"), "somebody detached it".to_owned(), Some(hint)));
        }
    }

    fn alter(&mut self, name: &ObjectName, operations: Vec<Operation>, holds: &mut Vec<Hold>) {
        let record = self.facts.records.as_ref().and_then(|records| records.get(name));
        if let Some(record) = record.filter(|record| record.mutations > 0) {
            let said = record.complaint.as_ref().map(|said| format!(", and one fails: {said}")).unwrap_or_default();
            let reason = format!("{} of its mutations are not done{said}", record.mutations);
            let hint = "let them end, or end one by hand: `KILL MUTATION`".to_owned();
            holds.push(self.hold(format!("alter `{name}`"), reason, Some(hint)));
        } else if let Some(object) = self.object(name) {
            self.altered.insert(&object.name, operations);
        }
    }
}

/// Whether two statements are the same but for blanks and comments.
fn is_same(one: &str, other: &str) -> bool {
    let tokens = |text: &str| -> Vec<String> {
        let tokens = lex(text).into_iter().filter(crate::clickhouse::Token::is_significant);
        tokens.map(|token| token.text(text).to_owned()).collect()
    };
    one == other || tokens(one) == tokens(other)
}
