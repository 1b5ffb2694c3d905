//! Commands of the operator's around a restart: on the host, or on the machine that runs Housewright (edge).

use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::process::Command as Process;

use super::work::TIMED_OUT;
use super::{Run, batch};
use crate::event::chain;
use crate::fleet::{Hook, HostName, Place};
use crate::remote::{Batch, Command, Output, Status};
use crate::transport::advice;

/// The machine that runs Housewright, as far as a run asks something of it.
#[async_trait]
pub trait Here: Send + Sync {
    /// Runs a program with these arguments, without a shell, for so long at most.
    ///
    /// # Errors
    /// It cannot be started, or does not end.
    async fn run(&self, argv: &[String], limit: Duration) -> Result<Output, String>;
}

/// How long a command that was told to end may take, before it is killed.
const GRACE: &str = "5";

/// Runs one, again where its answer was lost.
pub(super) async fn run(host: &HostName, hook: &Hook, run: &Run<'_>) -> Result<(), (String, Option<String>)> {
    let seconds = hook.limit.as_secs();
    let output = match hook.place {
        Place::Here => run.here.run(&hook.run, hook.limit).await.map_err(|reason| (reason, None))?,
        Place::Host => {
            let open = run.open.get(host).ok_or_else(|| ("no connection".to_owned(), None))?;
            let limit = ["timeout".to_owned(), "-k".to_owned(), GRACE.to_owned(), seconds.to_string()];
            let argv = limit.into_iter().chain(hook.run.iter().cloned()).collect();
            let answers = batch::read(&*open.session, &Batch { commands: vec![Command::Run { argv }] }).await;
            let answers = answers.map_err(|error| (chain(&error), advice::session(&error, host)))?;
            answers.into_iter().next().ok_or_else(|| ("no answer".to_owned(), None))?
        }
    };
    if output.status == Status::Exited(TIMED_OUT) {
        return Err((late(hook.limit), None));
    }
    batch::succeeded(&output).map_err(|reason| (reason, None))
}

fn late(limit: Duration) -> String {
    format!("it was ended: it took more than {} s", limit.as_secs())
}

/// This machine.
pub struct ThisMachine;

/// What is kept of a command's complaints.
const MOST_SAID: usize = 16 << 10;

#[async_trait]
impl Here for ThisMachine {
    async fn run(&self, argv: &[String], limit: Duration) -> Result<Output, String> {
        let (program, arguments) = argv.split_first().ok_or("there is no program to run")?;
        let child = Process::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal is for us: what has begun is finished.
            .process_group(0)
            .kill_on_drop(true)
            .spawn();
        let mut child = child.map_err(|error| format!("cannot run `{program}`: {error}"))?;
        let mut said = Vec::new();
        let whole = async {
            if let Some(mut errors) = child.stderr.take() {
                let mut part = [0; 4096];
                while let Ok(read @ 1..) = errors.read(&mut part).await {
                    said.extend(part.iter().take(read));
                    let old = said.len().saturating_sub(MOST_SAID);
                    said.drain(..old);
                }
            }
            child.wait().await
        };
        let ended = tokio::time::timeout(limit, whole).await.map_err(|_| late(limit))?;
        let ended = ended.map_err(|error| format!("cannot wait for `{program}`: {error}"))?;
        let status = match ended.code().map(u8::try_from) {
            Some(Ok(code)) => Status::Exited(code),
            _ => Status::Signalled(ended.to_string()),
        };
        Ok(Output { status, stdout: Bytes::new(), stderr: said.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(argv: &[&str], limit: u64) -> Result<(Status, String), String> {
        let argv: Vec<_> = argv.iter().map(|word| (*word).to_owned()).collect();
        let output = ThisMachine.run(&argv, Duration::from_secs(limit)).await?;
        Ok((output.status.clone(), output.complaint()))
    }

    #[tokio::test]
    async fn a_command_here_ends_by_itself_or_is_ended() {
        let (status, text) = said(&["sh", "-c", "echo out; echo $0 no >&2; exit 3", "a b"], 20).await.unwrap();
        assert_eq!((status, text.trim()), (Status::Exited(3), "a b no"));
        assert_eq!(said(&["true"], 20).await.unwrap().0, Status::Exited(0));
        let (_, text) = said(&["sh", "-c", "yes | head -c 100000 >&2"], 20).await.unwrap();
        assert!(text.len() <= MOST_SAID, "{}", text.len());
        assert_eq!(said(&["sleep", "15"], 1).await.unwrap_err(), "it was ended: it took more than 1 s");
        assert!(said(&["no-such-program-here"], 1).await.unwrap_err().starts_with("cannot run `no-such-program-here`"));
    }
}
