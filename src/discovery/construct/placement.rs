//! What the tags of `placement_tags` say a host is (pure): a tag that is missing or makes no sense is a problem.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::source::{Form, PlacementTag};
use super::super::{DiscoverySource, Instance};
use crate::problem::{Problem, near_name};

/// Reports tags that no instance has: that is a slip in the file, and one problem instead of hundreds.
///
/// Gives the tags that some instance has.
pub(super) fn known<'s>(
    source: &'s DiscoverySource,
    instances: &[Instance],
    problems: &mut Vec<Problem>,
) -> Vec<&'s PlacementTag> {
    let keys: BTreeSet<&str> =
        instances.iter().filter_map(Instance::tags).flat_map(Map::keys).map(String::as_str).collect();
    let (known, unknown): (Vec<_>, Vec<_>) =
        source.placement_tags.iter().partition(|tag| keys.contains(tag.tag.as_str()));
    for tag in unknown.into_iter().filter(|_| !instances.is_empty()) {
        let message = format!("no instance has the tag `{}`", tag.tag);
        let same = |key: &&&str| key.eq_ignore_ascii_case(&tag.tag);
        let near = match keys.iter().find(same) {
            Some(key) => Some(format!("did you mean `{key}`?")),
            None => near_name(&tag.tag, keys.iter().copied()),
        };
        let mut problem = match (tag.required, &near) {
            (true, _) => Problem::new("HW0161", message),
            (false, Some(_)) => Problem::note("HW0161", message),
            // A fleet of stateless hosts has no shards.
            (false, None) => continue,
        };
        problem.hint = near;
        problems.push(problem.at(&tag.span));
    }
    known
}

/// Adds the variables that the tags give.
pub(super) fn apply(
    tags: &[&PlacementTag],
    source: &DiscoverySource,
    instance: &Instance,
    vars: &mut Map<String, Value>,
    problems: &mut Vec<Problem>,
) {
    for tag in tags {
        let who = format!("the instance `{}` of `{}`", instance.id, instance.region);
        let set = |value: &str| {
            format!(
                "`aws ec2 create-tags --region {} --resources {} --tags Key={},Value={value}`",
                instance.region, instance.id, tag.tag
            )
        };
        let text = instance.tag(&tag.tag).map(str::trim);
        let Some(text) = text.filter(|text| !text.is_empty() || !tag.required) else {
            if tag.required {
                let message = format!("{who} has no tag `{}`", tag.tag);
                let hint = format!("tag it, with the hostClusterRole of a role: {}", set("..."));
                problems.push(Problem::new("HW0161", message).at(&source.span).hint(hint));
            }
            continue;
        };
        let number: Option<u32> = text.parse().ok().filter(|number| *number > 0 && !text.starts_with(['0', '+']));
        let value = match (tag.form, number) {
            (Form::Number | Form::NumberOrText, Some(number)) => Value::from(number),
            (Form::Text | Form::NumberOrText, _) => Value::from(text),
            (Form::Number, None) => {
                let message =
                    format!("{who} has the tag `{}={text}`; `{}` is a whole number from 1", tag.tag, tag.variable);
                problems.push(Problem::new("HW0162", message).at(&source.span).hint(format!("tag it: {}", set("1"))));
                continue;
            }
        };
        vars.insert(tag.variable.to_owned(), value);
    }
}
