//! `housewright leg add`: the files of a parallel leg, for review (edge).

use std::path::Path;

use serde_json::json;

use super::super::error::{Answer, CommandError, Exit};
use super::super::{Form, Global, output};
use super::{create, load, of_topic, shown};
use crate::fleet::{Fleet, HostName};
use crate::leg::{Leg, add, shares_brokers, without_collection};
use crate::report;
use crate::report::hosts::short;

/// Options of `leg add`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The topic
    topic: String,
    /// The named collection that has the other brokers
    #[arg(long, value_name = "COLLECTION")]
    from_collection: String,
    /// The role whose leg is copied, where several read the topic
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// The leg that is copied, where there are several: by its collection
    #[arg(long, value_name = "COLLECTION")]
    beside: Option<String>,
    /// The new leg's consumer group; the old one's with the collection behind it by default
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write it although each row would come twice: both collections name the same brokers
    #[arg(long, value_enum, value_name = "WHAT")]
    allow: Vec<Allowed>,
}

/// What is refused unless it is allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Allowed {
    /// Both collections name the same brokers
    SameBrokers,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let project = load(global)?;
    let legs = of_topic(&project.objects, &options.topic, options.role.as_deref())?;
    let collection = options.from_collection.as_str();
    refused(&project.fleet, &legs, options)?;
    let old = beside(&legs, options.beside.as_deref())?;
    let added = add(old, collection, options.group.as_deref())
        .map_err(|why| CommandError::hinted(why, "write the leg by hand, beside the old one"))?;
    if let Some(path) = added.files.keys().find(|path| Path::new(path).exists()) {
        return Err(CommandError::plain(format!("`{path}` is there already: nothing was written")));
    }
    if !options.dry_run {
        for (path, text) in &added.files {
            create(path, text)?;
        }
    }
    match global.output {
        Form::Text => {
            if options.dry_run {
                output::plain(&report::leg_files(&added.files));
            }
            output::say(&report::leg_added(&added, options.dry_run));
        }
        form => output::versioned(
            form,
            &json!({ "files": added.files, "objects": added.objects, "group": added.group, "written": !options.dry_run }),
        ),
    }
    Ok(Exit::Success)
}

fn refused(fleet: &Fleet, legs: &[Leg<'_>], options: &Options) -> Result<(), CommandError> {
    let collection = options.from_collection.as_str();
    if let Some(there) = legs.iter().find(|leg| leg.collection() == Some(collection)) {
        let message = format!("`{}` reads the topic from `{collection}` already", there.table.name);
        return Err(CommandError::hinted(message, format!("look at it: `housewright leg status {}`", options.topic)));
    }
    for leg in legs {
        let without: Vec<&HostName> = without_collection(fleet, &leg.roles, collection);
        if !without.is_empty() {
            let message = format!("the named collection `{collection}` is not rendered for {}", short(&without));
            return Err(CommandError::hinted(message, "add it to `clickhouse_named_collections` first"));
        }
        let own = leg.collection().filter(|_| !options.allow.contains(&Allowed::SameBrokers));
        if let Some((host, broker)) = own.and_then(|own| shares_brokers(fleet, &leg.roles, own, collection)) {
            let message = format!(
                "on `{host}` both `{collection}` and `{}` name the broker `{broker}`: each row would come twice",
                leg.collection().unwrap_or_default()
            );
            return Err(CommandError::hinted(message, "if that is meant: `--allow same-brokers`"));
        }
    }
    Ok(())
}

/// The leg that is copied.
fn beside<'a, 'b>(legs: &'b [Leg<'a>], collection: Option<&str>) -> Result<&'b Leg<'a>, CommandError> {
    let found: Vec<&Leg<'a>> =
        legs.iter().filter(|leg| collection.is_none_or(|name| leg.collection() == Some(name))).collect();
    match found.as_slice() {
        [one] => Ok(one),
        _ => Err(CommandError::hinted(
            format!("{} legs are meant: the role has {}", found.len(), shown(legs)),
            "say which one is copied: `--beside COLLECTION`",
        )),
    }
}
