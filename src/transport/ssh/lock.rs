//! Holds a host's lock with one long-lived channel (edge).

use std::sync::Arc;
use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::connect::Link;
use crate::fleet::Privilege;
use crate::transport::framing::Mark;
use crate::transport::shell::{Taken, begun, taken};
use crate::transport::{HostLock, SessionError};

/// The host only looks at one file.
const PATIENCE: Duration = Duration::from_secs(30);

/// A shell that says more than this before our mark says nothing that we understand.
const MOST_OUTPUT: usize = 64 << 10;

/// The end of the lock's life: who waits for the other end hears when this is dropped.
struct Held {
    _released: oneshot::Sender<()>,
}

impl HostLock for Held {}

/// Starts the script and waits for its word.
pub(super) async fn take(
    link: &Arc<Link>,
    line: String,
    privilege: Privilege,
    mark: &Mark,
) -> Result<Box<dyn HostLock>, SessionError> {
    let lost = |error: russh::Error| SessionError::Lost(link.reason(&error));
    let work = async {
        let mut channel = link.handle.channel_open_session().await.map_err(lost)?;
        channel.exec(true, line).await.map_err(lost)?;
        let taken = listen(&mut channel, link, privilege, mark).await?;
        Ok((channel, taken))
    };
    let (channel, taken) = timeout(PATIENCE, work).await.map_err(|_| SessionError::Timeout(PATIENCE))??;
    if let Taken::Locked { holder } = taken {
        return Err(SessionError::Locked { holder });
    }
    let (sender, receiver) = oneshot::channel();
    tokio::spawn(hold(channel, Arc::clone(link), receiver));
    Ok(Box::new(Held { _released: sender }))
}

/// Keeps the channel, and the connection below it, until the lock is dropped or the channel ends.
async fn hold(mut channel: Channel<Msg>, _link: Arc<Link>, mut released: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            _ = &mut released => {
                let _ = channel.eof().await;
                let _ = channel.close().await;
                return;
            }
            message = channel.wait() => if message.is_none() { return },
        }
    }
}

async fn listen(
    channel: &mut Channel<Msg>,
    link: &Link,
    privilege: Privilege,
    mark: &Mark,
) -> Result<Taken, SessionError> {
    let (mut stdout, mut stderr, mut exited) = (Vec::new(), Vec::new(), false);
    loop {
        let message = channel.wait().await;
        match &message {
            Some(ChannelMsg::Data { data }) => stdout.extend_from_slice(data),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => stderr.extend_from_slice(data),
            Some(ChannelMsg::ExitStatus { .. } | ChannelMsg::ExitSignal { .. }) => exited = true,
            Some(ChannelMsg::Failure) => {
                return Err(SessionError::Garbled("the host refused to run a command".to_owned()));
            }
            _ => {}
        }
        let ended = matches!(message, Some(ChannelMsg::Close) | None);
        if let Some(taken) = taken(&stdout, mark, ended) {
            return Ok(taken);
        }
        if ended && !exited {
            return Err(SessionError::Lost(link.reason(&"the lock's process did not tell how it ended")));
        }
        if ended || stdout.len().saturating_add(stderr.len()) > MOST_OUTPUT {
            let began = begun(&stdout, mark);
            let said = if stderr.is_empty() { &stdout } else { &stderr };
            let said: String = String::from_utf8_lossy(said).trim().chars().take(500).collect();
            return Err(match privilege {
                _ if began => SessionError::NoLock(said),
                Privilege::Sudo => SessionError::Sudo(said),
                Privilege::Login => SessionError::Garbled(said),
            });
        }
    }
}
