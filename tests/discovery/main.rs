//! Instances become hosts by the rules of a discovery file, and an answer that may be incomplete stops everything.

mod cloud;
mod conflicts;
mod expressions;
mod failures;
mod files;
mod hosts;
mod keeping;
mod snapshots;
#[path = "../written/mod.rs"]
mod written;

use written::{Written, written};

/// A file with everything that a fleet needs.
pub const SOURCE: &str = "plugin: amazon.aws.aws_ec2
regions: [us-east-1, eu-central-1]
filters: { 'tag:Fleet': posthog }
hostnames: ['tag:Name', private-ip-address]
placement_tags: { role: Role, shard: Shard, replica: Replica }
keyed_groups:
  - { key: tags.Role, prefix: role }
  - { key: placement.availability_zone, prefix: '', separator: '' }
";

/// The same for one region.
pub fn one_region() -> Written {
    written().file("fleet.aws_ec2.yml", SOURCE.replace("us-east-1, ", ""))
}

pub fn two_regions() -> Written {
    written().file("fleet.aws_ec2.yml", SOURCE)
}
