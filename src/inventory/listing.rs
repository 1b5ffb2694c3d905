//! The inventory in the forms of `ansible-inventory`: `--list`, `--host`, `--graph` (pure).
//!
//! Values are as written: texts with `{{ }}` are not resolved, secrets are their references, vaulted values are ciphertext.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::data::Data;
use super::tree::{Group, Inventory, InventoryHost};
use crate::fleet::HostName;

/// Ansible's name for the form of `--list`: <https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html>.
const PROFILE: &str = "inventory_legacy";
/// Names that Ansible gives a meaning of its own: it lists no variable of such a name, in order of name.
const INTERNAL: [&str; 33] = [
    "ansible_async_path",
    "ansible_collection_name",
    "ansible_config_file",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_role_names",
    "ansible_playbook_python",
    "ansible_role_name",
    "ansible_role_names",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "play_hosts",
    "playbook_dir",
    "role_name",
    "role_names",
    "role_path",
    "role_uuid",
];

impl Inventory {
    /// The data of `ansible-inventory --list`, for these hosts alone where they are given.
    #[must_use]
    pub fn list(&self, only: Option<&BTreeSet<HostName>>) -> Data<'_> {
        let (mut listed, mut seen, mut open) = (BTreeMap::new(), BTreeSet::from(["all"]), vec!["all"]);
        while let Some(name) = open.pop() {
            let Some(group) = self.groups.get(name) else { continue };
            open.extend(group.children.keys().map(String::as_str).filter(|name| seen.insert(name)));
            let hosts = members(name, group, only).map(|host| Data::Text(host.to_string())).collect::<Vec<_>>();
            let children = group.children.keys().map(|child| Data::Text(child.clone())).collect::<Vec<_>>();
            let parts = [("hosts", hosts), ("children", children)].into_iter().filter(|(_, names)| !names.is_empty());
            let parts: BTreeMap<&str, Data<'_>> = parts.map(|(part, names)| (part, Data::List(names))).collect();
            if !parts.is_empty() {
                listed.insert(name, Data::from(parts));
            }
        }
        let hosts = self.hosts.iter().filter(|(name, _)| only.is_none_or(|only| only.contains(*name)));
        let vars = hosts.map(|(name, host)| (name.as_str(), host.data())).filter(|(_, vars)| !is_empty(vars));
        let meta =
            [("hostvars", Data::from(vars.collect::<BTreeMap<_, _>>())), ("profile", Data::Text(PROFILE.to_owned()))];
        listed.insert("_meta", Data::from(BTreeMap::from(meta)));
        Data::from(listed)
    }

    /// The data of `ansible-inventory --list --yaml`: an inventory again, each host's variables with its first group.
    #[must_use]
    pub fn tree(&self, only: Option<&BTreeSet<HostName>>) -> Data<'_> {
        let (mut seen, mut hosts) = (BTreeSet::new(), BTreeSet::new());
        let all = self.subtree("all", only, &mut seen, &mut hosts);
        Data::from(all.map(|all| BTreeMap::from([("all", all)])).unwrap_or_default())
    }

    fn subtree<'a>(
        &'a self,
        name: &'a str,
        only: Option<&BTreeSet<HostName>>,
        seen: &mut BTreeSet<&'a str>,
        written: &mut BTreeSet<&'a HostName>,
    ) -> Option<Data<'a>> {
        let group = self.groups.get(name)?;
        let mut children: BTreeMap<&str, Data<'a>> = BTreeMap::new();
        for child in group.children.keys() {
            if seen.insert(child) {
                children.extend(self.subtree(child, only, seen, written).map(|tree| (child.as_str(), tree)));
            } else {
                children.insert(child, Data::Map(BTreeMap::new()));
            }
        }
        let mut hosts: BTreeMap<&str, Data<'a>> = BTreeMap::new();
        for host in members(name, group, only) {
            let vars = self.hosts.get(host).filter(|_| written.insert(host)).map(InventoryHost::data);
            hosts.insert(host.as_str(), vars.unwrap_or(Data::Map(BTreeMap::new())));
        }
        let parts = [("children", children), ("hosts", hosts)].into_iter().filter(|(_, part)| !part.is_empty());
        let parts: BTreeMap<&str, Data<'a>> = parts.map(|(name, part)| (name, Data::from(part))).collect();
        (!parts.is_empty()).then(|| Data::from(parts))
    }

    /// A tree of groups and hosts, as `ansible-inventory --graph` draws it, but for groups in several groups: their hosts
    /// stand in the first place only. `about` says more of each host.
    #[must_use]
    pub fn graph(&self, about: &dyn Fn(&HostName) -> String) -> String {
        let mut out = String::new();
        self.draw("all", 0, about, &mut BTreeSet::new(), &mut out);
        out
    }

    fn draw<'a>(
        &'a self,
        name: &'a str,
        depth: usize,
        about: &dyn Fn(&HostName) -> String,
        drawn: &mut BTreeSet<&'a str>,
        out: &mut String,
    ) {
        let Some(group) = self.groups.get(name) else { return };
        if !drawn.insert(name) {
            let _ = writeln!(out, "{}@{name}: (as above)", branch(depth));
            return;
        }
        let _ = writeln!(out, "{}@{name}:", branch(depth));
        for child in group.children.keys() {
            self.draw(child, depth + 1, about, drawn, out);
        }
        for host in members(name, group, None) {
            let line = format!("{:<40} {}", branch(depth + 1) + host.as_str(), about(host));
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
}

impl InventoryHost {
    /// The variables that Ansible lists, as data.
    #[must_use]
    pub fn data(&self) -> Data<'_> {
        let listed = self.vars().into_iter().filter(|(name, _)| INTERNAL.binary_search(name).is_err());
        Data::from(listed.map(|(name, entry)| (name, Data::Node(&entry.value))).collect::<BTreeMap<_, _>>())
    }
}

/// The hosts that a group shows: Ansible shows the hosts of `all` under `ungrouped`.
fn members<'a>(name: &str, group: &'a Group, only: Option<&BTreeSet<HostName>>) -> impl Iterator<Item = &'a HostName> {
    let shown = name != "all";
    group.hosts.iter().filter(move |host| shown && only.is_none_or(|only| only.contains(*host)))
}

fn branch(depth: usize) -> String {
    if depth == 0 { String::new() } else { "  |".repeat(depth) + "--" }
}

fn is_empty(data: &Data<'_>) -> bool {
    matches!(data, Data::Map(entries) if entries.is_empty())
}
