//! Reads `role.yml` documents (pure): every key is typed, and every mistake is a problem at its place.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use serde_json::{Map, Value};

use super::{ClickHouseSpec, DirectorySpec, FileSpec, PlacementKind, SchemaFile, UnitSpec};
use crate::fleet::RoleName;
use crate::inventory::fields::{Codes, Fields};
use crate::inventory::{Node, NodeValue};
use crate::problem::{Problem, Span, near_name};
use crate::remote::{RemotePath, UnitName};

const CODES: Codes = Codes { wrong: "HW0204", unknown: "HW0202", missing: "HW0203" };
const KEYS: [&str; 9] =
    ["description", "placement", "hostClusterRole", "include", "vars", "directories", "files", "units", "clickhouse"];

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
    /// Units, by name.
    pub units: BTreeMap<UnitName, UnitSpec>,
    /// How ClickHouse is reached, where it says so itself, and where that stands.
    pub clickhouse: Option<(ClickHouseSpec, Span)>,
    /// SQL files of its own `schema/`, in order of path.
    pub schema: Vec<SchemaFile>,
}

/// Reads one `role.yml`; the parts that are wrong are left out and added to `problems`.
#[must_use]
pub fn parse(
    name: RoleName,
    root: &Node,
    schema: Vec<SchemaFile>,
    problems: &mut Vec<Problem>,
) -> Option<RoleDocument> {
    let mut fields = Fields::open(root, format!("role `{name}`"), &KEYS, CODES, problems)?;
    let placement = fields.get("placement").and_then(|node| placement(&mut fields, node));
    let host_cluster_role = fields
        .get("hostClusterRole")
        .map(|node| node.span.clone())
        .and_then(|span| Some((fields.text("hostClusterRole")?, span)));
    let description = fields.text("description").unwrap_or_default();
    let include = include(&mut fields);
    let vars = vars(&mut fields);
    Some(RoleDocument {
        span: root.span.clone(),
        description,
        placement,
        host_cluster_role,
        include,
        vars,
        directories: directories(&name, &mut fields),
        files: files(&name, &mut fields),
        units: units(&name, &mut fields),
        clickhouse: clickhouse(&name, &mut fields),
        schema,
        name,
    })
}

fn placement(fields: &mut Fields<'_, '_>, node: &Node) -> Option<PlacementKind> {
    let known = [
        ("storage", PlacementKind::Storage),
        ("stateless", PlacementKind::Stateless),
        ("keeper", PlacementKind::Keeper),
    ];
    let found = known.iter().find(|(name, _)| Some(*name) == node.text());
    if found.is_none() {
        let message = format!("`placement` must be storage, stateless or keeper, not {}", node.describe());
        let mut problem = Problem::new("HW0204", message).at(&node.span);
        problem.hint = near_name(node.text().unwrap_or_default(), known.map(|(name, _)| name));
        fields.report(problem);
    }
    found.map(|(_, kind)| *kind)
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
    match fields.get("vars").map(|node| (node, &node.value)) {
        None => Map::new(),
        Some((_, NodeValue::Map(entries))) => {
            for entry in entries.iter().filter(|entry| entry.value.is_vaulted()) {
                fields.wrong(
                    &entry.key,
                    &entry.value,
                    "vaulted values are read from the inventory: put it into `group_vars/`",
                );
            }
            entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
        }
        Some((node, _)) => {
            fields.wrong("vars", node, &format!("must be a mapping, not {}", node.describe()));
            Map::new()
        }
    }
}

fn directories(role: &RoleName, fields: &mut Fields<'_, '_>) -> BTreeMap<RemotePath, DirectorySpec> {
    let mut directories = BTreeMap::new();
    for item in fields.items("directories") {
        let what = format!("a directory of role `{role}`");
        let known = ["path", "owner", "group", "mode"];
        let Some(mut entry) = Fields::open(item, what, &known, CODES, fields.problems()) else { continue };
        entry.required("path");
        let path = entry.parsed("path", RemotePath::new);
        let (owner, group) = owner(&mut entry);
        let mode = mode(&mut entry, 0o755);
        if let Some(path) = path {
            let spec = DirectorySpec { owner, group, mode };
            once(&mut directories, path, spec, item, fields);
        }
    }
    directories
}

fn files(role: &RoleName, fields: &mut Fields<'_, '_>) -> BTreeMap<RemotePath, (FileSpec, Span)> {
    let mut files = BTreeMap::new();
    for item in fields.items("files") {
        let what = format!("a file of role `{role}`");
        let known = ["template", "path", "owner", "group", "mode", "unit"];
        let Some(mut entry) = Fields::open(item, what, &known, CODES, fields.problems()) else { continue };
        entry.required("template");
        entry.required("path");
        let (template, path) = (entry.text("template"), entry.parsed("path", RemotePath::new));
        let (owner, group) = owner(&mut entry);
        let (mode, unit) = (mode(&mut entry, 0o644), entry.parsed("unit", UnitName::new));
        if let (Some(template), Some(path)) = (template, path) {
            let spec = FileSpec { template, owner, group, mode, unit };
            once(&mut files, path, (spec, item.span.clone()), item, fields);
        }
    }
    files
}

fn units(role: &RoleName, fields: &mut Fields<'_, '_>) -> BTreeMap<UnitName, UnitSpec> {
    let mut units = BTreeMap::new();
    for item in fields.items("units") {
        let what = format!("a unit of role `{role}`");
        let known = ["name", "enabled", "running"];
        let Some(mut entry) = Fields::open(item, what, &known, CODES, fields.problems()) else { continue };
        entry.required("name");
        let name = entry.parsed("name", UnitName::new);
        let (enabled, running) = (entry.flag("enabled").unwrap_or(true), entry.flag("running").unwrap_or(true));
        if let Some(name) = name {
            once(&mut units, name, UnitSpec { enabled, running }, item, fields);
        }
    }
    units
}

fn clickhouse(role: &RoleName, fields: &mut Fields<'_, '_>) -> Option<(ClickHouseSpec, Span)> {
    let node = fields.get("clickhouse")?;
    let what = format!("`clickhouse` of role `{role}`");
    let known = ["unit", "http_port", "user", "password"];
    let mut entry = Fields::open(node, what, &known, CODES, fields.problems())?;
    entry.required("unit");
    let unit = entry.parsed("unit", UnitName::new)?;
    let http_port = entry.port("http_port").unwrap_or(8123);
    let user = entry.text("user").unwrap_or_else(|| "default".to_owned());
    let password = entry.secret("password");
    Some((ClickHouseSpec { unit, http_port, user, password }, node.span.clone()))
}

fn owner(entry: &mut Fields<'_, '_>) -> (String, String) {
    let owner = entry.text("owner").unwrap_or_else(|| "root".to_owned());
    let group = entry.text("group").unwrap_or_else(|| owner.clone());
    (owner, group)
}

/// An octal number of three or four digits, quoted, or with the leading zero that makes it octal to YAML too.
fn mode(entry: &mut Fields<'_, '_>, default: u32) -> u32 {
    let Some(node) = entry.get("mode") else { return default };
    let fits = |text: &&str| (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = node.text().or_else(|| node.octal()).filter(fits);
    digits.and_then(|digits| u32::from_str_radix(digits, 8).ok()).unwrap_or_else(|| {
        let message = format!("must be an octal number such as \"0640\", not {}", node.describe());
        // YAML has made another number of the digits: 644 is not 0644.
        let meant = node.whole().map(|number| number.to_string()).filter(|text| fits(&text.as_str()));
        let meant = meant.filter(|text| u32::from_str_radix(text, 8).is_ok());
        entry.wrong_with("mode", node, &message, meant.map(|digits| format!("write `mode: \"{digits:0>4}\"`")));
        default
    })
}

fn once<K: Ord + ToString, V>(map: &mut BTreeMap<K, V>, key: K, value: V, item: &Node, fields: &mut Fields<'_, '_>) {
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
