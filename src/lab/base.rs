//! The base root: a Debian tree that all hosts share read-only below their own layer. Invariant: it is built under another
//! name and renamed when whole, and its name holds the digest of the recipe, so neither half a tree nor an old one is
//! ever used. edge

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::command::{build, find, require};
use super::error::LabError;
use super::files;
use super::state::Journal;

const SUITE: &str = "bookworm";
const SCRIPT: &str = include_str!("files/base.sh");
const PACKAGES: &str = "systemd,systemd-sysv,dbus,openssh-server,sudo,python3-minimal,iproute2,iputils-ping,procps,kmod,udev,\
    curl,ca-certificates,mdadm,xfsprogs,nvme-cli,zookeeper,openjdk-17-jre-headless,less";

/// Returns where the base root is or will be.
pub(super) fn path(cache_dir: &Path) -> PathBuf {
    cache_dir.join(format!("base-{}", digest(&[SUITE, PACKAGES, SCRIPT])))
}

/// A short digest of a recipe.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    files::hex(&hash.finalize()[..6])
}

/// Builds the base root with mmdebstrap, or with debootstrap where only that is there.
pub(super) fn make(journal: &Journal, cache_dir: &Path) -> Result<(), LabError> {
    let target = path(cache_dir);
    let building = target.with_extension("building");
    files::remove(&building)?;
    let script = cache_dir.join("base.sh");
    files::write(&script, 0o755, SCRIPT)?;
    let (log, root, script) = (target.with_extension("log"), building.to_string_lossy(), script.to_string_lossy());
    let include = format!("--include={PACKAGES}");
    let sources = debian_sources(&apt_files());
    if find("mmdebstrap").is_some() {
        let hook = format!("--customize-hook={script} \"$1\"");
        let mut argv = vec!["mmdebstrap", "--variant=apt", "--mode=root", "--quiet", &include, &hook, SUITE, &root];
        argv.extend(sources.iter().map(String::as_str));
        build(journal, "base root", &argv, &log)?;
    } else if find("debootstrap").is_some() {
        let mut argv = vec!["debootstrap", "--variant=minbase", &include, SUITE, &root];
        let mirror = sources.first().and_then(|line| line.split_whitespace().find(|word| word.contains("://")));
        argv.extend(mirror);
        build(journal, "base root", &argv, &log)?;
        build(journal, "base root", &["sh", &script, &root], &log)?;
    } else {
        require(&[("mmdebstrap", "mmdebstrap")])?;
    }
    files::rename(&building, &target)?;
    remove_older(cache_dir, &target)
}

/// Removes base roots of older recipes; no lab uses them, since this one is not up yet and there is only one.
fn remove_older(cache_dir: &Path, current: &Path) -> Result<(), LabError> {
    let kept = current.file_name().unwrap_or_default().to_string_lossy();
    for entry in std::fs::read_dir(cache_dir).map_err(files::failed("read", cache_dir))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("base-") && !name.starts_with(&*kept) {
            files::remove(&entry.path())?;
        }
    }
    Ok(())
}

fn apt_files() -> Vec<(PathBuf, String)> {
    let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
    let parts = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    paths.extend(parts.map(|entry| entry.path()));
    paths.sort();
    paths.into_iter().filter_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text))).collect()
}

/// Returns the machine's own sources of the suite as one-line entries; with none (another distribution), the bootstrap
/// program takes its own default.
fn debian_sources(files: &[(PathBuf, String)]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in files {
        if path.extension().is_some_and(|extension| extension == "sources") {
            text.split("\n\n").for_each(|stanza| found.extend(from_stanza(stanza)));
        } else {
            found.extend(text.lines().map(str::trim).filter(|line| line.starts_with("deb ")).map(str::to_owned));
        }
    }
    found.retain(|line| {
        let mut words = line.split_whitespace().skip_while(|word| !word.contains("://")).skip(1);
        words.next().is_some_and(|suite| suite.starts_with(SUITE)) && words.any(|component| component == "main")
    });
    found
}

/// Turns a deb822 stanza into one-line entries, see sources.list(5).
fn from_stanza(stanza: &str) -> Vec<String> {
    let field = |name: &str| {
        let lines = stanza.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| line.split_once(':'))
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.trim())
    };
    let words = |name: &str| field(name).unwrap_or_default().split_whitespace();
    if !words("Types").any(|kind| kind == "deb") || field("Enabled") == Some("no") {
        return Vec::new();
    }
    let options = field("Signed-By")
        .filter(|key| key.starts_with('/'))
        .map_or(String::new(), |key| format!("[signed-by={key}] "));
    let components = words("Components").collect::<Vec<_>>().join(" ");
    words("URIs")
        .flat_map(|uri| words("Suites").map(move |suite| (uri, suite)))
        .map(|(uri, suite)| format!("deb {options}{uri} {suite} {components}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_sources_of_the_suite() {
        let files = [
            (
                PathBuf::from("/etc/apt/sources.list.d/debian.sources"),
                "Types: deb\n# a comment: no field\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n\
                 Components: main contrib\nSigned-By: /usr/share/keyrings/debian.gpg\n\nTypes: deb\n\
                 URIs: http://other.example/\nSuites: nodistro\nComponents: main\n"
                    .to_owned(),
            ),
            (
                PathBuf::from("/etc/apt/sources.list"),
                "# deb http://old.example bookworm main\ndeb http://cloud.example cloud-bookworm main\n\
                 deb [arch=amd64] http://mirror.example/security bookworm-security main\n"
                    .to_owned(),
            ),
        ];
        assert_eq!(
            debian_sources(&files),
            [
                "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian bookworm main contrib",
                "deb [signed-by=/usr/share/keyrings/debian.gpg] http://mirror.example/debian bookworm-updates main contrib",
                "deb [arch=amd64] http://mirror.example/security bookworm-security main",
            ]
        );
    }
}
