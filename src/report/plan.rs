//! The plan as a person reads it: waves in order, equal changes of many hosts said once (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::hosts::{count, short};
use super::style::{BAD, GOOD, HEAD, PLACE, QUIET, WARN, paint};
use crate::clickhouse::config::Disruption;
use crate::fleet::HostName;
use crate::plan::{Change, Plan, Wave};
use crate::remote::UnitAction;
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
    for (index, wave) in plan.waves.iter().enumerate() {
        let title = format!("wave {} of {}: {}", index + 1, plan.waves.len(), wave.title);
        let _ = writeln!(out, "{} ({})", paint(HEAD, title), count(wave.hosts.len(), "host"));
        let _ = writeln!(out, "  {}", paint(QUIET, &wave.reason));
        changes(&mut out, wave, diffs);
        disruptions(&mut out, wave);
        out.push('\n');
    }
    exceptions(&mut out, plan);
    out.push_str(&summary(plan));
    out
}

fn changes(out: &mut String, wave: &Wave, diffs: Diffs) {
    let mut folded: Vec<(&Change, Vec<&HostName>)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for host in &wave.hosts {
        for change in &host.changes {
            let key = match diffs {
                Diffs::None => head(change),
                Diffs::Fold => format!("{change:?}"),
                Diffs::Each => format!("{} {change:?}", host.host),
            };
            let place = *places.entry(key).or_insert_with(|| {
                folded.push((change, Vec::new()));
                folded.len() - 1
            });
            if let Some((_, hosts)) = folded.get_mut(place) {
                hosts.push(&host.host);
            }
        }
    }
    let heads: Vec<_> = folded.iter().map(|(change, _)| head(change)).collect();
    let mut seen = BTreeMap::new();
    for head in &heads {
        *seen.entry(head).or_insert(0) += 1;
    }
    let mut told = std::collections::BTreeSet::new();
    for ((change, hosts), head) in folded.iter().zip(&heads) {
        let new_file = matches!(change, Change::File { kind: FileChangeKind::Create, .. });
        if new_file && diffs == Diffs::Fold && seen[head] > 1 {
            if told.insert(head) {
                let all: Vec<_> = folded
                    .iter()
                    .zip(&heads)
                    .filter(|(_, other)| *other == head)
                    .flat_map(|((_, hosts), _)| hosts.iter())
                    .collect();
                let _ = writeln!(out, "  {head}  {}", paint(QUIET, format!("differs by host, on {}", short(&all))));
            }
            continue;
        }
        let _ = writeln!(out, "  {head}  {}", paint(QUIET, format!("on {}", short(hosts))));
        diff(out, change, diffs);
    }
}

fn head(change: &Change) -> String {
    match change {
        Change::Directory(directory) => match &directory.is {
            None => format!("{} {}/  {}", paint(GOOD, "+"), directory.path, directory.should),
            Some(is) => format!("{} {}/  {is} -> {}", paint(WARN, "~"), directory.path, directory.should),
        },
        Change::File { path, kind, metadata, .. } => {
            let sign = if *kind == FileChangeKind::Create { paint(GOOD, "+") } else { paint(WARN, "~") };
            match metadata {
                Some((is, should)) => format!("{sign} {path}  {is} -> {should}"),
                None => format!("{sign} {path}"),
            }
        }
        Change::Unit(unit) => {
            let action = match unit.action {
                UnitAction::Enable => "enable",
                UnitAction::Start => "start",
                UnitAction::Restart => "restart",
            };
            format!("{} {action} {} ({} now)", paint(WARN, "~"), unit.unit, unit.is)
        }
        Change::Object { name, kind, role } => format!("{} {name}  {kind}, of role {role}", paint(GOOD, "+")),
    }
}

fn diff(out: &mut String, change: &Change, diffs: Diffs) {
    let Change::File { kind, diff, .. } = change else { return };
    if diffs == Diffs::None || (diffs == Diffs::Fold && *kind == FileChangeKind::Create) {
        return;
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
        let word = match disruption {
            Disruption::None => "nothing",
            Disruption::Reload => "reload",
            Disruption::Reattach => "reattach",
            Disruption::Restart => "restart",
        };
        let _ = writeln!(out, "  {} on {}: {}", paint(WARN, word), short(&hosts), reasons.join("; "));
    }
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

fn summary(plan: &Plan) -> String {
    let changed = plan.changed_hosts().len();
    let with = |disruption| {
        let hosts = plan.waves.iter().flat_map(|wave| &wave.hosts);
        hosts
            .filter(|host| host.disruption == disruption)
            .map(|host| &host.host)
            .collect::<std::collections::BTreeSet<_>>()
            .len()
    };
    let mut parts = Vec::new();
    if changed == 0 {
        parts.push("nothing to do".to_owned());
    } else {
        parts.push(format!("{} to change in {}", count(changed, "host"), count(plan.waves.len(), "wave")));
    }
    for (number, text) in [(with(Disruption::Restart), "restart"), (with(Disruption::Reload), "reload")] {
        if number > 0 {
            parts.push(format!("{number} {text}"));
        }
    }
    parts.push(format!("{} as desired", plan.unchanged.len()));
    if !plan.holds.is_empty() {
        parts.push(paint(WARN, format!("{} held back", plan.holds.len())));
    }
    if !plan.unreachable.is_empty() {
        parts.push(paint(BAD, format!("{} not reached", plan.unreachable.len())));
    }
    format!("{} {}\n", paint(HEAD, "plan:"), parts.join(", "))
}
