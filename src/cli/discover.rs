//! `housewright discover`: what EC2 lists against what the snapshot says (edge).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::context::block_on;
use super::error::{Answer, CommandError, Exit};
use super::{Form, Global, output, project};
use crate::discovery::compare::{Changed, Difference, Line, compare};
use crate::discovery::snapshot::{self, Recorded};
use crate::discovery::{self, Accepted, Ask, Cache, Discovery, Found, Terms, Written};
use crate::fleet::load::Read;
use crate::problem::{Problem, Severity};
use crate::report::diagnostic;
use crate::report::hosts::count;

/// Options of `discover`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Write the snapshot `discovered.yml` beside the `*.aws_ec2.yml` files
    #[arg(long)]
    write: bool,
    /// Exit with 2 when EC2 and the snapshot differ
    #[arg(long)]
    detailed_exitcode: bool,
}

/// Adds discovered hosts to what was read, as the options of the command line want it.
pub(super) fn discover(global: &Global, read: &mut Read) -> Result<Vec<Found>, CommandError> {
    let accepted = Accepted::parse(&global.accept).map_err(CommandError::plain)?;
    if read.documents.discovery.is_empty() && accepted.is_empty() {
        return Ok(Vec::new());
    }
    let ec2 = ec2();
    let ask = match &ec2 {
        _ if global.offline => Ask::Snapshot,
        None => Ask::Nobody,
        Some(ec2) if global.refresh => Ask::Anew(&**ec2),
        Some(ec2) => Ask::Live(&**ec2),
    };
    let terms = Terms { ask, accepted, cache: Cache::from_environment(), now: now() };
    block_on(discovery::discover(&mut read.documents, &terms, &mut read.problems))
}

#[cfg(feature = "ec2")]
#[expect(clippy::unnecessary_wraps, reason = "as in a build that cannot ask")]
fn ec2() -> Option<Box<dyn Discovery>> {
    Some(Box::new(discovery::ec2::Ec2::new(discovery::ec2::Limits::from_environment(), output::say)))
}

#[cfg(not(feature = "ec2"))]
fn ec2() -> Option<Box<dyn Discovery>> {
    None
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    match (global.output, answer(global, options)) {
        (Form::Text, answer) => answer.and_then(|answer| text(&answer)),
        (form, Ok(answer)) => {
            output::data(form, &data(&answer));
            Ok(answer.exit)
        }
        (form, Err(error)) => Ok(output::data_answer(form, Err(error))),
    }
}

/// All that `discover` has to say.
struct Answered {
    found: Vec<Found>,
    differences: Vec<Line>,
    has_snapshot: bool,
    written: Vec<Written>,
    problems: Vec<Problem>,
    exit: Exit,
}

fn answer(global: &Global, options: &Options) -> Result<Answered, CommandError> {
    if global.offline {
        let hint = "`housewright inventory --offline` shows what the snapshot says";
        return Err(CommandError::hinted("`discover` asks EC2, and `--offline` forbids it", hint));
    }
    let (directory, root) = project::places(global)?;
    let mut read = crate::fleet::load::read(directory, &root.join("roles"));
    if read.documents.discovery.is_empty() && !stops(&read.problems) {
        let message = format!("`{}` has no discovery file", directory.display());
        return Err(CommandError::hinted(message, "write one: `NAME.aws_ec2.yml`, as docs/inventory.md says"));
    }
    let found = discover(global, &mut read)?;
    if found.is_empty() && stops(&read.problems) {
        return Err(crate::fleet::in_order(read.problems).into());
    }
    let (before, has_snapshot) = recorded(&found);
    let hosts: Vec<_> = found.iter().flat_map(|found| found.hosts.iter().cloned()).collect();
    let differences = compare(&before, &hosts);
    let problems = match read.resolve(&project::connection_defaults()) {
        Ok(loaded) => loaded.notes,
        Err(problems) => problems,
    };
    let mut written = Vec::new();
    if options.write && !stops(&problems) {
        written = discovery::write(&found, now()).map_err(|(path, error)| {
            CommandError::plain(format!("cannot write the snapshot `{}`: {error}", path.display()))
        })?;
        Cache::from_environment().settle(&found, now());
    }
    let exit = match (stops(&problems), options.detailed_exitcode && !differences.is_empty()) {
        (true, _) => Exit::Invalid,
        (false, true) => Exit::Changes,
        (false, false) => Exit::Success,
    };
    Ok(Answered { found, differences, has_snapshot, written, problems, exit })
}

fn stops(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Problem)
}

/// The hosts of the snapshots beside the files, and whether there is one.
fn recorded(found: &[Found]) -> (BTreeMap<String, Recorded>, bool) {
    let sources: Vec<_> = found.iter().map(|found| &found.source).collect();
    let read = |found: &Found| discovery::read_snapshot(Path::new(found.source.file())).ok();
    let snapshots: Vec<_> = found.iter().filter_map(read).collect();
    let hosts = snapshots.iter().flat_map(|(_, node)| snapshot::recorded(node, &sources)).collect();
    (hosts, !snapshots.is_empty())
}

fn text(answer: &Answered) -> Answer {
    let mut out = String::new();
    for found in &answer.found {
        let _ = writeln!(out, "{}: {}", found.source.file(), regions(found));
    }
    for line in &answer.differences {
        let _ = writeln!(out, "  {}", describe(line));
    }
    let _ = writeln!(out, "{}", summary(answer));
    for written in &answer.written {
        let _ = match written {
            Written::New(path) => writeln!(out, "wrote {}", path.display()),
            Written::Same(path) => writeln!(out, "{} says the same already", path.display()),
        };
    }
    output::result(&out);
    if stops(&answer.problems) {
        return Err(answer.problems.clone().into());
    }
    output::notes(&answer.problems);
    Ok(answer.exit)
}

fn by_region(found: &Found) -> BTreeMap<&str, usize> {
    let mut regions: BTreeMap<&str, usize> = found.source.regions.iter().map(|(name, _)| (name.as_str(), 0)).collect();
    for host in &found.hosts {
        *regions.entry(&host.region).or_default() += 1;
    }
    regions
}

fn regions(found: &Found) -> String {
    let one = |(region, hosts): (&str, usize)| format!("{} in {region}", count(hosts, "host"));
    by_region(found).into_iter().map(one).collect::<Vec<_>>().join(", ")
}

fn describe(line: &Line) -> String {
    let Line { host, instance, region, difference } = line;
    let (what, more) = match difference {
        Difference::New => ("new", String::new()),
        Difference::Gone => ("gone", String::new()),
        Difference::Replaced { by } => ("replaced", format!("  it was {by}")),
        Difference::Renamed { from } => ("renamed", format!("  it was called {from}")),
        Difference::Changed(changed) => {
            let one = |Changed { variable, before, now }: &Changed| {
                format!("\n      {variable}: {} -> {}", short(before), short(now))
            };
            ("changed", changed.iter().map(one).collect())
        }
    };
    format!("{what:9} {host:24} {instance:20} {region}{more}").trim_end().to_owned()
}

/// A value on a part of a line.
fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn summary(answer: &Answered) -> String {
    if !answer.has_snapshot {
        let hosts = count(answer.differences.len(), "host");
        return format!("discover: {hosts}; there is no snapshot to compare with: `--write` writes one");
    }
    let number =
        |wanted: fn(&Difference) -> bool| answer.differences.iter().filter(|line| wanted(&line.difference)).count();
    let kinds = [
        (number(|difference| matches!(difference, Difference::New)), "new"),
        (number(|difference| matches!(difference, Difference::Gone)), "gone"),
        (number(|difference| matches!(difference, Difference::Replaced { .. })), "replaced"),
        (number(|difference| matches!(difference, Difference::Renamed { .. })), "renamed"),
        (number(|difference| matches!(difference, Difference::Changed(_))), "changed"),
    ];
    let told: Vec<String> =
        kinds.into_iter().filter(|(number, _)| *number > 0).map(|(number, kind)| format!("{number} {kind}")).collect();
    if told.is_empty() {
        return "discover: EC2 and the snapshot agree".to_owned();
    }
    format!("discover: {}; the snapshot says otherwise", told.join(", "))
}

fn data(answer: &Answered) -> Value {
    let files: Vec<Value> =
        answer.found.iter().map(|found| json!({ "file": found.source.file(), "regions": by_region(found) })).collect();
    let written: Vec<Value> = answer
        .written
        .iter()
        .map(|written| match written {
            Written::New(path) => json!({ "file": path.display().to_string(), "changed": true }),
            Written::Same(path) => json!({ "file": path.display().to_string(), "changed": false }),
        })
        .collect();
    json!({
        "files": files,
        "snapshot": answer.has_snapshot,
        "differences": answer.differences.iter().map(Line::to_json).collect::<Vec<_>>(),
        "written": written,
        "problems": diagnostic::json(&answer.problems),
    })
}
