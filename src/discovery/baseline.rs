//! What an answer is compared with (pure): it grows with every good answer, and shrinks only where somebody says so.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{DiscoverySource, Instance, time};

/// What a region had when all was well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// A digest of the snapshot that it began with, where there was one.
    pub snapshot: Option<String>,
    /// A digest of what was asked.
    pub query: String,
    /// How many instances.
    pub count: usize,
    /// Which; fewer than `count` where it is not known of all.
    pub ids: BTreeSet<String>,
    /// Where it is known from, for error texts.
    pub from: String,
}

impl Baseline {
    /// The one of an answer alone.
    #[must_use]
    pub fn new(source: &DiscoverySource, ids: impl Iterator<Item = String>, now: u64) -> Self {
        let ids: BTreeSet<String> = ids.collect();
        let (query, from) = (source.query_digest(), format!("at {}", time::utc(now)));
        Self { snapshot: None, query, count: ids.len(), ids, from }
    }

    /// The one that holds: the snapshot's, or what has become of it since on this machine; without a snapshot, what is kept.
    ///
    /// A snapshot that was written anew, by whomever, holds alone: what is kept began with another one.
    #[must_use]
    pub fn holding(snapshot: Option<Self>, kept: Option<Self>) -> Option<Self> {
        match (snapshot, kept) {
            (Some(snapshot), Some(kept)) if kept.snapshot == snapshot.snapshot => Some(kept),
            (Some(snapshot), _) => Some(snapshot),
            (None, kept) => kept,
        }
    }

    /// The one after a good answer, which is `now` as a baseline of its own.
    ///
    /// What is new joins it. What is gone stays in it, so that many small losses add up, until `discover --write`
    /// writes a snapshot or the shrink is accepted by name: only then it is the answer alone.
    #[must_use]
    pub fn after(before: Option<&Self>, mut now: Self, accepted: bool) -> Self {
        let Some(before) = before else { return now };
        now.snapshot.clone_from(&before.snapshot);
        if accepted {
            return now;
        }
        if before.known() {
            if now.ids.is_superset(&before.ids) {
                return now;
            }
            now.ids.extend(before.ids.iter().cloned());
            now.count = now.ids.len();
            now.from.clone_from(&before.from);
            return now;
        }
        if now.count < before.count { before.clone() } else { now }
    }

    /// How many are gone: by their identities where all are known, by their number otherwise.
    #[must_use]
    pub fn gone(&self, instances: &[Instance]) -> usize {
        if self.known() { self.missing(instances).len() } else { self.count.saturating_sub(instances.len()) }
    }

    /// Those that are gone and known.
    #[must_use]
    pub fn missing(&self, instances: &[Instance]) -> Vec<&String> {
        let here: BTreeSet<&str> = instances.iter().map(|instance| instance.id.as_str()).collect();
        if self.known() { self.ids.iter().filter(|id| !here.contains(id.as_str())).collect() } else { Vec::new() }
    }

    fn known(&self) -> bool {
        self.ids.len() == self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ids: &[&str], snapshot: Option<&str>) -> Baseline {
        let ids: BTreeSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        Baseline { count: ids.len(), ids, snapshot: snapshot.map(str::to_owned), ..Baseline::default() }
    }

    #[test]
    fn a_snapshot_holds_until_it_is_another() {
        let (snapshot, kept) = (of(&["a", "b"], Some("1")), of(&["a", "b", "c"], Some("1")));
        assert_eq!(Baseline::holding(Some(snapshot.clone()), Some(kept.clone())), Some(kept.clone()));
        for other in [of(&["a"], None), of(&["a"], Some("0"))] {
            assert_eq!(Baseline::holding(Some(snapshot.clone()), Some(other)), Some(snapshot.clone()));
        }
        assert_eq!(Baseline::holding(Some(snapshot.clone()), None), Some(snapshot));
        assert_eq!(Baseline::holding(None, Some(kept.clone())), Some(kept));
        assert_eq!(Baseline::holding(None, None), None);
    }

    #[test]
    fn only_what_is_accepted_makes_it_shrink() {
        let before = of(&["a", "b", "c"], Some("1"));
        let now = of(&["b", "c", "d"], None);
        assert_eq!(Baseline::after(Some(&before), now.clone(), false), of(&["a", "b", "c", "d"], Some("1")));
        assert_eq!(Baseline::after(Some(&before), now.clone(), true), of(&["b", "c", "d"], Some("1")));
        assert_eq!(Baseline::after(None, now.clone(), false), now);
        let counted = Baseline { count: 4, ..Baseline::default() };
        assert_eq!(Baseline::after(Some(&counted), now.clone(), false), counted);
        assert_eq!(Baseline::after(Some(&counted), now, true).count, 3);
    }
}
