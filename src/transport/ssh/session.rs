//! Runs batches on an open connection (edge).
//!
//! One channel and one process per batch. Writing and reading go on side by side, and reading goes on until the channel
//! is closed, because the exit status comes after the end of the output.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::time::timeout;

use super::SshOptions;
use super::connect::Link;
use super::lock;
use super::tunnel::Tunnel;
use crate::clickhouse::{ClickHouse, Endpoint, HttpClickHouse};
use crate::fleet::Privilege;
use crate::remote::{Batch, Output};
use crate::transport::framing::{End, FrameError, Mark, split};
use crate::transport::shell::{self, Claim, Script};
use crate::transport::{HostLock, Session, SessionError};

/// A batch reads configuration, not data: more than this is a mistake, and would fill our memory.
const MOST_OUTPUT: usize = 256 << 20;

/// Of what a host says instead of our framing, so much is shown.
const MOST_SAID: usize = 500;

/// One connection.
pub(super) struct SshSession {
    link: Arc<Link>,
    privilege: Privilege,
    batch_timeout: Duration,
    statement_timeout: Duration,
    lock_file: String,
    holder: String,
}

impl SshSession {
    pub(super) fn new(link: Arc<Link>, privilege: Privilege, options: &SshOptions) -> Self {
        let SshOptions { batch_timeout, statement_timeout, lock_file, holder, .. } = options.clone();
        Self { link, privilege, batch_timeout, statement_timeout, lock_file, holder }
    }

    /// Runs a process to its end, or until it has had its time, and what its commands may take besides.
    async fn exchange(&self, script: Script, besides: Duration) -> Result<Answer, SessionError> {
        let limit = self.batch_timeout + besides;
        let late = |_| SessionError::Timeout(limit);
        let opened = timeout(self.batch_timeout, self.link.handle.channel_open_session()).await.map_err(late)?;
        let channel = opened.map_err(|error| SessionError::Ended(self.link.reason(&error)))?;
        let begun = timeout(self.batch_timeout, channel.exec(true, script.line)).await.map_err(late)?;
        begun.map_err(|error| SessionError::Lost(self.link.reason(&error)))?;
        let (mut reader, writer) = channel.split();
        let answer = timeout(limit, converse(&mut reader, &writer, script.stdin)).await;
        let answer = answer.map_err(late).and_then(|answer| answer);
        if answer.is_err() {
            // Its stdin ends and its output goes nowhere: it does not outlive us for long.
            let _ = timeout(Duration::from_secs(1), writer.close()).await;
        }
        answer
    }

    /// What went wrong where the streams cannot be split.
    fn explain(&self, error: &FrameError, end: Option<&End>, stdout: &[u8], stderr: &[u8]) -> SessionError {
        // `nologin` and the like speak on stdout.
        let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(text).trim().to_owned());
        let said: String = if stderr.is_empty() { stdout } else { stderr }.chars().take(MOST_SAID).collect();
        match (error, end) {
            (_, None) => SessionError::Lost(self.link.reason(&error)),
            (FrameError::NotBegun, Some(End::Exited(_))) if self.privilege == Privilege::Sudo => {
                SessionError::Sudo(said)
            }
            (FrameError::NotBegun, _) if !said.is_empty() => SessionError::Garbled(format!("{error}: {said}")),
            _ => SessionError::Garbled(error.to_string()),
        }
    }
}

#[async_trait]
impl Session for SshSession {
    async fn run(&self, batch: &Batch) -> Result<Vec<Output>, SessionError> {
        if batch.commands.is_empty() {
            return Ok(Vec::new());
        }
        let mark = mark()?;
        let script = shell::encode(batch, self.privilege, &mark);
        let script = script.map_err(|error| SessionError::Unspeakable(error.to_string()))?;
        let mut answer = self.exchange(script, batch.limit()).await?;
        let (stdout, stderr) = (answer.stdout.split().freeze(), answer.stderr.split().freeze());
        let end = answer.end.as_ref().unwrap_or(&End::Unknown);
        split(&stdout, &stderr, &mark, batch.commands.len(), end)
            .map_err(|error| self.explain(&error, answer.end.as_ref(), &stdout, &stderr))
    }

    async fn ask(&self, port: u16, question: &[u8]) -> Result<Vec<u8>, SessionError> {
        Tunnel::new(Arc::clone(&self.link), port).ask(question).await
    }

    async fn lock(&self) -> Result<Box<dyn HostLock>, SessionError> {
        self.claim(Claim::Free).await
    }

    async fn claim(&self, claim: Claim) -> Result<Box<dyn HostLock>, SessionError> {
        let mark = mark()?;
        let script = shell::lock(&self.lock_file, &self.holder, claim, self.privilege, &mark);
        let line = script.map_err(|error| SessionError::Unspeakable(error.to_string()))?;
        lock::take(&self.link, line, self.privilege, &mark).await
    }

    fn clickhouse(&self, endpoint: &Endpoint) -> Arc<dyn ClickHouse> {
        let tunnel = Tunnel::new(Arc::clone(&self.link), endpoint.http_port);
        Arc::new(HttpClickHouse::over(Arc::new(tunnel), endpoint, self.statement_timeout))
    }

    fn is_open(&self) -> bool {
        !self.link.handle.is_closed()
    }

    async fn close(&self) {
        self.link.close().await;
    }
}

fn mark() -> Result<Mark, SessionError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| SessionError::Unspeakable(error.to_string()))?;
    Ok(Mark::new(random))
}

/// Writes and reads side by side, until the channel is closed.
async fn converse(
    reader: &mut ChannelReadHalf,
    writer: &ChannelWriteHalf<Msg>,
    stdin: Bytes,
) -> Result<Answer, SessionError> {
    let writing = async {
        // A process that ends early closes its stdin; what it says of that is in its answer.
        if !stdin.is_empty() {
            let _ = writer.data_bytes(stdin).await;
        }
        let _ = writer.eof().await;
    };
    tokio::pin!(writing);
    let mut written = false;
    let mut answer = Answer::default();
    loop {
        let message = tokio::select! {
            () = &mut writing, if !written => { written = true; continue }
            message = reader.wait() => message,
        };
        match message {
            Some(ChannelMsg::Data { data }) => answer.stdout.extend_from_slice(&data),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => answer.stderr.extend_from_slice(&data),
            Some(ChannelMsg::ExitStatus { exit_status }) => answer.end = Some(End::Exited(exit_status)),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => answer.end = Some(End::Signalled(signal(signal_name))),
            Some(ChannelMsg::Failure) => {
                return Err(SessionError::Garbled("the host refused to run a command".to_owned()));
            }
            Some(ChannelMsg::Close) | None => return Ok(answer),
            Some(_) => {}
        }
        if answer.stdout.len().saturating_add(answer.stderr.len()) > MOST_OUTPUT {
            return Err(SessionError::Garbled("its output does not end".to_owned()));
        }
    }
}

/// All that a process answered.
#[derive(Default)]
struct Answer {
    stdout: BytesMut,
    stderr: BytesMut,
    end: Option<End>,
}

fn signal(signal: Sig) -> String {
    match signal {
        Sig::Custom(name) => name,
        known => format!("{known:?}"),
    }
}
