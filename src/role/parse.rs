//! Reads `role.yml` documents (pure): every key is typed, and every mistake is a problem at its place.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::time::Duration;

use serde_json::{Map, Value};

use super::ground::{self, GroundSpec};
use super::{ClickHouseSpec, DirectorySpec, FileSpec, PlacementKind, SchemaFile, SqlGate, UnitSpec};
use crate::clickhouse::question;
use crate::fleet::RoleName;
use crate::inventory::Node;
use crate::inventory::fields::{Codes, Fields};
use crate::problem::{Problem, Span};
use crate::remote::{RemotePath, UnitName};
use crate::vocabulary::{CLICKHOUSE, DIRECTORY, FILE, GATE, ROLE, UNIT};

pub(super) const CODES: Codes = Codes { wrong: "HW0204", unknown: "HW0202", missing: "HW0203" };

/// One role as its own directory says it, before its included roles are merged in.
#[derive(Debug, Clone)]
pub struct RoleDocument {
    /// The name of its directory.
    pub name: RoleName,
    /// Where its `role.yml` begins.
    pub span: Span,
    /// One line for people.
    pub description: String,
    /// What its hosts keep, where it says so itself.
    pub placement: Option<PlacementKind>,
    /// Whether it says so in a word that is none.
    pub misplaced: bool,
    /// The macro's value, and where it stands.
    pub host_cluster_role: Option<(String, Span)>,
    /// Names of the roles that it includes, in order, each with its place.
    pub include: Vec<(RoleName, Span)>,
    /// Default variables.
    pub vars: Map<String, Value>,
    /// Directories, by path.
    pub directories: BTreeMap<RemotePath, DirectorySpec>,
    /// Files, by path, each with its place.
    pub files: BTreeMap<RemotePath, (FileSpec, Span)>,
    /// What its servers stand on.
    pub ground: GroundSpec,
    /// Units, by name.
    pub units: BTreeMap<UnitName, UnitSpec>,
    /// How ClickHouse is reached, where it says so itself, and where that stands.
    pub clickhouse: Option<(ClickHouseSpec, Span)>,
    /// Questions behind a restart, by name.
    pub gates: BTreeMap<String, SqlGate>,
    /// SQL files of its own `schema/`, in order of path.
    pub schema: Vec<SchemaFile>,
    /// SQL files of its own `migrations/`, in order of path.
    pub migrations: Vec<SchemaFile>,
}

/// Reads one `role.yml`; the parts that are wrong are left out and added to `problems`.
#[must_use]
pub fn parse(
    name: RoleName,
    root: &Node,
    [schema, migrations]: [Vec<SchemaFile>; 2],
    problems: &mut Vec<Problem>,
) -> Option<RoleDocument> {
    let mut fields = Fields::of(root, format!("role `{name}`"), &ROLE, CODES, problems)?;
    let placement = fields.get("placement").and_then(placement);
    let host_cluster_role = fields
        .get("hostClusterRole")
        .map(|node| node.span.clone())
        .and_then(|span| Some((fields.text("hostClusterRole")?, span)));
    let description = fields.text("description").unwrap_or_default();
    let include = include(&mut fields);
    let vars = vars(&mut fields);
    Some(RoleDocument {
        misplaced: placement.is_none() && fields.get("placement").is_some(),
        span: root.span.clone(),
        description,
        placement,
        host_cluster_role,
        include,
        vars,
        directories: directories(&name, &mut fields),
        files: files(&name, &mut fields),
        ground: ground::read(&name, &mut fields),
        units: units(&name, &mut fields),
        clickhouse: clickhouse(&name, &mut fields),
        gates: gates(&name, &mut fields),
        schema,
        migrations,
        name,
    })
}

fn placement(node: &Node) -> Option<PlacementKind> {
    match node.text()? {
        "storage" => Some(PlacementKind::Storage),
        "stateless" => Some(PlacementKind::Stateless),
        "keeper" => Some(PlacementKind::Keeper),
        _ => None,
    }
}

fn include(fields: &mut Fields<'_, '_>) -> Vec<(RoleName, Span)> {
    let mut names = Vec::new();
    for item in fields.items("include") {
        match RoleName::new(item.scalar_text().unwrap_or_default()) {
            Ok(name) => names.push((name, item.span.clone())),
            Err(error) => fields.wrong("include", item, &error.to_string()),
        }
    }
    names
}

fn vars(fields: &mut Fields<'_, '_>) -> Map<String, Value> {
    let entries = fields.get("vars").and_then(Node::entries).unwrap_or_default();
    for entry in entries.iter().filter(|entry| entry.value.is_vaulted()) {
        let why = "vaulted values are read from the inventory: put it into `group_vars/`";
        fields.wrong(&entry.key, &entry.value, why);
    }
    entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
}

fn directories(role: &RoleName, fields: &mut Fields<'_, '_>) -> BTreeMap<RemotePath, DirectorySpec> {
    let mut directories = BTreeMap::new();
    for item in fields.items("directories") {
        let what = format!("a directory of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &DIRECTORY, CODES, fields.problems()) else { continue };
        let path = entry.parsed("path", RemotePath::new);
        let (owner, group) = owner(&mut entry);
        let mode = mode(&entry, 0o755);
        if let Some(path) = path {
            let spec = DirectorySpec { owner, group, mode, only_with: texts(&entry, "only_with") };
            once(&mut directories, path, spec, item, fields);
        }
    }
    directories
}

fn files(role: &RoleName, fields: &mut Fields<'_, '_>) -> BTreeMap<RemotePath, (FileSpec, Span)> {
    let mut files = BTreeMap::new();
    for item in fields.items("files") {
        let what = format!("a file of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &FILE, CODES, fields.problems()) else { continue };
        let (template, path) = (entry.text("template"), entry.parsed("path", RemotePath::new));
        let (owner, group) = owner(&mut entry);
        let (mode, unit) = (mode(&entry, 0o644), entry.parsed("unit", UnitName::new));
        if let (Some(template), Some(path)) = (template, path) {
            let only_with = texts(&entry, "only_with");
            let [early, over_package] = ["early", "over_package"].map(|key| entry.flag(key).unwrap_or(false));
            let spec = FileSpec { template, owner, group, mode, unit, early, over_package, only_with };
            once(&mut files, path, (spec, item.span.clone()), item, fields);
        }
    }
    files
}

fn units(role: &RoleName, fields: &mut Fields<'_, '_>) -> BTreeMap<UnitName, UnitSpec> {
    let mut units = BTreeMap::new();
    for item in fields.items("units") {
        let what = format!("a unit of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &UNIT, CODES, fields.problems()) else { continue };
        let name = entry.parsed("name", UnitName::new);
        let (enabled, running) = (entry.flag("enabled").unwrap_or(true), entry.flag("running").unwrap_or(true));
        if let Some(name) = name {
            let only_with = texts(&entry, "only_with");
            once(&mut units, name, UnitSpec { enabled, running, only_with }, item, fields);
        }
    }
    units
}

fn clickhouse(role: &RoleName, fields: &mut Fields<'_, '_>) -> Option<(ClickHouseSpec, Span)> {
    let node = fields.get("clickhouse")?;
    let what = format!("`clickhouse` of role `{role}`");
    let mut entry = Fields::of(node, what, &CLICKHOUSE, CODES, fields.problems())?;
    let unit = entry.parsed("unit", UnitName::new)?;
    let http_port = entry.port("http_port").unwrap_or(8123);
    let user = entry.text("user").unwrap_or_else(|| "default".to_owned());
    let password = entry.secret("password");
    Some((ClickHouseSpec { unit, http_port, user, password }, node.span.clone()))
}

fn gates(role: &RoleName, fields: &mut Fields<'_, '_>) -> BTreeMap<String, SqlGate> {
    let mut gates = BTreeMap::new();
    for item in fields.items("gates") {
        let what = format!("a gate of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &GATE, CODES, fields.problems()) else { continue };
        let (name, text) = (entry.text("name"), entry.text("query"));
        let description = entry.text("description").unwrap_or_default();
        let limit = entry.get("timeout").and_then(Node::whole).map(Duration::from_secs);
        let (Some(name), Some(text)) = (name, text) else { continue };
        match question(&text) {
            Ok(query) => once(&mut gates, name, SqlGate { query, limit, description }, item, fields),
            Err(why) => {
                let message = format!("the gate `{name}` of role `{role}` cannot be asked: {why}");
                let span = entry.get("query").map_or(&item.span, |node| &node.span);
                fields.report(Problem::new("HW0213", message).at(span));
            }
        }
    }
    gates
}

fn owner(entry: &mut Fields<'_, '_>) -> (String, String) {
    let owner = entry.text("owner").unwrap_or_else(|| "root".to_owned());
    let group = entry.text("group").unwrap_or_else(|| owner.clone());
    (owner, group)
}

/// One text, or a list of them.
pub(super) fn texts(entry: &Fields<'_, '_>, key: &str) -> Vec<String> {
    let Some(node) = entry.get(key) else { return Vec::new() };
    let items = node.items().unwrap_or(std::slice::from_ref(node));
    items.iter().filter_map(Node::scalar_text).collect()
}

fn mode(entry: &Fields<'_, '_>, default: u32) -> u32 {
    entry.get("mode").and_then(Node::mode).unwrap_or(default)
}

pub(super) fn once<K: Ord + ToString, V>(
    map: &mut BTreeMap<K, V>,
    key: K,
    value: V,
    item: &Node,
    fields: &mut Fields<'_, '_>,
) {
    match map.entry(key) {
        Slot::Vacant(slot) => {
            slot.insert(value);
        }
        Slot::Occupied(slot) => {
            let message = format!("`{}` stands twice in this role", slot.key().to_string());
            fields.report(Problem::new("HW0209", message).at(&item.span).hint("remove one of the two"));
        }
    }
}
