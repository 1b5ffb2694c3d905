//! Refuses answers that would make a fleet shrink by mistake (pure): an empty region, and many instances gone at once.

use std::collections::BTreeSet;

use super::baseline::Baseline;
use super::{DiscoverySource, Instance};
use crate::problem::{Problem, Span, near_name};

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

    /// Whether nothing is accepted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.empty.is_empty() && self.shrink.is_empty()
    }

    /// What is accepted of regions that nobody asks.
    pub(super) fn nowhere(&self, asked: &[&str]) -> Vec<Problem> {
        let all = self.empty.iter().map(|region| ("empty", region));
        let all = all.chain(self.shrink.iter().map(|region| ("shrink", region)));
        let problem = |(what, region): (&str, &String)| {
            let (message, hint) = if asked.is_empty() {
                let hint = "leave it out: hosts are written by hand here".to_owned();
                (format!("`--accept {what}:{region}`, and there is no discovery file"), hint)
            } else {
                let hint = near_name(region, asked.iter().copied());
                let hint = hint.unwrap_or_else(|| format!("these are asked: {}", asked.join(", ")));
                (format!("`--accept {what}:{region}` names a region that no discovery file asks"), hint)
            };
            Problem::new("HW0169", message).hint(hint)
        };
        all.filter(|(_, region)| !asked.contains(&region.as_str())).map(problem).collect()
    }
}

/// Checks one region's answer against what the region had.
pub(super) fn check(
    source: &DiscoverySource,
    (region, span): (&str, &Span),
    instances: &[Instance],
    had: Option<&Baseline>,
    accepted: &Accepted,
) -> Option<Problem> {
    if instances.is_empty() {
        return (!accepted.empty.contains(region)).then(|| empty(source, region, had).at(span));
    }
    let had = had?;
    let gone = had.gone(instances);
    let too_many = gone as u64 * 100 > had.count as u64 * source.max_shrink;
    if !too_many || accepted.shrink.contains(region) {
        return None;
    }
    let missing = had.missing(instances);
    let message = format!(
        "`{region}` had {} instances ({}) and has {}: {} % of them are gone, more than `max_shrink: {}%` allows{}",
        had.count,
        had.from,
        instances.len(),
        gone * 100 / had.count.max(1),
        source.max_shrink,
        if missing.is_empty() { String::new() } else { format!("; gone: {}", crate::report::hosts::short(&missing)) },
    );
    let hint = if had.query == source.query_digest() {
        format!("were they ended on purpose? Then `--accept shrink:{region}`, once")
    } else {
        format!("this file asked for other instances then. If that is meant, `--accept shrink:{region}`, once")
    };
    Some(Problem::new("HW0151", message).at(span).hint(hint))
}

fn empty(source: &DiscoverySource, region: &str, had: Option<&Baseline>) -> Problem {
    let had = had.filter(|had| had.count > 0);
    let history = had.map(|had| format!("; there were {} ({})", had.count, had.from)).unwrap_or_default();
    let message = match source.selection.describe() {
        None => format!("`{region}` has no instances{history}"),
        Some(filters) => format!("no instance of `{region}` answers to {filters}{history}"),
    };
    let hint = format!("do the filters fit the instances' tags? If it is meant so, `--accept empty:{region}`");
    Problem::new("HW0150", message).hint(hint)
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
