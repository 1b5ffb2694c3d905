//! Plans as files: saved with digests of what they were made from, read, and compared with what is now (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::apply::Options;
use super::discover::now;
use super::error::CommandError;
use super::project::places;
use super::rollout::Rollout;
use super::{Global, output};
use crate::plan::{Compared, Fingerprints, Inputs, Plan, SavedPlan, SavedPlanError};
use crate::problem::io_words;
use crate::reveal::{self, Missing};
use crate::secret::keyed::{DigestKey, Keyed};

/// A plan of ten thousand hosts has some tens of megabytes.
const MOST_BYTES: u64 = 1 << 30;
/// Directories in one another: more is a circle.
const DEEPEST: usize = 16;

/// Reads a saved plan.
pub(super) fn read(path: &Path) -> Result<SavedPlan, CommandError> {
    let cannot = |error: std::io::Error| {
        CommandError::plain(format!("cannot read the plan `{}`: {}", path.display(), io_words(&error)))
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(cannot)?;
    SavedPlan::read(&text).map_err(|error| {
        CommandError::hinted(
            format!("cannot read the plan `{}`: {error}", path.display()),
            "`housewright plan --out FILE` saves one",
        )
    })
}

/// Writes a plan with digests of what it was made from.
pub(super) fn write(path: &Path, saved: SavedPlan, from: (&Global, &Inputs<'_>)) -> Result<(), CommandError> {
    let key = key(Missing::Make)?;
    let saved = match key {
        Some(key) => {
            let made_from = made_from(saved.plan(), from, &key)?;
            saved.from(made_from)
        }
        None => saved,
    };
    std::fs::write(path, saved.to_text()).map_err(|error| {
        CommandError::plain(format!("cannot save the plan to `{}`: {}", path.display(), io_words(&error)))
    })
}

/// The part of the plan of now that is as it was saved; nothing where too much has moved.
pub(super) fn verified(saved: &SavedPlan, now: Plan, from: (&Global, &Inputs<'_>)) -> Result<Plan, CommandError> {
    let made_from = match key(Missing::Leave)? {
        Some(key) => Some(made_from(&now, from, &key)?),
        None => None,
    };
    let (plan, compared) = saved.against(now, made_from.as_ref()).map_err(|error| refused(&error))?;
    if compared == Compared::WhatIsShown && saved.made_from().is_some() {
        output::say(
            "note: the key of digests here is not the one that the plan was saved with: values of secrets, and what the plan does \
             not show, could not be compared (`HOUSEWRIGHT_DIGEST_KEY` gives both machines one key)",
        );
    }
    Ok(plan)
}

/// Why a saved plan is not run, and what to do.
pub(super) fn refused(error: &SavedPlanError) -> CommandError {
    CommandError::hinted(format!("the saved plan is not run: {error}"), "look at what it is now: `housewright plan`")
}

/// The options as the saved plan was made with them; others on the command line would make another plan.
pub(super) fn options(
    global: &Global,
    options: &Options,
    saved: &SavedPlan,
) -> Result<(Global, Options), CommandError> {
    saved.may_run(now()).map_err(|error| refused(&error))?;
    let made = saved.made_with();
    let (mut global, mut options) = (global.clone(), options.clone());
    let conflict = |option: &str| {
        CommandError::hinted(
            format!("`{option}` is not the one that the saved plan was made with"),
            format!("leave `{option}` out, or make another plan: `housewright plan {option} ... --out FILE`"),
        )
    };
    if global.limit.is_some() && global.limit != made.limit {
        return Err(conflict("--limit"));
    }
    if !options.planning.allow.is_empty() && options.planning.allowed() != made.allow {
        return Err(conflict("--allow"));
    }
    let destroyed: BTreeSet<String> = options.planning.allow_destroy.iter().cloned().collect();
    if !destroyed.is_empty() && destroyed != made.allow_destroy {
        return Err(conflict("--allow-destroy"));
    }
    if !options.planning.migration.is_empty() && options.planning.go_on() != made.migration {
        return Err(conflict("--migration"));
    }
    if let Some(option) = options.planning.rollout.conflict(&made.budget, made.only) {
        return Err(conflict(option));
    }
    global.limit.clone_from(&made.limit);
    options.planning.rollout = Rollout::meaning(&made.budget, made.only);
    options.planning.allow_as(&made.allow)?;
    options.planning.allow_destroy = made.allow_destroy.iter().cloned().collect();
    options.planning.migration = made.migration.iter().map(|(id, how)| (id.clone(), *how)).collect();
    Ok((global, options))
}

fn key(missing: Missing) -> Result<Option<DigestKey>, CommandError> {
    reveal::digest_key(missing).map_err(|error| CommandError::hinted(error.to_string(), error.hint()))
}

fn made_from(
    plan: &Plan,
    (global, from): (&Global, &Inputs<'_>),
    key: &DigestKey,
) -> Result<Fingerprints, CommandError> {
    Ok(Fingerprints::of(plan, from, inputs(global, key)?, key))
}

/// Digests of the files that were read.
fn inputs(global: &Global, key: &DigestKey) -> Result<BTreeMap<String, Keyed>, CommandError> {
    let (inventory, root) = places(global)?;
    let parts =
        [("inventory", inventory.to_owned()), ("roles", root.join("roles")), ("templates", root.join("templates"))];
    Ok(parts.into_iter().map(|(name, place)| (name.to_owned(), tree(&place, key))).collect())
}

/// The digest of a file, or of all files below a directory: names and contents. What cannot be read is as if it were not
/// there: that it is needed has been told before.
fn tree(place: &Path, key: &DigestKey) -> Keyed {
    let mut files = BTreeMap::new();
    walk(place, &PathBuf::new(), 0, &mut files);
    let digests: Vec<_> = files
        .into_iter()
        .map(|(name, path)| {
            let content = std::fs::read(&path).unwrap_or_default();
            key.digest("a file", &[name.to_string_lossy().as_bytes(), &content]).to_string()
        })
        .collect();
    key.digest("files", &digests.iter().map(String::as_bytes).collect::<Vec<_>>())
}

fn walk(place: &Path, name: &Path, depth: usize, files: &mut BTreeMap<PathBuf, PathBuf>) {
    let Ok(metadata) = std::fs::metadata(place) else { return };
    if metadata.is_file() {
        files.insert(name.to_owned(), place.to_owned());
    } else if metadata.is_dir() && depth < DEEPEST {
        for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
            walk(&entry.path(), &name.join(entry.file_name()), depth + 1, files);
        }
    }
}
