//! Refuses answers that would make a fleet shrink by mistake (pure): an empty region, and many instances gone at once.

use std::collections::{BTreeMap, BTreeSet};

use super::{DiscoverySource, Instance};
use crate::problem::{Problem, Span};

/// What was listed when all was well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastGood {
    /// When, in seconds since 1970.
    pub written: u64,
    /// What each region had.
    pub regions: BTreeMap<String, Had>,
    /// Where that is known from, for error texts.
    pub from: String,
}

/// What a region had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Had {
    /// How many instances.
    pub count: usize,
    /// Which; of a snapshot of several files, those of all of them.
    pub ids: BTreeSet<String>,
}

/// What the operator accepts by name for this run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Regions that may be empty.
    pub empty: BTreeSet<String>,
    /// Regions that may have shrunk.
    pub shrink: BTreeSet<String>,
}

impl Accepted {
    /// Reads the values of `--accept`.
    ///
    /// # Errors
    /// The value that is neither `empty:REGION` nor `shrink:REGION`.
    pub fn parse(values: &[String]) -> Result<Self, String> {
        let mut accepted = Self::default();
        for value in values {
            match value.split_once(':') {
                Some(("empty", region)) if !region.is_empty() => accepted.empty.insert(region.to_owned()),
                Some(("shrink", region)) if !region.is_empty() => accepted.shrink.insert(region.to_owned()),
                _ => return Err(format!("`{value}` cannot be accepted: write `empty:REGION` or `shrink:REGION`")),
            };
        }
        Ok(accepted)
    }
}

/// Checks one region's answer against the last good one.
pub(super) fn check(
    source: &DiscoverySource,
    (region, span): (&str, &Span),
    instances: &[Instance],
    last: Option<&LastGood>,
    accepted: &Accepted,
) -> Option<Problem> {
    let had = last.and_then(|last| last.regions.get(region));
    let before = had.map_or(0, |had| had.count);
    if instances.is_empty() {
        if accepted.empty.contains(region) {
            return None;
        }
        let history = if before > 0 { format!("; there were {before} ({})", from(last)) } else { String::new() };
        let message = match source.selection.describe() {
            None => format!("`{region}` has no instances{history}"),
            Some(filters) => format!("no instance of `{region}` answers to {filters}{history}"),
        };
        let hint = format!("do the filters fit the instances' tags? If it is meant so, `--accept empty:{region}`");
        return Some(Problem::new("HW0150", message).at(span).hint(hint));
    }
    let gone = before.saturating_sub(instances.len());
    let too_many = gone as u64 * 100 > before as u64 * source.max_shrink;
    if !too_many || accepted.shrink.contains(region) {
        return None;
    }
    let share = gone * 100 / before.max(1);
    let message = format!(
        "`{region}` had {before} instances ({}) and has {}: {share} % fewer, more than `max_shrink: {}%` allows{}",
        from(last),
        instances.len(),
        source.max_shrink,
        had.map(|had| missing(instances, had)).unwrap_or_default(),
    );
    let hint = format!("were they ended on purpose? Then `--accept shrink:{region}`, once");
    Some(Problem::new("HW0151", message).at(span).hint(hint))
}

fn from(last: Option<&LastGood>) -> &str {
    last.map(|last| last.from.as_str()).unwrap_or_default()
}

/// Names some of those that are gone, where it is known which the file had.
fn missing(instances: &[Instance], had: &Had) -> String {
    let here: BTreeSet<&str> = instances.iter().map(|instance| instance.id.as_str()).collect();
    let gone: Vec<&String> = had.ids.iter().filter(|id| !here.contains(id.as_str())).collect();
    if gone.is_empty() || had.ids.len() != had.count {
        return String::new();
    }
    format!("; gone: {}", crate::report::hosts::short(&gone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_values_name_what_and_where() {
        let values = ["empty:eu-west-1".to_owned(), "shrink:us-east-1".to_owned()];
        let accepted = Accepted::parse(&values).unwrap();
        assert!(accepted.empty.contains("eu-west-1") && accepted.shrink.contains("us-east-1"));
        for wrong in ["empty", "shrink:", "all:eu-west-1", ""] {
            Accepted::parse(&[wrong.to_owned()]).unwrap_err();
        }
    }
}
