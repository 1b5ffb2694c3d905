//! A connection over the standard streams of a local command, ssh's `ProxyCommand` (edge).
//!
//! The command is the operator's own, from the inventory, and runs in a shell as ssh runs it; names that are put into it
//! must be plain, so that none of them becomes shell.

use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{self, AsyncRead, AsyncReadExt, AsyncWrite, Join, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::SshTransport;
use super::connect::{Link, Target, late};
use crate::transport::ConnectError;

/// What is kept of a command's complaints.
const MAX_COMPLAINT: u64 = 4096;
/// How long a command that has ended may take to say why.
const LAST_WORDS: Duration = Duration::from_millis(500);

impl SshTransport {
    /// Connects over a command's standard streams; the command ends with the connection.
    pub(super) async fn by_command(&self, command: &str, target: &Target<'_>) -> Result<Link, ConnectError> {
        let (stream, complaint, child) = start(command, target).map_err(|reason| target.unreachable(reason))?;
        let work = timeout(target.settings.connect_timeout, self.log_in(stream, target, None)).await;
        match work.unwrap_or_else(|_| Err(late(target))) {
            Err(ConnectError::Unreachable { address, port, reason }) => {
                // It may have closed its output and not yet said why.
                let said = timeout(LAST_WORDS, complaint).await.ok().and_then(Result::ok).unwrap_or_default();
                drop(child);
                let said = said.lines().map(str::trim).rfind(|line| !line.is_empty());
                let reason = format!("its ProxyCommand: {}", said.unwrap_or(&reason));
                Err(ConnectError::Unreachable { address, port, reason })
            }
            other => other,
        }
    }
}

/// What the command says on its standard error, when it has ended.
type Complaint = oneshot::Receiver<String>;

fn start(command: &str, target: &Target<'_>) -> Result<(Pipe, Complaint, Arc<Child>), String> {
    let line = format!("exec {}", expand(command, target)?);
    let started = Command::new("/bin/sh")
        .args(["-c", &line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = started.map_err(|error| format!("its ProxyCommand cannot be started: {error}"))?;
    let (Some(input), Some(output), Some(mut errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err("its ProxyCommand has no streams".to_owned());
    };
    let (said, complaint) = oneshot::channel();
    tokio::spawn(async move {
        let mut text = Vec::new();
        let _ = (&mut errors).take(MAX_COMPLAINT).read_to_end(&mut text).await;
        // A full pipe would stop the command.
        let _ = io::copy(&mut errors, &mut io::sink()).await;
        let _ = said.send(String::from_utf8_lossy(&text).into_owned());
    });
    let child = Arc::new(child);
    Ok((Pipe { streams: io::join(output, input), _child: Arc::clone(&child) }, complaint, child))
}

/// Puts in `%h`, `%n`, `%p`, `%r` and `%%`, as `ssh_config(5)` says.
fn expand(command: &str, target: &Target<'_>) -> Result<String, String> {
    let plain = |text: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_:%@+".contains(c);
        let fits = !text.is_empty() && !text.starts_with('-') && text.chars().all(allowed);
        if fits { Ok(text.to_owned()) } else { Err(format!("`{text}` is no plain name for a ProxyCommand")) }
    };
    let (mut out, mut chars) = (String::new(), command.chars());
    while let Some(c) = chars.next() {
        match c {
            '%' => match chars.next() {
                Some('h' | 'n') => out.push_str(&plain(target.address)?),
                Some('p') => out.push_str(&target.port.to_string()),
                Some('r') => out.push_str(&plain(target.user)?),
                Some('%') => out.push('%'),
                other => return Err(format!("`%{}` means nothing in a ProxyCommand", other.unwrap_or(' '))),
            },
            c => out.push(c),
        }
    }
    Ok(out)
}

/// A command's streams; the command is ended when nobody holds it any more.
struct Pipe {
    streams: Join<ChildStdout, ChildStdin>,
    _child: Arc<Child>,
}

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.streams).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.streams).poll_write(cx, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.streams).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.streams).poll_shutdown(cx)
    }
}
