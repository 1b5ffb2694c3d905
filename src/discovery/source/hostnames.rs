//! `hostnames`: what names a host, in order of preference (pure).

use serde_json::Value;

use super::super::{Instance, attribute};
use crate::inventory::Node;
use crate::inventory::fields::{Codes, Fields};
use crate::problem::near_name;
use crate::vocabulary::HOST_NAME;

/// One way to name a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hostname {
    /// The first of these tags that an instance has.
    Tags(Vec<TagName>),
    /// An attribute's fact, by its path.
    Attribute(&'static [&'static str]),
    /// The same text for every instance: only of use behind a prefix.
    Literal(String),
    /// One name behind another.
    Prefixed {
        /// What stands in front, where the instance has it.
        prefix: Box<Hostname>,
        /// Between the two.
        separator: String,
        /// What must be there.
        name: Box<Hostname>,
    },
}

/// A tag that names a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagName {
    /// By its value.
    Value(String),
    /// As `Key_value`, where it has just this value.
    Is(String, String),
}

impl Hostname {
    /// The plugin's own order where the file names none.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        ["dns-name", "private-dns-name"].into_iter().filter_map(attribute::path_of).map(Self::Attribute).collect()
    }

    /// The name, where the instance has one of this kind.
    #[must_use]
    pub fn of(&self, instance: &Instance) -> Option<String> {
        match self {
            Self::Literal(text) => Some(text.clone()),
            Self::Attribute(path) => match instance.at(path)? {
                Value::String(text) => Some(text).filter(|text| !text.is_empty()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            },
            Self::Tags(tags) => tags.iter().find_map(|tag| match tag {
                TagName::Value(key) => instance.tag(key).filter(|value| !value.is_empty()).map(str::to_owned),
                TagName::Is(key, value) => {
                    (instance.tag(key) == Some(value.as_str())).then(|| format!("{key}_{value}"))
                }
            }),
            Self::Prefixed { prefix, separator, name } => {
                let name = name.of(instance)?;
                Some(match prefix.of(instance) {
                    Some(prefix) => format!("{prefix}{separator}{name}"),
                    None => name,
                })
            }
        }
    }

    /// Reads the whole list.
    pub(super) fn read(codes: Codes, fields: &mut Fields<'_, '_>) -> Vec<Self> {
        let Some(node) = fields.get("hostnames") else { return Vec::new() };
        let items = node.items().unwrap_or(std::slice::from_ref(node));
        items.iter().filter_map(|item| Self::one(item, codes, fields)).collect()
    }

    fn one(node: &Node, codes: Codes, fields: &mut Fields<'_, '_>) -> Option<Self> {
        if node.entries().is_none() {
            return Self::text(node, Literals::Refused, fields);
        }
        let known: Vec<&str> = HOST_NAME.names().collect();
        let mut entry = Fields::open(node, "a host name", &known, codes, fields.problems())?;
        let (name, prefix) = (entry.required("name")?, entry.get("prefix"));
        let separator = entry.text("separator").unwrap_or_else(|| "_".to_owned());
        let literals = if prefix.is_some() { Literals::Taken } else { Literals::Refused };
        let name = Self::text(name, literals, &mut entry)?;
        Some(match prefix {
            Some(prefix) => Self::Prefixed {
                prefix: Box::new(Self::text(prefix, Literals::Taken, &mut entry)?),
                separator,
                name: Box::new(name),
            },
            None => name,
        })
    }

    fn text(node: &Node, literals: Literals, fields: &mut Fields<'_, '_>) -> Option<Self> {
        let Some(text) = node.text().filter(|text| !text.is_empty()) else {
            fields.wrong("hostnames", node, &format!("takes a tag or an attribute, not {}", node.describe()));
            return None;
        };
        if let Some(tags) = text.strip_prefix("tag:") {
            let tags = tags.split(',').map(|tag| match tag.split_once('=') {
                Some((key, value)) => TagName::Is(key.to_owned(), value.to_owned()),
                None => TagName::Value(tag.to_owned()),
            });
            return Some(Self::Tags(tags.collect()));
        }
        if let Some(path) = attribute::path_of(text) {
            return Some(Self::Attribute(path));
        }
        let near = near_name(text, attribute::names());
        if near.is_none() && literals == Literals::Taken {
            return Some(Self::Literal(text.to_owned()));
        }
        let hint = near.unwrap_or_else(|| "write `tag:KEY`, `private-ip-address`, `private-dns-name`, ...".to_owned());
        fields.wrong("hostnames", node, &format!("`{text}` is no tag and no attribute of an instance: {hint}"));
        None
    }
}

/// Whether a text that is neither a tag nor an attribute is taken as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Literals {
    Taken,
    /// Every host would have the same name.
    Refused,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn instance() -> Instance {
        let facts =
            json!({ "private_ip_address": "10.0.0.1", "public_dns_name": "", "tags": { "Name": "a", "Role": "data" } });
        Instance { facts: facts.as_object().unwrap().clone(), ..Instance::default() }
    }

    #[test]
    fn names_are_read_as_the_plugin_reads_them() {
        let tags = |tags: &[TagName]| Hostname::Tags(tags.to_vec()).of(&instance());
        let value = |key: &str| TagName::Value(key.to_owned());
        let is = |key: &str, value: &str| TagName::Is(key.to_owned(), value.to_owned());
        assert_eq!(tags(&[value("Missing"), value("Name")]).as_deref(), Some("a"));
        assert_eq!(tags(&[is("Role", "small"), is("Role", "data")]).as_deref(), Some("Role_data"));
        assert_eq!(tags(&[is("Role", "small")]), None);
        let ip = Hostname::Attribute(attribute::path_of("private-ip-address").unwrap());
        let prefixed = |prefix: Hostname| {
            let (prefix, separator, name) = (Box::new(prefix), "-".to_owned(), Box::new(ip.clone()));
            Hostname::Prefixed { prefix, separator, name }.of(&instance())
        };
        assert_eq!(prefixed(Hostname::Tags(vec![value("Name")])).as_deref(), Some("a-10.0.0.1"));
        assert_eq!(prefixed(Hostname::Tags(vec![value("Missing")])).as_deref(), Some("10.0.0.1"));
        assert_eq!(prefixed(Hostname::Literal("aws".to_owned())).as_deref(), Some("aws-10.0.0.1"));
        assert!(Hostname::defaults().iter().all(|name| name.of(&instance()).is_none()), "an empty name is none");
    }
}
