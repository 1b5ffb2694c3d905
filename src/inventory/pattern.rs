//! Host patterns, as `--limit` and clusters take them: unions, `:&`, `:!`, globs, group and host names (pure).

use std::collections::BTreeSet;

use super::tree::Inventory;
use crate::fleet::HostName;
use crate::problem::{Problem, near_name};

/// Selects hosts: first every union, then every `&` intersection, then every `!` exclusion, as Ansible does.
///
/// # Errors
/// A part that names no host and no group, and a pattern that selects nothing, are problems.
pub fn select(inventory: &Inventory, pattern: &str) -> Result<BTreeSet<HostName>, Problem> {
    if let Some((name, _)) = HostName::new(pattern).ok().and_then(|name| inventory.hosts.get_key_value(&name)) {
        return Ok(BTreeSet::from([name.clone()]));
    }
    let terms: Vec<&str> = split(pattern);
    let (mut unions, mut intersections, mut exclusions) = (Vec::new(), Vec::new(), Vec::new());
    for term in terms {
        match (term.strip_prefix('&'), term.strip_prefix('!')) {
            (Some(term), _) => intersections.push(matching(inventory, term)?),
            (_, Some(term)) => exclusions.push(matching(inventory, term)?),
            _ => unions.push(matching(inventory, term)?),
        }
    }
    let mut selected: BTreeSet<HostName> = if unions.is_empty() {
        inventory.hosts.keys().cloned().collect()
    } else {
        unions.into_iter().flatten().collect()
    };
    for other in &intersections {
        selected.retain(|name| other.contains(name));
    }
    for other in &exclusions {
        selected.retain(|name| !other.contains(name));
    }
    if selected.is_empty() {
        return Err(Problem::new("HW0118", format!("the pattern `{pattern}` selects no host")));
    }
    Ok(selected)
}

/// Splits at commas and colons, but not inside brackets.
fn split(pattern: &str) -> Vec<&str> {
    let mut inside = false;
    let parts = pattern.split(|c: char| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        !inside && matches!(c, ',' | ':')
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn matching(inventory: &Inventory, term: &str) -> Result<BTreeSet<HostName>, Problem> {
    if term.starts_with('~') || term.ends_with(']') && term.contains('[') && slice(term) {
        return Err(Problem::new("HW0117", format!("`{term}`: regular expressions and slices are not read yet")));
    }
    if matches!(term, "all" | "*") {
        return Ok(inventory.hosts.keys().cloned().collect());
    }
    if !term.contains(['*', '?', '[']) {
        if inventory.groups.contains_key(term) {
            return Ok(inventory.hosts_of(term).into_iter().collect());
        }
        if let Some((name, _)) = HostName::new(term).ok().and_then(|name| inventory.hosts.get_key_value(&name)) {
            return Ok(BTreeSet::from([name.clone()]));
        }
    }
    let mut found = BTreeSet::new();
    let mut known = false;
    for name in inventory.groups.keys().filter(|name| glob(term, name)) {
        known = true;
        found.extend(inventory.hosts_of(name));
    }
    found.extend(inventory.hosts.keys().filter(|name| glob(term, name.as_str())).cloned());
    if known || !found.is_empty() {
        return Ok(found);
    }
    let names = inventory.groups.keys().map(String::as_str).chain(inventory.hosts.keys().map(HostName::as_str));
    let mut problem = Problem::new("HW0118", format!("no host and no group is called `{term}`"));
    problem.hint = near_name(term, names).or_else(|| {
        let groups: Vec<&str> = inventory.groups.keys().map(String::as_str).take(20).collect();
        Some(format!("the groups are {}", groups.join(", ")))
    });
    Err(problem)
}

/// `group[0]`, `group[0:2]`, `group[-1]`.
fn slice(term: &str) -> bool {
    let inside = term.rsplit_once('[').map_or("", |(_, inside)| inside.trim_end_matches(']'));
    !inside.is_empty() && inside.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '-'))
}

/// Matches `*`, `?` and `[set]` against a whole name; goes back only to the last `*`, so the time is bounded.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut position) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = name.get(position) {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, position));
                at += 1;
                continue;
            }
            Some(_) => {
                if let Some(width) = one(pattern.get(at..).unwrap_or_default(), *c) {
                    at += width;
                    position += 1;
                    continue;
                }
            }
            None => {}
        }
        let Some((star_at, star_position)) = star else { return false };
        star = Some((star_at, star_position + 1));
        (at, position) = (star_at + 1, star_position + 1);
    }
    pattern.get(at..).unwrap_or_default().iter().all(|c| *c == '*')
}

/// Matches one character; tells how many characters of the pattern it took.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['[', rest @ ..] => {
            let end = rest.iter().position(|c| *c == ']')?;
            let set = rest.get(..end)?;
            let (wanted, set) = match set {
                ['!', set @ ..] => (false, set),
                set => (true, set),
            };
            let range = set.windows(3).any(|window| window[1] == '-' && (window[0]..=window[2]).contains(&c));
            ((range || set.contains(&c)) == wanted).then_some(end + 2)
        }
        [first, ..] => (*first == c).then_some(1),
        [] => None,
    }
}
