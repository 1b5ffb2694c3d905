//! Finds hosts that nobody wrote down: an answer that may be incomplete is an error.
//!
//! `ask`, `cache` and `ec2` are the edge, the rest is pure: what is listed, and what becomes of it, are values.

mod ask;
mod attribute;
mod baseline;
mod cache;
pub mod compare;
mod conflicts;
mod construct;
#[cfg(feature = "ec2")]
pub mod ec2;
mod error;
mod guard;
mod instance;
mod layout;
pub mod snapshot;
pub mod source;
mod text;
pub mod time;
mod write;

use async_trait::async_trait;

pub use ask::{Ask, Found, Terms, discover, read_snapshot};
pub use cache::Cache;
pub use construct::{DiscoveredHost, Membership};
pub use error::{DiscoveryError, Failure};
pub use guard::Accepted;
pub use instance::Instance;
pub use source::{Access, DiscoverySource, Filters, Hostname, Selection};
pub use write::{Written, write};

/// Lists instances; the one real implementation asks EC2.
#[async_trait]
pub trait Discovery: Send + Sync {
    /// Lists every instance that the query describes.
    ///
    /// # Errors
    /// Any failure, of any page: a part of an answer is none.
    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, DiscoveryError>;
}

/// Which instances to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceQuery {
    /// As AWS names it, such as `us-east-1`.
    pub region: String,
    /// Which of its instances.
    pub selection: Selection,
    /// With which credentials, and where.
    pub access: Access,
}
