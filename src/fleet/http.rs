//! How the ClickHouse of a host is asked to which there is no other way (pure).

use std::path::PathBuf;
use std::time::Duration;

use crate::secret::SecretRef;

/// The variable that says it.
pub const HTTP_VARIABLE: &str = "housewright_http";

/// Where a ClickHouse answers HTTP, seen from the machine that runs Housewright.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpConnection {
    /// Name or address.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// TLS; none where the inventory switches it off.
    pub tls: Option<Tls>,
    /// Who asks, where it is not the role's user.
    pub user: Option<String>,
    /// The password, by reference.
    pub password: Option<SecretRef>,
    /// For TCP and the handshake together.
    pub connect_timeout: Duration,
}

/// How the other side proves who it is; it always must.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tls {
    /// A PEM file with the authorities that count; the system's where there is none.
    pub ca: Option<PathBuf>,
    /// The name that the certificate must have.
    pub server_name: String,
}

impl HttpConnection {
    /// `https://address:port`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let bracketed = self.address.contains(':') && !self.address.starts_with('[');
        let address = if bracketed { format!("[{}]", self.address) } else { self.address.clone() };
        format!("{scheme}://{address}:{}", self.port)
    }
}
