//! `housewright lab`: a role-true local fleet to try a change on (edge).

use std::fmt::Write;
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::ExitStatus;

use serde_json::json;

use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, output};
use crate::event::chain;
use crate::fleet::{Host, Placement, Reach};
use crate::lab::{
    self, BrokerChoice, Image, LabCondition, LabError, LabHost, LabHostKind, LabSpec, Running, Which, default_state_dir,
};

/// Options of `lab`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Boot the hosts of an inventory on this machine: real systemd, sshd, ClickHouse, ZooKeeper, broker
    Up {
        /// So many more hosts that only answer SSH, for fan-out
        #[arg(long, default_value_t = 0, value_name = "N")]
        sshd_only: u16,
        /// Which Kafka broker
        #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
        broker: BrokerOption,
        /// A ClickHouse binary to use, instead of an installed or the pinned one
        #[arg(long, value_name = "FILE")]
        clickhouse: Option<PathBuf>,
        /// Hosts as the cloud gives them: SSH, and no package of ClickHouse or ZooKeeper
        #[arg(long)]
        fresh: bool,
    },
    /// Get what the hosts are made of, so that `up` only boots
    Fetch {
        /// Also of hosts as the cloud gives them
        #[arg(long)]
        fresh: bool,
    },
    /// Power the hosts off and take everything away
    Down,
    /// What is up
    Status,
    /// A shell in the lab's network, or on one of its hosts
    Shell {
        /// On which host
        host: Option<String>,
    },
    /// Run a command in the lab's network
    Exec {
        /// The command and its arguments
        #[arg(trailing_var_arg = true, required = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Send lines from standard input to a topic of the lab's broker
    Produce {
        /// The topic
        topic: String,
        #[command(flatten)]
        at: At,
    },
    /// What a consumer group is to the lab's broker; it is joined for that, for a moment
    Group {
        /// The topic
        topic: String,
        /// The group
        group: String,
        #[command(flatten)]
        at: At,
    },
}

/// At which broker.
#[derive(Debug, clap::Args)]
struct At {
    /// At a broker that this host uses
    #[arg(long, default_value = "ingestion-small-1", value_name = "HOST")]
    host: String,
    /// At this one of them
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    broker: WhichOption,
}

impl At {
    fn place(&self) -> (&str, Which) {
        let which = match self.broker {
            WhichOption::Broker => Which::Broker,
            WhichOption::Broker2 => Which::Broker2,
        };
        (&self.host, which)
    }
}

/// One of the lab's brokers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum WhichOption {
    /// The one that the lab's topics are at
    #[default]
    Broker,
    /// Another one, to which a topic can move; only beside the mock
    Broker2,
}

/// Which Kafka broker the lab runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
enum BrokerOption {
    /// Tansu where its binary is at hand, otherwise the mock
    #[default]
    Auto,
    /// librdkafka's mock cluster, for all ingestion hosts, and a second one beside it
    Mock,
    /// Tansu: one broker for all
    Tansu,
}

impl From<LabError> for CommandError {
    fn from(error: LabError) -> Self {
        Self::Other { hint: error.hint(), message: chain(&error) }
    }
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    let state = default_state_dir();
    let progress = |text: &str| output::say(&format!("  {text}"));
    match &options.verb {
        Verb::Up { sshd_only, broker, clickhouse, fresh } => {
            let mut spec = LabSpec::new(hosts(&Project::load(global)?, *sshd_only)?);
            spec.clickhouse.clone_from(clickhouse);
            spec.image = if *fresh { Image::Fresh } else { Image::Ready };
            spec.broker = match broker {
                BrokerOption::Auto => BrokerChoice::Auto,
                BrokerOption::Mock => BrokerChoice::Mock,
                BrokerOption::Tansu => BrokerChoice::Tansu,
            };
            lab::up(&spec, &progress)?;
        }
        Verb::Fetch { fresh } => {
            for image in [Image::Ready].into_iter().chain(fresh.then_some(Image::Fresh)) {
                lab::fetch(&LabSpec { image, ..LabSpec::new(Vec::new()) }, &progress)?;
            }
        }
        Verb::Down => lab::down(&state, &progress)?,
        Verb::Status => status(global)?,
        Verb::Shell { host } => return Ok(exit(lab::shell(&state, host.as_deref())?)),
        Verb::Exec { command } => return Ok(exit(lab::exec(&state, command)?)),
        Verb::Group { topic, group, at } => {
            let found = lab::group(&state, at.place(), topic, group)?;
            if global.output == Form::Text {
                let members = if found.empty { "nobody is in it" } else { "it has members" };
                let behind = found.end.saturating_sub(found.committed);
                output::result(&format!("group {group}: {members}, {behind} of {} messages behind\n", found.end));
            } else {
                output::data(global.output, &found);
            }
        }
        Verb::Produce { topic, at } => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| CommandError::plain(format!("cannot read standard input: {error}")))?;
            let lines: Vec<_> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
            let sent = lab::produce(&state, at.place(), topic, &lines)?;
            output::say(&format!("{sent} messages to the topic `{topic}`"));
        }
    }
    Ok(Exit::Success)
}

fn exit(status: ExitStatus) -> Exit {
    if status.success() { Exit::Success } else { Exit::Invalid }
}

/// The inventory's hosts as the lab boots them, and hosts for fan-out after them.
fn hosts(project: &Project, sshd_only: u16) -> Result<Vec<LabHost>, CommandError> {
    let reached = project.fleet.hosts.values().filter_map(|host| match &host.reach {
        Reach::Ssh(connection) => Some((host, connection)),
        Reach::Http(_) | Reach::Member => None,
    });
    let mut hosts = Vec::new();
    for (host, connection) in reached {
        let address = connection.address.parse().map_err(|_| {
            CommandError::hinted(
                format!("`{}` is no host of a lab: its address is `{}`", host.name, connection.address),
                "boot the lab's own inventory: `-i inventories/lab`",
            )
        })?;
        hosts.push(LabHost { name: host.name.to_string(), address, kind: kind(host) });
    }
    for number in 1..=sshd_only {
        let [high, low] = number.to_be_bytes();
        let address = Ipv4Addr::new(10, 77, 30 + high, low);
        hosts.push(LabHost { name: format!("fan-{number:03}"), address, kind: LabHostKind::SshOnly });
    }
    Ok(hosts)
}

fn kind(host: &Host) -> LabHostKind {
    match host.placement {
        Placement::Storage { .. } => LabHostKind::Data,
        Placement::Stateless => LabHostKind::Ingestion,
        Placement::Keeper { .. } => LabHostKind::Coordination,
    }
}

fn status(global: &Global) -> Result<(), CommandError> {
    let status = lab::status(&default_state_dir())?;
    let condition = match status.condition {
        LabCondition::Down => "down",
        LabCondition::Incomplete => "incomplete",
        LabCondition::Degraded => "degraded",
        LabCondition::Up => "up",
    };
    let memory = |running: Running| match running {
        Running::Yes { memory } => Some(memory),
        Running::No => None,
    };
    if global.output != Form::Text {
        let hosts = status.hosts.iter().map(|host| {
            json!({ "name": host.name, "address": host.address, "up": memory(host.running).is_some(), "memory": memory(host.running) })
        });
        output::data(
            global.output,
            &json!({ "lab": condition, "clickhouse": status.clickhouse, "hosts": hosts.collect::<Vec<_>>() }),
        );
        return Ok(());
    }
    let mut text = format!("lab: {condition}\n");
    if let Some(clickhouse) = &status.clickhouse {
        let _ = writeln!(text, "ClickHouse: {clickhouse}");
    }
    for host in &status.hosts {
        let state = memory(host.running).map_or("down".to_owned(), |bytes| format!("up, {} MB", bytes / 1_000_000));
        let _ = writeln!(text, "  {:24} {:15} {state}", host.name, host.address.to_string());
    }
    output::result(&text);
    Ok(())
}
