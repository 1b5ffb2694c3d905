//! The server's merge of one file into another (pure).
//!
//! Source: `mergeRecursive` in
//! <https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.1-lts/src/Common/Config/ConfigProcessor.cpp>; every rule is
//! tested against the server in `tests/effective`.

use std::collections::{BTreeMap, VecDeque};

use super::budget::Budget;
use super::error::ElementError;
use super::tree::{Attribute, Copied, Kind, NodeId, Tree};
use super::wrong::Wrong;

/// The attributes that name where a value comes from.
pub(super) const SUBSTITUTIONS: [&str; 3] = ["incl", "from_zk", "from_env"];

/// What tells elements apart: the name and all attributes but those that say what to do.
type Identity<'a> = (&'a str, Vec<&'a Attribute>);

fn identity(tree: &Tree, element: NodeId) -> Identity<'_> {
    let says = |name: &str| matches!(name, "replace" | "remove") || SUBSTITUTIONS.contains(&name);
    let mut attributes: Vec<_> = tree.attributes(element).iter().filter(|attribute| !says(&attribute.name)).collect();
    attributes.sort();
    (tree.name(element), attributes)
}

/// Merges the children of `with` into `base`; the roots' own attributes do not count.
pub(super) fn merge(
    tree: &mut Tree,
    base: NodeId,
    from: &Tree,
    with: NodeId,
    budget: &mut Budget,
) -> Result<(), Wrong> {
    let mut pairs = pair(tree, base, from, with, budget)?.into_iter();
    for (child, partner) in from.children(with).zip(&mut pairs) {
        budget.spend(1)?;
        let (remove, replace) = (from.attribute(child, "remove").is_some(), from.attribute(child, "replace").is_some());
        if remove && replace {
            return Err(Wrong::element(from, child, ElementError::RemoveAndReplace));
        }
        match partner {
            Some(partner) if remove => tree.detach(partner),
            Some(partner) if replace => {
                tree.import(from, child, (base, Some(partner)), Copied::AsItIs, budget)?;
                tree.detach(partner);
            }
            Some(partner) => {
                take_attributes(tree, partner, from, child);
                merge(tree, partner, from, child, budget)?;
            }
            None if remove => {}
            None => {
                tree.import(from, child, (base, None), Copied::Cleaned, budget)?;
            }
        }
    }
    Ok(())
}

/// For each child of `with` the child of `base` that it stands for: of equal ones the first that is left.
///
/// On the way the base loses its texts, but not white space and not CDATA sections.
fn pair(
    tree: &mut Tree,
    base: NodeId,
    from: &Tree,
    with: NodeId,
    budget: &mut Budget,
) -> Result<Vec<Option<NodeId>>, Wrong> {
    let children: Vec<_> = tree.children(base).collect();
    budget.spend(children.len())?;
    let is_text = |id: &NodeId| matches!(tree.kind(*id), Kind::Text(text) if !is_blank(text));
    let (texts, others): (Vec<_>, Vec<_>) = children.into_iter().partition(is_text);
    let mut known: BTreeMap<Identity, VecDeque<NodeId>> = BTreeMap::new();
    for element in others.into_iter().filter(|id| tree.is_element(*id)) {
        known.entry(identity(tree, element)).or_default().push_back(element);
    }
    let partner = |child| {
        let element = from.is_element(child).then(|| identity(from, child))?;
        known.get_mut(&element)?.pop_front()
    };
    let pairs = from.children(with).map(partner).collect();
    texts.into_iter().for_each(|text| tree.detach(text));
    Ok(pairs)
}

/// An element with content of its own loses where its value came from; then the attributes of both count.
fn take_attributes(tree: &mut Tree, element: NodeId, from: &Tree, with: NodeId) {
    if from.first_child(with).is_some() {
        SUBSTITUTIONS.into_iter().for_each(|name| tree.remove_attribute(element, name));
    }
    for attribute in from.attributes(with) {
        tree.set_attribute(element, &attribute.name, &attribute.value);
    }
}

/// White space as the server counts it.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}
