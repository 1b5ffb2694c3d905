//! What may be on a role, by what its hosts keep (pure).

use super::Place;
use crate::problem::Problem;
use crate::role::PlacementKind;
use crate::schema::code;
use crate::schema::engine::Family;
use crate::schema::object::{Object, ObjectKind};

pub(super) fn check(place: &Place<'_>) -> Vec<Problem> {
    place.objects.iter().filter_map(|object| check_object(place, object)).collect()
}

fn check_object(place: &Place<'_>, object: &Object) -> Option<Problem> {
    let engine = object.engine_name();
    match (place.role.placement, family(object)) {
        (PlacementKind::Keeper, _) => {
            let message = format!(
                "role `{}` runs coordination and cannot have the {} `{}`",
                place.name, object.kind, object.name
            );
            Some(Problem::new(code::SCHEMA_ON_KEEPER, message).at(&object.span))
        }
        (PlacementKind::Stateless, Some(Family::Storage)) => {
            let message = format!(
                "{} `{}` keeps rows (`{engine}`), and hosts of the stateless role `{}` are thrown away with theirs",
                object.kind, object.name, place.name
            );
            let hint = if object.kind == ObjectKind::MaterializedView {
                "give the view a table with `TO`"
            } else {
                "move the statement to a storage role and write through a `Distributed` table"
            };
            Some(Problem::new(code::STORAGE_ON_STATELESS, message).at(&object.span).hint(hint))
        }
        (PlacementKind::Storage, Some(Family::Queue)) => {
            let message = format!(
                "table `{}` (`{engine}`) drains a queue on the storage role `{}`: its work takes cores from the queries",
                object.name, place.name
            );
            Some(Problem::note(code::QUEUE_ON_STORAGE, message).at(&object.span).hint("move it to an ingestion role"))
        }
        (PlacementKind::Storage, Some(Family::Storage)) if object.kind == ObjectKind::MaterializedView => {
            let message = format!(
                "materialized view `{}` keeps its rows in a hidden table: to change the view is to lose them",
                object.name
            );
            let hint = "create a table for the rows, and name it with `TO`";
            Some(Problem::note(code::HIDDEN_TABLE, message).at(&object.span).hint(hint))
        }
        _ => None,
    }
}

/// A materialized view without TO keeps its rows in a table of its own; without an engine that is a MergeTree.
fn family(object: &Object) -> Option<Family> {
    match object.kind {
        ObjectKind::Table => Some(Family::of(object.engine_name())),
        ObjectKind::MaterializedView if object.target.is_none() => {
            Some(object.engine.as_ref().map_or(Family::Storage, |engine| Family::of(&engine.name)))
        }
        _ => None,
    }
}
