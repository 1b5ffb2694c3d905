//! Renders the files of one host after the other; equal inputs are rendered once (pure).

use std::collections::BTreeMap;

use serde_json::Value;

use super::content::RevealError;
use super::context::{FleetContext, HostContext};
use super::escape::Escape;
use super::{Content, Desired, DesiredDirectory, DesiredFile, DesiredUnit, Templates, check, generation, ground};
use crate::fleet::{Fleet, Host, Storage};
use crate::problem::Problem;
use crate::remote::RemotePath;
use crate::role::{FileSpec, Role};
use crate::secret::SecretStore;

/// What is rendered from what, and what was rendered already.
pub(super) struct Press<'a> {
    fleet: &'a Fleet,
    templates: &'a Templates,
    secrets: &'a SecretStore,
    shared: FleetContext,
    done: BTreeMap<(&'a str, &'a RemotePath, String), Result<Content, Vec<Problem>>>,
}

impl<'a> Press<'a> {
    /// Prepares what all hosts share.
    pub(super) fn new(fleet: &'a Fleet, templates: &'a Templates, secrets: &'a SecretStore) -> Self {
        Self { fleet, templates, secrets, shared: FleetContext::new(fleet), done: BTreeMap::new() }
    }

    /// Everything that should be on one host.
    pub(super) fn host(&mut self, host: &'a Host) -> Result<Desired, Vec<Problem>> {
        let Some(role) = self.fleet.role_of(host) else {
            let message = format!("role `{}` of host `{}` is not defined", host.role, host.name);
            return Err(vec![Problem::new("HW0511", message)]);
        };
        let shared = self.shared.clone();
        let inputs = HostContext::new(&shared, self.fleet, host);
        let (mut files, mut problems) = (BTreeMap::new(), Vec::new());
        for (path, spec) in role.files.iter().filter(|(_, spec)| is_wanted(&spec.only_with, host)) {
            match self.content(&inputs, path, spec) {
                Ok(content) => {
                    files.insert(path.clone(), file(spec, content));
                }
                Err(found) => problems.extend(found),
            }
        }
        let ground = ground::ground(role, host).map_err(|found| problems.extend(found));
        let (Ok(ground), true) = (ground, problems.is_empty()) else { return Err(problems) };
        files.extend(ground::kept(&ground));
        let generation = generation::stamp(&mut files, role.clickhouse.as_ref().map(|clickhouse| &clickhouse.unit));
        Ok(Desired { ground, files, generation, ..without_files(role, host) })
    }

    fn content(
        &mut self,
        inputs: &HostContext,
        path: &'a RemotePath,
        spec: &'a FileSpec,
    ) -> Result<Content, Vec<Problem>> {
        let Some(variables) = self.templates.variables(&spec.template) else {
            return Err(vec![self.templates.unknown(&spec.template)]);
        };
        let key = (spec.template.as_str(), path, inputs.key(variables));
        if let Some(content) = self.done.get(&key) {
            return content.clone();
        }
        let content = inputs
            .context(&spec.template, variables)
            .and_then(|context| self.templates.render(&spec.template, &context))
            .map_err(|problem| vec![with_near_name(problem, inputs)])
            .and_then(|rendered| reveal(&rendered, self.secrets, path, spec));
        self.done.insert(key, content.clone());
        content
    }
}

/// Whether a host has what may depend on variables.
///
/// A variable without a value counts as set: the template then tells why it has none.
pub(super) fn is_wanted(only_with: &[String], host: &Host) -> bool {
    let is_set = |name: &String| match host.vars.get(name) {
        None => host.vars.refused(name).is_some(),
        Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Bool(true) | Value::Number(_)) => true,
    };
    only_with.is_empty() || only_with.iter().any(is_set)
}

/// A template only sees the variables that it uses, so Tera cannot name the one that was meant.
fn with_near_name(mut problem: Problem, inputs: &HostContext) -> Problem {
    let written = problem.message.strip_prefix("variable `").and_then(|rest| rest.split('`').next());
    if problem.hint.is_none() {
        problem.hint = written.and_then(|written| inputs.near(written));
    }
    problem
}

fn reveal(rendered: &str, secrets: &SecretStore, path: &RemotePath, spec: &FileSpec) -> Result<Content, Vec<Problem>> {
    let escape = Escape::of(&spec.template);
    let content = Content::reveal(rendered, secrets, escape).map_err(|error| {
        let problem = Problem::new("HW0507", format!("template `{}`: {error}", spec.template));
        vec![match error {
            RevealError::Unknown(_) => problem,
            RevealError::Damaged => problem.hint("print the variable without a filter"),
        }]
    })?;
    let problems = check::check(path, &spec.template, &content);
    if problems.is_empty() { Ok(content) } else { Err(problems) }
}

fn file(spec: &FileSpec, content: Content) -> DesiredFile {
    DesiredFile {
        content,
        owner: spec.owner.clone(),
        group: spec.group.clone(),
        mode: spec.mode,
        unit: spec.unit.clone(),
        early: spec.early,
        over_package: spec.over_package,
    }
}

/// A server's disk is its own.
fn of_a_disk() -> DesiredDirectory {
    let server = "clickhouse".to_owned();
    DesiredDirectory { owner: server.clone(), group: server, mode: 0o750 }
}

fn without_files(role: &Role, host: &Host) -> Desired {
    let wanted = role.directories.iter().filter(|(_, spec)| is_wanted(&spec.only_with, host));
    let directories = wanted.map(|(path, spec)| {
        let directory = DesiredDirectory { owner: spec.owner.clone(), group: spec.group.clone(), mode: spec.mode };
        (path.clone(), directory)
    });
    let wanted = role.units.iter().filter(|(_, spec)| is_wanted(&spec.only_with, host));
    let units = wanted.map(|(name, spec)| (name.clone(), DesiredUnit { enabled: spec.enabled, running: spec.running }));
    // The role may say otherwise.
    let disks = Storage::of(&host.vars).unwrap_or_default().directories.into_iter().map(|path| (path, of_a_disk()));
    Desired { directories: disks.chain(directories).collect(), units: units.collect(), ..Desired::default() }
}
