//! What it costs to make a server take changed configuration (pure).
//!
//! A key that neither the table nor the host itself knows costs a restart: nothing is guessed to be cheap.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::change::{ChangeKind, KeyChange};
use super::rule::{Audience, Rule, When};
use super::settings::{Changeable, ServerSettings};
use super::table::{SETTINGS, rules};

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

/// What a host itself says, beside the table.
#[derive(Debug, Clone, Copy)]
pub struct HostSays<'a> {
    /// Its server's settings.
    pub settings: Option<&'a ServerSettings>,
    /// Whether tables that consume in the background may live on it.
    pub consumes: bool,
}

/// The most that any changed key costs, and the reason for each key of the table once, the dearest first.
#[must_use]
pub fn disruption_of(
    changes: &[KeyChange],
    directory: ConfigDirectory,
    host: HostSays<'_>,
) -> (Disruption, Vec<Reason>) {
    let mut reasons: Vec<Reason> = Vec::new();
    for change in changes {
        let reason = reason(change, directory, host);
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.sort_by(|one, other| other.disruption.cmp(&one.disruption).then_with(|| one.key.cmp(&other.key)));
    (reasons.first().map(|reason| reason.disruption).unwrap_or_default(), reasons)
}

/// The table, and the host's own word where the table only repeats what servers say or knows nothing.
fn reason(change: &KeyChange, directory: ConfigDirectory, host: HostSays<'_>) -> Reason {
    let mut rules = rules().filter(|rule| rule.directory == directory);
    let ruled = rules.find_map(|rule| Some((rule, key(rule, change)?)));
    let said = host.settings.filter(|_| directory == ConfigDirectory::Config).and_then(|says| word(change, says));
    match (ruled, said) {
        (Some((rule, key)), Some((disruption, reason))) if rule.repeats_the_server() => {
            Reason { key: key.to_owned(), disruption, reason, link: SETTINGS.to_owned() }
        }
        (Some((rule, key)), _) => Reason {
            key: key.to_owned(),
            disruption: match rule.audience {
                Audience::Consumers if !host.consumes => rule.disruption.min(Disruption::Reload),
                Audience::Consumers | Audience::AllHosts => rule.disruption,
            },
            reason: rule.reason.to_owned(),
            link: rule.link.to_owned(),
        },
        (None, Some((disruption, reason))) => {
            Reason { key: first(&change.path).to_owned(), disruption, reason, link: SETTINGS.to_owned() }
        }
        (None, None) => Reason {
            key: first(&change.path).to_owned(),
            disruption: Disruption::Restart,
            reason: "it is not known whether a reload takes this key".to_owned(),
            link: String::new(),
        },
    }
}

fn first(path: &str) -> &str {
    path.split(['/', '[']).next().unwrap_or_default()
}

/// What the host's server says about a changed setting of the first level.
fn word(change: &KeyChange, says: &ServerSettings) -> Option<(Disruption, String)> {
    let changeable = says.known.get(&change.path)?.changeable?;
    let before = match &change.kind {
        ChangeKind::Changed { old, .. } => old.parse().ok(),
        ChangeKind::Added { .. } | ChangeKind::Removed { .. } => says.now.get(&change.path).copied(),
    };
    let after = match &change.kind {
        ChangeKind::Changed { new, .. } => new.parse().ok(),
        ChangeKind::Added { value, .. } => value.parse().ok(),
        ChangeKind::Removed { .. } => None,
    };
    let one_way = |way: &str, fits: fn(u64, u64) -> bool| match (before, after) {
        (Some(old), Some(new)) if fits(old, new) => {
            (Disruption::Reload, format!("this host's server says that it can {way} without a restart"))
        }
        (Some(old), Some(new)) => (
            Disruption::Restart,
            format!(
                "this host's server says that it can only {way} without a restart, and it goes from {old} to {new}"
            ),
        ),
        _ => (
            Disruption::Restart,
            format!(
                "this host's server says that it can only {way} without a restart, and its next value is not known"
            ),
        ),
    };
    Some(match changeable {
        Changeable::Yes => (Disruption::Reload, "this host's server says: changeable without restart".to_owned()),
        Changeable::No => {
            (Disruption::Restart, "this host's server says that it is taken at the start only".to_owned())
        }
        Changeable::IncreaseOnly => one_way("grow", |old, new| new >= old),
        Changeable::DecreaseOnly => one_way("shrink", |old, new| new <= old),
    })
}

/// The key of a rule that fits a change.
fn key(rule: &Rule, change: &KeyChange) -> Option<&'static str> {
    let fits = |key: &str| match (rule.when, &change.kind) {
        (When::Always, _) => true,
        (When::NewElement, ChangeKind::Added { root, .. }) => depth(root) <= depth(key),
        (When::Increased, ChangeKind::Changed { old, new }) => {
            matches!((old.parse::<u64>(), new.parse::<u64>()), (Ok(old), Ok(new)) if new > old)
        }
        _ => false,
    };
    rule.keys.iter().copied().find(|key| matches(key, &change.path) && fits(key))
}

/// Whether a path is at or below a key of the table; `*` stands for one element.
fn matches(key: &str, path: &str) -> bool {
    let mut parts = path.split('/').map(|part| part.split('[').next().unwrap_or_default());
    key.split('/').all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
}

fn depth(path: &str) -> usize {
    path.split('/').count()
}
