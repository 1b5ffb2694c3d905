//! Streams to a host's loopback over its connection (edge).

use std::io;
use std::sync::Arc;

use async_trait::async_trait;

use super::connect::Link;
use crate::clickhouse::{Opener, Stream};

/// One port behind a connection.
pub(super) struct Tunnel {
    link: Arc<Link>,
    port: u16,
}

impl Tunnel {
    pub(super) fn new(link: Arc<Link>, port: u16) -> Self {
        Self { link, port }
    }
}

#[async_trait]
impl Opener for Tunnel {
    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let opened =
            self.link.handle.channel_open_direct_tcpip("127.0.0.1", u32::from(self.port), "127.0.0.1", 0).await;
        match opened {
            Ok(channel) => Ok(Box::new(channel.into_stream())),
            Err(russh::Error::ChannelOpenFailure(reason)) => Err(io::Error::new(
                io::ErrorKind::ConnectionRefused,
                format!("port {} of the host refused the connection ({reason:?})", self.port),
            )),
            Err(error) => Err(io::Error::new(io::ErrorKind::BrokenPipe, self.link.reason(&error))),
        }
    }
}
