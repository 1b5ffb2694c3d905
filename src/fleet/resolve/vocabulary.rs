//! The variables that Housewright itself reads: their types, and names that look like them (pure).
//!
//! Each place is looked at once, however many hosts inherit it. Other variables are the templates' own.

use std::collections::{BTreeMap, BTreeSet};

use super::expressions::{Evaluated, holds_expression};
use crate::fleet::{ROLLOUT, RoleName};
use crate::inventory::{Entry, Inventory, Node, NodeValue, Owner};
use crate::problem::{Problem, near_name};
use crate::role::Role;
use crate::secret::SecretRef;
use crate::vocabulary::{Checked, Key, Misfit, Shape, VARIABLES, variable};

/// Checks every definition of every variable; a role's own variables are as well known as Housewright's.
pub(super) fn check(inventory: &Inventory, roles: &BTreeMap<RoleName, Role>, problems: &mut Vec<Problem>) {
    let of_roles = roles.values().flat_map(|role| role.vars.keys()).map(String::as_str);
    let own = VARIABLES.iter().flat_map(|section| section.record.names());
    let names: BTreeSet<&str> = own.chain(of_roles).collect();
    let mut judged: BTreeSet<&str> = BTreeSet::new();
    for layer in inventory.layers() {
        for (name, entry) in &layer.vars {
            match variable(name) {
                // An expression has its type when it has its value.
                Some(_) if entry.value.text().is_some() && holds_expression(&entry.value) => {}
                Some((key, Checked::Always)) => typed(key, &entry.value, problems),
                Some((key, Checked::ForTemplates)) => shaped(key, &entry.value, problems),
                Some((_, Checked::ByTemplates)) => {}
                None if names.contains(name.as_str()) => {}
                // A thousand hosts with one slip need one note.
                None => {
                    if judged.insert(name) {
                        misspelt(name, entry, &names, problems);
                    }
                }
            }
            if ["clickhouse_clusters", ROLLOUT].contains(&name.as_str())
                && layer.owner != Owner::Group("all".to_owned())
            {
                let message = format!("`{name}` is read from the group `all` only: it is the same on every host");
                let problem = Problem::new("HW0319", message).at(&entry.key_span);
                problems.push(problem.hint("move it to `group_vars/all.yml`"));
            }
        }
    }
}

/// Checks the values of expressions.
pub(super) fn check_values(evaluated: &Evaluated, problems: &mut Vec<Problem>) {
    for entry in evaluated.values() {
        match variable(&entry.key) {
            Some((key, Checked::Always)) => typed(key, &entry.value, problems),
            Some((key, Checked::ForTemplates)) => shaped(key, &entry.value, problems),
            Some((_, Checked::ByTemplates)) | None => {}
        }
    }
}

/// Tells whether Housewright itself reads a variable; others are read by templates. The clusters are read from the group `all`.
pub(super) fn is_read(name: &str) -> bool {
    let read = |key: &Key, checked| checked == Checked::Always && !matches!(key.shape, Shape::Any);
    !["clickhouse_clusters", ROLLOUT].contains(&name) && variable(name).is_some_and(|(key, checked)| read(key, checked))
}

/// The first secret in a value or its items: in a mapping, such as a cluster, a key of its own may take one.
fn secret_in(node: &Node) -> Option<String> {
    match &node.value {
        NodeValue::Secret(reference) => Some(reference.to_string()),
        NodeValue::Text(text) => SecretRef::in_text(text).next().map(|reference| reference.to_string()),
        NodeValue::List(items) => items.iter().find_map(secret_in),
        _ => None,
    }
}

fn typed(key: &Key, node: &Node, problems: &mut Vec<Problem>) {
    if node.is_null() || matches!(key.shape, Shape::Any) {
        return;
    }
    if let Some(reference) = secret_in(node) {
        let message = format!("`{}` holds the secret `{reference}`, but Housewright itself reads it", key.name);
        let hint = "write it as a plain value, in a file that is not vaulted";
        problems.push(Problem::new("HW0134", message).at(&node.span).hint(hint));
        return;
    }
    // A mapping of its own has no other reader that would tell its place.
    let within = matches!(key.shape, Shape::Record(_) | Shape::List(Shape::Record(_)));
    tell(key, if within { key.shape.misfits_within(node) } else { key.shape.misfits(node) }, problems);
}

/// A secret may stand wherever a template prints it.
fn shaped(key: &Key, node: &Node, problems: &mut Vec<Problem>) {
    if !node.is_null() {
        let misfits = key.shape.misfits_within(node);
        tell(key, misfits.into_iter().filter(|misfit| !matches!(misfit.node.value, NodeValue::Secret(_))), problems);
    }
}

fn tell<'n>(key: &Key, misfits: impl IntoIterator<Item = Misfit<'n>>, problems: &mut Vec<Problem>) {
    for misfit in misfits {
        let mut problem = Problem::new("HW0303", format!("`{}`: {}", key.name, misfit.why)).at(&misfit.node.span);
        problem.message = problem.message.replacen("`: must", "` must", 1);
        problem.hint = misfit.hint;
        problems.push(problem);
    }
}

/// A letter or two may be wrong, or only case and underscores: more would be another name.
fn misspelt(name: &str, entry: &Entry, names: &BTreeSet<&str>, problems: &mut Vec<Problem>) {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let written = plain(name);
    let same = names.iter().find(|known| plain(known) == written).map(|known| format!("did you mean `{known}`?"));
    let hint = same.or_else(|| {
        let near = names.iter().copied().filter(|known| {
            // A plural is a list of one's own, not a slip.
            let plural = name.strip_suffix('s') == Some(known) || known.strip_suffix('s') == Some(name);
            let allowed = (known.len() / 6).clamp(1, 2);
            !plural && known.len() > 4 && strsim::damerau_levenshtein(name, known) <= allowed
        });
        near_name(name, near)
    });
    if let Some(hint) = hint {
        let message = format!("`{name}` means nothing to Housewright");
        problems.push(Problem::note("HW0310", message).at(&entry.key_span).hint(hint));
    }
}
