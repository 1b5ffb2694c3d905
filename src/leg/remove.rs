//! A leg's statements taken out of its role's files (pure).
//!
//! Nothing else of a file changes; one that holds no other statement goes as a whole. What other objects write through
//! stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Leg;
use super::pieces::pieces;
use crate::problem::Source;
use crate::schema::{Object, ObjectName};

/// A leg that is to be taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new texts by path; nothing where the file goes.
    pub files: BTreeMap<String, Option<String>>,
    /// What the next plan drops, in the order of dropping.
    pub objects: Vec<ObjectName>,
    /// What stays, because others rely on it.
    pub kept: Vec<ObjectName>,
}

/// Takes a leg out.
///
/// # Errors
/// Says which of its views reads from another queue too.
pub fn remove(leg: &Leg<'_>, all: &[&Object]) -> Result<Edited, String> {
    leg.is_written_out()?;
    let reads_more =
        |view: &&&Object| view.sources.iter().any(|source| *source != leg.table.name && leg.is_queue(source));
    if let Some(view) = leg.views.iter().find(reads_more) {
        return Err(format!("`{}` reads from another queue too: take it out by hand", view.name));
    }
    let own = |object: &Object| leg.objects().any(|own| own.span == object.span);
    let relied_on = |target: &&&Object| {
        let others = all.iter().filter(|object| !own(object) && object.role == target.role);
        others.into_iter().any(|object| object.depends_on.contains(&target.name))
    };
    let kept: Vec<&Object> = leg.targets.iter().filter(relied_on).copied().collect();
    let goes = |object: &Object| own(object) && !kept.iter().any(|kept| kept.span == object.span);
    let mut sources: BTreeMap<&str, &Arc<Source>> = BTreeMap::new();
    for object in leg.objects().filter(|object| goes(object)) {
        sources.insert(&object.span.source.name, &object.span.source);
    }
    let mut files = BTreeMap::new();
    for (name, source) in sources {
        let (mut text, mut from, mut left) = (String::new(), 0, 0);
        for piece in pieces(source) {
            if leg.objects().any(|object| goes(object) && object.span == piece.statement.span) {
                text.push_str(source.text.get(from..piece.range.start).unwrap_or_default());
                from = piece.range.end;
            } else {
                left += 1;
            }
        }
        text.push_str(source.text.get(from..).unwrap_or_default());
        files.insert(name.to_owned(), (left > 0).then_some(text));
    }
    let mut objects: Vec<ObjectName> =
        leg.objects().filter(|object| goes(object)).map(|object| object.name.clone()).collect();
    objects.reverse();
    Ok(Edited { files, objects, kept: kept.into_iter().map(|object| object.name.clone()).collect() })
}
