//! `filters`, `include_filters`, `exclude_filters`: which instances are asked for (pure).

use std::collections::BTreeMap;

use crate::inventory::Node;
use crate::inventory::fields::Fields;

/// `DescribeInstances` filters: each name with the values that it may have; all of them must hold.
pub type Filters = BTreeMap<String, Vec<String>>;

/// Instances that at least one of `include` describes and none of `exclude`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Never empty: without filters it is one that everything answers to.
    pub include: Vec<Filters>,
    /// Stronger than `include`.
    pub exclude: Vec<Filters>,
}

impl Selection {
    pub(super) fn read(fields: &mut Fields<'_, '_>) -> Self {
        let filters = fields.get("filters").map(|node| filters("filters", node, fields)).unwrap_or_default();
        let mut include = list("include_filters", fields);
        if !filters.is_empty() || include.is_empty() {
            include.insert(0, filters);
        }
        Self { include, exclude: list("exclude_filters", fields) }
    }

    /// The filters as a person would write them, for error texts; none where there are none.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        let one = |filters: &Filters| {
            let named = filters.iter().map(|(name, values)| format!("`{name}={}`", values.join(",")));
            named.collect::<Vec<_>>().join(" and ")
        };
        let all = |filters: &[Filters]| filters.iter().map(one).collect::<Vec<_>>().join(", or ");
        match (self.include.iter().all(Filters::is_empty), self.exclude.is_empty()) {
            (true, true) => None,
            (true, false) => Some(format!("everything but {}", all(&self.exclude))),
            (false, true) => Some(all(&self.include)),
            (false, false) => Some(format!("{}, but not {}", all(&self.include), all(&self.exclude))),
        }
    }
}

fn list(key: &str, fields: &mut Fields<'_, '_>) -> Vec<Filters> {
    let mut read = Vec::new();
    for item in fields.items(key) {
        let one = filters(key, item, fields);
        // Everything would answer to it: excluded, that is an empty fleet; included, filters that mean nothing.
        if item.entries().is_some_and(<[_]>::is_empty) {
            fields.wrong(key, item, "must name a filter");
        }
        read.push(one);
    }
    read
}

fn filters(key: &str, node: &Node, fields: &mut Fields<'_, '_>) -> Filters {
    let Some(entries) = node.entries() else {
        fields.wrong(key, node, &format!("must be a mapping, not {}", node.describe()));
        return Filters::new();
    };
    let mut filters = Filters::new();
    for entry in entries {
        let scalar = |node: &Node| node.scalar_text().or_else(|| node.flag().map(|flag| flag.to_string()));
        let values: Option<Vec<String>> = match entry.value.items() {
            Some(items) if !items.is_empty() => items.iter().map(scalar).collect(),
            Some(_) => None,
            None => scalar(&entry.value).map(|value| vec![value]),
        };
        match values {
            Some(values) => drop(filters.insert(entry.key.clone(), values)),
            None => fields.wrong(key, &entry.value, "each must be a text or a list of texts"),
        }
    }
    filters
}
