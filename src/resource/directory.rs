//! Directories: which are missing or have another owner or mode (pure).

use super::HostFacts;
use crate::remote::RemotePath;
use crate::render::Desired;

/// One directory that differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DirectoryChange {
    /// Which.
    pub path: RemotePath,
    /// `owner:group mode` as it is; nothing where it is missing.
    pub is: Option<String>,
    /// `owner:group mode` as it should be.
    pub should: String,
}

/// Finds the directories that differ, parents first.
#[must_use]
pub fn diff(desired: &Desired, facts: &HostFacts) -> Vec<DirectoryChange> {
    desired
        .directories
        .iter()
        .filter_map(|(path, directory)| {
            let is = facts.directories.get(path).map(|is| format!("{}:{} {:04o}", is.owner, is.group, is.mode));
            let should = format!("{}:{} {:04o}", directory.owner, directory.group, directory.mode);
            (is.as_ref() != Some(&should)).then(|| DirectoryChange { path: path.clone(), is, should })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::ObservedDirectory;
    use super::*;
    use crate::render::DesiredDirectory;

    #[test]
    fn missing_ones_come_first_by_path_and_equal_ones_not_at_all() {
        let (owner, group) = ("clickhouse".to_owned(), "clickhouse".to_owned());
        let want = DesiredDirectory { owner: owner.clone(), group: group.clone(), mode: 0o750 };
        let path = |path: &str| RemotePath::new(path).unwrap();
        let mut desired = Desired::default();
        for name in ["/a", "/a/b", "/a/c", "/same"] {
            desired.directories.insert(path(name), want.clone());
        }
        let mut facts = HostFacts::default();
        let is = ObservedDirectory { owner, group, mode: 0o750 };
        facts.directories.insert(path("/same"), is.clone());
        facts.directories.insert(path("/a/c"), ObservedDirectory { owner: "root".to_owned(), ..is });
        let changes: Vec<_> =
            diff(&desired, &facts).into_iter().map(|change| (change.path.to_string(), change.is)).collect();
        let differs = Some("root:clickhouse 0750".to_owned());
        assert_eq!(changes, [("/a".to_owned(), None), ("/a/b".to_owned(), None), ("/a/c".to_owned(), differs)]);
    }
}
