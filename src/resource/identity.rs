//! Who a host is: operating system, users and groups, out of files that the one read brings along (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::ObservedFile;
use crate::remote::RemotePath;

/// Who a host is.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// `PRETTY_NAME` of `os-release(5)`.
    pub os: Option<String>,
    /// Content of `/etc/hostname`.
    pub hostname: Option<String>,
    /// Local users; those of a directory service are not in here.
    pub users: BTreeSet<String>,
    /// Local groups.
    pub groups: BTreeSet<String>,
}

const OS_RELEASE: &str = "/usr/lib/os-release";
const HOSTNAME: &str = "/etc/hostname";
const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

impl Identity {
    /// The files that tell it; nobody manages them.
    #[must_use]
    pub fn paths() -> Vec<RemotePath> {
        [OS_RELEASE, HOSTNAME, PASSWD, GROUP].iter().filter_map(|path| RemotePath::new(*path).ok()).collect()
    }

    /// Reads the identity's files among all that were read.
    pub(super) fn read(files: &BTreeMap<RemotePath, ObservedFile>) -> Self {
        let text = |path: &str| {
            let file = files.get(&RemotePath::new(path).ok()?)?;
            Some(String::from_utf8_lossy(file.content.as_ref()?.expose()).into_owned())
        };
        let names = |text: Option<String>| -> BTreeSet<String> {
            text.iter()
                .flat_map(|text| text.lines())
                .filter_map(|line| line.split(':').next())
                .map(str::to_owned)
                .collect()
        };
        let os = text(OS_RELEASE).and_then(|text| {
            let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
            Some(line.trim_matches('"').to_owned())
        });
        Self {
            os,
            hostname: text(HOSTNAME).map(|text| text.trim().to_owned()),
            users: names(text(PASSWD)),
            groups: names(text(GROUP)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn file(path: &str, text: &str) -> (RemotePath, ObservedFile) {
        let content = Some(crate::secret::Secret::new(Bytes::copy_from_slice(text.as_bytes())));
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        (RemotePath::new(path).unwrap(), ObservedFile { owner, group, mode: 0o644, content })
    }

    #[test]
    fn a_host_says_who_it_is() {
        let files = BTreeMap::from([
            file(OS_RELEASE, "NAME=Debian\nPRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\n"),
            file(HOSTNAME, "data-1-a\n"),
            file(PASSWD, "root:x:0:0:root:/root:/bin/bash\nclickhouse:x:101:101::/nonexistent:/bin/false\n"),
            file(GROUP, "root:x:0:\nclickhouse:x:101:\n"),
        ]);
        let identity = Identity::read(&files);
        assert_eq!(identity.os.as_deref(), Some("Debian GNU/Linux 13 (trixie)"));
        assert_eq!(identity.hostname.as_deref(), Some("data-1-a"));
        assert!(identity.users.contains("clickhouse") && identity.groups.contains("root"));
        assert_eq!(identity.users.len(), 2);
    }

    #[test]
    fn what_is_not_there_is_not_known() {
        assert_eq!(Identity::read(&BTreeMap::new()), Identity::default());
    }
}
