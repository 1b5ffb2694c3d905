//! `housewright leg`: a topic's way in goes over from one broker to another (edge).

mod add;
mod ask;
mod remove;
mod status;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use clap::Subcommand;

use super::error::{Answer, CommandError};
use super::project::Project;
use super::{Global, output};
use crate::fleet::RoleName;
use crate::leg::{Leg, legs};
use crate::problem::{io_words, near_name};
use crate::schema::Object;

/// Options of `leg`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write the SQL of a leg that reads a topic from another named collection, beside the one that is there
    Add(add::Options),
    /// Ask the hosts how the legs of topics are: consumers, lag, messages; exits with 3 when one is not well
    Status(status::Options),
    /// Take a leg's statements out of its role, once the other leg is proven and this one has drained its topic
    Remove(remove::Options),
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    match &options.verb {
        Verb::Add(options) => add::run(global, options),
        Verb::Status(options) => status::run(global, options),
        Verb::Remove(options) => remove::run(global, options),
    }
}

/// The legs of a topic, in one role; several roles with the topic are told apart by name.
fn of_topic<'a>(
    objects: &'a BTreeMap<RoleName, Vec<Object>>,
    topic: &str,
    role: Option<&str>,
) -> Result<Vec<Leg<'a>>, CommandError> {
    let all = legs(objects);
    let mut found: Vec<Leg<'a>> = all.iter().filter(|leg| leg.topics().any(|own| own == topic)).cloned().collect();
    if found.is_empty() {
        let topics: Vec<&str> = all.iter().flat_map(Leg::topics).collect();
        let hint = near_name(topic, topics.iter().copied()).unwrap_or_else(|| match topics.as_slice() {
            [] => "no Kafka table of the fleet's roles is read by a view".to_owned(),
            some => format!("the topics are {}", named(some)),
        });
        return Err(CommandError::hinted(format!("no leg reads the topic `{topic}`"), hint));
    }
    let owners = |legs: &[Leg<'_>]| named(&legs.iter().map(|leg| leg.owner.as_str()).collect::<Vec<_>>());
    if let Some(role) = role {
        let known = owners(&found);
        found.retain(|leg| leg.owner.as_str() == role);
        if found.is_empty() {
            let message = format!("no leg in role `{role}` reads the topic `{topic}`");
            return Err(CommandError::hinted(message, format!("the legs of the topic are in {known}")));
        }
    }
    if found.iter().any(|leg| found.iter().any(|other| other.owner != leg.owner)) {
        let message = format!("the topic `{topic}` is read in several roles: {}", owners(&found));
        return Err(CommandError::hinted(message, "say which one: `--role ROLE`"));
    }
    Ok(found)
}

/// Each once, in order.
fn named(names: &[&str]) -> String {
    let mut names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

/// The legs with their collections, for a message.
fn shown(legs: &[Leg<'_>]) -> String {
    let each = legs.iter().map(|leg| match leg.collection() {
        Some(collection) => format!("`{}` from `{collection}`", leg.table.name),
        None => format!("`{}`", leg.table.name),
    });
    each.collect::<Vec<_>>().join(", ")
}

/// What the project says, with its notes told.
fn load(global: &Global) -> Result<Project, CommandError> {
    let project = Project::load(global)?;
    output::notes(&project.notes);
    Ok(project)
}

/// Writes a file that is not there, and never over one that is.
fn create(path: &str, text: &str) -> Result<(), CommandError> {
    let made = std::fs::File::options().write(true).create_new(true).open(Path::new(path));
    made.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| CommandError::plain(format!("cannot write `{path}`: {}", io_words(&error))))
}

/// Removes a file.
fn delete(path: &str) -> Result<(), CommandError> {
    std::fs::remove_file(Path::new(path))
        .map_err(|error| CommandError::plain(format!("cannot remove `{path}`: {}", io_words(&error))))
}
