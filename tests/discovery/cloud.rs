//! A cloud in memory: it answers by region, and counts how often it is asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use housewright::discovery::{
    Accepted, Ask, Cache, Discovery, DiscoveryError, Failure, Found, Instance, InstanceQuery, Terms, discover,
};
use housewright::fleet::ConnectionDefaults;
use housewright::fleet::load::{self, Loaded};
use housewright::problem::Problem;
use serde_json::{Value, json};

use crate::written::Written;

/// Moment of every test: 2026-11-22T12:00:00Z.
pub const NOW: u64 = 1_795_348_800;

#[derive(Default)]
pub struct Cloud {
    regions: BTreeMap<&'static str, Result<Vec<Instance>, Failure>>,
    pub asked: Mutex<Vec<String>>,
}

impl Cloud {
    pub fn region(mut self, region: &'static str, instances: impl IntoIterator<Item = Instance>) -> Self {
        let placed = |mut instance: Instance| {
            region.clone_into(&mut instance.region);
            let placement = json!({ "availability_zone": format!("{region}a"), "region": region });
            instance.facts.insert("placement".to_owned(), placement);
            instance
        };
        self.regions.insert(region, Ok(instances.into_iter().map(placed).collect()));
        self
    }

    pub fn fails(mut self, region: &'static str, failure: Failure) -> Self {
        self.regions.insert(region, Err(failure));
        self
    }

    pub fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Discovery for Cloud {
    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, DiscoveryError> {
        self.asked.lock().unwrap().push(query.region.clone());
        let region = query.region.clone();
        match self.regions.get(query.region.as_str()) {
            Some(Ok(instances)) => Ok(instances.clone()),
            Some(Err(failure)) => Err(DiscoveryError { region, failure: failure.clone(), source: None }),
            None => panic!("nobody should ask about {region}"),
        }
    }
}

pub fn instance(id: &str, ip: &str, tags: &[(&str, &str)]) -> Instance {
    let tags: BTreeMap<String, Value> =
        tags.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
    let facts = json!({ "instance_id": id, "instance_type": "i4i.4xlarge", "private_ip_address": ip, "tags": tags });
    Instance { id: id.to_owned(), region: String::new(), facts: facts.as_object().unwrap().clone() }
}

pub fn data(id: &str, ip: &str, name: &str, shard: &str, replica: &str) -> Instance {
    instance(id, ip, &[("Name", name), ("Role", "data"), ("Shard", shard), ("Replica", replica)])
}

/// One run of the program up to the fleet.
pub struct Run<'a> {
    pub written: &'a Written,
    pub accept: &'a [&'a str],
    pub now: u64,
    pub anew: bool,
}

pub fn run(written: &Written) -> Run<'_> {
    Run { written, accept: &[], now: NOW, anew: false }
}

impl Run<'_> {
    pub async fn read(&self, cloud: &Cloud) -> (load::Read, Vec<Found>) {
        let ask = if self.anew { Ask::Anew(cloud) } else { Ask::Live(cloud) };
        self.with(ask).await
    }

    pub async fn with(&self, ask: Ask<'_>) -> (load::Read, Vec<Found>) {
        let mut read = load::read(&self.written.path(), Path::new("roles"));
        let accept: Vec<String> = self.accept.iter().map(|value| (*value).to_owned()).collect();
        let accepted = Accepted::parse(&accept).unwrap();
        let cache = Cache::in_directory(&self.written.path().join(".cache"));
        let terms = Terms { ask, accepted, cache, now: self.now };
        let found = discover(&mut read.documents, &terms, &mut read.problems).await;
        (read, found)
    }

    pub async fn resolve(&self, cloud: &Cloud) -> Result<Loaded, Vec<Problem>> {
        self.read(cloud).await.0.resolve(&ConnectionDefaults::default())
    }

    /// What the operator sees.
    pub async fn said(&self, cloud: &Cloud) -> String {
        self.shown(self.resolve(cloud).await)
    }

    pub async fn offline(&self) -> Result<Loaded, Vec<Problem>> {
        self.with(Ask::Snapshot).await.0.resolve(&ConnectionDefaults::default())
    }

    pub fn shown(&self, loaded: Result<Loaded, Vec<Problem>>) -> String {
        match loaded {
            Ok(loaded) => self.written.shown(&loaded.notes),
            Err(problems) => self.written.shown(&problems),
        }
    }
}
