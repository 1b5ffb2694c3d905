//! Columns: those of a Distributed table are its remote table's, and codecs stand where rows are kept (pure).

use super::{Place, distributed, list};
use crate::clickhouse::{Column, Property, canonical_type};
use crate::problem::Problem;
use crate::schema::code;
use crate::schema::diff::definition;
use crate::schema::engine::{Family, Remote};
use crate::schema::object::{Object, ObjectKind};

pub(super) fn check(place: &Place<'_>) -> Vec<Problem> {
    place.objects.iter().flat_map(|object| not_remote(place, object).into_iter().chain(codec(object))).collect()
}

/// Rows of a column that the remote table lacks have nowhere to go: inserts and selects through the table fail.
fn not_remote(place: &Place<'_>, object: &Object) -> Option<Problem> {
    let (columns, remote) = (object.columns.as_ref()?, Remote::of(object)?);
    let cluster = place.fleet.clusters.values().find(|cluster| cluster.name.as_str() == remote.cluster)?;
    for host in distributed::members(place, cluster) {
        let there = place.schema.of(&host.role).iter().find(|object| object.name == remote.table);
        let Some(known) = there.and_then(|there| there.columns.as_ref()) else { continue };
        let missing: Vec<&str> = columns.iter().filter(|column| !known.contains(column)).map(String::as_str).collect();
        if missing.is_empty() {
            if let Some(there) = there
                && let Some(note) = converted(object, &remote, there)
            {
                return Some(note);
            }
        } else {
            let message = format!(
                "table `{}` has columns that `{}` on cluster `{}` does not have: {}",
                object.name,
                remote.table,
                remote.cluster,
                list(missing)
            );
            let hint = format!("add them to `{}` in role `{}`, or take them out here", remote.table, host.role);
            return Some(Problem::new(code::NO_REMOTE_COLUMN, message).at(&object.span).hint(hint));
        }
    }
    None
}

/// The remote host converts each row ([Distributed](https://clickhouse.com/docs/engines/table-engines/special/distributed)),
/// and refuses those that do not fit.
fn converted(object: &Object, remote: &Remote, there: &Object) -> Option<Problem> {
    let columns = |object: &Object| definition(object.statement.text()).map(|definition| definition.columns);
    let (own, theirs) = (columns(object)?, columns(there)?);
    let as_kept = |column: &Column| column.data_type.as_ref().map(|written| canonical_type(written.as_str()));
    own.iter().find_map(|column| {
        let other = theirs.iter().find(|other| other.name == column.name)?;
        let (here, there) = (as_kept(column)?, as_kept(other)?);
        (here != there).then(|| {
            let message = format!(
                "column `{}` of table `{}` is `{here}`, and `{there}` in `{}` on cluster `{}`: rows are converted on the way",
                column.name, object.name, remote.table, remote.cluster
            );
            Problem::note(code::CONVERTED_COLUMN, message).at(&object.span).hint("give both the same type")
        })
    })
}

/// A codec says how a column lies on the disk; these engines put none there.
fn codec(object: &Object) -> Option<Problem> {
    let engine = object.engine_name();
    let keeps = !matches!(Family::of(engine), Family::Proxy | Family::Queue) && engine != "Null";
    if object.kind != ObjectKind::Table || engine.is_empty() || keeps {
        return None;
    }
    let columns = definition(object.statement.text())?.columns;
    let has_codec =
        columns.iter().any(|column| column.properties.iter().any(|(property, _)| *property == Property::Codec));
    has_codec.then(|| {
        let message = format!("table `{}` (`{engine}`) keeps no rows, and has a `CODEC`: it does nothing", object.name);
        let hint = "give the codec to the table that stores the column";
        Problem::note(code::CODEC_ON_PROXY, message).at(&object.span).hint(hint)
    })
}
