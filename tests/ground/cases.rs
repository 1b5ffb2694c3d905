//! What is tried on real systems: how a host is, what a role wants of it, what it answered, and what follows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use housewright::fleet::load::read;
use housewright::fleet::{ConnectionDefaults, HostName};
use housewright::ground::{Answers, Findings, Ground};
use housewright::project;
use housewright::render::{self, Templates};
use housewright::secret::SecretStore;
use serde::Deserialize;

/// A file of cases of one system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Where the answers were captured.
    #[allow(dead_code, reason = "it is for who reads the file")]
    pub system: String,
    /// The release of Debian whose root it is.
    #[allow(dead_code, reason = "for the live tier")]
    pub suite: String,
    /// What is done to a fresh root once.
    #[serde(default)]
    #[allow(dead_code, reason = "for the live tier")]
    pub prepared: String,
    /// In the order in which they are told.
    pub cases: Vec<Case>,
}

/// One.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A sentence.
    pub name: String,
    /// What makes the host so, in a fresh root.
    #[serde(default)]
    #[allow(dead_code, reason = "for the live tier")]
    pub given: String,
    /// Keys of a `role.yml`.
    pub role: String,
    /// Why the work is not run by the live tier.
    #[serde(default)]
    #[allow(dead_code, reason = "for the live tier")]
    pub not_run: Option<String>,
}

/// What hosts answered, by the name of the case.
pub type Recorded = BTreeMap<String, Answers>;

impl System {
    pub fn read(path: &Path) -> Self {
        serde_yaml::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{path:?}: {error}"))
    }
}

impl Case {
    /// What the role wants, as the program reads it.
    pub fn ground(&self) -> Ground {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("roles/tried/role.yml", &format!("placement: stateless\nhostClusterRole: tried\n{}", self.role));
        put("inventory/hosts.yml", "all: { vars: { hostClusterRole: tried }, hosts: { one: {} } }\n");
        let read = read(&root.path().join("inventory"), &root.path().join("roles"));
        let templates = Templates::new(BTreeMap::new());
        let checked = project::check(read, templates, &ConnectionDefaults::default());
        let desired = checked.and_then(|all| render::render(&all.fleet, &all.templates, &SecretStore::default()));
        let mut desired = desired.unwrap_or_else(|problems| panic!("{}: {problems:?}", self.name));
        desired.remove(&HostName::new("one").unwrap()).unwrap().ground
    }
}

/// What follows, as text.
pub fn told(findings: &Findings) -> String {
    let mut text = String::new();
    for change in &findings.changes {
        text += &format!("  {change}\n");
        for work in &change.work {
            text += &format!("    {}: {}\n", work.what, work.argv.join(" "));
        }
        let needs = change.needs.iter().map(|needs| format!("    needs {needs:?}\n"));
        let restarts = change.restarts.iter().map(|unit| format!("    restarts {unit}\n"));
        text.extend(needs.chain(restarts));
    }
    for refusal in &findings.refusals {
        text += &format!("  held back: {}: {}\n", refusal.what, refusal.reason);
    }
    if text.is_empty() { "  nothing differs\n".to_owned() } else { text }
}
