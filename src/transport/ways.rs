//! The way to each host that its inventory says: SSH, or its ClickHouse's HTTP (edge).

use std::sync::Arc;

use async_trait::async_trait;

use super::{ConnectError, HttpTransport, Session, SshTransport, Transport};
use crate::fleet::{Host, Reach};

/// Both ways.
#[derive(Debug)]
pub struct Ways {
    /// To hosts.
    pub ssh: SshTransport,
    /// To servers whose hosts are somebody else's.
    pub http: HttpTransport,
}

#[async_trait]
impl Transport for Ways {
    async fn connect(&self, host: &Host) -> Result<Arc<dyn Session>, ConnectError> {
        match &host.reach {
            Reach::Http(_) => self.http.connect(host).await,
            Reach::Ssh(_) | Reach::Member => self.ssh.connect(host).await,
        }
    }
}
