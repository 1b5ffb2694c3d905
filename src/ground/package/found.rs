//! What dpkg and rpm say of packages (pure): the questions, and what their answers mean.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Answers, Question};
use super::PackageWant;

/// Who installs packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manager {
    Apt,
    Dnf,
}

const LOCKED: &str = "/etc/dnf/plugins/versionlock.list";

fn with(words: &[&str], packages: &[PackageWant]) -> Question {
    Question::new(words.iter().copied().chain(packages.iter().map(|package| package.name.as_str())))
}

/// It is asked for itself too: dpkg can be installed beside rpm, and knows of no package then.
pub(super) fn dpkg(packages: &[PackageWant]) -> Question {
    let format = "-f=${Package} ${db:Status-Abbrev} ${Version} ${Architecture}\\n";
    with(&["dpkg-query", "-W", format, "--", "dpkg"], packages)
}

/// What a dpkg that was killed left behind, of any package: apt refuses to go on before it is set up.
pub(super) fn dpkg_audit() -> Question {
    Question::new(["dpkg", "--audit"])
}

pub(super) fn rpm(packages: &[PackageWant]) -> Question {
    with(&["rpm", "-q", "--qf", "%{NAME} %{EPOCHNUM} %{VERSION} %{RELEASE} %{ARCH}\\n", "--"], packages)
}

pub(super) fn dnf_locked() -> Question {
    Question::new(["cat", LOCKED])
}

/// What tells of packages, whichever manager the host has.
pub(in super::super) fn questions(packages: &[PackageWant]) -> Vec<Question> {
    if packages.is_empty() {
        return Vec::new();
    }
    let held = packages.iter().any(|package| package.hold);
    [dpkg(packages), dpkg_audit(), rpm(packages)].into_iter().chain(held.then(dnf_locked)).collect()
}

/// A package as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// All forms in which a role may write it, the usual first.
    pub versions: Vec<String>,
    /// It was unpacked and not set up.
    pub broken: bool,
    /// Its files may be lost: it has to be installed again, whatever its version.
    pub is_lost: bool,
    pub held: bool,
}

/// What is there.
#[derive(Debug)]
pub(super) struct Installed {
    pub manager: Manager,
    pub packages: BTreeMap<String, Found>,
    /// Something of the package manager's was left half done, be it of other packages.
    pub half_done: bool,
    /// The manager can leave packages as they are.
    pub can_hold: bool,
}

pub(super) fn installed(packages: &[PackageWant], answers: &Answers) -> Option<Installed> {
    let answer = |question: &Question| answers.get(question).filter(|answer| !answer.is_not_found());
    let said = answer(&dpkg(packages)).map(|answer| answer.stdout.as_str()).unwrap_or_default();
    let of_dpkg: BTreeMap<_, _> = said.lines().filter_map(dpkg_line).flatten().collect();
    if of_dpkg.contains_key("dpkg") {
        let half_done = answers.text(&dpkg_audit()).is_some_and(|told| !told.trim().is_empty());
        return Some(Installed { manager: Manager::Apt, packages: of_dpkg, half_done, can_hold: true });
    }
    let said = answer(&rpm(packages))?;
    let locked = answers.text(&dnf_locked());
    let locks: BTreeSet<&str> = locked.unwrap_or_default().lines().map(str::trim).collect();
    let mut packages: BTreeMap<String, Found> = BTreeMap::new();
    for (name, found) in said.stdout.lines().filter_map(|line| rpm_line(line, &locks)) {
        // Of a kernel several versions are there at a time.
        let known = packages.entry(name).or_default();
        known.versions.extend(found.versions);
        known.held |= found.held;
    }
    Some(Installed { manager: Manager::Dnf, packages, half_done: false, can_hold: locked.is_some() })
}

/// `libc6 ii  2.36-9 amd64`; a role may say `libc6:amd64` as well.
fn dpkg_line(line: &str) -> Option<[(String, Found); 2]> {
    let mut words = line.split_whitespace();
    let (name, status, version) = (words.next()?, words.next()?, words.next()?);
    let mut status = status.chars();
    // `n` was never there, and of what was removed `c` the configuration is left.
    let (held, is) = (status.next()? == 'h', status.next().filter(|is| !"nc".contains(*is))?);
    let found = Found { versions: vec![version.to_owned()], broken: is != 'i', is_lost: is == 'H', held };
    let full = words.next().map_or_else(|| name.to_owned(), |architecture| format!("{name}:{architecture}"));
    Some([(full, found.clone()), (name.to_owned(), found)])
}

/// `clickhouse-server 0 25.8.3.66 1 x86_64`; another text says that it is not installed.
fn rpm_line(line: &str, locks: &BTreeSet<&str>) -> Option<(String, Found)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let [name, epoch, version, release, architecture] = words.as_slice() else { return None };
    epoch.parse::<u64>().ok()?;
    let full = format!("{version}-{release}");
    let lock = |end: &str| locks.contains(format!("{name}-{epoch}:{full}.{end}").as_str());
    let versions = vec![(*version).to_owned(), full.clone(), format!("{epoch}:{full}"), format!("{epoch}:{version}")];
    Some(((*name).to_owned(), Found { versions, held: lock("*") || lock(architecture), ..Found::default() }))
}
