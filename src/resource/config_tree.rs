//! The whole configuration of a host's ClickHouse and Keeper, ours or not: which files it is made of (pure).
//!
//! What is asked for is what the server reads, by its own rules: beside `NAME.xml` the files of `NAME.d` and `conf.d`
//! (<https://clickhouse.com/docs/operations/configuration-files>, `ConfigProcessor::getConfigMergeFiles`).

use std::collections::BTreeSet;

use bytes::Bytes;

use super::{HostFacts, ObserveError, ObservedFile, file};
use crate::remote::{RemotePath, TreeRead};
use crate::render::Desired;
use crate::secret::Secret;

/// Where ClickHouse's packages put the configurations.
const ROOTS: [&str; 2] = ["/etc/clickhouse-server", "/etc/clickhouse-keeper"];
/// Names of configurations: of the server, of its users, of a Keeper.
const STEMS: [&str; 3] = ["config", "users", "keeper_config"];
/// What the server reads in directories, in any case.
const ENDINGS: [&str; 4] = [".xml", ".conf", ".yaml", ".yml"];
/// What the server finds of a configuration by its path.
const MAIN_ENDINGS: [&str; 3] = [".xml", ".yaml", ".yml"];
/// Merged beside every configuration.
const SHARED: &str = "conf.d";
/// Where `incl` looks when nothing else is said.
const INCLUDED: &str = "/etc/metrika.xml";

/// The largest public sets have about fifty files.
const MOST_FILES: usize = 500;
/// The default `config.xml` has 70 KiB.
const MOST_KIB: u64 = 1024;

/// What is asked of a host for the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigTree {
    /// Read by their paths.
    pub mains: Vec<RemotePath>,
    /// The directories beside them.
    pub read: TreeRead,
    /// What should be there, and is a managed file too; so are those of the manifest.
    managed: BTreeSet<RemotePath>,
}

impl ConfigTree {
    /// Asks where the packages put it, and where our files go.
    pub fn of(desired: &Desired) -> Self {
        let mut roots: BTreeSet<_> = ROOTS.iter().filter_map(|root| RemotePath::new(*root).ok()).collect();
        roots.extend(desired.files.keys().filter_map(root));
        let below = |root: &RemotePath, name: &str| {
            RemotePath::new(format!("{}/{name}", root.as_str().trim_end_matches('/'))).ok()
        };
        let directories: Vec<_> = STEMS.iter().map(|stem| format!("{stem}.d")).chain([SHARED.to_owned()]).collect();
        let mains: Vec<_> =
            STEMS.iter().flat_map(|stem| MAIN_ENDINGS.map(|ending| format!("{stem}{ending}"))).collect();
        let all = |names: &[String]| -> Vec<RemotePath> {
            roots.iter().flat_map(|root| names.iter().filter_map(|name| below(root, name))).collect()
        };
        Self {
            mains: all(&mains).into_iter().chain(RemotePath::new(INCLUDED).ok()).collect(),
            read: TreeRead {
                directories: all(&directories),
                endings: ENDINGS.map(str::to_owned).to_vec(),
                most_files: MOST_FILES,
                most_kib: MOST_KIB,
            },
            managed: desired.files.keys().cloned().collect(),
        }
    }

    /// Whether a file should be there.
    pub fn wants(&self, path: &RemotePath) -> bool {
        self.managed.contains(path)
    }

    /// Sorts the directories' files into the facts, beside the files that were read by their paths.
    pub fn collect(&self, archive: &[u8], facts: &mut HostFacts) -> Result<(), ObserveError> {
        let mut found = HostFacts::default();
        file::collect(archive, &mut found)?;
        for path in &self.mains {
            if let Some(file) = facts.files.get(path).cloned() {
                facts.config_tree.insert(path.clone(), file);
            }
            if !(self.managed.contains(path) || facts.manifest.files.0.contains_key(path)) {
                facts.files.remove(path);
            }
        }
        let recorded = facts.manifest.files.clone();
        let managed = |path: &RemotePath| self.managed.contains(path) || recorded.0.contains_key(path);
        let ours: Vec<_> = found.files.iter().filter(|(path, _)| managed(path)).collect();
        facts.files.extend(ours.into_iter().map(|(path, file)| (path.clone(), file.clone())));
        facts.directories.extend(found.directories.into_iter().filter(|(path, _)| managed(path)));
        facts.config_tree.extend(found.files);
        Ok(())
    }
}

/// Whether a file is one of those that are merged beside a configuration, by its directory.
pub(super) fn is_fragment(path: &RemotePath) -> bool {
    match path.parent().file_name() {
        SHARED => true,
        name => name.strip_suffix(".d").is_some_and(|stem| STEMS.contains(&stem)),
    }
}

/// The directory of the configuration that a file is part of.
pub(super) fn root(path: &RemotePath) -> Option<RemotePath> {
    let parent = path.parent();
    let is_main = MAIN_ENDINGS
        .iter()
        .any(|ending| path.file_name().strip_suffix(ending).is_some_and(|stem| STEMS.contains(&stem)));
    match (is_fragment(path), is_main) {
        (true, _) => Some(parent.parent()),
        (false, true) => Some(parent),
        (false, false) => None,
    }
}

/// Contents that many hosts have, kept once.
#[derive(Default)]
pub struct Contents(BTreeSet<Bytes>);

impl Contents {
    /// Lets a host's files have the contents that are known already.
    pub fn share(&mut self, facts: &mut HostFacts) {
        let files = facts.files.values_mut().chain(facts.config_tree.values_mut());
        for content in files.filter_map(|file: &mut ObservedFile| file.content.as_mut()) {
            match self.0.get(content.expose()) {
                Some(known) => *content = Secret::new(known.clone()),
                None => drop(self.0.insert(content.expose().clone())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::{Entry, EntryKind, pack_entries};
    use crate::render::{Content, DesiredFile};

    fn path(path: &str) -> RemotePath {
        RemotePath::new(path).unwrap()
    }

    fn desired(paths: &[&str]) -> Desired {
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        let file = DesiredFile {
            content: Content::plain("x"),
            owner,
            group,
            mode: 0o644,
            unit: None,
            early: false,
            over_package: false,
        };
        Desired { files: paths.iter().map(|name| (path(name), file.clone())).collect(), ..Desired::default() }
    }

    fn entry(name: &str, kind: EntryKind) -> Entry {
        Entry { path: path(name), owner: "root".to_owned(), group: "root".to_owned(), mode: 0o644, kind }
    }

    #[test]
    fn what_the_server_reads_is_asked_for_and_nothing_else() {
        let tree = ConfigTree::of(&desired(&["/opt/ch/users.d/x.xml", "/srv/keeper_config.yaml", "/etc/cron.d/x.xml"]));
        for read in [
            "/etc/clickhouse-server/config.d/a.xml",
            "/etc/clickhouse-server/conf.d/a.YmL",
            "/etc/clickhouse-keeper/keeper_config.d/a.conf",
            "/opt/ch/config.d/a.yaml",
            "/srv/conf.d/ü.xml",
        ] {
            assert!(tree.read.covers(&path(read)), "{read}");
        }
        for not_read in [
            "/etc/clickhouse-server/config.d/.a.xml",
            "/etc/clickhouse-server/config.d/.housewright.new/a.xml",
            "/etc/clickhouse-server/config.d/a.xml.bak",
            "/etc/clickhouse-server/config.d/ü",
            "/etc/clickhouse-server/a.xml",
            "/etc/conf.d/a.xml",
            "/etc/cron.d/x.xml",
        ] {
            assert!(!tree.read.covers(&path(not_read)), "{not_read}");
        }
        for main in ["/etc/clickhouse-server/config.xml", "/etc/clickhouse-server/users.yml", "/opt/ch/config.yaml"] {
            assert!(tree.mains.contains(&path(main)), "{main}");
        }
    }

    #[test]
    fn a_file_is_in_the_tree_and_among_the_managed_ones_only_where_it_is_one() {
        let (main, ours) = ("/etc/clickhouse-server/config.xml", "/etc/clickhouse-server/config.d/ours.xml");
        let (link, theirs) = ("/etc/clickhouse-server/conf.d/link.xml", "/etc/clickhouse-server/users.d/theirs.xml");
        let content = || EntryKind::File(Bytes::from_static(b"<clickhouse/>"));
        let mut facts = HostFacts::default();
        file::collect(&pack_entries(&[entry(main, content())]).unwrap(), &mut facts).unwrap();
        let found = [entry(ours, content()), entry(link, EntryKind::Other), entry(theirs, content())];
        ConfigTree::of(&desired(&[ours])).collect(&pack_entries(&found).unwrap(), &mut facts).unwrap();
        assert_eq!(facts.config_tree.keys().map(RemotePath::as_str).collect::<Vec<_>>(), [link, ours, main, theirs]);
        assert_eq!(facts.files.keys().map(RemotePath::as_str).collect::<Vec<_>>(), [ours]);
        assert!(facts.config_tree[&path(link)].content.is_none());
    }

    #[test]
    fn equal_contents_of_two_hosts_are_one_in_memory() {
        let (mut contents, mut hosts) = (Contents::default(), [HostFacts::default(), HostFacts::default()]);
        for facts in &mut hosts {
            let file = entry("/etc/clickhouse-server/config.xml", EntryKind::File(Bytes::from(vec![b'x'; 70_000])));
            file::collect(&pack_entries(&[file]).unwrap(), facts).unwrap();
            ConfigTree::of(&Desired::default()).collect(&[], facts).unwrap();
            contents.share(facts);
        }
        let place =
            |facts: &HostFacts| facts.config_tree.values().next()?.content.as_ref().map(|text| text.expose().as_ptr());
        assert!(place(&hosts[0]).is_some());
        assert_eq!(place(&hosts[0]), place(&hosts[1]));
    }
}
