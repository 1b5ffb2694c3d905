//! Who a host is: operating system, users and groups, out of files that the one read brings along (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::ObservedFile;
use crate::remote::RemotePath;

/// Who a host is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    pub(super) fn paths() -> Vec<RemotePath> {
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
