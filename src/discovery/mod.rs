//! Finds hosts that nobody wrote down (edge, but for `source`): an answer that may be incomplete is an error.

#[cfg(feature = "ec2")]
pub mod ec2;
mod hosts;
pub mod source;

use std::collections::BTreeMap;

use async_trait::async_trait;

pub use source::DiscoverySource;

use crate::inventory::{Documents, Written};
use crate::problem::Problem;

/// Asks for the hosts of every discovery file and adds them to the documents, behind the written ones.
///
/// A file that is wrong is added to `problems` and stays among the files to ask about, so that nothing goes on without it.
///
/// # Errors
/// The first query that fails: half a fleet is no fleet.
pub async fn discover(
    documents: &mut Documents,
    discovery: &dyn Discovery,
    problems: &mut Vec<Problem>,
) -> Result<(), DiscoveryError> {
    let mut wrong = Vec::new();
    for node in std::mem::take(&mut documents.discovery) {
        let Some(source) = DiscoverySource::parse(&node, problems) else {
            wrong.push(node);
            continue;
        };
        let mut instances = Vec::new();
        for query in source.queries() {
            instances.extend(discovery.instances(&query).await?);
        }
        documents.inventories.push(Written::Yaml(source.document(&instances, problems).without_markers()));
    }
    documents.discovery = wrong;
    Ok(())
}

/// Lists instances; the one real implementation asks EC2.
#[async_trait]
pub trait Discovery: Send + Sync {
    /// Lists every instance that the query describes.
    ///
    /// # Errors
    /// Any failure, and an empty answer to a query with filters: a fleet must not shrink by a mistake.
    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, DiscoveryError>;
}

/// Which instances to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceQuery {
    /// As AWS names it, such as `us-east-1`.
    pub region: String,
    /// `DescribeInstances` filters: each name with the values that it may have.
    pub filters: BTreeMap<String, Vec<String>>,
}

/// What is known of one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instance {
    /// `i-...`: its identity.
    pub id: String,
    /// Such as `i4i.4xlarge`.
    pub instance_type: String,
    /// Such as `us-east-1`.
    pub region: String,
    /// Such as `us-east-1a`.
    pub zone: String,
    /// Such as `running`.
    pub state: String,
    /// Address inside the VPC.
    pub private_ip: Option<String>,
    /// Address outside it.
    pub public_ip: Option<String>,
    /// Name inside the VPC.
    pub private_dns: Option<String>,
    /// Name outside it.
    pub public_dns: Option<String>,
    /// Tags by key.
    pub tags: BTreeMap<String, String>,
}

/// Why instances could not be listed.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The request, or one of its pages, failed.
    #[error("cannot list the instances of `{region}`")]
    Failed {
        /// The region that was asked.
        region: String,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Filters were given and nothing answers to them.
    #[error("no instance of `{region}` answers to the filters {filters}")]
    Empty {
        /// The region that was asked.
        region: String,
        /// The filters as they were sent.
        filters: String,
    },
}

impl DiscoveryError {
    /// Makes the error for an empty answer.
    #[must_use]
    pub fn empty(query: &InstanceQuery) -> Self {
        let filters: Vec<String> =
            query.filters.iter().map(|(name, values)| format!("`{name}={}`", values.join(","))).collect();
        Self::Empty { region: query.region.clone(), filters: filters.join(", ") }
    }
}
