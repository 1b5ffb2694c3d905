//! One command of the operator's on many hosts: all at once, or in waves that wait for the servers (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;

use crate::event::chain;
use crate::fleet::HostName;
use crate::observe::{Open, ask_clickhouse, ask_keeper};
use crate::remote::{Batch, Command, Output};
use crate::resource::{ClickHouseFacts, KeeperFacts};

/// How often servers are asked whether they serve again.
const PAUSE: Duration = Duration::from_secs(1);

/// What is run, and how.
pub struct CommandRun<'a> {
    /// The program and its arguments; no shell sees them.
    pub argv: &'a [String],
    /// Hosts that go together; the next are begun when all of these serve again.
    pub waves: Vec<Vec<HostName>>,
    /// Connections to them.
    pub open: &'a BTreeMap<HostName, Open>,
    /// How many hosts run it at a time.
    pub at_once: usize,
    /// What stands between the waves.
    pub between: Between,
}

/// What stands between waves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// Nothing: the command takes nothing away.
    Nothing,
    /// Each host is locked while it runs, and its servers must serve again within this time.
    Serving(Duration),
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Ran {
    /// Each host's answer, or why there is none.
    pub answers: BTreeMap<HostName, Result<Output, String>>,
    /// Hosts on which it was not run, because an earlier one failed.
    pub left: BTreeSet<HostName>,
    /// Why it was not run on them.
    pub stopped: Option<String>,
}

impl Ran {
    /// Whether every host ran it and it exited with 0 there.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.stopped.is_none() && !self.answers.is_empty() && self.failed().next().is_none()
    }

    /// Where it failed, or could not be run.
    pub fn failed(&self) -> impl Iterator<Item = &HostName> {
        let bad = |answer: &Result<Output, String>| !answer.as_ref().is_ok_and(Output::succeeded);
        self.answers.iter().filter(move |(_, answer)| bad(answer)).map(|(host, _)| host)
    }
}

/// Runs it on every host of every wave, or until the first failure where servers must serve again.
pub async fn run_command(run: &CommandRun<'_>) -> Ran {
    let mut ran = Ran::default();
    for wave in &run.waves {
        if ran.stopped.is_some() {
            ran.left.extend(wave.iter().cloned());
            continue;
        }
        let answers: Vec<_> = futures_util::stream::iter(wave)
            .map(|host| async move { (host.clone(), on_host(host, run).await) })
            .buffer_unordered(run.at_once.max(1))
            .collect()
            .await;
        if let Between::Serving(_) = run.between {
            let failed = answers.iter().find(|(_, answer)| !answer.as_ref().is_ok_and(Output::succeeded));
            ran.stopped = failed.map(|(host, answer)| match answer {
                Ok(_) => format!("the command failed on `{host}`"),
                Err(why) => format!("`{host}`: {why}"),
            });
        }
        ran.answers.extend(answers);
    }
    ran
}

async fn on_host(name: &HostName, run: &CommandRun<'_>) -> Result<Output, String> {
    let open = run.open.get(name).ok_or("no connection to it")?;
    let batch = Batch { commands: vec![Command::Run { argv: run.argv.to_vec() }] };
    let answer = || async {
        let outputs = open.session.run(&batch).await.map_err(|error| chain(&error))?;
        outputs.into_iter().next().ok_or_else(|| "the host gave no answer".to_owned())
    };
    let Between::Serving(patience) = run.between else { return answer().await };
    let lock = open.session.lock().await.map_err(|error| chain(&error))?;
    let output = answer().await?;
    if output.succeeded() {
        serving(open, patience).await?;
    }
    drop(lock);
    Ok(output)
}

/// Waits until the host's server, where it has one, takes writes again.
async fn serving(open: &Open, patience: Duration) -> Result<(), String> {
    let started = Instant::now();
    loop {
        let because = match look(open).await {
            Ok(()) => return Ok(()),
            Err(because) => because,
        };
        if started.elapsed() >= patience {
            return Err(format!("it does not serve {} s after the command: {because}", patience.as_secs()));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(open: &Open) -> Result<(), String> {
    if let Some(clickhouse) = &open.clickhouse {
        match ask_clickhouse(&**clickhouse).await {
            ClickHouseFacts::Up { server, .. } => server.serves()?,
            ClickHouseFacts::Down { reason } => return Err(reason),
            ClickHouseFacts::NotAsked => {}
        }
    }
    if let Some(port) = open.keeper_port {
        match ask_keeper(&*open.session, port).await {
            KeeperFacts::Down { reason } => return Err(reason),
            KeeperFacts::Up { .. } | KeeperFacts::NotAsked => {}
        }
    }
    Ok(())
}
