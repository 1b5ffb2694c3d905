//! `housewright unlock HOST...`: takes hosts' locks from a run that is gone for good (edge).
//!
//! A lock lives in a process on the host, below the run's connection, so it is left behind only while a host has not noticed
//! that the other end is gone. Whoever has it is shown first, with the age of the lock.

use super::context::{block_on, transport};
use super::error::{Answer, CommandError, Exit};
use super::project::Project;
use super::{Form, Global, output};
use crate::event::chain;
use crate::fleet::{Host, HostName};
use crate::transport::{Claim, SessionError, Transport, advice};

/// Options of `unlock`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Hosts, by their names
    #[arg(required = true, value_name = "HOST")]
    hosts: Vec<String>,
    /// End the processes that hold the locks without being asked
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    if global.output != Form::Text {
        return Err(CommandError::plain("`unlock` has one form: text"));
    }
    let project = Project::load(global)?;
    let known = |name: &String| {
        let host = HostName::new(name).ok().and_then(|name| project.fleet.hosts.get(&name));
        host.ok_or_else(|| {
            CommandError::hinted(format!("`{name}` is not in the inventory"), "`housewright inventory` lists the hosts")
        })
    };
    let hosts: Vec<&Host> = options.hosts.iter().map(known).collect::<Result<_, _>>()?;
    let endpoints = project.endpoints(&project.passwords_of_servers()?);
    project.enter_network()?;
    block_on(async {
        let transport = transport(endpoints, None);
        let mut all = Exit::Success;
        for host in hosts {
            match unlock(&transport, host, options.yes).await {
                Ok(said) => output::result(&format!("{}: {said}\n", host.name)),
                Err((reason, hint)) => {
                    all = Exit::Partial;
                    let hint = hint.map(|hint| format!("\n    hint: {hint}")).unwrap_or_default();
                    output::say(&format!("{}: {reason}{hint}", host.name));
                }
            }
        }
        Ok(all)
    })?
}

async fn unlock(transport: &dyn Transport, host: &Host, yes: bool) -> Result<String, (String, Option<String>)> {
    let session = transport.connect(host).await.map_err(|error| (chain(&error), advice::connect(&error, host)))?;
    let failed = |error: SessionError| (chain(&error), advice::session(&error, &host.name));
    let said = match session.lock().await {
        Ok(_) => "it is not locked".to_owned(),
        Err(SessionError::Locked { holder }) => {
            if !yes && !gone(host, &holder).await {
                return Ok(format!("left locked by {holder}"));
            }
            session.claim(Claim::Anyone).await.map_err(failed)?;
            format!("unlocked; it was locked by {holder}")
        }
        Err(error) => return Err(failed(error)),
    };
    session.close().await;
    Ok(said)
}

/// Asks beside the runtime, so that the connection is kept alive meanwhile; where nobody is there to answer, it is no.
async fn gone(host: &Host, holder: &str) -> bool {
    let question = format!("{}: locked by {holder}. Is that run gone for good?", host.name);
    let asked = tokio::task::spawn_blocking(move || output::confirm(&question)).await;
    matches!(asked, Ok(Ok(true)))
}
