//! How packages are installed and kept as they are, by apt and dnf (pure).

use std::time::Duration;

use super::super::Work;
use super::PackageWant;
use super::found::{Installed, Manager};

const UPDATE: Duration = Duration::from_mins(10);
/// A server's package is half a gigabyte, and a mirror may be far.
const INSTALL: Duration = Duration::from_mins(30);

/// Installs them in one transaction.
pub(super) fn install(packages: &[&PackageWant], found: &Installed) -> Vec<Work> {
    prepare(found).into_iter().chain([transaction(found, packages)]).collect()
}

/// Tells the manager to leave packages as they are.
pub(super) fn hold(names: &[&str], found: &Installed) -> Vec<Work> {
    let work = |what: &str, words: &[&str]| {
        Work::quick(format!("{what} {}", names.join(", ")), words.iter().chain(names).copied())
    };
    if found.manager == Manager::Apt {
        return vec![work("hold", &["apt-mark", "hold", "--"])];
    }
    let plugin = "dnf-command(versionlock)";
    let words = ["dnf", "-q", "-y", "--setopt=install_weak_deps=False", "install", plugin];
    let plugin = (!found.can_hold).then(|| Work::quick(format!("install {plugin}"), words).within(INSTALL));
    // A lock of another version hides the version that is there from `add`, which then adds nothing.
    let delete = work("let go of older locks of", &["dnf", "-q", "-y", "versionlock", "delete"]);
    let add = work("hold", &["dnf", "-q", "-y", "versionlock", "add"]);
    plugin.into_iter().chain([delete, add]).collect()
}

/// What goes before: a run that was killed leaves packages half set up, and a fresh host knows no list.
fn prepare(found: &Installed) -> Vec<Work> {
    if found.manager == Manager::Dnf {
        return Vec::new();
    }
    let set_up = || Work::quick("set up what was left half installed", apt(&["dpkg", "--configure", "-a"]));
    let lists = Work::quick("read the lists of packages", apt(&["apt-get", "-q", "-o", LOCK, "update"]));
    found.half_done.then(|| set_up().within(INSTALL)).into_iter().chain([lists.within(UPDATE)]).collect()
}

/// Another `apt`, such as that of a fresh instance's first boot, is waited for.
const LOCK: &str = "DPkg::Lock::Timeout=300";

/// Asks nothing; `needrestart` restarts servers behind an installation unless it is told not to
/// (<https://github.com/liske/needrestart/blob/master/README.batch.md>).
fn apt<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1", "UCF_FORCE_CONFFOLD=1"];
    quiet.into_iter().chain(words.iter().copied()).collect()
}

fn transaction(found: &Installed, packages: &[&PackageWant]) -> Work {
    let sign = match found.manager {
        Manager::Apt => '=',
        Manager::Dnf => '-',
    };
    let name = |package: &&PackageWant| match &package.version {
        Some(version) => format!("{}{sign}{version}", package.name),
        None => package.name.clone(),
    };
    let is_lost = |package: &&PackageWant| found.packages.get(&package.name).is_some_and(|found| found.is_lost);
    // apt says that a package is there whose files are not.
    let again = packages.iter().any(is_lost).then_some("--reinstall");
    let words: Vec<&str> = match found.manager {
        Manager::Apt => apt(&[
            "apt-get",
            "-q",
            "-y",
            "-o",
            LOCK,
            "-o",
            "Dpkg::Options::=--force-confdef",
            "-o",
            "Dpkg::Options::=--force-confold",
            "--no-install-recommends",
            "--allow-downgrades",
            "--allow-change-held-packages",
            "install",
        ]),
        // `install` of an older version is a downgrade to dnf (<https://dnf.readthedocs.io/en/latest/command_ref.html#install-command>).
        Manager::Dnf => {
            vec!["dnf", "-q", "-y", "--setopt=install_weak_deps=False", "--disableplugin=versionlock", "install"]
        }
    };
    let end = (found.manager == Manager::Apt).then_some("--");
    let words = words.into_iter().chain(again).chain(end);
    let names: Vec<String> = packages.iter().map(name).collect();
    let what = format!("install {}", names.join(", "));
    Work::quick(what, words.map(str::to_owned).chain(names)).within(INSTALL)
}
