//! Columns: those of a Distributed table are its remote table's, and codecs stand where rows are kept (pure).

use super::{Place, distributed, list};
use crate::clickhouse::{StatementText, TokenKind, split};
use crate::problem::{Problem, Source};
use crate::schema::code;
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
        if !missing.is_empty() {
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

/// A codec says how a column lies on the disk; these engines put none there.
fn codec(object: &Object) -> Option<Problem> {
    let engine = object.engine_name();
    let keeps = !matches!(Family::of(engine), Family::Proxy | Family::Queue) && engine != "Null";
    if object.kind != ObjectKind::Table || engine.is_empty() || keeps {
        return None;
    }
    let source = std::sync::Arc::new(Source { name: String::new(), text: object.statement.text().to_owned() });
    let statement = split(&source).into_iter().next()?;
    has_codec(&statement).then(|| {
        let message = format!("table `{}` (`{engine}`) keeps no rows, and has a `CODEC`: it does nothing", object.name);
        let hint = "give the codec to the table that stores the column";
        Problem::note(code::CODEC_ON_PROXY, message).at(&object.span).hint(hint)
    })
}

/// `CODEC(...)` in the list of columns: the first bracket of the statement.
fn has_codec(statement: &StatementText) -> bool {
    let text = statement.span.source.text.as_str();
    let mut depth = 0_usize;
    for pair in statement.tokens.windows(2) {
        let [token, next] = pair else { continue };
        match token.text(text) {
            "(" => depth += 1,
            // The end of the list.
            ")" if depth <= 1 => return false,
            ")" => depth -= 1,
            word if depth == 1
                && token.kind == TokenKind::Word
                && word.eq_ignore_ascii_case("CODEC")
                && next.text(text) == "(" =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}
