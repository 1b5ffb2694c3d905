//! The plan as a person reads it: waves in order, equal changes of many hosts said once (pure).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::around::around;
use super::hosts::{count, short};
use super::style::{BAD, GOOD, HEAD, PLACE, QUIET, WARN, paint};
use crate::clickhouse::config::Disruption;
use crate::fleet::{HostName, RoleName};
use crate::plan::{Change, Plan, SettingKind, Wave};
use crate::remote::RemotePath;
use crate::resource::FileChangeKind;

/// How much of the files' differences is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Diffs {
    /// Only which files differ.
    None,
    /// A diff that many hosts have is shown once; a new file as its number of lines.
    #[default]
    Fold,
    /// Every diff of every host, new files with their content.
    Each,
}

/// Writes the whole plan.
#[must_use]
pub fn plan(plan: &Plan, diffs: Diffs) -> String {
    let mut out = String::new();
    let mut told = BTreeSet::new();
    for (index, wave) in plan.waves.iter().enumerate() {
        let hosts: Vec<_> = wave.hosts.iter().map(|host| &host.host).collect();
        let title = format!("wave {} of {}: {}", index + 1, plan.waves.len(), wave.title);
        let _ = writeln!(out, "{}  {}", paint(HEAD, title), paint(QUIET, format!("on {}", short(&hosts))));
        let _ = writeln!(out, "  {}", paint(QUIET, &wave.reason));
        for folded in fold(wave, diffs) {
            let _ = writeln!(out, "  {}{}", folded.head, on(&folded.hosts, wave));
            diff(&mut out, &folded, diffs, &mut told);
        }
        disruptions(&mut out, wave);
        for line in around(wave) {
            let _ = writeln!(out, "  {}", paint(QUIET, line));
        }
        out.push('\n');
    }
    if !plan.pace.is_empty() && !plan.waves.is_empty() {
        let _ = writeln!(out, "{}\n", paint(QUIET, format!("the inventory's rollout: {}", plan.pace.join(", "))));
    }
    left_out(&mut out, plan);
    exceptions(&mut out, plan);
    out.push_str(&summary(plan));
    out
}

/// A change and all hosts of the wave that have it.
struct Folded<'a> {
    head: String,
    change: &'a Change,
    hosts: Vec<&'a HostName>,
    /// Whether another host of the wave has the same file with another content.
    varies: bool,
}

/// Puts equal changes of a wave's hosts together, in the order in which they first come.
fn fold(wave: &Wave, diffs: Diffs) -> Vec<Folded<'_>> {
    let mut all: Vec<Folded<'_>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let changes = wave.hosts.iter().flat_map(|host| host.changes.iter().map(move |change| (host, change)));
    for (host, change) in changes.filter(|(_, change)| is_told(change)) {
        let new = matches!(change, Change::File { kind: FileChangeKind::Create, .. });
        let head = head(change);
        let key = match diffs {
            Diffs::None => head.clone(),
            Diffs::Fold if new => head.clone(),
            Diffs::Fold => format!("{change:?}"),
            Diffs::Each => format!("{} {change:?}", host.host),
        };
        let place = *places.entry(key).or_insert(all.len());
        match all.get_mut(place) {
            Some(folded) => {
                folded.varies |= folded.change != change;
                folded.hosts.push(&host.host);
            }
            None => all.push(Folded { head, change, hosts: vec![&host.host], varies: false }),
        }
    }
    all
}

/// The generation is another one on every host, and follows from the changes that are told.
pub(super) fn is_told(change: &Change) -> bool {
    !matches!(change, Change::Setting(setting) if setting.is_generation())
}

/// Which hosts, where it is not all of the wave.
fn on(hosts: &[&HostName], wave: &Wave) -> String {
    if hosts.len() == wave.hosts.len() { String::new() } else { paint(QUIET, format!("  on {}", short(hosts))) }
}

/// A change in one line.
pub(super) fn head(change: &Change) -> String {
    match change {
        Change::Ground(ground) => {
            let sign = if ground.is.is_none() { paint(GOOD, "+") } else { paint(WARN, "~") };
            format!("{sign} {ground}")
        }
        Change::Directory(directory) => match &directory.is {
            None => format!("{} {}/  {}", paint(GOOD, "+"), directory.path, directory.should),
            Some(is) => format!("{} {}/  {is} -> {}", paint(WARN, "~"), directory.path, directory.should),
        },
        Change::File { path, kind, metadata, foreign, .. } => {
            let sign = match kind {
                FileChangeKind::Create => paint(GOOD, "+"),
                FileChangeKind::Remove => paint(BAD, "-"),
                FileChangeKind::Content
                | FileChangeKind::Generation
                | FileChangeKind::Metadata
                | FileChangeKind::Blocked => paint(WARN, "~"),
            };
            let whose = match (foreign, kind) {
                (true, _) => "  takes the place of a file that Housewright did not write",
                (false, FileChangeKind::Generation) => "  its generation",
                (false, _) => "",
            };
            match metadata {
                Some((is, should)) => format!("{sign} {path}  {is} -> {should}{whose}"),
                None => format!("{sign} {path}{whose}"),
            }
        }
        Change::Setting(setting) => {
            let sign = match setting.kind {
                SettingKind::Added => paint(GOOD, "+"),
                SettingKind::Removed => paint(BAD, "-"),
                SettingKind::Changed => paint(WARN, "~"),
            };
            format!("{sign} {setting}")
        }
        Change::Secret { reference } => format!("{} secret {reference} changes", paint(WARN, "~")),
        Change::Record { files } => {
            format!("{} the record of its own files: {}", paint(WARN, "~"), count(*files, "file"))
        }
        Change::Unit(unit) => format!("{} {} {} ({} now)", paint(WARN, "~"), unit.action, unit.unit, unit.is),
        Change::StaleUnit { unit } => format!("{} {unit}: systemd has not read its file", paint(WARN, "~")),
        Change::Owed(owed) => format!("{} {owed}, owed by an earlier run", paint(WARN, "~")),
        Change::Object { name, kind, role } => format!("{} {name}  {kind}, of role {role}", paint(GOOD, "+")),
        Change::ObjectAlter { name, what, class, role } => {
            format!("{} {name}  {what} ({class}), of role {role}", paint(WARN, "~"))
        }
        Change::ObjectRecreate { name, why, with, role } => {
            let with = if with.is_empty() { String::new() } else { format!(", with {}", with.join(", ")) };
            format!("{} {name}  made anew{with}: {why}, of role {role}", paint(WARN, "~"))
        }
        Change::ObjectDrop { name, role, holds } => {
            let holds = holds.map(|(rows, bytes)| format!(", WITH {rows} ROWS of {bytes} bytes")).unwrap_or_default();
            format!("{} {name}  no role of the host wants it{holds}, was of role {role}", paint(BAD, "-"))
        }
        Change::ObjectRecord { name, role } => {
            format!("{} {name}  goes into the host's record, of role {role}", paint(WARN, "~"))
        }
        Change::ObjectForget { name, role } => {
            format!("{} {name}  is gone, and goes out of the host's record, was of role {role}", paint(WARN, "~"))
        }
        Change::ReplicaForget { name, replica, of, parts } => {
            let (sign, what) = match parts {
                0 => (paint(BAD, "-"), "all that it had is here".to_owned()),
                _ => (
                    paint(BAD, "!"),
                    format!(
                        "what only it had is given up: {}",
                        count(usize::try_from(*parts).unwrap_or(usize::MAX), "part")
                    ),
                ),
            };
            format!("{sign} {name}  the coordination forgets replica `{replica}`: {of} has nothing of it, and {what}")
        }
        Change::Migration { id, name, scope, statements, done, destroys } => {
            let sign = if *destroys { paint(BAD, "!") } else { paint(GOOD, ">") };
            let what = match (done, done == statements) {
                (0, _) => count(*statements as usize, "statement"),
                (_, true) => "all of its statements are done".to_owned(),
                (done, false) => format!("goes on with statement {} of {statements}", done + 1),
            };
            let takes = if *destroys { ", TAKES ROWS AWAY" } else { "" };
            format!("{sign} migration {id} {name}  {what}, {scope}{takes}")
        }
        Change::MigrationRecord { id, name, by } => {
            format!("{} migration {id} {name}  goes into the host's record, run by {by}", paint(WARN, "~"))
        }
    }
}

/// The file's diff, once in the whole plan; of a new file its size.
fn diff<'a>(out: &mut String, folded: &Folded<'a>, diffs: Diffs, told: &mut BTreeSet<&'a str>) {
    if let (Change::File { kind: FileChangeKind::Create, .. }, Diffs::Fold, true) =
        (folded.change, diffs, folded.varies)
    {
        return out.push_str(&quiet("new, differs by host"));
    }
    diff_lines(out, folded.change, diffs, told);
}

fn quiet(text: &str) -> String {
    format!("      {}\n", paint(QUIET, text))
}

/// A file's diff, once; of a new file its size.
pub(super) fn diff_lines<'a>(out: &mut String, change: &'a Change, diffs: Diffs, told: &mut BTreeSet<&'a str>) {
    let Change::File { kind, diff, .. } = change else { return };
    match (diffs, kind) {
        (Diffs::None, _) => return,
        (Diffs::Fold, FileChangeKind::Create) => {
            let lines = diff.lines().filter(|line| line.starts_with('+')).count().saturating_sub(1);
            return out.push_str(&quiet(&format!("new, {}", count(lines, "line"))));
        }
        (Diffs::Fold, _) if !diff.is_empty() && !told.insert(diff) => {
            return out.push_str(&quiet("the same difference as above"));
        }
        (_, FileChangeKind::Generation) => return,
        _ => {}
    }
    for line in diff.lines().skip(2) {
        let style = match line.bytes().next() {
            Some(b'+') => GOOD,
            Some(b'-') => BAD,
            Some(b'@') => PLACE,
            _ => QUIET,
        };
        let _ = writeln!(out, "      {}", paint(style, line));
    }
}

fn disruptions(out: &mut String, wave: &Wave) {
    let mut folded: BTreeMap<(Disruption, &[String]), Vec<&HostName>> = BTreeMap::new();
    for host in wave.hosts.iter().filter(|host| host.disruption > Disruption::None) {
        folded.entry((host.disruption, &host.reasons)).or_default().push(&host.host);
    }
    for ((disruption, reasons), hosts) in folded {
        let _ = writeln!(out, "  {}{}: {}", paint(WARN, disruption), on(&hosts, wave), reasons.join("; "));
    }
}

/// What `--only` leaves out, equal things of many hosts said once.
fn left_out(out: &mut String, plan: &Plan) {
    let mut folded: BTreeMap<&str, Vec<&HostName>> = BTreeMap::new();
    for (host, what) in plan.left_out.iter().flat_map(|(host, all)| all.iter().map(move |what| (host, what))) {
        folded.entry(what).or_default().push(host);
    }
    if folded.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", paint(HEAD, "left out by `--only`"));
    for (what, hosts) in folded {
        let _ = writeln!(out, "  - {what}{}", paint(QUIET, format!("  on {}", short(&hosts))));
    }
    out.push('\n');
}

fn exceptions(out: &mut String, plan: &Plan) {
    if !plan.holds.is_empty() {
        let _ = writeln!(out, "{}", paint(HEAD, "held back"));
        for hold in &plan.holds {
            let _ = writeln!(out, "  {} {}: {}: {}", paint(WARN, "!"), hold.host, hold.what, hold.reason);
            if let Some(hint) = &hold.hint {
                let _ = writeln!(out, "      {}", paint(QUIET, format!("hint: {hint}")));
            }
        }
        out.push('\n');
    }
    foreign(out, &plan.foreign);
    if !plan.remarks.is_empty() {
        let _ = writeln!(out, "{}", paint(HEAD, "worth knowing"));
        for (remark, hosts) in &plan.remarks {
            let hosts: Vec<_> = hosts.iter().collect();
            let _ =
                writeln!(out, "  {} {remark}  {}", paint(QUIET, "?"), paint(QUIET, format!("on {}", short(&hosts))));
        }
        out.push('\n');
    }
    if !plan.unreachable.is_empty() {
        let _ = writeln!(out, "{}", paint(HEAD, "not reached"));
        for (host, why) in &plan.unreachable {
            let _ = writeln!(out, "  {} {host}: {}", paint(BAD, "x"), why.reason);
            if let Some(hint) = &why.hint {
                let _ = writeln!(out, "      {}", paint(QUIET, format!("hint: {hint}")));
            }
        }
        out.push('\n');
    }
}

/// What is to be said of files that are not ours.
pub(super) const FOREIGN: &str =
    "the server reads them; Housewright leaves them alone, until `housewright adopt FILE` makes one its own";

/// Files that are not ours, each once, with its hosts.
pub(super) fn foreign_files(files: &BTreeMap<HostName, BTreeSet<RemotePath>>) -> BTreeMap<&RemotePath, Vec<&HostName>> {
    let mut by_path: BTreeMap<_, Vec<&HostName>> = BTreeMap::new();
    for (host, paths) in files {
        for path in paths {
            by_path.entry(path).or_default().push(host);
        }
    }
    by_path
}

pub(super) fn foreign(out: &mut String, files: &BTreeMap<HostName, BTreeSet<RemotePath>>) {
    let by_path = foreign_files(files);
    if by_path.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", paint(HEAD, "not ours"));
    for (path, hosts) in by_path {
        let _ = writeln!(out, "  {} {path}  {}", paint(QUIET, "?"), paint(QUIET, format!("on {}", short(&hosts))));
    }
    let _ = writeln!(out, "      {}\n", paint(QUIET, FOREIGN));
}

/// The plan in one line.
pub(super) fn summary(plan: &Plan) -> String {
    let changed = plan.changed_hosts().len();
    let with = |disruption| {
        let hosts = plan.waves.iter().flat_map(|wave| &wave.hosts);
        hosts.filter(|host| host.disruption == disruption).map(|host| &host.host).collect::<BTreeSet<_>>().len()
    };
    let mut parts = Vec::new();
    if changed == 0 && plan.unchanged.is_empty() && !plan.unreachable.is_empty() {
        parts.push("nobody answered".to_owned());
    } else if changed == 0 {
        parts.push("nothing to do".to_owned());
    } else {
        parts.push(format!("{} to change in {}", count(changed, "host"), count(plan.waves.len(), "wave")));
    }
    for (number, text) in [(with(Disruption::Restart), "restart"), (with(Disruption::Reload), "reload")] {
        if number > 0 {
            parts.push(count(number, text));
        }
    }
    let mut alike: BTreeMap<(usize, usize), Vec<&RoleName>> = BTreeMap::new();
    for (role, moves) in &plan.rebalances {
        alike.entry((moves.waves, moves.hosts)).or_default().push(role);
    }
    for ((waves, hosts), roles) in alike {
        let who = match roles.as_slice() {
            [role] => role.to_string(),
            roles => format!("each of {} roles", roles.len()),
        };
        parts.push(format!("the consumers of {who} move in {} ({})", count(waves, "wave"), count(hosts, "host")));
    }
    if !plan.left_out.is_empty() {
        parts.push(format!("{} left out in part", plan.left_out.len()));
    }
    if !plan.unchanged.is_empty() || plan.unreachable.is_empty() {
        parts.push(format!("{} as desired", plan.unchanged.len()));
    }
    if !plan.holds.is_empty() {
        parts.push(paint(WARN, format!("{} held back", plan.holds.len())));
    }
    if !plan.unreachable.is_empty() {
        parts.push(paint(BAD, format!("{} not reached", plan.unreachable.len())));
    }
    format!("{} {}\n", paint(HEAD, "plan:"), parts.join(", "))
}
