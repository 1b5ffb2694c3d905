//! The paths of `incl` (pure): names of elements from the root of the substitutions' file.
//!
//! Source: Poco's `Node::getNodeByPath`, <https://docs.pocoproject.org/current/Poco.XML.Node.html>.

use super::budget::{Budget, TooMuch};
use super::tree::{NodeId, Tree};

/// A path, or a form of one that is not read here: indices, attributes, any depth.
pub(super) fn parse(path: &str) -> Option<Vec<&str>> {
    let known = !path.starts_with("//") && !path.contains('[');
    let names = path.split('/').filter(|name| !name.is_empty());
    // Behind a last `/` Poco looks for an element without a name.
    known.then(|| names.chain(path.strip_suffix('/').filter(|path| !path.is_empty()).map(|_| "")).collect())
}

/// Finds the first element that a path names, where the first one of a name leads nowhere in the next; the empty path is
/// the root.
pub(super) fn find(tree: &Tree, names: &[&str], budget: &mut Budget) -> Result<Option<NodeId>, TooMuch> {
    let mut left = vec![(Tree::ROOT, names)];
    while let Some((at, names)) = left.pop() {
        let Some((name, rest)) = names.split_first() else { return Ok(Some(at)) };
        let first = left.len();
        for element in tree.elements(at) {
            budget.spend(1)?;
            if *name == "*" || tree.name(element) == *name {
                left.push((element, rest));
            }
        }
        left[first..].reverse();
    }
    Ok(None)
}
