//! Credentials by the standard chain (edge): environment, profile, login service, role, instance metadata; found once, in bounded time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ec2::config::{ProvideCredentials, SharedCredentialsProvider};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::super::{Access, DiscoveryError, Failure, InstanceQuery};
use super::{Limits, failure};

/// What each access gave, so that ten regions do not log in ten times.
#[derive(Debug, Default)]
pub(super) struct Accesses(Mutex<BTreeMap<Access, Answer>>);

/// Why there are no credentials may be told more than once.
type Answer = Result<SdkConfig, (Failure, Option<Arc<str>>)>;

/// A machine that is none of EC2's has no metadata, and says so only by silence.
const METADATA: Duration = Duration::from_secs(1);

impl Accesses {
    /// The configuration with credentials that are there.
    pub(super) async fn config(&self, query: &InstanceQuery, limits: &Limits) -> Result<SdkConfig, DiscoveryError> {
        let mut known = self.0.lock().await;
        if !known.contains_key(&query.access) {
            let found = timeout(limits.credentials, find(query, limits)).await.unwrap_or_else(|_| {
                let why = format!("no provider of credentials answered within {} s", limits.credentials.as_secs());
                Err((Failure::NoCredentials, Some(why.into())))
            });
            known.insert(query.access.clone(), found);
        }
        let no = || Err((Failure::NoCredentials, None));
        known.get(&query.access).cloned().unwrap_or_else(no).map_err(|(failure, why)| DiscoveryError {
            region: query.region.clone(),
            failure,
            source: why.map(|why| why.to_string().into()),
        })
    }
}

async fn find(query: &InstanceQuery, limits: &Limits) -> Result<SdkConfig, (Failure, Option<Arc<str>>)> {
    // The login service and the role's are asked in this region.
    let region = Region::new(query.region.clone());
    let metadata = imds::Client::builder().connect_timeout(METADATA).read_timeout(METADATA).max_attempts(1).build();
    let mut chain = DefaultCredentialsChain::builder().region(region.clone()).imds_client(metadata);
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(region);
    if let Some(profile) = &query.access.profile {
        chain = chain.profile_name(profile);
        loader = loader.profile_name(profile);
    }
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(limits.connect)
        .operation_attempt_timeout(limits.attempt)
        .operation_timeout(limits.whole)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(limits.attempts)
        .with_initial_backoff(limits.backoff)
        .with_max_backoff(limits.backoff * 20);
    let config = loader.timeout_config(timeouts).retry_config(retries).credentials_provider(chain.build().await);
    let mut config = config.load().await;
    if let Some(role) = &query.access.role_arn {
        let provider = AssumeRoleProvider::builder(role).session_name("housewright").configure(&config).build().await;
        config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build();
    }
    let Some(provider) = config.credentials_provider() else { return Err((Failure::NoCredentials, None)) };
    match provider.provide_credentials().await {
        Ok(credentials) => {
            Ok(config.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build())
        }
        Err(error) => {
            let why = crate::event::chain(&error);
            let failure = failure::of_credentials(&why);
            // The chain lists every provider that it does not have.
            let why = if why.contains("no credentials found in chain") { no_profile(query) } else { Some(why) };
            Err((failure, why.map(Into::into)))
        }
    }
}

/// Which profile was looked for in vain, where one was named.
fn no_profile(query: &InstanceQuery) -> Option<String> {
    let named = query.access.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok());
    named.map(|profile| format!("the profile `{profile}` gives none"))
}

/// Where EC2 is asked instead of at AWS: `AWS_ENDPOINT_URL_EC2`, else the endpoint of every service.
pub(super) fn endpoint(config: &SdkConfig) -> Option<String> {
    let of_ec2 = std::env::var("AWS_ENDPOINT_URL_EC2").ok().filter(|url| !url.is_empty());
    of_ec2.or_else(|| config.endpoint_url().map(str::to_owned))
}
