//! The base root: a Debian tree that all hosts share read-only below their own layer. Invariant: it is built under another
//! name and renamed when whole, and its name holds the digest of the recipe, so neither half a tree nor an old one is
//! ever used. edge

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::command::{build, find, require};
use super::error::LabError;
use super::files;
use super::spec::Image;
use super::state::Journal;

const SUITE: &str = "bookworm";
const HOST_PACKAGES: &str = "systemd,systemd-sysv,dbus,openssh-server,sudo,python3-minimal,iproute2,iputils-ping,procps,kmod,udev,\
    curl,ca-certificates,less";
const SERVER_PACKAGES: &str = ",mdadm,xfsprogs,nvme-cli,zookeeper,openjdk-17-jre-headless";
const SCRIPTS: [(&str, &str); 4] = [
    ("host.sh", include_str!("files/host.sh")),
    ("layout.sh", include_str!("files/layout.sh")),
    ("ready.sh", include_str!("files/ready.sh")),
    ("fresh.sh", include_str!("files/fresh.sh")),
];

impl Image {
    fn name(self) -> &'static str {
        match self {
            Self::Ready => "base",
            Self::Fresh => "fresh",
        }
    }

    fn packages(self) -> String {
        match self {
            Self::Ready => [HOST_PACKAGES, SERVER_PACKAGES].concat(),
            Self::Fresh => HOST_PACKAGES.to_owned(),
        }
    }

    /// What its script is called with, besides the root.
    fn arguments(self, cache_dir: &Path) -> Vec<String> {
        repository(cache_dir, self).iter().map(|path| path.to_string_lossy().into_owned()).collect()
    }

    fn script(self) -> &'static str {
        match self {
            Self::Ready => "ready.sh",
            Self::Fresh => "fresh.sh",
        }
    }
}

/// Returns where the base root is or will be.
pub(super) fn path(cache_dir: &Path, image: Image) -> PathBuf {
    let recipe: Vec<&str> = SCRIPTS.iter().map(|(_, text)| *text).collect();
    cache_dir.join(format!(
        "{}-{}",
        image.name(),
        digest(&[&[SUITE, image.packages().as_str()], recipe.as_slice()].concat())
    ))
}

/// Returns where the packages are that Housewright installs on fresh hosts.
pub(super) fn repository(cache_dir: &Path, image: Image) -> Option<PathBuf> {
    let beside = || path(cache_dir, image).with_extension("repository");
    match image {
        Image::Ready => None,
        Image::Fresh => Some(beside()),
    }
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
pub(super) fn make(journal: &Journal, cache_dir: &Path, image: Image) -> Result<(), LabError> {
    let target = path(cache_dir, image);
    let building = target.with_extension("building");
    files::remove(&building)?;
    let scripts = cache_dir.join("scripts");
    files::directory(&scripts)?;
    for (name, text) in SCRIPTS {
        files::write(&scripts.join(name), 0o755, text)?;
    }
    let script = scripts.join(image.script());
    let (log, root, script) = (target.with_extension("log"), building.to_string_lossy(), script.to_string_lossy());
    let (include, arguments) = (format!("--include={}", image.packages()), image.arguments(cache_dir));
    let sources = debian_sources(&apt_files());
    if find("mmdebstrap").is_some() {
        let hook = format!("--customize-hook={script} \"$1\" {}", arguments.join(" "));
        let mut argv = vec!["mmdebstrap", "--variant=apt", "--mode=root", "--quiet", &include, &hook, SUITE, &root];
        argv.extend(sources.iter().map(String::as_str));
        build(journal, "base root", &argv, &log)?;
    } else if find("debootstrap").is_some() {
        let mut argv = vec!["debootstrap", "--variant=minbase", &include, SUITE, &root];
        let mirror = sources.first().and_then(|line| line.split_whitespace().find(|word| word.contains("://")));
        argv.extend(mirror);
        build(journal, "base root", &argv, &log)?;
        let mut argv = vec!["sh", &script, &root];
        argv.extend(arguments.iter().map(String::as_str));
        build(journal, "base root", &argv, &log)?;
    } else {
        require(&[("mmdebstrap", "mmdebstrap")])?;
    }
    files::rename(&building, &target)?;
    remove_older(cache_dir, &target, image)
}

/// Removes base roots of older recipes; no lab uses them, since this one is not up yet and there is only one.
fn remove_older(cache_dir: &Path, current: &Path, image: Image) -> Result<(), LabError> {
    let kept = current.file_name().unwrap_or_default().to_string_lossy();
    for entry in std::fs::read_dir(cache_dir).map_err(files::failed("read", cache_dir))?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&format!("{}-", image.name())) && !name.starts_with(&*kept) {
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
