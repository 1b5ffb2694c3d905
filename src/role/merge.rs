//! Merges included roles into the roles that include them (pure): each part once, the including role's own on top.

use std::collections::{BTreeMap, BTreeSet};

use super::{PlacementKind, Role, RoleDocument};
use crate::fleet::RoleName;
use crate::problem::{Problem, Span, near_name};
use crate::remote::RemotePath;

/// Makes every role that hosts can have: those with a `hostClusterRole`; the others are only there to be included.
///
/// Included roles come depth first, in order, and each only once. A role that includes a broken one is left out without a word:
/// what it lacks may stand there.
#[must_use]
pub fn merge(
    documents: &BTreeMap<RoleName, RoleDocument>,
    broken: &BTreeSet<RoleName>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<RoleName, Role> {
    unknown_includes(documents, broken, problems);
    let mut roles = BTreeMap::new();
    let mut taken: BTreeMap<&str, &RoleName> = BTreeMap::new();
    for document in documents.values() {
        let mut line = Line { documents, open: Vec::new(), done: BTreeSet::new(), order: Vec::new(), problems };
        line.visit(document);
        let order = line.order;
        let Some((value, span)) = &document.host_cluster_role else { continue };
        if let Some(other) = taken.insert(value, &document.name) {
            let message =
                format!("the roles `{other}` and `{}` have the same hostClusterRole `{value}`", document.name);
            problems.push(Problem::new("HW0208", message).at(span));
        }
        let lacks = |part: &&RoleDocument| part.misplaced || part.include.iter().any(|(name, _)| broken.contains(name));
        if order.iter().any(lacks) {
            continue;
        }
        if let Some(role) = fold(document, &order, problems) {
            roles.insert(role.name.clone(), role);
        }
    }
    roles
}

fn unknown_includes(
    documents: &BTreeMap<RoleName, RoleDocument>,
    broken: &BTreeSet<RoleName>,
    problems: &mut Vec<Problem>,
) {
    let is_there = |name: &RoleName| documents.contains_key(name) || broken.contains(name);
    for document in documents.values() {
        for (name, span) in document.include.iter().filter(|(name, _)| !is_there(name)) {
            let mut problem = Problem::new("HW0205", format!("no role is called `{name}`")).at(span);
            problem.hint = near_name(name.as_str(), documents.keys().map(RoleName::as_str));
            problems.push(problem);
        }
    }
}

/// The order in which roles are laid on each other.
struct Line<'a, 'p> {
    documents: &'a BTreeMap<RoleName, RoleDocument>,
    open: Vec<&'a RoleName>,
    done: BTreeSet<&'a RoleName>,
    order: Vec<&'a RoleDocument>,
    problems: &'p mut Vec<Problem>,
}

impl<'a> Line<'a, '_> {
    fn visit(&mut self, document: &'a RoleDocument) {
        self.open.push(&document.name);
        for (name, span) in &document.include {
            if let Some(start) = self.open.iter().position(|open| *open == name) {
                let path: Vec<String> = self.open.iter().skip(start).map(|open| format!("`{open}`")).collect();
                let message = format!("roles include each other: {} > `{name}`", path.join(" > "));
                let problem = Problem::new("HW0206", message).at(span);
                // Each role of the cycle finds it; one report is enough.
                if self.open.iter().skip(start).min() == Some(&name) && !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
            } else if let Some(included) = self.documents.get(name).filter(|_| !self.done.contains(name)) {
                self.visit(included);
            }
        }
        self.open.pop();
        self.done.insert(&document.name);
        self.order.push(document);
    }
}

/// Lays the roles of `order` on each other; the last is the role itself.
fn fold(document: &RoleDocument, order: &[&RoleDocument], problems: &mut Vec<Problem>) -> Option<Role> {
    let mut role = Role {
        description: document.description.clone(),
        host_cluster_role: document.host_cluster_role.as_ref().map(|(value, _)| value.clone()),
        include: document.include.iter().map(|(name, _)| name.clone()).collect(),
        ..Role::empty(document.name.clone(), PlacementKind::Stateless)
    };
    let (mut placement, mut file_spans, mut clickhouse_span) = (None, BTreeMap::new(), None);
    for part in order {
        placement = part.placement.or(placement);
        role.vars.extend(part.vars.clone());
        role.directories.extend(part.directories.clone());
        for (path, (spec, span)) in &part.files {
            role.files.insert(path.clone(), spec.clone());
            file_spans.insert(path, span);
        }
        role.ground.extend(&part.ground);
        role.units.extend(part.units.clone());
        if let Some((clickhouse, span)) = &part.clickhouse {
            role.clickhouse = Some(clickhouse.clone());
            clickhouse_span = Some(span);
        }
        role.gates.extend(part.gates.clone());
        role.schema.extend(part.schema.iter().cloned());
        role.migrations.extend(part.migrations.iter().cloned());
    }
    unknown_units(&role, &file_spans, clickhouse_span, problems);
    let Some(placement) = placement else {
        let message = format!("neither role `{}` nor a role that it includes says its placement", role.name);
        let hint = "add `placement: storage`, `stateless` or `keeper`";
        problems.push(Problem::new("HW0207", message).at(&document.span).hint(hint));
        return None;
    };
    role.placement = placement;
    problems.extend(no_clickhouse(&role, document));
    Some(role)
}

/// Where there is data or a schema there is a server, and Housewright must know how to ask it.
fn no_clickhouse(role: &Role, document: &RoleDocument) -> Option<Problem> {
    let why = match role.placement {
        _ if role.clickhouse.is_some() => return None,
        PlacementKind::Storage => "stores data",
        PlacementKind::Stateless if !role.schema.is_empty() => "has a schema",
        PlacementKind::Stateless if !role.migrations.is_empty() => "has migrations",
        _ if !role.gates.is_empty() => "has gates",
        PlacementKind::Stateless | PlacementKind::Keeper => return None,
    };
    let message = format!("role `{}` {why}, and nothing says how its ClickHouse is asked", role.name);
    let hint = "add `clickhouse: { unit: clickhouse-server }`, or include a role that has it";
    Some(Problem::new("HW0212", message).at(&document.span).hint(hint))
}

/// A file's unit is restarted when the file changes: it must be one that the role looks after.
fn unknown_units(
    role: &Role,
    file_spans: &BTreeMap<&RemotePath, &Span>,
    clickhouse_span: Option<&Span>,
    problems: &mut Vec<Problem>,
) {
    let named = role.files.iter().filter_map(|(path, spec)| Some((spec.unit.as_ref()?, *file_spans.get(path)?)));
    let named = named.chain(role.clickhouse.iter().filter_map(|clickhouse| Some((&clickhouse.unit, clickhouse_span?))));
    for (unit, span) in named.filter(|(unit, _)| !role.units.contains_key(unit)) {
        let mut problem = Problem::new("HW0210", format!("role `{}` has no unit `{unit}`", role.name)).at(span);
        let units: Vec<String> = role.units.keys().map(ToString::to_string).collect();
        problem.hint = near_name(&unit.to_string(), units.iter().map(String::as_str))
            .or_else(|| Some(format!("add `- {{ name: {unit} }}` to its `units`")));
        problems.push(problem);
    }
}
