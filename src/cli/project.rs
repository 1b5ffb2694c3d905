//! What the operator wrote, read and checked as a whole: inventory, roles, templates, schema (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::discover::discover;
use super::error::CommandError;
use super::{Form, Global};
use crate::clickhouse::Endpoint;
use crate::fleet::{self, ConnectionDefaults, Fleet, HostName, Reach, RoleName};
use crate::inventory::{self, Inventory};
use crate::k8s::{self, Manifest};
use crate::lab;
use crate::migration::RoleMigrations;
use crate::problem::{Problem, Severity};
use crate::project::{self, Checked};
use crate::render::{self, Desired, Templates};
use crate::reveal::{self, Ask, Passwords};
use crate::schema::Object;
use crate::secret::SecretStore;

/// Everything that is written, without problems.
pub(super) struct Project {
    pub inventory: Inventory,
    pub fleet: Fleet,
    pub objects: BTreeMap<RoleName, Vec<Object>>,
    pub migrations: RoleMigrations,
    pub notes: Vec<Problem>,
    templates: Templates,
    passwords: Passwords,
}

impl Project {
    /// Reads it; all problems of all files at once.
    pub(super) fn load(global: &Global) -> Result<Self, CommandError> {
        let (directory, root) = places(global)?;
        let mut read = fleet::load::read(directory, &root.join("roles"));
        let passwords = complete(global, &mut read)?;
        let templates = render::load::templates(&root.join("templates"));
        let Checked { inventory, fleet, objects, migrations, templates, notes } =
            project::check(read, templates, &connection_defaults())?;
        Ok(Self { inventory, fleet, objects, migrations, notes, templates, passwords })
    }

    /// The hosts of `--limit`, all where it is not given; members that nobody reaches are left out.
    pub(super) fn chosen(&self, global: &Global) -> Result<BTreeSet<HostName>, CommandError> {
        let chosen = self.named(global)?;
        let reached = |name: &HostName| self.fleet.hosts.get(name).is_some_and(|host| host.reach != Reach::Member);
        let (reached, members): (BTreeSet<_>, BTreeSet<_>) = chosen.into_iter().partition(reached);
        match &global.limit {
            Some(pattern) if reached.is_empty() => Err(vec![only_members(pattern, &members)].into()),
            _ => Ok(reached),
        }
    }

    /// The hosts of `--limit`, all where it is not given, members among them.
    pub(super) fn named(&self, global: &Global) -> Result<BTreeSet<HostName>, CommandError> {
        Ok(match &global.limit {
            Some(pattern) => {
                let (facts, read_file) = (self.fleet.facts(), &limit_file);
                let selection = inventory::pattern::Selection { inventory: &self.inventory, facts: &facts, read_file };
                selection.select(pattern).map_err(|problem| vec![problem])?
            }
            None => self.fleet.hosts.keys().cloned().collect(),
        })
    }

    /// Reads every secret that the fleet refers to.
    pub(super) fn secrets(&self) -> Result<SecretStore, CommandError> {
        Ok(reveal::values(&render::secrets_of(&self.fleet), &self.inventory, &self.passwords)?)
    }

    /// Reads the passwords of the servers alone: what is asked needs no other secret.
    pub(super) fn passwords_of_servers(&self) -> Result<SecretStore, CommandError> {
        let servers = self.fleet.roles.values().filter_map(|role| role.clickhouse.as_ref());
        let wanted = servers.filter_map(|server| server.password.clone());
        let wanted = wanted.chain(render::passwords_over_http(&self.fleet)).collect();
        Ok(reveal::values(&wanted, &self.inventory, &self.passwords)?)
    }

    /// Stands in for the secrets where only the form of a file counts: no secret is read.
    pub(super) fn placeholders(&self) -> SecretStore {
        project::placeholders(&self.fleet)
    }

    /// Renders every host's files.
    pub(super) fn render(&self, secrets: &SecretStore) -> Result<BTreeMap<HostName, Desired>, CommandError> {
        Ok(render::render(&self.fleet, &self.templates, secrets)?)
    }

    /// The manifests of all pods; no secret is read for them.
    pub(super) fn manifests(&self) -> Result<Vec<Manifest>, CommandError> {
        Ok(k8s::manifests(&self.inventory, &self.fleet, &self.templates)?)
    }

    /// Where each host's ClickHouse answers.
    pub(super) fn endpoints(&self, secrets: &SecretStore) -> BTreeMap<HostName, Endpoint> {
        let endpoint = |host: &fleet::Host| {
            let spec = self.fleet.role_of(host)?.clickhouse.as_ref()?;
            let (http_port, user, password) = match &host.reach {
                fleet::Reach::Http(way) => {
                    // The password of one user is nothing to another.
                    let own = way.password.as_ref().or(spec.password.as_ref().filter(|_| way.user.is_none()));
                    (way.port, way.user.as_ref(), own)
                }
                // The host's variable is what its template writes.
                fleet::Reach::Ssh(_) | fleet::Reach::Member => {
                    let own = host.vars.get("clickhouse_http_port").and_then(port);
                    (own.unwrap_or(spec.http_port), None, spec.password.as_ref())
                }
            };
            let password = password.and_then(|reference| secrets.get(reference)).cloned();
            let user = user.unwrap_or(&spec.user).clone();
            Some((host.name.clone(), Endpoint { http_port, user, password }))
        };
        self.fleet.hosts.values().filter_map(endpoint).collect()
    }

    /// Enters the network namespace that the fleet lives in, where it has one.
    pub(super) fn enter_network(&self) -> Result<(), CommandError> {
        let Some(namespace) = &self.fleet.network_namespace else { return Ok(()) };
        lab::enter_namespace(namespace)
            .map_err(|error| CommandError::Other { message: crate::event::chain(&error), hint: error.hint() })
    }
}

/// The inventory alone, with its notes: it need not be a fleet's, and no `roles/` need be there.
pub(super) fn inventory(global: &Global) -> Result<(Inventory, Vec<Problem>), CommandError> {
    let directory = directory(global)?;
    let root = global.project.clone().or_else(|| root_above(directory).ok());
    let mut read = fleet::load::Read::of_inventory(directory, root.as_deref());
    complete(global, &mut read)?;
    let inventory = read.assemble();
    let problems = fleet::in_order(read.problems);
    let stops = problems.iter().any(|problem| problem.severity == Severity::Problem);
    if stops { Err(problems.into()) } else { Ok((inventory, problems)) }
}

/// Opens the files that are vaulted as a whole, and asks for the hosts that nobody wrote down.
fn complete(global: &Global, read: &mut fleet::load::Read) -> Result<Passwords, CommandError> {
    // Data is for programs, which are not asked.
    let ask = if global.output == Form::Text { Ask::IfTerminal } else { Ask::Never };
    let passwords = global.vault.passwords(ask);
    reveal::open_files(&mut read.documents, &passwords, &mut read.problems);
    discover(global, read)?;
    Ok(passwords)
}

fn directory(global: &Global) -> Result<&Path, CommandError> {
    let none = || CommandError::hinted("no inventory is given", "name its directory: `-i inventories/lab`");
    global.inventory.as_deref().ok_or_else(none)
}

/// The hosts of a pattern where nothing is resolved: without roles, shards and zones.
pub(super) fn written(inventory: &Inventory, pattern: &str) -> Result<BTreeSet<HostName>, Problem> {
    let selection = inventory::pattern::Selection { inventory, facts: &BTreeMap::new(), read_file: &limit_file };
    selection.select(pattern)
}

/// The lines of an `@file` part of `--limit`.
fn limit_file(path: &str) -> Result<String, Problem> {
    inventory::load::source(Path::new(path)).map(|source| source.text.clone())
}

/// Nothing would be done, and that would look like success.
fn only_members(pattern: &str, members: &BTreeSet<HostName>) -> Problem {
    let names: Vec<String> = members.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = if members.len() > names.len() { ", ..." } else { "" };
    let message =
        format!("`--limit {pattern}` leaves only members, which somebody else runs: {}{more}", names.join(", "));
    Problem::new("HW0125", message).hint("`housewright inventory` shows which hosts Housewright looks after")
}

/// A port, as a number or as text.
fn port(value: &serde_json::Value) -> Option<u16> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|port| *port > 0)
}

/// The inventory, and the directory with `roles/` and `templates/`.
pub(super) fn places(global: &Global) -> Result<(&Path, PathBuf), CommandError> {
    let directory = directory(global)?;
    let root = match &global.project {
        Some(root) => root.clone(),
        None => root_above(directory)?,
    };
    Ok((directory, root))
}

/// What holds for a connection where the inventory says nothing: the person at the keyboard.
pub(super) fn connection_defaults() -> ConnectionDefaults {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let defaults = ConnectionDefaults::default();
    ConnectionDefaults {
        user: user.unwrap_or(defaults.user),
        home: std::env::var_os("HOME").map(PathBuf::from),
        connect_timeout: defaults.connect_timeout,
    }
}

/// The nearest directory above the inventory that has `roles/`.
fn root_above(inventory: &Path) -> Result<PathBuf, CommandError> {
    let absolute = std::path::absolute(inventory).unwrap_or_else(|_| inventory.to_owned());
    // The way that the operator typed it first, so that places in messages are short.
    let mut directories = inventory.ancestors().chain(absolute.ancestors());
    let found = directories.find(|directory| directory.join("roles").is_dir());
    found.map(Path::to_owned).ok_or_else(|| {
        CommandError::hinted(
            format!("no directory above `{}` has `roles/`", inventory.display()),
            "name the directory with roles/ and templates/: `--project DIR`",
        )
    })
}
