//! Views: what they read from and write to is on the same host (pure).

use super::{Place, list};
use crate::problem::{Problem, near_name};
use crate::schema::code;
use crate::schema::object::{Object, ObjectKind, ObjectName};

pub(super) fn check(place: &Place<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for object in place.objects {
        if object.kind == ObjectKind::Dictionary {
            continue;
        }
        for source in object.sources.iter().filter(|source| is_missing(place, source)) {
            let verb = if object.kind == ObjectKind::Table { "copies the columns of" } else { "reads from" };
            let message = format!(
                "{} `{}` {verb} `{source}`, which role `{}` does not have",
                object.kind, object.name, place.name
            );
            problems.push(tell(place, Problem::new(code::NO_SOURCE, message), object, source));
        }
        if let Some(target) = object.target.as_ref().filter(|target| is_missing(place, target)) {
            let message = format!(
                "{} `{}` writes to `{target}`, which role `{}` does not have",
                object.kind, object.name, place.name
            );
            problems.push(tell(place, Problem::new(code::NO_TARGET, message), object, target));
        }
    }
    problems
}

fn is_missing(place: &Place<'_>, name: &ObjectName) -> bool {
    !name.is_system() && !place.objects.iter().any(|object| object.name == *name)
}

fn tell(place: &Place<'_>, problem: Problem, object: &Object, missing: &ObjectName) -> Problem {
    let problem = problem.at(&object.span);
    let others: Vec<&str> = place
        .schema
        .roles
        .iter()
        .filter(|(_, objects)| objects.iter().any(|object| object.name == *missing))
        .map(|(role, _)| role.as_str())
        .collect();
    if !others.is_empty() {
        let hint =
            format!("role {} has it: reach it through a `Distributed` table, or create it here too", list(others));
        return problem.hint(hint);
    }
    let known: Vec<String> = place.objects.iter().map(|object| object.name.to_string()).collect();
    match near_name(&missing.to_string(), known.iter().map(String::as_str)) {
        Some(near) => problem.hint(near),
        None => problem,
    }
}
