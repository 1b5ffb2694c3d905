//! The scope of each host, and the evaluation of its variables when they are asked for (pure).
//!
//! A value is made once for all hosts that give it equal inputs: the names that an evaluation looked up, and what it found, are
//! kept, and a host for which they are the same gets the same value.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::failure::Failure;
use super::references::References;
use super::written::{Written, holds_expression};
use super::{Outcome, RoleName};
use crate::inventory::{Entry, Inventory, Layer, Node, NodeValue};
use crate::jinja::{self, Kind, Scope, Value, Wrong};
use crate::problem::Span;
use crate::role::Role;
use crate::secret::{MARKER_END, MARKER_START, SecretRef};

/// How many variables may refer to each other in a row.
const MAX_DEPTH: usize = 20;
/// Values of one text that are compared with a new host's inputs.
const MAX_TRACES: usize = 32;
/// Names that every host has.
const MAGIC: [&str; 5] = ["group_names", "groups", "hostvars", "inventory_hostname", "inventory_hostname_short"];

/// Everything that an expression can see.
pub(super) struct World {
    me: Weak<World>,
    hosts: IndexMap<String, Asker>,
    /// The group `all` for itself, without a host.
    all: Asker,
    groups: Value,
    /// Variables of roles, by `hostClusterRole`.
    roles: BTreeMap<String, BTreeMap<String, Value>>,
    /// Entries with expressions, by their place in memory; the layers keep them there.
    written: BTreeMap<usize, Written>,
    /// Names of the entries with expressions of each layer, by its place in memory.
    names: BTreeMap<usize, Vec<String>>,
    references: References,
    state: Mutex<State>,
}

/// Who has variables.
struct Asker {
    name: Option<String>,
    layers: Vec<Arc<Layer>>,
    group_names: Value,
    /// Equal for hosts in equal groups.
    group_key: usize,
}

#[derive(Default)]
struct State {
    plain: BTreeMap<usize, Value>,
    done: BTreeMap<(Option<usize>, usize), Done>,
    traces: BTreeMap<usize, Vec<(Vec<Seen>, Done)>>,
    open: Vec<Open>,
    failures: Vec<Arc<Failure>>,
}

/// A name that was looked up, and the identity of what was found.
type Seen = (String, usize);

/// A finished evaluation: the value as expressions see it and as the fleet does; or the number of the failure.
type Done = Result<Arc<Made>, usize>;

struct Made {
    value: Value,
    entry: Result<Arc<Entry>, usize>,
}

/// An evaluation under way.
struct Open {
    host: Option<usize>,
    address: usize,
    name: String,
    span: Span,
    seen: Vec<Seen>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

fn address<T>(thing: &T) -> usize {
    std::ptr::from_ref(thing).addr()
}

impl World {
    /// Puts the scopes together; nothing where no variable holds an expression.
    pub fn new(inventory: &Inventory, roles: &BTreeMap<RoleName, Role>) -> Option<Arc<Self>> {
        let (mut written, mut names): (BTreeMap<usize, Written>, BTreeMap<usize, Vec<String>>) = Default::default();
        for layer in inventory.layers() {
            let found = layer.vars.iter().filter(|(_, entry)| holds_expression(&entry.value));
            let found: Vec<String> = found
                .map(|(name, entry)| {
                    written.insert(address(entry), Written::new(&entry.value));
                    name.clone()
                })
                .collect();
            if !found.is_empty() {
                names.insert(Arc::as_ptr(layer).addr(), found);
            }
        }
        if written.is_empty() {
            return None;
        }
        let mut members: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let groups: Vec<(String, Value)> = inventory
            .groups
            .keys()
            .map(|group| {
                let hosts: Vec<String> = inventory.hosts_of(group).iter().map(ToString::to_string).collect();
                (group.clone(), jinja::names(hosts))
            })
            .collect();
        for group in inventory.groups.keys().filter(|group| *group != "all") {
            for host in inventory.hosts_of(group) {
                if let Some((host, _)) = inventory.hosts.get_key_value(&host) {
                    members.entry(host.as_str()).or_default().push(group);
                }
            }
        }
        let mut group_sets: BTreeMap<Vec<&str>, (usize, Value)> = BTreeMap::new();
        let mut asker = |name: &str, layers: &[Arc<Layer>]| {
            let mut in_groups = members.get(name).cloned().unwrap_or_default();
            in_groups.sort_unstable();
            let next = group_sets.len() + 1;
            let names = || (next, jinja::names(in_groups.iter().map(|group| (*group).to_owned())));
            let (group_key, group_names) = group_sets.entry(in_groups.clone()).or_insert_with(names).clone();
            Asker { name: Some(name.to_owned()), layers: layers.to_vec(), group_names, group_key }
        };
        let hosts = inventory.hosts.iter().map(|(name, host)| (name.to_string(), asker(name.as_str(), &host.layers)));
        let hosts: IndexMap<String, Asker> = hosts.collect();
        let layers = inventory.layers_of_all();
        let all = Asker { name: None, layers, group_names: Value::from(()), group_key: 0 };
        let references = References::of(inventory, roles.values());
        let of_role = |role: &Role| {
            let vars = role.vars.iter().map(|(name, value)| (name.clone(), jinja::from_json(value))).collect();
            Some((role.host_cluster_role.clone()?, vars))
        };
        let roles = roles.values().filter_map(of_role).collect();
        let groups = jinja::lazy(Arc::new(groups.into_iter().collect::<jinja::Values>()));
        let state = Mutex::default();
        Some(Arc::new_cyclic(|me| Self {
            me: me.clone(),
            hosts,
            all,
            groups,
            roles,
            written,
            names,
            references,
            state,
        }))
    }

    /// Every variable with an expression that a host has, or that the group `all` has.
    pub fn outcomes(&self, host: Option<usize>) -> BTreeMap<String, Outcome> {
        let layers = &self.asker(host).layers;
        let names: BTreeSet<&String> =
            layers.iter().filter_map(|layer| self.names.get(&Arc::as_ptr(layer).addr())).flatten().collect();
        let mut outcomes = BTreeMap::new();
        for name in names {
            let Some(entry) = self.entry(host, name).filter(|entry| self.written.contains_key(&address(*entry))) else {
                continue;
            };
            let outcome = match self.evaluate(host, entry) {
                Ok(made) => made.entry.clone(),
                Err(index) => Err(index),
            };
            let failure = |index: usize| self.state().failures.get(index).cloned();
            match outcome {
                Ok(entry) => outcomes.extend([(name.clone(), Ok(entry))]),
                Err(index) => outcomes.extend(failure(index).map(|failure| (name.clone(), Err(failure)))),
            }
        }
        outcomes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn asker(&self, host: Option<usize>) -> &Asker {
        host.and_then(|index| self.hosts.get_index(index)).map_or(&self.all, |(_, asker)| asker)
    }

    /// The definition that wins.
    fn entry(&self, host: Option<usize>, name: &str) -> Option<&Entry> {
        self.asker(host).layers.iter().rev().find_map(|layer| layer.vars.get(name))
    }

    /// The value of a name and its identity; 0 stands for no such name.
    fn look(&self, host: Option<usize>, name: &str) -> (Option<Result<Value, Wrong>>, usize) {
        let asker = self.asker(host);
        match (name, &asker.name) {
            ("groups", _) => return (Some(Ok(self.groups.clone())), 1),
            ("hostvars", _) => {
                let scope = self.me.upgrade().map(|world| jinja::lazy(Arc::new(HostVars(world))));
                return (scope.map(Ok), 1);
            }
            ("group_names", Some(_)) => return (Some(Ok(asker.group_names.clone())), asker.group_key),
            ("inventory_hostname", Some(name)) => return (Some(Ok(Value::from(name.as_str()))), address(asker)),
            ("inventory_hostname_short", Some(name)) => {
                let short = name.split('.').next().unwrap_or_default();
                return (Some(Ok(Value::from(short))), address(asker));
            }
            _ => {}
        }
        let Some(entry) = self.entry(host, name) else {
            let value = self.role(host, name).and_then(|role| role.get(name));
            return (value.cloned().map(Ok), value.map(address).unwrap_or_default());
        };
        if !self.written.contains_key(&address(entry)) {
            let value = self.state().plain.get(&address(entry)).cloned();
            let value = value.unwrap_or_else(|| {
                let value = jinja::from_json(&entry.value.to_json());
                self.state().plain.insert(address(entry), value.clone());
                value
            });
            return (Some(Ok(value)), address(entry));
        }
        match self.evaluate(host, entry) {
            Ok(made) => (Some(Ok(made.value.clone())), Arc::as_ptr(&made).addr()),
            Err(index) => {
                let failure = self.state().failures.get(index).cloned();
                (failure.map(|failure| Err(failure.wrong(index))), usize::MAX - index)
            }
        }
    }

    /// The variables of the host's role, which are the weakest.
    fn role(&self, host: Option<usize>, asked: &str) -> Option<&BTreeMap<String, Value>> {
        host?;
        if asked == "hostClusterRole" || self.roles.values().all(|vars| !vars.contains_key(asked)) {
            return None;
        }
        let is_open = self.state().open.iter().any(|open| open.host == host && open.name == "hostClusterRole");
        let value = if is_open { None } else { self.look(host, "hostClusterRole").0?.ok() };
        self.roles.get(&value?.to_string())
    }

    fn evaluate(&self, host: Option<usize>, entry: &Entry) -> Done {
        let key = (host, address(entry));
        if let Some(done) = self.state().done.get(&key) {
            return done.clone();
        }
        if let Some(index) = self.refuse(key, entry) {
            return Err(index);
        }
        let span = entry.value.span.clone();
        let open = Open { host, address: key.1, name: entry.key.clone(), span, seen: Vec::new() };
        self.state().open.push(open);
        // Also the look at another host's inputs may come back to this variable.
        if let Some(done) = self.traced(host, key.1) {
            let mut state = self.state();
            state.open.pop();
            state.done.insert(key, done.clone());
            return done;
        }
        let value = match (self.written.get(&key.1), self.me.upgrade()) {
            (Some(written), Some(world)) => self.run(written, entry, &HostScope { world, host, records: true }),
            _ => Ok(Value::from(())),
        };
        let seen = self.state().open.pop().map(|open| open.seen).unwrap_or_default();
        let done = value.map(|value| Arc::new(Made { entry: self.finished(&value, entry), value }));
        let done = done.map_err(|wrong| wrong.root.unwrap_or_default());
        let own = self.asker(host).name.as_ref().map(|_| address(self.asker(host)));
        let mut state = self.state();
        state.done.insert(key, done.clone());
        let traces = state.traces.entry(key.1).or_default();
        if done.is_ok() && traces.len() < MAX_TRACES && !seen.iter().any(|(_, identity)| Some(*identity) == own) {
            traces.push((seen, done.clone()));
        }
        done
    }

    /// A circle, or a row that is too long.
    fn refuse(&self, key: (Option<usize>, usize), entry: &Entry) -> Option<usize> {
        let mut state = self.state();
        let cycle = state.open.iter().position(|open| (open.host, open.address) == key);
        let failure = match cycle {
            Some(start) => {
                let around: Vec<(String, Span)> =
                    state.open[start..].iter().map(|open| (open.name.clone(), open.span.clone())).collect();
                Failure::cycle(&entry.key, &entry.value.span, &around)
            }
            None if state.open.len() >= MAX_DEPTH => {
                let message = format!("more than {MAX_DEPTH} variables refer to each other in a row");
                Failure::new(&entry.key, &entry.value.span, "", Wrong::new(Kind::TooMuch, 0..0, message))
            }
            None => return None,
        };
        state.failures.push(Arc::new(failure));
        Some(state.failures.len() - 1)
    }

    /// A value that was made from what this host has too.
    fn traced(&self, host: Option<usize>, address: usize) -> Option<Done> {
        let count = self.state().traces.get(&address).map(Vec::len).unwrap_or_default();
        (0..count).find_map(|at| {
            let (seen, done) = self.state().traces.get(&address)?.get(at)?.clone();
            seen.iter().all(|(name, identity)| self.look(host, name).1 == *identity).then_some(done)
        })
    }

    /// The value of what was written; a part without a value stays in its place, and says why when it is used.
    fn run(&self, written: &Written, entry: &Entry, scope: &HostScope) -> Result<Value, Wrong> {
        let part = |written: &Written| self.run(written, entry, scope).unwrap_or_else(jinja::missing);
        match written {
            Written::Plain(value) => Ok(value.clone()),
            Written::List(items) => Ok(Value::from(items.iter().map(part).collect::<Vec<_>>())),
            Written::Map(entries) => {
                Ok(Value::from_pairs(entries.iter().map(|(key, written)| (Value::from(key.as_str()), part(written)))))
            }
            Written::Text { template, text, span } => {
                let value = template.as_ref().map_err(Clone::clone).and_then(|template| template.value(scope));
                value.map_err(|mut wrong| {
                    if wrong.root.is_none() {
                        let mut state = self.state();
                        state.failures.push(Arc::new(Failure::new(&entry.key, span, text, wrong.clone())));
                        wrong.root = Some(state.failures.len() - 1);
                    }
                    wrong
                })
            }
        }
    }

    /// The entry as if the value had been written in the place of the expression.
    fn finished(&self, value: &Value, entry: &Entry) -> Result<Arc<Entry>, usize> {
        let fail = |wrong: Wrong| {
            let mut state = self.state();
            state.failures.push(Arc::new(Failure::new(&entry.key, &entry.value.span, "", wrong)));
            state.failures.len() - 1
        };
        if let Some(wrong) = jinja::first_missing(value) {
            return Err(wrong.root.unwrap_or_else(|| fail(wrong)));
        }
        let value = jinja::to_json(value);
        // The engine refuses this already, filter by filter; a secret that nobody referred to must not depend on that.
        if !self.references.hold(&value) {
            let message = "it makes the reference of a secret that stands nowhere in the inventory";
            return Err(fail(Wrong::new(Kind::Secret, 0..0, message)));
        }
        let value = node(value, &entry.value.span);
        Ok(Arc::new(Entry { key: entry.key.clone(), key_span: entry.key_span.clone(), value }))
    }
}

/// A value in the place of what was written; a text that is one secret is the secret.
fn node(value: Json, span: &Span) -> Node {
    let value = match value {
        Json::Null => NodeValue::Null,
        Json::Bool(flag) => NodeValue::Bool(flag),
        Json::Number(number) => NodeValue::Number(number),
        Json::String(text) => {
            let inside = text.strip_prefix(MARKER_START).and_then(|rest| rest.strip_suffix(MARKER_END));
            match inside.filter(|inside| !inside.contains(MARKER_START)).and_then(SecretRef::from_marker) {
                Some(secret) => NodeValue::Secret(secret),
                None => NodeValue::Text(text),
            }
        }
        Json::Array(items) => NodeValue::List(items.into_iter().map(|item| node(item, span)).collect()),
        Json::Object(map) => {
            let entry = |(key, value)| Entry { key, key_span: span.clone(), value: node(value, span) };
            NodeValue::Map(map.into_iter().map(entry).collect())
        }
    };
    Node { span: span.clone(), value }
}

/// What the expressions of one host see.
#[derive(Debug)]
struct HostScope {
    world: Arc<World>,
    host: Option<usize>,
    /// Whether lookups are inputs of the evaluation under way: through `hostvars` they are the same for everybody.
    records: bool,
}

impl Scope for HostScope {
    fn get(&self, name: &str) -> Option<Result<Value, Wrong>> {
        let (value, identity) = self.world.look(self.host, name);
        if self.records
            && let Some(open) = self.world.state().open.last_mut()
        {
            open.seen.push((name.to_owned(), identity));
        }
        value
    }

    fn names(&self) -> Vec<String> {
        let layers = &self.world.asker(self.host).layers;
        let names: BTreeSet<&str> =
            layers.iter().flat_map(|layer| layer.vars.keys()).map(String::as_str).chain(MAGIC).collect();
        // Nobody meant the variable that is being evaluated.
        let own = self.world.state().open.last().map(|open| open.name.clone());
        names.into_iter().filter(|name| Some(*name) != own.as_deref()).map(str::to_owned).collect()
    }
}

/// `hostvars`: every host's scope.
#[derive(Debug)]
struct HostVars(Arc<World>);

impl Scope for HostVars {
    fn get(&self, name: &str) -> Option<Result<Value, Wrong>> {
        let host = Some(self.0.hosts.get_index_of(name)?);
        Some(Ok(jinja::lazy(Arc::new(HostScope { world: Arc::clone(&self.0), host, records: false }))))
    }

    fn names(&self) -> Vec<String> {
        self.0.hosts.keys().cloned().collect()
    }
}
