//! What a simulated host's servers stand on: packages, users, kernel settings, and the programs that tell and change them (edge).

use std::collections::{BTreeMap, BTreeSet};

use super::hook::program;
use super::session::{done, failed};
use super::{SimDevices, SimHost, SimKernel, SimServer, SimUnit, devices};
use crate::remote::{EntryKind, Output, RemotePath, Status, UnitName};

/// What is installed and set.
#[derive(Debug, Clone, Default)]
pub struct SimGround {
    /// Block devices, and what is mounted.
    pub devices: SimDevices,
    /// Installed packages.
    pub packages: BTreeMap<String, SimPackage>,
    /// Versions that the repositories have, by package.
    pub offers: BTreeMap<String, BTreeSet<String>>,
    /// The kernel, and what it was told.
    pub kernel: SimKernel,
    /// Work whose words hold this text fails.
    pub work_fails: Option<String>,
    /// Programs that changed the host, in order.
    pub worked: Vec<Vec<String>>,
}

impl SimGround {
    /// A kernel as it comes, and repositories that have what the roles ask for.
    #[must_use]
    pub fn usual() -> Self {
        let clickhouse = ["24.3.2.23", "25.3.2.39", "25.8.3.66"].map(str::to_owned);
        let of_clickhouse = ["common-static", "server", "client", "keeper"].map(|name| format!("clickhouse-{name}"));
        let mut offers: BTreeMap<_, BTreeSet<_>> =
            of_clickhouse.into_iter().map(|name| (name, clickhouse.iter().cloned().collect())).collect();
        for (name, version) in [("zookeeper", "3.8.0-11+deb12u2"), ("mdadm", "4.2-5"), ("xfsprogs", "6.1.0-1")] {
            offers.insert(name.to_owned(), BTreeSet::from([version.to_owned()]));
        }
        Self { offers, kernel: SimKernel::usual(), ..Self::default() }
    }
}

/// An installed package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimPackage {
    /// Its version.
    pub version: String,
    /// Nobody changes it by accident.
    pub held: bool,
    /// It was unpacked and not set up.
    pub half: bool,
}

/// Answers a question, with the exit code in the last line.
pub(super) fn ask(host: &mut SimHost, argv: &[String]) -> Output {
    let answer = look(host, argv);
    let code = match answer.status {
        Status::Exited(code) => code,
        Status::Signalled(_) | Status::NotRun => 137,
    };
    done([answer.stdout.as_ref(), format!("\n{code}\n").as_bytes()].concat())
}

fn look(host: &mut SimHost, argv: &[String]) -> Output {
    if let Some(answer) = host.ground.kernel.answer(argv) {
        return answer;
    }
    if let Some(said) = host.ground.devices.answer(argv) {
        return done(said);
    }
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["dpkg-query", "-W", _, "--", names @ ..] => dpkg(&host.ground, names),
        ["dpkg", "--audit"] => {
            let half = host.ground.packages.iter().filter(|(_, package)| package.half);
            done(half.flat_map(|(name, _)| [" ", name, "  half configured\n"]).collect::<String>())
        }
        ["rpm", ..] => failed(127, "rpm: not found"),
        ["getent", "passwd", name] | ["getent", "-s", "files", "passwd", name] if host.users.contains(*name) => {
            done(format!("{name}:x:999:999::/nonexistent:/usr/sbin/nologin\n"))
        }
        ["getent", "group", name] if host.users.contains(*name) => done(format!("{name}:x:999:\n")),
        ["getent", ..] => failed(2, ""),
        ["id", "-nG", name] if host.users.contains(*name) => done(format!("{name}\n")),
        ["test", "-e", path] => match RemotePath::new(*path).ok().and_then(|path| host.entries.get(&path)) {
            Some(_) => done(""),
            None => failed(1, ""),
        },
        ["cat", path] => match RemotePath::new(*path).ok().and_then(|path| host.text(&path)) {
            Some(text) => done(text),
            None => failed(1, &format!("cat: {path}: No such file or directory")),
        },
        _ => program(host, argv),
    }
}

fn dpkg(ground: &SimGround, names: &[&str]) -> Output {
    let said = |name: &&str| {
        if *name == "dpkg" {
            return Some("dpkg ii  1.21.22 amd64\n".to_owned());
        }
        let SimPackage { version, held, half } = ground.packages.get(*name)?;
        let (wanted, is) = (if *held { 'h' } else { 'i' }, if *half { 'F' } else { 'i' });
        Some(format!("{name} {wanted}{is}  {version} amd64\n"))
    };
    let said: Vec<_> = names.iter().filter_map(said).collect();
    let code = u8::from(said.len() < names.len());
    Output { status: Status::Exited(code), ..done(said.concat()) }
}

/// Runs a program that changes the host.
pub(super) fn work(host: &mut SimHost, argv: &[String]) -> Output {
    host.ground.worked.push(argv.to_vec());
    if let Some(text) = host.ground.work_fails.as_deref().filter(|text| argv.iter().any(|word| word.contains(text))) {
        return failed(1, &format!("{text}: refused by the test"));
    }
    if let Some(output) = host.ground.kernel.work(argv) {
        return output;
    }
    if let Some(output) = devices::work(host, argv) {
        return output;
    }
    let words: Vec<&str> =
        argv.iter().map(String::as_str).skip_while(|word| *word == "env" || word.contains('=')).collect();
    match words.as_slice() {
        ["apt-get", options @ ..] if options.last() == Some(&"update") => done(""),
        ["apt-get", options @ ..] => {
            let names = options.iter().skip_while(|word| **word != "--").skip(1);
            names.map(|name| install(host, name)).find(|output| !output.succeeded()).unwrap_or_else(|| done(""))
        }
        ["dpkg", "--configure", "-a"] => {
            host.ground.packages.values_mut().for_each(|package| package.half = false);
            done("")
        }
        ["apt-mark", "hold", "--", names @ ..] => {
            for name in names {
                if let Some(package) = host.ground.packages.get_mut(*name) {
                    package.held = true;
                }
            }
            done("")
        }
        ["groupadd" | "useradd", .., name] => {
            host.users.insert((*name).to_owned());
            done("")
        }
        ["usermod", ..] => done(""),
        ["hostnamectl", "set-hostname", "--", name] => {
            host.put_file("/etc/hostname", &format!("{name}\n"));
            (*name).clone_into(&mut host.ground.kernel.name);
            done("")
        }
        ["test", ..] => look(host, argv),
        _ => program(host, argv),
    }
}

fn install(host: &mut SimHost, wanted: &str) -> Output {
    let (name, version) = wanted.split_once('=').map_or((wanted, None), |(name, version)| (name, Some(version)));
    let Some(offers) = host.ground.offers.get(name) else {
        return failed(100, &format!("E: Unable to locate package {name}"));
    };
    let Some(version) = version.or(offers.last().map(String::as_str)).filter(|version| offers.contains(*version))
    else {
        return failed(100, &format!("E: Version '{}' for '{name}' was not found", version.unwrap_or_default()));
    };
    let package = SimPackage { version: version.to_owned(), ..SimPackage::default() };
    host.ground.packages.insert(name.to_owned(), package);
    if name == "clickhouse-server" && host.server.is_none() {
        set_up_server(host);
    }
    done("")
}

/// What ClickHouse's package leaves behind: a user, directories, and a unit that is not started.
fn set_up_server(host: &mut SimHost) {
    let Ok(unit) = UnitName::new("clickhouse-server") else { return };
    host.users.insert("clickhouse".to_owned());
    for path in ["/etc/clickhouse-server", "/var/lib/clickhouse"] {
        let there = RemotePath::new(path).ok().and_then(|path| host.entries.get(&path));
        if !there.is_some_and(|entry| matches!(entry.kind, EntryKind::Directory)) {
            host.put_directory(path);
        }
    }
    host.units.insert(unit.clone(), SimUnit::default());
    host.server = Some(SimServer::new(unit));
}
