//! What it costs to make a server take changed configuration (pure).
//!
//! A key that the table does not know costs a restart: nothing is guessed to be cheap.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::change::{ChangeKind, KeyChange};
use super::rule::{Rule, When};
use super::table::RULES;

/// What a change costs a host's ClickHouse, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Disruption {
    /// Nothing.
    #[default]
    None,
    /// `SYSTEM RELOAD CONFIG`.
    Reload,
    /// DETACH and ATTACH of the tables that hold the old value, after a reload.
    Reattach,
    /// A restart of the server.
    Restart,
}

impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Reload => "reload",
            Self::Reattach => "reattach",
            Self::Restart => "restart",
        })
    }
}

/// Which of the server's two configurations a file is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigDirectory {
    /// The server's own: `config.xml` and `config.d/`.
    Config,
    /// Users, profiles and quotas: `users.xml` and `users.d/`.
    Users,
}

impl ConfigDirectory {
    /// Tells by the path of a file; a `conf.d` beside `config.xml` counts as `config.d`.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        match (parts.next()?, parts.next()?) {
            ("config.xml", _) | (_, "config.d" | "conf.d") => Some(Self::Config),
            ("users.xml", _) | (_, "users.d") => Some(Self::Users),
            _ => None,
        }
    }
}

/// Why changed keys cost what they cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The key of the table that decided, or the first-level key that the table does not know.
    pub key: String,
    /// What it costs.
    pub disruption: Disruption,
    /// One sentence, lowercase, no full stop.
    pub reason: String,
    /// Where it is written or was measured.
    pub link: String,
}

/// The most that any changed key costs, and the reason for each key of the table once, the dearest first.
#[must_use]
pub fn disruption_of(changes: &[KeyChange], directory: ConfigDirectory) -> (Disruption, Vec<Reason>) {
    let mut reasons: Vec<Reason> = Vec::new();
    for change in changes {
        let reason = reason(change, directory);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.sort_by(|one, other| other.disruption.cmp(&one.disruption).then_with(|| one.key.cmp(&other.key)));
    (reasons.first().map(|reason| reason.disruption).unwrap_or_default(), reasons)
}

fn reason(change: &KeyChange, directory: ConfigDirectory) -> Reason {
    let mut rules = RULES.iter().filter(|rule| rule.directory == directory);
    match rules.find_map(|rule| Some((rule, key(rule, change)?))) {
        Some((rule, key)) => Reason {
            key: key.to_owned(),
            disruption: rule.disruption,
            reason: rule.reason.to_owned(),
            link: rule.link.to_owned(),
        },
        None => Reason {
            key: change.path.split(['/', '[']).next().unwrap_or_default().to_owned(),
            disruption: Disruption::Restart,
            reason: "it is not known whether a reload takes this key".to_owned(),
            link: String::new(),
        },
    }
}

/// The key of a rule that fits a change.
fn key(rule: &Rule, change: &KeyChange) -> Option<&'static str> {
    let key = *rule.keys.iter().find(|key| matches(key, &change.path))?;
    let fits = match (rule.when, &change.kind) {
        (When::Always, _) => true,
        (When::NewElement, ChangeKind::Added { root, .. }) => depth(root) <= depth(key),
        (When::Increased, ChangeKind::Changed { old, new }) => {
            matches!((old.parse::<u64>(), new.parse::<u64>()), (Ok(old), Ok(new)) if new > old)
        }
        _ => false,
    };
    fits.then_some(key)
}

/// Whether a path is at or below a key of the table; `*` stands for one element.
fn matches(key: &str, path: &str) -> bool {
    let mut parts = path.split('/').map(|part| part.split('[').next().unwrap_or_default());
    key.split('/').all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
}

fn depth(path: &str) -> usize {
    path.split('/').count()
}
