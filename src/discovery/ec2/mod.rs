//! Lists instances by EC2's `DescribeInstances` (edge): every page or none, and never without an end.

mod access;
mod facts;
mod failure;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, InstanceType};
use serde_json::{Map, Value};
use tokio::time::timeout;

use self::access::Accesses;
use self::watch::Watch;
use super::source::Filters;
use super::{Discovery, DiscoveryError, Failure, Instance, InstanceQuery};

/// Instances that are on their way out are not hosts any more; a stopped one is a host that is not reached, since its disks
/// and its place in the fleet are still there. The plugin asks for the same.
const LIVING: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// The most types that one request may name, by the API's rule.
const TYPES: usize = 100;

/// How long and how often EC2 is asked.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Instances of one page; the API takes 5 to 1000.
    pub page: i32,
    /// How often one request is sent.
    pub attempts: u32,
    /// The first pause before it is sent again; each further one is twice as long, with jitter.
    pub backoff: Duration,
    /// To open a connection.
    pub connect: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// To find credentials: a login service or an instance's metadata may be asked.
    pub credentials: Duration,
    /// For all pages of a region, with every pause.
    pub whole: Duration,
    /// After so long the person hears what is waited for.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page: 1000,
            attempts: 8,
            backoff: Duration::from_secs(1),
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(20),
            credentials: Duration::from_secs(30),
            whole: Duration::from_mins(3),
            patience: Duration::from_secs(3),
        }
    }
}

impl Limits {
    /// The limits of this process: `HOUSEWRIGHT_EC2_TIMEOUT` (seconds for a region), `HOUSEWRIGHT_EC2_PAGE` (instances of
    /// one request) and, as for every AWS tool, `AWS_MAX_ATTEMPTS`.
    #[must_use]
    pub fn from_environment() -> Self {
        let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u32>().ok()).filter(|n| *n > 0);
        let mut limits = Self::default();
        if let Some(seconds) = number("HOUSEWRIGHT_EC2_TIMEOUT") {
            limits.whole = Duration::from_secs(seconds.into());
            limits.attempt = limits.attempt.min(limits.whole);
            limits.connect = limits.connect.min(limits.whole);
        }
        if let Some(page) = number("HOUSEWRIGHT_EC2_PAGE") {
            limits.page = i32::try_from(page.clamp(5, 1000)).unwrap_or(1000);
        }
        if let Some(attempts) = number("AWS_MAX_ATTEMPTS") {
            limits.attempts = attempts;
        }
        limits
    }
}

/// EC2 by the standard chain of credentials; `AWS_ENDPOINT_URL` and the profile's settings hold.
#[derive(Debug)]
pub struct Ec2 {
    limits: Limits,
    say: fn(&str),
    accesses: Accesses,
}

impl Ec2 {
    /// Asks within limits; `say` tells the person what is waited for.
    #[must_use]
    pub fn new(limits: Limits, say: fn(&str)) -> Self {
        Self { limits, say, accesses: Accesses::default() }
    }
}

#[async_trait]
impl Discovery for Ec2 {
    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, DiscoveryError> {
        let config = self.accesses.config(query, &self.limits).await?;
        let region = Asked::new(query, &config, self);
        match timeout(self.limits.whole, region.list()).await {
            Ok(listed) => listed,
            Err(_) => Err(region.failed(region.watch.end(self.limits.whole.as_secs()))),
        }
    }
}

/// One region while it is asked.
struct Asked<'a> {
    query: &'a InstanceQuery,
    client: Client,
    endpoint: String,
    page: i32,
    watch: Watch,
}

impl<'a> Asked<'a> {
    fn new(query: &'a InstanceQuery, config: &SdkConfig, ec2: &Ec2) -> Self {
        let watch = Watch::new(&query.region, ec2);
        let mut settings = aws_sdk_ec2::config::Builder::from(config)
            .region(Region::new(query.region.clone()))
            .interceptor(watch.clone());
        if let Some(endpoint) = &query.access.endpoint {
            settings = settings.endpoint_url(endpoint);
        }
        let endpoint = query.access.endpoint.clone().or_else(|| access::endpoint(config));
        let endpoint = endpoint.unwrap_or_else(|| format!("ec2.{}.amazonaws.com", query.region));
        Self { query, client: Client::from_conf(settings.build()), endpoint, page: ec2.limits.page, watch }
    }

    fn failed(&self, failure: Failure) -> DiscoveryError {
        DiscoveryError { region: self.query.region.clone(), failure, source: None }
    }

    async fn list(&self) -> Result<Vec<Instance>, DiscoveryError> {
        let mut excluded = BTreeSet::new();
        for filters in &self.query.selection.exclude {
            excluded.extend(self.pages(filters).await?.into_keys());
        }
        let mut found = BTreeMap::new();
        for filters in &self.query.selection.include {
            found.extend(self.pages(filters).await?);
        }
        found.retain(|id, _| !excluded.contains(id));
        let mut instances: Vec<Instance> = found.into_values().collect();
        let types = self.types(&instances).await?;
        for instance in &mut instances {
            let facts = instance.text("instance_type").and_then(|name| types.get(name));
            instance.facts.extend(facts.cloned().unwrap_or_default());
        }
        Ok(instances)
    }

    /// Every instance that the filters describe, by identity.
    async fn pages(&self, filters: &Filters) -> Result<BTreeMap<String, Instance>, DiscoveryError> {
        self.watch.begins("ec2:DescribeInstances");
        let (filters, mut instances, mut tokens) = (sent(filters), BTreeMap::new(), BTreeSet::new());
        let mut token: Option<String> = None;
        loop {
            let request = self.client.describe_instances().set_filters(Some(filters.clone())).max_results(self.page);
            let page = request.set_next_token(token).send().await.map_err(|error| failure::of(&error, self))?;
            self.whole()?;
            self.watch.page();
            for reservation in page.reservations() {
                for instance in reservation.instances() {
                    let instance = facts::instance(instance, reservation, &self.query.region);
                    instances.insert(instance.id.clone(), instance);
                }
            }
            // The SDK's own paginator takes a token that comes again for the end of the list.
            token = page.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            match &token {
                None => return Ok(instances),
                Some(token) if !tokens.insert(token.clone()) => {
                    return Err(self.failed(Failure::BrokenOff { pages: self.watch.pages() }));
                }
                Some(_) => {}
            }
        }
    }

    /// Refuses an answer that is not whole: the SDK takes what is left of XML that was cut off for all that there is.
    fn whole(&self) -> Result<(), DiscoveryError> {
        if self.watch.is_whole() {
            return Ok(());
        }
        Err(self.failed(match self.watch.pages() {
            0 => Failure::NotUnderstood { endpoint: format!("`{}`", self.endpoint) },
            pages => Failure::BrokenOff { pages },
        }))
    }

    /// What each type has, by its name.
    async fn types(&self, instances: &[Instance]) -> Result<BTreeMap<String, Map<String, Value>>, DiscoveryError> {
        let names: BTreeSet<&str> = instances.iter().filter_map(|instance| instance.text("instance_type")).collect();
        let names: Vec<InstanceType> = names.into_iter().map(InstanceType::from).collect();
        let mut types = BTreeMap::new();
        for some in names.chunks(TYPES) {
            self.watch.begins("ec2:DescribeInstanceTypes");
            let request = self.client.describe_instance_types().set_instance_types(Some(some.to_vec()));
            let answer = request.send().await.map_err(|error| failure::of(&error, self))?;
            self.whole()?;
            for found in answer.instance_types() {
                if let Some(name) = found.instance_type() {
                    types.insert(name.as_str().to_owned(), facts::of_type(found));
                }
            }
        }
        Ok(types)
    }
}

fn sent(filters: &Filters) -> Vec<Filter> {
    let filter = |name: &str, values: Vec<String>| Filter::builder().name(name).set_values(Some(values)).build();
    let mut sent: Vec<Filter> = filters.iter().map(|(name, values)| filter(name, values.clone())).collect();
    if !filters.contains_key("instance-state-name") {
        sent.push(filter("instance-state-name", LIVING.map(str::to_owned).to_vec()));
    }
    sent
}
