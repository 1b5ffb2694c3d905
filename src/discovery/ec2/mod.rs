//! Lists instances by EC2's `DescribeInstances` (edge): every page or none.

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Instance as Ec2Instance};

use super::{Discovery, DiscoveryError, Instance, InstanceQuery};

/// Instances that are on their way out are not hosts any more.
const LIVING: [&str; 4] = ["pending", "running", "stopping", "stopped"];

/// The most that one page may hold, by the API's rule.
const PAGE: i32 = 1000;

/// EC2 by the standard chain of credentials; `AWS_ENDPOINT_URL` and the profile's settings hold.
#[derive(Debug, Default, Clone, Copy)]
pub struct Ec2;

#[async_trait]
impl Discovery for Ec2 {
    async fn instances(&self, query: &InstanceQuery) -> Result<Vec<Instance>, DiscoveryError> {
        let region = Region::new(query.region.clone());
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(region).load().await;
        let request = Client::new(&config).describe_instances().set_filters(Some(filters(query))).max_results(PAGE);
        let mut pages = request.into_paginator().send();
        let mut instances = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| DiscoveryError::Failed {
                region: query.region.clone(),
                source: Box::new(error.into_service_error()),
            })?;
            for reservation in page.reservations() {
                instances.extend(reservation.instances().iter().map(|instance| read(instance, &query.region)));
            }
        }
        if instances.is_empty() && !query.filters.is_empty() {
            return Err(DiscoveryError::empty(query));
        }
        instances.sort_by(|a: &Instance, b| a.id.cmp(&b.id));
        Ok(instances)
    }
}

fn filters(query: &InstanceQuery) -> Vec<Filter> {
    let filter = |name: &str, values: Vec<String>| Filter::builder().name(name).set_values(Some(values)).build();
    let mut filters: Vec<Filter> = query.filters.iter().map(|(name, values)| filter(name, values.clone())).collect();
    if !query.filters.contains_key("instance-state-name") {
        filters.push(filter("instance-state-name", LIVING.map(str::to_owned).to_vec()));
    }
    filters
}

fn read(instance: &Ec2Instance, region: &str) -> Instance {
    let text = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
    let tags = instance.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned())));
    Instance {
        id: instance.instance_id().unwrap_or_default().to_owned(),
        instance_type: instance.instance_type().map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        region: region.to_owned(),
        zone: instance.placement().and_then(|placement| placement.availability_zone()).unwrap_or_default().to_owned(),
        state: instance.state().and_then(|state| state.name()).map(|name| name.as_str().to_owned()).unwrap_or_default(),
        private_ip: text(instance.private_ip_address()),
        public_ip: text(instance.public_ip_address()),
        private_dns: text(instance.private_dns_name()),
        public_dns: text(instance.public_dns_name()),
        tags: tags.collect(),
    }
}
