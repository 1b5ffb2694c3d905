//! A plan as a file: reviewed now, run later, and refused where anything has moved (pure).
//!
//! It holds no secrets, and no digest of one that anybody could try out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Budget, Fingerprints, Part, Plan};
use crate::discovery::time;
use crate::migration::{GoOn, MigrationId};

/// The form of the file; it changes when an older program could misread a newer file.
const VERSION: u64 = 2;
/// Clocks of two machines differ by less.
const CLOCK_SKEW: u64 = 300;

/// A plan with the form and the program that wrote it, when, and digests of what it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPlan {
    version: u64,
    housewright: String,
    /// When the hosts were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_at: Option<String>,
    /// Until when it may be run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    good_until: Option<String>,
    /// Whether running it would touch no host.
    no_op: bool,
    #[serde(flatten)]
    made_with: MadeWith,
    plan: Plan,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made_from: Option<Fingerprints>,
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
    /// `--allow-destroy`, as `database.name`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub allow_destroy: BTreeSet<String>,
    /// `--migration`, by role and number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub migration: BTreeMap<MigrationId, GoOn>,
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
    /// Too much may have changed since.
    #[error("it is too old: it was made at {made_at} and was good until {good_until}")]
    Old { made_at: String, good_until: String },
    /// A clock is wrong.
    #[error("it was made in the future, at {0}: is the clock right here, and was it there?")]
    Future(String),
    /// The hosts or the inputs are no longer what they were.
    #[error("{0}")]
    Moved(String),
}

/// What tells the form, also of a file of another one.
#[derive(Deserialize)]
struct Head {
    version: Option<u64>,
    housewright: Option<String>,
}

impl SavedPlan {
    /// Wraps a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        Self {
            version: VERSION,
            housewright: env!("CARGO_PKG_VERSION").to_owned(),
            made_at: None,
            good_until: None,
            no_op: plan.is_empty(),
            made_with: MadeWith::default(),
            plan: plan.clone(),
            made_from: None,
        }
    }

    /// Keeps the options that it was made with.
    #[must_use]
    pub fn with(mut self, made_with: MadeWith) -> Self {
        self.made_with = made_with;
        self
    }

    /// Keeps the moment at which the hosts were asked, and for how many seconds from then on it may be run.
    #[must_use]
    pub fn at(mut self, moment: u64, good_for: u64) -> Self {
        self.made_at = Some(time::utc(moment));
        self.good_until = Some(time::utc(moment.saturating_add(good_for)));
        self
    }

    /// Keeps digests of what it was made from.
    #[must_use]
    pub fn from(mut self, made_from: Fingerprints) -> Self {
        self.made_from = Some(made_from);
        self
    }

    /// Reads a file of this form, whichever program wrote it.
    ///
    /// # Errors
    /// Refuses a file that is unreadable or has another form.
    pub fn read(text: &str) -> Result<Self, SavedPlanError> {
        let unreadable = |error: serde_json::Error| SavedPlanError::Unreadable(error.to_string());
        let head: Head = serde_json::from_str(text).map_err(unreadable)?;
        match (head.version, head.housewright) {
            (Some(VERSION), _) => serde_json::from_str(text).map_err(unreadable),
            (Some(version), program) => {
                Err(SavedPlanError::Version(format!("{}, form {version}", program.unwrap_or_default())))
            }
            (None, _) => Err(SavedPlanError::Unreadable("no `version` in it".to_owned())),
        }
    }

    /// The file's text; equal plans give equal text.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// What it holds; it cannot be run, for a file does not know what was on the hosts.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The options that it was made with.
    #[must_use]
    pub fn made_with(&self) -> &MadeWith {
        &self.made_with
    }

    /// The digests of what it was made from, where it has some.
    #[must_use]
    pub fn made_from(&self) -> Option<&Fingerprints> {
        self.made_from.as_ref()
    }

    /// When the hosts were asked, as UTC text.
    #[must_use]
    pub fn made_at(&self) -> Option<&str> {
        self.made_at.as_deref()
    }

    /// Until when it may be run, as UTC text.
    #[must_use]
    pub fn good_until(&self) -> Option<&str> {
        self.good_until.as_deref()
    }

    /// Says whether it may be run by this program at this moment, as far as the file alone tells.
    ///
    /// # Errors
    /// Another version wrote it, or it is too old.
    pub fn may_run(&self, now: u64) -> Result<(), SavedPlanError> {
        if self.housewright != env!("CARGO_PKG_VERSION") {
            return Err(SavedPlanError::Version(format!("{}, form {}", self.housewright, self.version)));
        }
        let seconds = |text: &Option<String>| text.as_deref().map(|text| (text.to_owned(), time::seconds(text)));
        let (Some((made_at, Some(made))), Some((good_until, Some(until)))) =
            (seconds(&self.made_at), seconds(&self.good_until))
        else {
            return Err(SavedPlanError::Unreadable(
                "it does not say when it was made: `plan --out` saves one".to_owned(),
            ));
        };
        if made > now.saturating_add(CLOCK_SKEW) {
            return Err(SavedPlanError::Future(made_at));
        }
        if now > until {
            return Err(SavedPlanError::Old { made_at, good_until });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_read_as_it_was_saved() {
        let mut plan = Plan::default();
        plan.unchanged.insert(crate::fleet::HostName::new("data-1-a").unwrap());
        let made_with = MadeWith {
            limit: Some("data".to_owned()),
            allow: BTreeSet::from(["shard-outage".to_owned()]),
            allow_destroy: BTreeSet::from(["default.old".to_owned()]),
            migration: BTreeMap::from([("data/0004".parse().unwrap(), GoOn::Next)]),
            budget: Budget { max_failures: 2, ..Budget::default() },
            only: Some(Part::Config),
        };
        let saved = SavedPlan::new(&plan).with(made_with).at(0, 3600);
        let text = saved.to_text();
        assert_eq!(SavedPlan::read(&text), Ok(saved));
        assert!(
            text.contains("\"no_op\": true") && text.contains("\"good_until\": \"1970-01-01T01:00:00Z\""),
            "{text}"
        );
    }

    #[test]
    fn another_form_is_named_and_another_file_is_none() {
        let text = SavedPlan::new(&Plan::default()).to_text();
        let version = |text: &str| SavedPlan::read(text).map_err(|error| error.to_string());
        let other = text.replace("\"version\": 2", "\"version\": 1");
        assert!(version(&other).unwrap_err().starts_with("it was saved by another version ("), "{other}");
        for broken in ["", "{", "[]", "{}", "null", r#"{"version": 2}"#, r#"{"version": "2"}"#, &text[..text.len() / 2]]
        {
            assert!(version(broken).unwrap_err().starts_with("it is no saved plan: "), "{broken}");
        }
    }

    #[test]
    fn it_may_be_run_by_this_program_for_a_while() {
        let saved = SavedPlan::new(&Plan::default()).at(1000, 3600);
        assert_eq!(saved.may_run(1000), Ok(()));
        assert_eq!(saved.may_run(4600), Ok(()));
        assert_eq!(saved.may_run(800), Ok(()), "clocks differ a little");
        assert_eq!(
            saved.may_run(4601).unwrap_err().to_string(),
            "it is too old: it was made at 1970-01-01T00:16:40Z and was good until 1970-01-01T01:16:40Z"
        );
        assert!(matches!(saved.may_run(0), Err(SavedPlanError::Future(_))));
        assert!(matches!(SavedPlan::new(&Plan::default()).may_run(0), Err(SavedPlanError::Unreadable(_))));
        let other = SavedPlan { housewright: "0.0.1".to_owned(), ..saved };
        assert!(matches!(other.may_run(1000), Err(SavedPlanError::Version(_))));
    }
}
