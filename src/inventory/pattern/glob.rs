//! Python's `fnmatch` (pure): `*`, `?`, `[set]`, `[!set]`, upper and lower case apart.

/// Matches a whole name; goes back only to the last `*`, so the time is bounded.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
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
            // A `]` that comes first, also behind `!`, is a member.
            let first = usize::from(rest.first() == Some(&'!'));
            let from = first + usize::from(rest.get(first) == Some(&']'));
            let Some(end) = rest.iter().skip(from).position(|c| *c == ']').map(|end| end + from) else {
                // Without its end it is a bracket.
                return (c == '[').then_some(1);
            };
            let set = rest.get(first..end).unwrap_or_default();
            (holds(set, c) != (first == 1)).then_some(end + 2)
        }
        [first, ..] => (*first == c).then_some(1),
        [] => None,
    }
}

/// Whether a set has a character; `-` between two is a range, and a range that ends before it begins is empty.
fn holds(set: &[char], c: char) -> bool {
    let mut at = 0;
    while let Some(first) = set.get(at) {
        if let (Some('-'), Some(last)) = (set.get(at + 1), set.get(at + 2)) {
            if (*first..=*last).contains(&c) {
                return true;
            }
            at += 3;
        } else {
            if *first == c {
                return true;
            }
            at += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn as_fnmatch() {
        let matching = [
            ("d[a-c]", "db"),
            ("d[!a]", "db"),
            ("[]]", "]"),
            ("[!]]", "a"),
            ("a[", "a["),
            ("*[0-9]", "x9"),
            ("a-[", "a-["),
            ("[a-]", "-"),
        ];
        for (pattern, name) in matching {
            assert!(glob(pattern, name), "{pattern} {name}");
        }
        let others = [("Data", "data"), ("d[!b]", "db"), ("[c-a]", "b"), ("d?", "d"), ("a*b", "abc")];
        for (pattern, name) in others {
            assert!(!glob(pattern, name), "{pattern} {name}");
        }
    }
}
