//! A plan as a file: reviewed now, run later, and refused when anything has moved (pure).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Budget, Part, Plan};

/// The form of the file; it changes when an older program could misread a newer file.
const VERSION: u64 = 1;

/// A plan with the form and the program that wrote it. It holds no secrets and no digests of them.
#[derive(Debug, Serialize)]
pub struct SavedPlan<'a> {
    version: u64,
    housewright: &'static str,
    #[serde(flatten)]
    made: MadeWith,
    plan: &'a Plan,
}

/// The options that decide what a plan can hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeWith {
    /// `--limit`.
    #[serde(default)]
    pub limit: Option<String>,
    /// `--allow`, by name.
    #[serde(default)]
    pub allow: BTreeSet<String>,
    /// What a run may take at a time.
    #[serde(default)]
    pub budget: Budget,
    /// `--only`.
    #[serde(default)]
    pub only: Option<Part>,
}

/// Why a saved plan is not run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SavedPlanError {
    /// It is not such a file.
    #[error("it is no saved plan: {0}")]
    Unreadable(String),
    /// Another program wrote it.
    #[error("it was saved by another version ({0})")]
    Version(String),
    /// The hosts or the inputs are no longer what they were.
    #[error("the hosts or the files here have changed since it was saved")]
    Stale,
}

impl<'a> SavedPlan<'a> {
    /// Wraps a plan.
    #[must_use]
    pub fn new(plan: &'a Plan) -> Self {
        Self { version: VERSION, housewright: env!("CARGO_PKG_VERSION"), made: MadeWith::default(), plan }
    }

    /// Keeps the options that it was made with.
    #[must_use]
    pub fn with(mut self, made: MadeWith) -> Self {
        self.made = made;
        self
    }

    /// Reads the options that a saved plan was made with.
    ///
    /// # Errors
    /// Refuses a file that is unreadable.
    pub fn made_with(saved: &str) -> Result<MadeWith, SavedPlanError> {
        serde_json::from_str(saved).map_err(|error| SavedPlanError::Unreadable(error.to_string()))
    }

    /// The file's text; equal plans give equal text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// Compares this plan, made just now, with a saved one.
    ///
    /// # Errors
    /// Refuses a file that is unreadable, of another version, or that says anything else than this plan.
    pub fn check(&self, saved: &str) -> Result<(), SavedPlanError> {
        let saved: Value =
            serde_json::from_str(saved).map_err(|error| SavedPlanError::Unreadable(error.to_string()))?;
        let is = |key: &str| saved.get(key).map(|value| value.as_str().map_or(value.to_string(), str::to_owned));
        match (is("version"), is("housewright")) {
            (Some(version), Some(program)) if version == VERSION.to_string() && program == self.housewright => {}
            (Some(version), Some(program)) => {
                return Err(SavedPlanError::Version(format!("{program}, form {version}")));
            }
            _ => return Err(SavedPlanError::Unreadable("no `version` in it".to_owned())),
        }
        let now = serde_json::to_value(self.plan).map_err(|error| SavedPlanError::Unreadable(error.to_string()))?;
        let is_same = saved.get("plan").cloned().map(without_wording) == Some(without_wording(now));
        if is_same { Ok(()) } else { Err(SavedPlanError::Stale) }
    }
}

/// The plan without the texts that differ from one asking to the next: why a host did not answer, why something is held.
fn without_wording(mut plan: Value) -> Value {
    let unreachable = plan.get_mut("unreachable").and_then(Value::as_object_mut);
    for item in unreachable.into_iter().flat_map(|hosts| hosts.values_mut()) {
        *item = Value::Null;
    }
    let holds = plan.get_mut("holds").and_then(Value::as_array_mut);
    for item in holds.into_iter().flatten().filter_map(Value::as_object_mut) {
        item.remove("reason");
        item.remove("hint");
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_equal_to_itself_and_to_nothing_else() {
        let (plan, mut other) = (Plan::default(), Plan::default());
        other.unchanged.insert(crate::fleet::HostName::new("data-1-a").unwrap());
        let text = SavedPlan::new(&plan).to_text();
        assert_eq!(SavedPlan::new(&plan).check(&text), Ok(()));
        assert_eq!(SavedPlan::new(&other).check(&text), Err(SavedPlanError::Stale));
        assert_eq!(text, SavedPlan::new(&Plan::default()).to_text());
    }

    #[test]
    fn the_words_of_a_reason_are_no_difference_and_another_host_is_one() {
        let plan = |host: &str, reason: &str| {
            let mut plan = Plan::default();
            let why = super::super::Unreachable { reason: reason.to_owned(), hint: None };
            plan.unreachable.insert(crate::fleet::HostName::new(host).unwrap(), why);
            plan
        };
        let text = SavedPlan::new(&plan("a", "timed out after 10 s")).to_text();
        assert_eq!(SavedPlan::new(&plan("a", "connection refused")).check(&text), Ok(()));
        assert_eq!(SavedPlan::new(&plan("b", "timed out after 10 s")).check(&text), Err(SavedPlanError::Stale));
    }

    #[test]
    fn the_options_are_kept() {
        let plan = Plan::default();
        let made = MadeWith {
            limit: Some("data".to_owned()),
            allow: BTreeSet::from(["shard-outage".to_owned()]),
            budget: Budget { max_failures: 2, ..Budget::default() },
            only: Some(Part::Config),
        };
        let text = SavedPlan::new(&plan).with(made.clone()).to_text();
        assert_eq!(SavedPlan::made_with(&text), Ok(made));
        assert_eq!(SavedPlan::made_with("{}"), Ok(MadeWith::default()));
        assert!(SavedPlan::made_with("").is_err());
    }

    #[test]
    fn a_file_of_another_program_is_no_plan_of_ours() {
        let plan = Plan::default();
        let check = |text: &str| SavedPlan::new(&plan).check(text).map_err(|error| error.to_string());
        let text = SavedPlan::new(&plan).to_text();
        assert!(check("").is_err_and(|error| error.starts_with("it is no saved plan")));
        assert_eq!(check("{}"), Err("it is no saved plan: no `version` in it".to_owned()));
        let newer = text.replace("\"version\": 1", "\"version\": 2");
        assert!(check(&newer).is_err_and(|error| error.contains("form 2")));
        let program = text.replace(env!("CARGO_PKG_VERSION"), "99.0.0");
        assert_eq!(check(&program), Err("it was saved by another version (99.0.0, form 1)".to_owned()));
    }
}
