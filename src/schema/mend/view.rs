//! Materialized views: a new query in place, anything else only where no row can pass in between (pure).

use super::{Around, Mend, Writer, clause_name};
use crate::clickhouse::{Clause, Phrase, quote_text};
use crate::schema::compare::Delta;
use crate::schema::object::Object;
use crate::schema::operation::Class;

pub(super) fn mend(object: &Object, deltas: &[Delta<'_>], around: Around) -> Mend {
    let mut writer = Writer::new(object, false);
    for delta in deltas {
        match delta {
            Delta::Clause { clause: Clause::Comment, desired, .. } => {
                let text = desired.and_then(Phrase::value).unwrap_or_default();
                writer.alter(Class::Metadata, &format!("MODIFY COMMENT {}", quote_text(&text)), "comment".to_owned());
            }
            Delta::Clause { clause: Clause::Query, desired: Some(query), .. } => {
                writer.alter(Class::Metadata, &format!("MODIFY QUERY {query}"), "modify the query".to_owned());
            }
            Delta::Clause { clause: Clause::Refresh, desired: Some(refresh), base: Some(_) } => {
                writer.alter(Class::Metadata, &format!("MODIFY REFRESH {refresh}"), "modify REFRESH".to_owned());
            }
            Delta::Clause { clause: Clause::Security, desired: Some(security), .. } => {
                writer.alter(Class::Metadata, &format!("MODIFY {security}"), "modify the definer".to_owned());
            }
            // The list follows the query, and rows go into the target's columns by their names.
            Delta::NewColumn { .. } | Delta::Column { .. } | Delta::MovedColumn { .. } | Delta::GoneColumn(_) => {}
            other => return elsewhere(object, other, around),
        }
    }
    if writer.operations.is_empty() { elsewhere_of_list(object, around) } else { Mend::Alter(writer.operations) }
}

/// A queue keeps its rows while the view is away.
fn elsewhere(object: &Object, delta: &Delta<'_>, around: Around) -> Mend {
    if around.reads_a_queue && object.target.is_some() {
        return Mend::Recreate;
    }
    let what = match delta {
        Delta::Clause { clause, .. } => clause_name(*clause),
        _ => "this",
    };
    Mend::Held(format!(
        "stop what writes to its source, drop the view and apply again: while {what} changes, rows would pass it by"
    ))
}

fn elsewhere_of_list(object: &Object, around: Around) -> Mend {
    if around.reads_a_queue && object.target.is_some() {
        return Mend::Recreate;
    }
    Mend::Held("only its list of columns differs: leave the list out, it follows the query".to_owned())
}
