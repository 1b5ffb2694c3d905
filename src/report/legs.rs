//! Legs for people: how they are, which bars they clear, what was written for them (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::hosts::{count, short};
use super::style::{BAD, GOOD, HEAD, PLACE, QUIET, WARN, paint};
use super::table::{Side, lines};
use crate::fleet::HostName;
use crate::leg::{Added, Bar, Edited, LegState, Subject, parity, well};
use crate::observe::NoRows;

/// The legs of each topic and role.
type Groups = BTreeMap<(String, String), Vec<LegState>>;

/// One table for each topic.
#[must_use]
pub fn leg_status(groups: &Groups, without: &BTreeMap<HostName, NoRows>, width: Option<usize>) -> String {
    let columns = [
        ("leg", Side::Left),
        ("collection", Side::Left),
        ("group", Side::Left),
        ("hosts", Side::Right),
        ("polling", Side::Right),
        ("partitions", Side::Right),
        ("lag", Side::Right),
        ("read/min", Side::Right),
        ("errors", Side::Right),
        ("waiting", Side::Right),
    ];
    let heading: Vec<_> = columns.iter().map(|(name, side)| ((*name).to_owned(), *side)).collect();
    let mut out = String::new();
    let (mut all, mut ill) = (0, 0);
    for ((topic, role), legs) in groups {
        let _ = writeln!(out, "{} {}", paint(HEAD, format!("topic {topic}")), paint(QUIET, format!("role {role}")));
        for line in lines(&heading, &legs.iter().map(row).collect::<Vec<_>>(), width) {
            let _ = writeln!(out, "  {line}");
        }
        if let Some(parity) = parity(legs) {
            let _ = writeln!(
                out,
                "  {}",
                paint(QUIET, format!("parity: the quietest leg reads {parity} % of the busiest"))
            );
        }
        for leg in legs {
            all += 1;
            let wrong: Vec<Bar> = well(leg).into_iter().filter(|bar| !bar.met).collect();
            ill += usize::from(!wrong.is_empty());
            for bar in wrong {
                let _ = writeln!(out, "  {} {}: {}", paint(BAD, "x"), bar.table, bar.found);
            }
            if !leg.without.is_empty() {
                let _ = writeln!(out, "  {} {} is not on {}", paint(BAD, "x"), leg.table, short(&leg.without));
            }
        }
        out.push('\n');
    }
    silent(&mut out, without);
    let mut parts = vec![paint(GOOD, format!("{} well", count(all - ill, "leg")))];
    if ill > 0 {
        parts.push(paint(BAD, format!("{ill} not")));
    }
    if !without.is_empty() {
        parts.push(paint(BAD, format!("{} without an answer", count(without.len(), "host"))));
    }
    let _ = writeln!(out, "{} {}", paint(HEAD, "legs:"), parts.join(", "));
    out
}

fn row(leg: &LegState) -> Vec<String> {
    let there = leg.hosts - leg.silent.len() - leg.without.len();
    vec![
        leg.table.to_string(),
        leg.collection.clone().unwrap_or_else(|| "-".to_owned()),
        leg.group.clone().unwrap_or_else(|| "-".to_owned()),
        format!("{there}/{}", leg.hosts),
        format!("{}/{}", leg.now.polling, leg.wanted),
        leg.now.partitions.to_string(),
        leg.now.lag.map_or_else(|| "not told".to_owned(), |lag| lag.to_string()),
        leg.per_minute().map_or_else(|| "?".to_owned(), |rate| rate.to_string()),
        leg.now.errors.to_string(),
        leg.now.waiting.to_string(),
    ]
}

fn silent(out: &mut String, without: &BTreeMap<HostName, NoRows>) {
    for (host, why) in without {
        let _ = writeln!(out, "{} {host}: {}", paint(BAD, "x"), why.reason());
    }
}

/// Each bar with its threshold and what was found.
#[must_use]
pub fn leg_bars(bars: &[Bar], without: &BTreeMap<HostName, NoRows>) -> String {
    let mut out = String::new();
    let mut table = None;
    for bar in bars {
        if table != Some((&bar.table, bar.of)) {
            let what = match bar.of {
                Subject::Stays => "stays",
                Subject::Goes => "goes",
            };
            let _ = writeln!(out, "{} {}", paint(HEAD, &bar.table), paint(QUIET, what));
            table = Some((&bar.table, bar.of));
        }
        let mark = if bar.met { paint(GOOD, "ok") } else { paint(BAD, "no") };
        let lifted = match bar.permission {
            Some(permission) if !bar.met => paint(QUIET, format!("  (`--allow {permission}` lifts it)")),
            _ => String::new(),
        };
        let _ = writeln!(out, "  {mark} {}: {}{lifted}", bar.wanted, bar.found);
    }
    silent(&mut out, without);
    out
}

/// The files of a new leg, each below its path.
#[must_use]
pub fn leg_files(files: &BTreeMap<String, String>) -> String {
    files.iter().fold(String::new(), |all, (path, text)| format!("{all}-- {path}\n{text}\n"))
}

/// What was written, and what to do next.
#[must_use]
pub fn leg_added(added: &Added, dry: bool) -> String {
    let mut out = String::new();
    let verb = if dry { "would write" } else { "wrote" };
    for path in added.files.keys() {
        let _ = writeln!(out, "{} {verb} {}", paint(GOOD, "+"), paint(PLACE, path));
    }
    let names: Vec<String> = added.objects.iter().map(ToString::to_string).collect();
    let _ = writeln!(out, "a leg of {}, as consumer group {}", names.join(", "), added.group);
    if !dry {
        let _ =
            writeln!(out, "{} review the files, then `housewright plan` and `housewright apply`", paint(WARN, "next:"));
    }
    out.trim_end().to_owned()
}

/// What was taken out, and what to do next.
#[must_use]
pub fn leg_removed(edited: &Edited, held: bool, dry: bool) -> String {
    let mut out = String::new();
    if held {
        let _ = writeln!(out, "{} nothing was written: a bar is not cleared", paint(BAD, "held:"));
        return out.trim_end().to_owned();
    }
    for (path, text) in &edited.files {
        let what = match (text, dry) {
            (Some(_), true) => "would take its statements out of",
            (Some(_), false) => "took its statements out of",
            (None, true) => "would remove",
            (None, false) => "removed",
        };
        let _ = writeln!(out, "{} {what} {}", paint(BAD, "-"), paint(PLACE, path));
    }
    let names =
        |names: &[crate::schema::ObjectName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let _ = writeln!(out, "the next plan drops {}", names(&edited.objects));
    if !edited.kept.is_empty() {
        let _ = writeln!(out, "{} stays: others write to it", names(&edited.kept));
    }
    if !dry {
        let next =
            "review the files, then `housewright plan` and `housewright apply`; the collection can leave behind that";
        let _ = writeln!(out, "{} {next}", paint(WARN, "next:"));
    }
    out.trim_end().to_owned()
}
