//! Finds out what a host has of a batch whose answer was lost (edge).
//!
//! The process on the host goes on without us, so nothing is done again before the host stands still. What tells: a file
//! is as it was before or as it was to be written; the marker of what is owed is there from the write until it is settled.

use std::time::Duration;

use super::there::There;
use super::{Run, batch, write};
use crate::event::chain;
use crate::plan::{FileStep, Gate, HostPlan, Step};
use crate::remote::{Batch, Command, RemotePath, UnitName};
use crate::resource::{Manifest, Owed, Record, units_are_moving};
use crate::transport::{Session, advice};

/// Between two looks; two that see the same, and no unit that moves, are a host that stands still.
const PAUSE: Duration = Duration::from_secs(1);
/// The restart of a server with much data: as long as a batch may take.
const PATIENCE: Duration = Duration::from_mins(5);

type Refusal = (String, Option<String>);

/// The steps that are still to do; of a write, the files that are not written yet.
pub(super) async fn rest(
    plan: &HostPlan,
    steps: &[Step],
    session: &dyn Session,
    run: &Run<'_>,
) -> Result<Vec<Step>, Refusal> {
    let there = still(plan, steps, session).await?;
    let gone = |owed: &Owed| owed.marker().is_none_or(|marker| !there.has(&marker));
    let settle = steps.iter().position(|step| matches!(step, Step::Settle { owed } if owed.iter().all(gone)));
    let write = steps.iter().enumerate().find_map(|(at, step)| match step {
        Step::Write { directories, files, removals, record, owes } => {
            Some((at, write::Write { directories, files, removals, record: record.as_deref(), owes }))
        }
        _ => None,
    });
    let Some((at, write::Write { directories, files, removals, record, owes })) = write else {
        // What is settled was done.
        return Ok(steps.get(settle.map_or(0, |at| at + 1)..).unwrap_or_default().to_vec());
    };
    let desired = run.desired.get(&plan.host);
    let written = |path: &RemotePath| desired.and_then(|desired| desired.files.get(path));
    let unwritten: Vec<&FileStep> = files
        .iter()
        .filter(|file| !written(&file.path).is_some_and(|want| there.is_as_written(&file.path, want)))
        .collect();
    let unremoved: Vec<&FileStep> = removals.iter().filter(|file| there.has(&file.path)).collect();
    let all_there = unwritten.is_empty() && unremoved.is_empty();
    let recorded = record.is_none_or(|record| is_written(&record.after, &there));
    let behind = |at: usize| steps.get(at + 1..).unwrap_or_default().to_vec();
    // Directories alone leave nothing that tells; made twice is as good as once.
    let tells = !files.is_empty() || !owes.is_empty() || record.is_some();
    // What a marker of detached tables says tells more than that it is there.
    let names = owes.iter().any(|owed| matches!(owed, Owed::Attach(_)));
    if tells && all_there && recorded && !names && !owes.iter().any(gone) {
        return Ok(behind(at));
    }
    if let (true, false, Some(settled)) = (all_there, owes.is_empty(), settle.filter(|settle| *settle > at)) {
        return Ok(behind(settled));
    }
    let before = |path: &RemotePath| run.found.facts(&plan.host).and_then(|facts| facts.files.get(path));
    let known = |file: &&FileStep| {
        let new = written(&file.path).map(|want| want.content.bytes().expose().as_ref());
        let old = before(&file.path).and_then(|file| file.content.as_ref()).map(|content| content.expose().as_ref());
        there.has_content(&file.path, old) || (new.is_some() && there.has_content(&file.path, new))
    };
    let ours = record.is_none_or(|record| {
        let was = record.before == Manifest::default() && Manifest::path().is_none_or(|path| !there.has(&path));
        was || [&record.before, &record.during, &record.after].iter().any(|manifest| is_written(manifest, &there))
    });
    let other = unwritten.iter().chain(&unremoved).find(|file| !known(file)).map(|file| file.path.clone());
    if let Some(other) = other.or_else(|| Manifest::path().filter(|_| !ours)) {
        let hint = "somebody else writes to this host; `housewright plan` shows what is there now".to_owned();
        return Err((format!("`{other}` has changed since it was read"), Some(hint)));
    }
    let now = |file: &&FileStep| FileStep { path: file.path.clone(), expect: there.expect(&file.path) };
    let record = record.zip(Manifest::path());
    let again = Step::Write {
        directories: directories.to_vec(),
        files: unwritten.iter().map(now).collect(),
        removals: unremoved.iter().map(now).collect(),
        record: record.map(|(record, path)| Box::new(Record { expect: there.expect(&path), ..record.clone() })),
        owes: owes.clone(),
    };
    let mut rest = steps.to_vec();
    if let Some(step) = rest.get_mut(at) {
        *step = again;
    }
    Ok(rest)
}

fn is_written(manifest: &Manifest, there: &There) -> bool {
    let file = manifest.file();
    file.is_some_and(|file| there.has_content(&file.path, Some(file.content.expose())))
}

/// Looks until the host stands still.
async fn still(plan: &HostPlan, steps: &[Step], session: &dyn Session) -> Result<There, Refusal> {
    let look = Batch { commands: look(steps) };
    let started = tokio::time::Instant::now();
    let mut last = None;
    loop {
        let outputs = batch::read(session, &look).await;
        let outputs = outputs.map_err(|error| (chain(&error), advice::session(&error, &plan.host)))?;
        let files = outputs.first().ok_or_else(|| ("no answer".to_owned(), None))?;
        let there = There::read(files).map_err(|reason| (reason, None))?;
        let units = outputs.get(1).map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let moves = units.as_deref().is_some_and(units_are_moving);
        let seen = (there, units);
        if started.elapsed() >= PATIENCE || (!moves && last.as_ref() == Some(&seen)) {
            return Ok(seen.0);
        }
        last = Some(seen);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks for the files, the markers and the units that the steps are about.
fn look(steps: &[Step]) -> Vec<Command> {
    let (mut paths, mut units): (Vec<RemotePath>, Vec<UnitName>) = (Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Write { files, removals, record, owes, .. } => {
                paths.extend(files.iter().chain(removals).map(|file| file.path.clone()));
                paths.extend(record.iter().filter_map(|_| Manifest::path()));
                paths.extend(owes.iter().filter_map(Owed::marker));
            }
            Step::Settle { owed } => paths.extend(owed.iter().filter_map(Owed::marker)),
            Step::Unit { unit, .. } => units.push(unit.clone()),
            Step::Gate(Gate::UnitsRunning { units: running }) => units.extend(running.iter().cloned()),
            _ => {}
        }
    }
    paths.sort();
    paths.dedup();
    units.sort();
    units.dedup();
    let mut commands = vec![Command::Read { paths }];
    commands.extend((!units.is_empty()).then_some(Command::UnitState { units }));
    commands
}
