//! `housewright plan`: what would be done, and why (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::ValueEnum;

use super::context::{Context, Peers, block_on};
use super::discover::now;
use super::error::{Answer, CommandError, Exit};
use super::output::{self, Events};
use super::rollout::Rollout;
use super::{Form, Global, github, recorded, saved};
use crate::duration;
use crate::fleet::Fleet;
use crate::migration::{GoOn, MigrationId};
use crate::observe::{Afterwards, Observed};
use crate::plan::{Budget, Inputs, MadeWith, Permissions, SavedPlan, plan};
use crate::remote::UnitName;
use crate::report::{self, Diffs};

/// Options of `plan`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Save the plan, for `apply FILE`; it holds no secrets
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How long a saved plan may be run
    #[arg(long, default_value = "24h", value_parser = duration::seconds, value_name = "TIME")]
    ttl: u64,
    /// Ask no host: plan from what `facts --out` recorded
    #[arg(long, value_name = "FILE")]
    observed: Option<PathBuf>,
    /// Refuse a recorded observation that is older
    #[arg(long, value_parser = duration::seconds, requires = "observed", value_name = "TIME")]
    max_age: Option<u64>,
    /// Exit with 2 when there is something to do
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    planning: Planning,
}

/// Options of every verb that plans.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Planning {
    /// How much of the files' differences is shown
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub diff: Diffs,
    /// Allow what is otherwise held back
    #[arg(long, value_enum, value_name = "WHAT")]
    pub allow: Vec<Allow>,
    /// Drop this object with its rows, where no role of the host wants it any more, run this migration, which takes rows away
    /// (`data/0004`), empty this disk for a volume (`HOST:SERIAL`), or have the coordination forget a replica whose server is empty
    /// although no other one has all of its parts (`HOST:DATABASE.NAME`); once for each
    #[arg(long, value_name = "DATABASE.NAME", value_parser = full_name)]
    pub allow_destroy: Vec<String>,
    /// Go on with a migration that was interrupted: `repeat` runs the statement again that was begun, `next` counts it as done
    #[arg(long, value_name = "ROLE/NUMBER=HOW", value_parser = GoOn::parse)]
    pub migration: Vec<(MigrationId, GoOn)>,
    #[command(flatten)]
    pub rollout: Rollout,
    /// Units to restart where nothing else is to be planned: `restart`.
    #[arg(skip)]
    pub restart: Option<BTreeSet<UnitName>>,
}

/// What may be allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Allow {
    /// Restart a replica although no other replica of its shard serves
    ShardOutage,
    /// Restart a coordination server although the others are no quorum without it
    QuorumOutage,
    /// Make objects Housewright's own that are as their role wants them and that it did not make
    AdoptObjects,
    /// Install an older version of ClickHouse than the one that is there
    Downgrade,
}

/// Takes the name of one object, with its database, or a migration's role and number.
fn full_name(word: &str) -> Result<String, String> {
    if let Ok(id) = word.parse::<MigrationId>() {
        return Ok(id.to_string());
    }
    if let Some((host, device)) = word.split_once(':') {
        let moves = device.starts_with("/dev/") && !device.starts_with("/dev/disk/by-id/");
        return match () {
            () if host.is_empty() || device.is_empty() => Err("a host and a device: `data-1:AWS6C1`".to_owned()),
            () if moves => {
                Err(format!("`{device}` moves between boots: its serial number, or its name in /dev/disk/by-id"))
            }
            () => Ok(word.to_owned()),
        };
    }
    match word.split_once('.') {
        Some((database, name)) if !database.is_empty() && !name.is_empty() => Ok(word.to_owned()),
        _ => Err("an object's name with its database: `default.events`".to_owned()),
    }
}

impl Planning {
    /// The same, with what the fleet's inventory says where no option was given.
    pub(super) fn over(&self, fleet: &Fleet) -> Self {
        Self { rollout: self.rollout.over(&fleet.rollout), ..self.clone() }
    }

    /// The names of what is allowed, in order, each once.
    pub(super) fn allowed(&self) -> BTreeSet<String> {
        let names = self.allow.iter().filter_map(ValueEnum::to_possible_value);
        names.map(|name| name.get_name().to_owned()).collect()
    }

    /// What a saved plan keeps of the options.
    pub(super) fn made_with(&self, global: &Global) -> MadeWith {
        let (budget, only) = (self.rollout.budget(), self.rollout.only);
        let allow_destroy = self.allow_destroy.iter().cloned().collect();
        MadeWith {
            limit: global.limit.clone(),
            allow: self.allowed(),
            allow_destroy,
            migration: self.go_on(),
            budget,
            only,
        }
    }

    /// How to go on with each migration that is named.
    pub(super) fn go_on(&self) -> BTreeMap<MigrationId, GoOn> {
        self.migration.iter().cloned().collect()
    }

    /// Allows what a saved plan was made with.
    pub(super) fn allow_as(&mut self, names: &BTreeSet<String>) -> Result<(), CommandError> {
        let parse = |name: &String| {
            Allow::from_str(name, false)
                .map_err(|_| CommandError::plain(format!("the saved plan allows `{name}`, which nobody knows")))
        };
        self.allow = names.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// What a plan is made from.
    pub(super) fn inputs<'a>(&'a self, context: &'a Context, observed: &'a Observed, budget: &'a Budget) -> Inputs<'a> {
        Inputs {
            fleet: &context.project.fleet,
            desired: &context.desired,
            objects: &context.project.objects,
            migrations: &context.project.migrations,
            observation: &observed.observation,
            hosts: &context.hosts,
            permissions: Permissions {
                shard_outage: self.allow.contains(&Allow::ShardOutage),
                quorum_outage: self.allow.contains(&Allow::QuorumOutage),
                adopt_objects: self.allow.contains(&Allow::AdoptObjects),
                downgrade: self.allow.contains(&Allow::Downgrade),
            },
            allow_destroy: &self.allow_destroy,
            go_on: &self.migration,
            budget,
            only: self.rollout.only,
            restart: self.restart.as_ref(),
        }
    }
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let global = &Global { offline: global.offline || options.observed.is_some(), ..global.clone() };
    let context = match &options.observed {
        None => Context::load(global)?,
        Some(_) => Context::without_network(global)?,
    };
    let planning = options.planning.over(&context.project.fleet);
    planning.rollout.check(|host| context.hosts.contains(host))?;
    let sink = output::sink(global, Events::AreProgress);
    let (observed, asked_at) = if let Some(path) = &options.observed {
        recorded::read(path, &context, options.max_age)?
    } else {
        let asked_at = now();
        (block_on(context.observe(global, Peers::Too, Afterwards::Close, &*sink))?, asked_at)
    };
    let budget = planning.rollout.budget();
    let inputs = planning.inputs(&context, &observed, &budget);
    let plan = plan(&inputs);
    let saved = SavedPlan::new(&plan).with(planning.made_with(global)).at(asked_at, options.ttl);
    match global.output {
        Form::Text => output::result(&report::plan(&plan, planning.diff)),
        Form::Markdown => output::plain(&report::markdown(&plan)),
        form => output::data(form, &saved),
    }
    github::plan(&plan);
    if let Some(path) = &options.out {
        saved::write(path, saved, (global, &inputs))?;
    }
    Ok(Exit::of_plan(&plan, options.detailed_exitcode))
}
