//! Going on with a run that came to no end: its options, whether it is still about the same, what it had done (edge).
//!
//! Nothing of the old plan is run: the hosts are asked again and the plan is made again, so that what was done is not done
//! twice. Only the options and the question whether the same is meant come from the journal.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use sha2::{Digest, Sha256};

use super::context::Context;
use super::error::CommandError;
use super::{CommandLine, Global, Verb, apply, output};
use crate::event::{Event, Sink};
use crate::fleet::HostName;
use crate::journal::{self, Begun, Journal, PastRun};
use crate::plan::Plan;
use crate::report::hosts::{count, short};

/// A server of the lab restarts in less; where it takes longer, its host is refused once more and told.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(5);

/// The directory of the journals.
fn directory(options: &apply::Options) -> Option<PathBuf> {
    options.journal.clone().or_else(journal::directory)
}

/// The run that is gone on with, and the options that it had.
pub(super) fn options(
    global: &Global,
    options: &apply::Options,
    run: Option<&str>,
) -> Result<(Global, apply::Options, PastRun), CommandError> {
    let directory = directory(options)
        .ok_or_else(|| CommandError::hinted("there is no directory of journals", "name it: `--journal DIR`"))?;
    let past = match run {
        Some(run) => named(&directory, run)?,
        None => newest(&directory, global)?,
    };
    let Begun { run, arguments, inventory, directory: started_in, .. } = &past.begun;
    if past.goes_on {
        return Err(CommandError::hinted(format!("run {run} still goes on in another process"), "wait for its end"));
    }
    if past.came_to_its_end() {
        return Err(CommandError::hinted(
            format!("run {run} came to its end: there is nothing to go on with"),
            "`housewright plan` shows whether something differs now",
        ));
    }
    let unusable =
        |why: String| CommandError::hinted(format!("run {run} cannot be gone on with: {why}"), "`housewright apply`");
    if !started_in.is_empty() {
        std::env::set_current_dir(started_in).map_err(|error| unusable(format!("`{started_in}`: {error}")))?;
    }
    let line = CommandLine::try_parse_from(["housewright".to_owned()].iter().chain(arguments))
        .map_err(|_| unusable("another version wrote its options".to_owned()))?;
    let Verb::Apply(mut then) = line.verb else { return Err(unusable("it was no `apply`".to_owned())) };
    let (output, color, plain) = (global.output, global.color, global.plain);
    let global = Global { inventory: Some(PathBuf::from(inventory)), output, color, plain, ..line.global };
    then.yes = options.yes;
    then.resume = None;
    then.journal = Some(directory);
    Ok((global, then, past))
}

fn named(directory: &Path, run: &str) -> Result<PastRun, CommandError> {
    // A run's name is no path.
    let path = directory.join(run.replace('/', "_")).with_extension("jsonl");
    journal::read(&path).map_err(|error| {
        CommandError::hinted(
            format!("there is no journal of run `{run}`: {error}"),
            format!("the journals are in `{}`", directory.display()),
        )
    })
}

/// The newest run of the inventory that came to no end; of any, where no inventory is named.
fn newest(directory: &Path, global: &Global) -> Result<PastRun, CommandError> {
    let wanted = global.inventory.as_deref().map(absolute);
    unfinished(directory, wanted.as_deref()).ok_or_else(|| {
        CommandError::hinted(
            format!("no run in `{}` is there to go on with", directory.display()),
            "`housewright apply` begins one",
        )
    })
}

/// Only the newest run of an inventory counts: what is older was taken over by it.
fn unfinished(directory: &Path, inventory: Option<&str>) -> Option<PastRun> {
    let paths = journal::list(directory).unwrap_or_default();
    let mut runs = paths.iter().filter_map(|path| journal::read(path).ok());
    let past = runs.find(|past| inventory.is_none_or(|wanted| past.begun.inventory == wanted))?;
    (!past.came_to_its_end()).then_some(past)
}

fn absolute(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// What the hosts should have, as one digest; of secrets only which, so that nobody can try their values out.
pub(super) fn digest(context: &Context) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    };
    for name in &context.hosts {
        add(name.as_str());
        let Some(desired) = context.desired.get(name) else { continue };
        for (path, directory) in &desired.directories {
            add(&format!("{path} {} {} {:o}", directory.owner, directory.group, directory.mode));
        }
        for (path, file) in &desired.files {
            add(&format!("{path} {} {} {:o} {:?}", file.owner, file.group, file.mode, file.unit));
            add(file.content.shown());
        }
        for (unit, state) in &desired.units {
            add(&format!("{unit} {state:?}"));
        }
        let role = context.project.fleet.hosts.get(name).map(|host| &host.role);
        for object in role.and_then(|role| context.project.objects.get(role)).into_iter().flatten() {
            add(object.statement.text());
        }
    }
    let mut text = String::new();
    for byte in hash.finalize() {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Refuses to go on with something else, and tells what the run had done.
pub(super) fn same(past: &PastRun, digest: &str) -> Result<(), CommandError> {
    let run = &past.begun.run;
    if past.begun.desired != digest {
        return Err(CommandError::hinted(
            format!("run {run} is not gone on with: what the hosts should have is another by now"),
            "begin anew: `housewright plan`, then `housewright apply`",
        ));
    }
    output::say(&format!("going on with run {run}: {}", so_far(past)));
    Ok(())
}

/// Tells, before another run, of one that nobody has gone on with.
pub(super) fn mention(global: &Global, options: &apply::Options) {
    let Some(directory) = directory(options) else { return };
    let inventory = global.inventory.as_deref().map(absolute);
    let Some(past) = inventory.and_then(|inventory| unfinished(&directory, Some(&inventory))) else { return };
    if past.exit.is_none() && !past.goes_on {
        let run = &past.begun.run;
        output::say(&format!("run {run} before this one came to no end: {}", so_far(&past)));
    }
}

fn so_far(past: &PastRun) -> String {
    let mut parts = vec![format!("{} done", count(past.finished.len(), "host"))];
    for (host, step) in &past.failed {
        parts.push(format!("`{host}` failed in: {step}"));
    }
    for (host, step) in &past.under_way {
        parts.push(format!("`{host}` was in the middle of: {step}"));
    }
    let begun = |host: &HostName| past.failed.contains_key(host) || past.under_way.contains_key(host);
    let rest: Vec<_> = past.left().into_iter().filter(|host| !begun(host)).collect();
    if !rest.is_empty() {
        parts.push(format!("{} to do", short(&rest)));
    }
    parts.join(", ")
}

/// The journal of a run that begins now; a default place that cannot be written stops nothing.
pub(super) fn begin(
    plan: &Plan,
    (run, digest): (&str, String),
    past: Option<&PastRun>,
    (global, options): (&Global, &apply::Options),
) -> Result<Option<Journal>, CommandError> {
    let Some(directory) = directory(options) else { return Ok(None) };
    let mut begun = Begun {
        run: run.to_owned(),
        inventory: global.inventory.as_deref().map(absolute).unwrap_or_default(),
        directory: std::env::current_dir().unwrap_or_default().display().to_string(),
        arguments: std::env::args().skip(1).collect(),
        desired: digest,
        ..Begun::default()
    };
    if let Some(past) = past {
        begun.arguments.clone_from(&past.begun.arguments);
        begun.resumes = Some(past.begun.run.clone());
    }
    for host in plan.waves.iter().flat_map(|wave| &wave.hosts) {
        *begun.hosts.entry(host.host.clone()).or_default() += 1;
    }
    match Journal::begin(&directory, &begun) {
        Ok(journal) => Ok(Some(journal)),
        Err(error) => {
            let message = format!("the run's journal cannot be kept in `{}`: {error}", directory.display());
            if options.journal.is_some() {
                return Err(CommandError::hinted(message, "nothing was done; name another directory: `--journal DIR`"));
            }
            output::say(&format!("{message}; `--resume` will not know of it"));
            Ok(None)
        }
    }
}

/// Events for the reporter and for the journal.
pub(super) struct Both<'a>(pub &'a dyn Sink, pub Option<&'a Journal>);

impl Sink for Both<'_> {
    fn emit(&self, event: Event) {
        if let Some(journal) = self.1 {
            journal.emit(event.clone());
        }
        self.0.emit(event);
    }
}
