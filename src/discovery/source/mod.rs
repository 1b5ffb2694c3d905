//! Reads `*.aws_ec2.yml` (pure): the keys of Ansible's `amazon.aws.aws_ec2` plugin, and Housewright's own.
//!
//! A file with a problem gives no source at all: half a query finds half a fleet.

mod constructed;
mod filters;
mod hostnames;
mod keys;
mod placement_tags;

pub use constructed::{Constructed, Expression, KeyedGroup, Template};
pub use filters::{Filters, Selection};
pub use hostnames::{Hostname, TagName};
pub use placement_tags::{Form, PlacementTag};

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::InstanceQuery;
use crate::inventory::Node;
use crate::inventory::fields::{Codes, Fields};
use crate::problem::{Problem, Span};
use crate::vocabulary::share;

const CODES: Codes = Codes { wrong: "HW0120", unknown: "HW0120", missing: "HW0120" };

/// Ansible's own time to live.
const CACHE_SECONDS: u64 = 3600;
/// One instance of five may go between two runs without a word.
const MAX_SHRINK: u64 = 20;

/// One file that says where to look for hosts, and what they become.
#[derive(Debug, Clone)]
pub struct DiscoverySource {
    /// Where it was written.
    pub span: Span,
    /// Regions to ask, each with its place.
    pub regions: Vec<(String, Span)>,
    /// Which instances.
    pub selection: Selection,
    /// With which credentials, and where.
    pub access: Access,
    /// What names a host, in order of preference.
    pub hostnames: Vec<Hostname>,
    /// Variables and groups by expressions.
    pub constructed: Constructed,
    /// Tags that say what a host is.
    pub placement_tags: Vec<PlacementTag>,
    /// Before the name of each fact.
    pub hostvars_prefix: String,
    /// Behind it.
    pub hostvars_suffix: String,
    /// Whether tags are variables `ec2_tag_KEY` too.
    pub tag_variables: bool,
    /// For how many seconds an answer is good enough; where it is absent, every run asks.
    pub cache_seconds: Option<u64>,
    /// How many of a hundred instances of a region may be gone since the last good answer.
    pub max_shrink: u64,
}

/// How EC2 is reached; where it says nothing, the environment and the configuration of the AWS tools hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Access {
    /// A profile of `~/.aws/config`.
    pub profile: Option<String>,
    /// A role to assume.
    pub role_arn: Option<String>,
    /// Where to ask instead of at AWS.
    pub endpoint: Option<String>,
}

impl DiscoverySource {
    /// Reads one file; what is wrong is added to `problems`, and then there is no source.
    #[must_use]
    pub fn parse(root: &Node, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = wrong(problems);
        keys::check(root, problems);
        let mut fields = Fields::open(root, "an EC2 discovery file", &keys::known(), CODES, problems)?;
        match fields.required("plugin") {
            Some(node) if !matches!(node.text(), Some("amazon.aws.aws_ec2" | "aws_ec2")) => {
                fields.wrong("plugin", node, &format!("must be amazon.aws.aws_ec2, not {}", node.describe()));
            }
            _ => {}
        }
        let source = Self {
            span: first_line(&root.span),
            regions: regions(&mut fields),
            selection: Selection::read(&mut fields),
            access: access(&mut fields),
            hostnames: Hostname::read(CODES, &mut fields),
            constructed: Constructed::read(CODES, &mut fields),
            placement_tags: placement_tags::read(CODES, &mut fields),
            hostvars_prefix: fields.text("hostvars_prefix").unwrap_or_default(),
            hostvars_suffix: fields.text("hostvars_suffix").unwrap_or_default(),
            tag_variables: fields.flag("use_contrib_script_compatible_ec2_tag_keys").unwrap_or(false),
            cache_seconds: cache_seconds(&mut fields),
            max_shrink: max_shrink(&mut fields),
        };
        source.said_twice(&mut fields);
        (wrong(problems) == before).then_some(source)
    }

    /// The file's name, as the operator would type it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.span.source.name
    }

    /// The name of the variable that a fact becomes.
    #[must_use]
    pub fn fact_name(&self, fact: &str) -> String {
        format!("{}{fact}{}", self.hostvars_prefix, self.hostvars_suffix)
    }

    /// Tells whether the file is as it was: a digest of its text.
    #[must_use]
    pub fn settings_digest(&self) -> String {
        digest(&self.span.source.text)
    }

    /// Tells whether the same is asked, whatever becomes of it and in whichever regions: a digest.
    #[must_use]
    pub fn query_digest(&self) -> String {
        digest(&format!("{:?} {:?}", self.selection, self.access))
    }

    /// One query for each region.
    #[must_use]
    pub fn queries(&self) -> Vec<InstanceQuery> {
        let query = |(region, _): &(String, Span)| InstanceQuery {
            region: region.clone(),
            selection: self.selection.clone(),
            access: self.access.clone(),
        };
        self.regions.iter().map(query).collect()
    }

    /// A variable that two keys give would be one of the two by accident.
    fn said_twice(&self, fields: &mut Fields<'_, '_>) {
        for (variable, expression) in &self.constructed.compose {
            if let Some(tag) = self.placement_tags.iter().find(|tag| tag.variable == variable) {
                let message = format!("`compose` and `placement_tags` both say `{variable}`");
                let hint = format!("remove one of the two: the tag `{}` says it already", tag.tag);
                fields.report(Problem::new("HW0120", message).at(&expression.span).hint(hint));
            }
        }
    }
}

/// The first 16 digits of a SHA-256.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(8).fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn wrong(problems: &[Problem]) -> usize {
    problems.iter().filter(|problem| problem.severity == crate::problem::Severity::Problem).count()
}

/// The document's first line stands for the file.
fn first_line(span: &Span) -> Span {
    let text = span.source.text.get(span.range.clone()).unwrap_or_default();
    let length = text.find('\n').unwrap_or(text.len());
    Span::new(std::sync::Arc::clone(&span.source), span.range.start..span.range.start + length)
}

fn regions(fields: &mut Fields<'_, '_>) -> Vec<(String, Span)> {
    let Some(node) = fields.required("regions") else { return Vec::new() };
    let mut regions: Vec<(String, Span)> = Vec::new();
    for item in node.items().unwrap_or(std::slice::from_ref(node)) {
        let well_formed = |text: &&str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match item.text().filter(well_formed) {
            Some(region) if regions.iter().any(|(other, _)| other == region) => {
                fields.wrong("regions", item, &format!("`{region}` stands twice"));
            }
            Some(region) => regions.push((region.to_owned(), item.span.clone())),
            None => fields.wrong("regions", item, &format!("takes names such as `eu-west-1`, not {}", item.describe())),
        }
    }
    if node.items().is_some_and(<[Node]>::is_empty) {
        fields.wrong("regions", node, "must name at least one region: all regions are never asked");
    }
    regions
}

fn access(fields: &mut Fields<'_, '_>) -> Access {
    Access {
        profile: plain(["profile", "aws_profile", "boto_profile"], "`AWS_PROFILE`", fields),
        role_arn: plain(["assume_role_arn", "iam_role_arn", "aws_iam_role_arn"], "a profile with `role_arn`", fields),
        endpoint: plain(["endpoint_url", "aws_endpoint_url", "ec2_url"], "`AWS_ENDPOINT_URL_EC2`", fields),
    }
}

/// The text of a key with several names; `instead` holds where it is left out.
fn plain(names: [&str; 3], instead: &str, fields: &mut Fields<'_, '_>) -> Option<String> {
    let key = names.into_iter().find(|name| fields.get(name).is_some())?;
    let node = fields.get(key)?;
    let text = fields.text(key)?;
    if text.contains("{{") || text.contains("{%") {
        fields.wrong(
            key,
            node,
            &format!("is not evaluated: write the value, or leave the key out and {instead} holds"),
        );
        return None;
    }
    Some(text)
}

fn cache_seconds(fields: &mut Fields<'_, '_>) -> Option<u64> {
    let timeout = match fields.get("cache_timeout") {
        None => CACHE_SECONDS,
        Some(node) => match node.whole() {
            Some(seconds) if seconds > 0 => seconds,
            _ => {
                let why = format!("must be a number of seconds from 1, not {}", node.describe());
                fields.wrong("cache_timeout", node, &why);
                CACHE_SECONDS
            }
        },
    };
    fields.flag("cache").unwrap_or(false).then_some(timeout)
}

fn max_shrink(fields: &mut Fields<'_, '_>) -> u64 {
    let Some(node) = fields.get("max_shrink") else { return MAX_SHRINK };
    let text = node.scalar_text().unwrap_or_default();
    let share = share(&text);
    if share.is_none() {
        let why = format!("must be a share from `0%` to `100%`, not {}", node.describe());
        fields.wrong("max_shrink", node, &why);
    }
    share.unwrap_or(MAX_SHRINK)
}
