//! Reads `*.aws_ec2.yml` (pure): the keys of Ansible's `amazon.aws.aws_ec2` plugin that name regions, filters, hosts and groups.

use std::collections::BTreeMap;

use super::{Instance, InstanceQuery};
use crate::inventory::Node;
use crate::inventory::fields::{Codes, Fields};
use crate::problem::{Problem, Span};

const CODES: Codes = Codes { wrong: "HW0120", unknown: "HW0120", missing: "HW0120" };
const KEYS: [&str; 6] = ["plugin", "regions", "filters", "hostnames", "keyed_groups", "compose"];

/// One file that says where to look for hosts, and what they become.
#[derive(Debug, Clone)]
pub struct DiscoverySource {
    /// Where it was written.
    pub span: Span,
    /// Regions to ask.
    pub regions: Vec<String>,
    /// Filters of the request.
    pub filters: BTreeMap<String, Vec<String>>,
    /// What names a host, in order of preference.
    pub hostnames: Vec<Reference>,
    /// Groups by the values of references.
    pub keyed_groups: Vec<KeyedGroup>,
    /// Variables by reference.
    pub compose: Vec<(String, Reference)>,
}

/// Groups that are named after a value: `prefix`, `separator`, value.
#[derive(Debug, Clone)]
pub struct KeyedGroup {
    /// Whose value.
    pub key: Reference,
    /// Before the separator.
    pub prefix: String,
    /// `_` where the file says nothing.
    pub separator: String,
}

/// A value of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A tag's value.
    Tag(String),
    /// Address inside the VPC.
    PrivateIp,
    /// Address outside it.
    PublicIp,
    /// Name inside the VPC.
    PrivateDns,
    /// Name outside it.
    PublicDns,
    /// `i-...`.
    InstanceId,
    /// Such as `i4i.4xlarge`.
    InstanceType,
    /// Such as `us-east-1a`.
    Zone,
    /// Such as `us-east-1`.
    Region,
}

impl Reference {
    /// Reads the form of `compose` and `keyed_groups`, or that of `hostnames`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let quoted = |open: &str| text.strip_prefix("tags[")?.strip_prefix(open)?.strip_suffix(']')?.strip_suffix(open);
        let tag = quoted("'").or_else(|| quoted("\"")).or_else(|| text.strip_prefix("tag:"));
        let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some(tag) = tag.or_else(|| text.strip_prefix("tags.").filter(plain)) {
            return (!tag.is_empty()).then(|| Self::Tag(tag.to_owned()));
        }
        match text {
            "private_ip_address" | "private-ip-address" => Some(Self::PrivateIp),
            "public_ip_address" | "ip-address" => Some(Self::PublicIp),
            "private_dns_name" | "private-dns-name" => Some(Self::PrivateDns),
            "public_dns_name" | "dns-name" => Some(Self::PublicDns),
            "instance_id" | "instance-id" => Some(Self::InstanceId),
            "instance_type" | "instance-type" => Some(Self::InstanceType),
            "placement.availability_zone" | "availability-zone" => Some(Self::Zone),
            "placement.region" => Some(Self::Region),
            _ => None,
        }
    }

    /// The value, where the instance has one.
    #[must_use]
    pub fn of<'a>(&self, instance: &'a Instance) -> Option<&'a str> {
        let value = match self {
            Self::Tag(tag) => instance.tags.get(tag).map(String::as_str),
            Self::PrivateIp => instance.private_ip.as_deref(),
            Self::PublicIp => instance.public_ip.as_deref(),
            Self::PrivateDns => instance.private_dns.as_deref(),
            Self::PublicDns => instance.public_dns.as_deref(),
            Self::InstanceId => Some(instance.id.as_str()),
            Self::InstanceType => Some(instance.instance_type.as_str()),
            Self::Zone => Some(instance.zone.as_str()),
            Self::Region => Some(instance.region.as_str()),
        };
        value.filter(|value| !value.is_empty())
    }
}

impl DiscoverySource {
    /// Reads one file; what is wrong is added to `problems`, and then there is no source: half a query finds half a fleet.
    #[must_use]
    pub fn parse(root: &Node, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut fields = Fields::open(root, "an EC2 discovery file", &KEYS, CODES, problems)?;
        if let Some(node) = fields.get("plugin")
            && !matches!(node.text(), Some("amazon.aws.aws_ec2" | "aws_ec2"))
        {
            fields.wrong("plugin", node, &format!("must be amazon.aws.aws_ec2, not {}", node.describe()));
        }
        let regions = texts("regions", &mut fields);
        if let (Some(node), true) = (fields.required("regions"), regions.is_empty()) {
            fields.wrong("regions", node, "must name at least one region");
        }
        let source = Self {
            span: root.span.clone(),
            regions,
            filters: filters(&mut fields),
            hostnames: references("hostnames", &mut fields),
            keyed_groups: keyed_groups(&mut fields),
            compose: compose(&mut fields),
        };
        (problems.len() == before).then_some(source)
    }

    /// One query for each region.
    #[must_use]
    pub fn queries(&self) -> Vec<InstanceQuery> {
        let query = |region: &String| InstanceQuery { region: region.clone(), filters: self.filters.clone() };
        self.regions.iter().map(query).collect()
    }
}

fn texts(key: &str, fields: &mut Fields<'_, '_>) -> Vec<String> {
    let items = fields.items(key);
    let mut texts = Vec::new();
    for item in items {
        match item.scalar_text() {
            Some(text) => texts.push(text),
            None => fields.wrong(key, item, &format!("must be a list of texts, not of {}", item.describe())),
        }
    }
    texts
}

fn filters(fields: &mut Fields<'_, '_>) -> BTreeMap<String, Vec<String>> {
    let Some(node) = fields.get("filters") else { return BTreeMap::new() };
    let Some(entries) = node.entries() else {
        fields.wrong("filters", node, &format!("must be a mapping, not {}", node.describe()));
        return BTreeMap::new();
    };
    let mut filters = BTreeMap::new();
    for entry in entries {
        let scalar = |node: &Node| node.scalar_text().or_else(|| node.flag().map(|flag| flag.to_string()));
        let values: Option<Vec<String>> = match entry.value.items() {
            Some(items) if !items.is_empty() => items.iter().map(scalar).collect(),
            Some(_) => None,
            None => scalar(&entry.value).map(|value| vec![value]),
        };
        match values {
            Some(values) => drop(filters.insert(entry.key.clone(), values)),
            None => fields.wrong("filters", &entry.value, "each must be a text or a list of texts"),
        }
    }
    filters
}

fn references(key: &str, fields: &mut Fields<'_, '_>) -> Vec<Reference> {
    let items = fields.items(key);
    items.iter().filter_map(|item| reference(key, item, fields)).collect()
}

fn reference(key: &str, node: &Node, fields: &mut Fields<'_, '_>) -> Option<Reference> {
    let reference = node.text().and_then(Reference::parse);
    if reference.is_none() {
        let why = format!("{} is not read yet: write a tag (`tags.Name`, `tag:Name`) or an attribute", node.describe());
        fields.wrong(key, node, &why);
    }
    reference
}

fn keyed_groups(fields: &mut Fields<'_, '_>) -> Vec<KeyedGroup> {
    let mut groups = Vec::new();
    for item in fields.items("keyed_groups") {
        let known = ["key", "prefix", "separator"];
        let Some(mut entry) = Fields::open(item, "a keyed group", &known, CODES, fields.problems()) else { continue };
        let Some(key) = entry.required("key").and_then(|node| reference("key", node, &mut entry)) else { continue };
        let prefix = entry.text("prefix").unwrap_or_default();
        let separator = entry.text("separator").unwrap_or_else(|| "_".to_owned());
        groups.push(KeyedGroup { key, prefix, separator });
    }
    groups
}

fn compose(fields: &mut Fields<'_, '_>) -> Vec<(String, Reference)> {
    let Some(node) = fields.get("compose") else { return Vec::new() };
    let Some(entries) = node.entries() else {
        fields.wrong("compose", node, &format!("must be a mapping, not {}", node.describe()));
        return Vec::new();
    };
    let read = |entry: &crate::inventory::Entry| Some((entry.key.clone(), reference("compose", &entry.value, fields)?));
    entries.iter().filter_map(read).collect()
}
