//! What live tables still take from the configuration, and what its server would break on: that is held (pure).
//!
//! A reload accepts all of these changes, or swallows its error; the tables break then, or at the next start.

use std::collections::{BTreeMap, BTreeSet};

use super::effective::{self, Compared, Outcome};
use super::{Hold, disruption};
use crate::clickhouse::config::{ChangeKind, ConfigDirectory, KeyChange, refused};
use crate::fleet::HostName;
use crate::remote::RemotePath;
use crate::render::Desired;
use crate::resource::{ClickHouseFacts, FileChange, FileChangeKind, HostFacts, Ownership, ServerFacts, Shows};
use crate::schema::{ObjectName, Uses};

/// As many tables as a reason names; it counts the others.
const NAMED: usize = 5;

/// Macros that place a host's replicas; without its server's word, these are taken to be in use.
const PLACES: [&str; 2] = ["shard", "replica"];

/// Takes the files of a directory out of a host's changes where they would take something away from tables that live on
/// it: they are read as one, so none of them is written. Tells whether the server's own configuration stays as it is.
pub(super) fn hold_back(
    host: &HostName,
    (files, own): (&mut Vec<FileChange>, &mut Ownership),
    desired: &Desired,
    facts: &HostFacts,
    holds: &mut Vec<Hold>,
) -> bool {
    let mut changes: BTreeMap<ConfigDirectory, Vec<KeyChange>> = BTreeMap::new();
    let written = files.iter().filter(|file| file.kind != FileChangeKind::Metadata).map(|file| &file.path);
    let paths: Vec<_> = written.chain(own.removals.iter().map(|file| &file.path)).collect();
    // Names are looked up by their values here, and a hold shows names only.
    for Compared { directory, outcome } in effective::compare(&paths, Shows::Text, desired, facts) {
        let found = match outcome {
            Outcome::Keys(found) => found,
            Outcome::Refused(_) => Vec::new(),
            Outcome::FileByFile(_) => {
                let each = paths.iter().filter_map(|path| disruption::config_changes(path, desired, facts));
                each.filter(|(of, _)| *of == directory).flat_map(|(_, found)| found).collect()
            }
        };
        changes.entry(directory).or_default().extend(found);
    }
    let (mut stays, mut held) = (false, false);
    for (directory, changes) in changes {
        let found = self::holds(host, directory, &changes, facts);
        if !found.is_empty() {
            held = true;
            let stays_here = |path: &&RemotePath| ConfigDirectory::of(path.as_str()) == Some(directory);
            let written = files.iter().map(|file| &file.path).filter(stays_here);
            let left = written.chain(own.removals.iter().map(|file| &file.path).filter(stays_here)).cloned().collect();
            files.retain(|file| !stays_here(&&file.path));
            own.leave(&left);
            stays |= directory == ConfigDirectory::Config;
            holds.extend(found);
        }
    }
    stays | (held && withhold_generation(files, own, desired))
}

/// Leaves the files that tell a generation: the host does not get all of it. Tells whether there are any.
pub(super) fn withhold_generation(files: &mut Vec<FileChange>, own: &mut Ownership, desired: &Desired) -> bool {
    let tells = |path: &RemotePath| desired.files.get(path).is_some_and(|file| file.content.generation().is_some());
    let left = files.iter().map(|file| &file.path).filter(|path| tells(path)).cloned().collect();
    files.retain(|file| !tells(&file.path));
    own.leave(&left);
    desired.generation.is_some()
}

/// What would be taken away from tables that live on the host.
fn holds(host: &HostName, directory: ConfigDirectory, changes: &[KeyChange], facts: &HostFacts) -> Vec<Hold> {
    let hold = |(what, reason, hint): (String, String, &str)| Hold {
        host: host.clone(),
        what,
        reason,
        hint: Some(hint.to_owned()),
    };
    let found = match (&facts.clickhouse, directory) {
        (ClickHouseFacts::Up { server, objects }, ConfigDirectory::Config) => {
            let uses: Vec<_> = objects.iter().filter_map(Uses::of).collect();
            let mut found = of_storage(changes, server);
            found.extend(of_collections(changes, &uses));
            found.extend(of_clusters(changes, &uses, server));
            found.extend(of_macros(changes, &uses, server));
            found.extend(of_coordination(changes, &uses));
            found.extend(of_values(changes, Some(server)));
            found
        }
        (ClickHouseFacts::Up { objects, .. }, ConfigDirectory::Users) => {
            of_users(changes, &objects.iter().filter_map(Uses::of).collect::<Vec<_>>())
        }
        (ClickHouseFacts::Down { .. }, ConfigDirectory::Config) => {
            let mut found = of_places(changes);
            found.extend(of_values(changes, None));
            found
        }
        (ClickHouseFacts::NotAsked, ConfigDirectory::Config) => of_values(changes, None),
        (ClickHouseFacts::Down { .. } | ClickHouseFacts::NotAsked, ConfigDirectory::Users) => Vec::new(),
    };
    found.into_iter().map(hold).collect()
}

/// Tables that keep a changed named collection as it was when they were attached; nothing where the server does not tell.
pub(super) fn stale<'a>(changes: &[KeyChange], facts: &'a HostFacts) -> Option<BTreeSet<&'a ObjectName>> {
    let ClickHouseFacts::Up { objects, .. } = &facts.clickhouse else { return None };
    let changed: BTreeSet<_> =
        changes.iter().filter_map(|change| element(&change.path, &["named_collections"])).collect();
    let keeps = |uses: &Uses| uses.kept_collection.as_deref().is_some_and(|name| changed.contains(name));
    let stale = objects.iter().filter(|object| Uses::of(object).as_ref().is_some_and(keeps));
    Some(stale.map(|object| &object.name).collect())
}

type Found = (String, String, &'static str);

/// Policies, disks, and disks of policies.
fn of_storage(changes: &[KeyChange], server: &ServerFacts) -> Vec<Found> {
    let mut found = Vec::new();
    for policy in removed(changes, &["storage_configuration", "policies"]) {
        if let Some(tables) = server.stored.policies.get(policy) {
            found.push((
                format!("remove the storage policy `{policy}`"),
                format!("{} by it: {}", some(tables.len(), "table stores its parts", "tables store their parts"), names(tables)),
                "the server does not start without it: move the tables to another policy first (`ALTER TABLE ... MODIFY SETTING storage_policy`)",
            ));
        }
    }
    let gone: BTreeSet<_> =
        removed(changes, &["storage_configuration", "disks"]).into_iter().chain(dropped_disks(changes)).collect();
    for disk in gone {
        let Some(tables) = server.stored.disks.get(disk) else { continue };
        let parts: u64 = tables.values().sum();
        found.push((
            format!("take the disk `{disk}` away"),
            format!(
                "{} on it: {}",
                some(usize::try_from(parts).unwrap_or(usize::MAX), "part is", "parts are"),
                names(tables.keys())
            ),
            "the server does not start without it: move the parts first (`ALTER TABLE ... MOVE PARTITION ... TO DISK`)",
        ));
    }
    found
}

/// Disks that a policy loses; a volume's disks are a list, so any change in one can be a loss.
fn dropped_disks(changes: &[KeyChange]) -> Vec<&str> {
    let is_disk = |path: &str| {
        let mut parts = path.split('/').map(name);
        let wanted = [Some("storage_configuration"), Some("policies"), None, Some("volumes"), None, Some("disk")];
        wanted.iter().all(|wanted| parts.next().is_some_and(|part| wanted.is_none_or(|wanted| wanted == part)))
    };
    let disks = || changes.iter().filter(|change| is_disk(&change.path));
    let kept: BTreeSet<_> = disks().filter_map(|change| after(&change.kind)).collect();
    disks().filter_map(|change| before(&change.kind)).filter(|disk| !kept.contains(disk)).collect()
}

/// What the server would break on.
fn of_values(changes: &[KeyChange], server: Option<&ServerFacts>) -> Vec<Found> {
    let why = refused(changes, server.map(|server| &server.settings));
    why.into_iter()
        .map(|why| ("write its configuration".to_owned(), why, "mend the inventory or the template"))
        .collect()
}

fn of_collections(changes: &[KeyChange], uses: &[Uses]) -> Vec<Found> {
    let gone = removed(changes, &["named_collections"]);
    let take = |name: &str| users_of(uses, |uses| uses.collections.contains(name));
    let hint = "the plan behind their drop removes it; or move them to another collection";
    used(gone, "named collection", hint, take)
}

fn of_clusters(changes: &[KeyChange], uses: &[Uses], server: &ServerFacts) -> Vec<Found> {
    let gone = removed(changes, &["remote_servers"]);
    let expanded = |written: &String| {
        server.macros.iter().fold(written.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    };
    let take = |name: &str| users_of(uses, |uses| uses.clusters.iter().map(expanded).any(|cluster| cluster == name));
    used(gone, "cluster", "drop these first, or point them at another cluster", take)
}

fn of_users(changes: &[KeyChange], uses: &[Uses]) -> Vec<Found> {
    let gone = removed(changes, &["users"]);
    let take = |name: &str| users_of(uses, |uses| uses.definer.as_deref() == Some(name));
    used(gone, "user", "these read and write as that user: give them another definer first", take)
}

fn used<'a>(
    gone: BTreeSet<&str>,
    kind: &str,
    hint: &'static str,
    take: impl Fn(&str) -> BTreeSet<&'a ObjectName>,
) -> Vec<Found> {
    let gone = gone.into_iter().map(|name| (name, take(name))).filter(|(_, objects)| !objects.is_empty());
    gone.map(|(name, objects)| {
        let reason = format!("{} it: {}", some(objects.len(), "object uses", "objects use"), names(objects));
        (format!("remove the {kind} `{name}`"), reason, hint)
    })
    .collect()
}

/// A table keeps its macros unexpanded, so that a changed one points it at another place in Keeper when it is loaded next
/// (<https://github.com/ClickHouse/ClickHouse/issues/26251>), and a missing one keeps it from being loaded
/// (<https://github.com/ClickHouse/ClickHouse/issues/120368>).
///
/// A value that the server has already is none: then only the file was another.
fn of_macros(changes: &[KeyChange], uses: &[Uses], server: &ServerFacts) -> Vec<Found> {
    let mut moved = moved_macros(changes);
    moved.retain(|name, (new, _)| new.is_none() || server.macros.get(*name).map(String::as_str) != *new);
    let used = moved.into_iter().filter_map(|(name, (_, how))| {
        let tables = users_of(uses, |uses| uses.is_replicated() && uses.macros.contains(name));
        (!tables.is_empty()).then_some((name, how, tables))
    });
    used.map(|(name, how, tables)| {
        let reason = format!(
            "{} its value unexpanded, so the next start would put them elsewhere in Keeper: {}",
            some(tables.len(), "replicated table keeps", "replicated tables keep"),
            names(tables)
        );
        (format!("change the macro `{name}` {how}"), reason, "keep its value, or move the tables by hand first")
    })
    .collect()
}

/// A reload takes it, and every replicated table is read-only from then on.
fn of_coordination(changes: &[KeyChange], uses: &[Uses]) -> Option<Found> {
    let gone = |change: &KeyChange| matches!(&change.kind, ChangeKind::Removed { root, .. } if root == "zookeeper");
    let stays = |change: &KeyChange| after(&change.kind).is_some() && element(&change.path, &["zookeeper"]).is_some();
    let tables = users_of(uses, Uses::is_replicated);
    (changes.iter().any(gone) && !changes.iter().any(stays) && !tables.is_empty()).then(|| {
        let reason = format!(
            "{} by it: {}",
            some(tables.len(), "replicated table writes", "replicated tables write"),
            names(tables)
        );
        let hint = "give its servers in `zookeeper`, or drop these first";
        ("take the coordination `zookeeper` away".to_owned(), reason, hint)
    })
}

/// Without the server's word on its tables, its place stays.
fn of_places(changes: &[KeyChange]) -> Vec<Found> {
    let moved = moved_macros(changes).into_iter().filter(|(name, _)| PLACES.contains(name));
    moved
        .map(|(name, (_, how))| {
            let reason = "its server does not answer, so whether replicated tables keep it is not known".to_owned();
            (format!("change the macro `{name}` {how}"), reason, "start the server with the old value first")
        })
        .collect()
}

/// Macros whose value changes or goes, and how; the value of one that is no place of a replica is not told.
fn moved_macros(changes: &[KeyChange]) -> BTreeMap<&str, (Option<&str>, String)> {
    let all = || changes.iter().filter_map(|change| Some((element(&change.path, &["macros"])?, &change.kind)));
    let now: BTreeMap<_, _> = all().filter_map(|(name, kind)| Some((name, after(kind)?))).collect();
    let moved = all().filter_map(|(name, kind)| {
        let old = before(kind)?;
        let new = now.get(name).copied();
        (new != Some(old) || matches!(kind, ChangeKind::Changed { .. })).then(|| {
            let how = match new {
                None => "away".to_owned(),
                Some(new) if PLACES.contains(&name) => format!("from {old} to {new}"),
                Some(_) => "to another value".to_owned(),
            };
            (name, (new, how))
        })
    });
    moved.collect()
}

fn users_of(uses: &[Uses], takes: impl Fn(&Uses) -> bool) -> BTreeSet<&ObjectName> {
    uses.iter().filter(|uses| takes(uses)).map(|uses| &uses.name).collect()
}

/// The elements right below a section that no file has any more.
fn removed<'a>(changes: &'a [KeyChange], section: &[&str]) -> BTreeSet<&'a str> {
    let whole = |root: &str| root.split('/').count() <= section.len() + 1;
    let gone = changes.iter().filter_map(|change| match &change.kind {
        ChangeKind::Removed { root, .. } if whole(root) => element(&change.path, section),
        _ => None,
    });
    let still: BTreeSet<_> = changes
        .iter()
        .filter(|change| after(&change.kind).is_some())
        .filter_map(|change| element(&change.path, section))
        .collect();
    gone.filter(|name| !still.contains(name)).collect()
}

/// The element of a section that a path is at or below.
fn element<'a>(path: &'a str, section: &[&str]) -> Option<&'a str> {
    let mut parts = path.split('/').map(name);
    section.iter().all(|wanted| parts.next() == Some(wanted)).then_some(())?;
    parts.next().filter(|name| !name.starts_with('@'))
}

/// A part of a path without its number.
fn name(part: &str) -> &str {
    part.split('[').next().unwrap_or_default()
}

fn before(kind: &ChangeKind) -> Option<&str> {
    match kind {
        ChangeKind::Removed { value: old, .. } | ChangeKind::Changed { old, .. } => Some(old),
        ChangeKind::Added { .. } => None,
    }
}

fn after(kind: &ChangeKind) -> Option<&str> {
    match kind {
        ChangeKind::Added { value: new, .. } | ChangeKind::Changed { new, .. } => Some(new),
        ChangeKind::Removed { .. } => None,
    }
}

fn some(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// The first few names, and how many more.
pub(super) fn names<'a>(objects: impl IntoIterator<Item = &'a ObjectName>) -> String {
    let all: Vec<_> = objects.into_iter().map(ToString::to_string).collect();
    let (named, others) = all.split_at(all.len().min(NAMED));
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    format!("{}{more}", named.join(", "))
}

#[cfg(test)]
mod tests;
