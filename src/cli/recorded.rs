//! Recorded observations as files: written by `facts --out`, planned from by `plan --observed` (edge).

use std::io::Read;
use std::path::Path;

use super::context::Context;
use super::discover::now;
use super::error::CommandError;
use super::output;
use crate::duration;
use crate::observe::Observed;
use crate::observe::recorded::{Hiding, Recorded, RecordedError};
use crate::problem::io_words;
use crate::resource::Observation;
use crate::reveal::{self, Missing};
use crate::secret::keyed::DigestKey;

/// An observation of ten thousand hosts has some hundred megabytes.
const MOST_BYTES: u64 = 4 << 30;
/// More paths than that are counted.
const MOST_PATHS: usize = 5;

/// Writes what was found at a moment.
pub(super) fn write(path: &Path, context: &Context, found: &Observation, at: u64) -> Result<(), CommandError> {
    let key = key(Missing::Make)?;
    let recorded = Recorded::new(found, at, &hiding(context, &key)).map_err(|error| wrong(path, &error))?;
    output::write_file(path, &recorded.to_text())
}

/// Reads the chosen hosts and those that stand in for them, and when they were asked.
pub(super) fn read(path: &Path, context: &Context, max_age: Option<u64>) -> Result<(Observed, u64), CommandError> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES).read_to_string(&mut text));
    read.map_err(|error| {
        CommandError::plain(format!("cannot read the observation `{}`: {}", path.display(), io_words(&error)))
    })?;
    let recorded = Recorded::read(&text).map_err(|error| wrong(path, &error))?;
    let (asked_at, shown) = recorded.observed_at();
    let unreadable = || wrong(path, &RecordedError::Unreadable("it does not say when it was made".to_owned()));
    let asked_at = asked_at.ok_or_else(unreadable)?;
    let age = now().saturating_sub(asked_at);
    if let Some(most) = max_age.filter(|most| age > *most) {
        let (age, most) = (duration::words(age), duration::words(most));
        return Err(CommandError::hinted(
            format!("the observation `{}` is too old: {age}, and `--max-age` allows {most}", path.display()),
            "record it again: `housewright facts --out FILE`",
        ));
    }
    output::say(&format!("observed at {shown}, {} ago; no host is asked", duration::words(age)));
    let key = key(Missing::Leave)?;
    let hosts = context.asked();
    let observation = recorded.observation(&hosts, &hiding(context, &key)).map_err(|error| wrong(path, &error))?;
    let unknown = recorded.not_asked(&hosts, &context.desired);
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().take(MOST_PATHS).map(|path| format!("`{path}`")).collect();
        let more = if unknown.len() > names.len() { ", ..." } else { "" };
        output::say(&format!("note: nobody asked for {}{more} then: the plan takes them as missing", names.join(", ")));
    }
    Ok((Observed { observation, ..Observed::default() }, asked_at))
}

fn hiding<'a>(context: &'a Context, key: &'a DigestKey) -> Hiding<'a> {
    Hiding { desired: &context.desired, secrets: &context.secrets, key }
}

fn key(missing: Missing) -> Result<DigestKey, CommandError> {
    let key = reveal::digest_key(missing).map_err(|error| CommandError::hinted(error.to_string(), error.hint()))?;
    let none = || {
        CommandError::hinted(
            "there is no key of digests here",
            "give the one that it was recorded with: `HOUSEWRIGHT_DIGEST_KEY`",
        )
    };
    key.ok_or_else(none)
}

fn wrong(path: &Path, error: &RecordedError) -> CommandError {
    let hint = match error {
        RecordedError::AnotherKey => "give both machines one key: `HOUSEWRIGHT_DIGEST_KEY`",
        RecordedError::Secret(_) => "a server repeats it: look at what `housewright facts` shows",
        RecordedError::Unreadable(_) | RecordedError::Version(_) => "record it again: `housewright facts --out FILE`",
    };
    CommandError::hinted(format!("the observation `{}`: {error}", path.display()), hint)
}
