//! Problems and holds as annotations of GitHub Actions (pure).
//!
//! The form is GitHub's
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>); what could end a command or begin another
//! one is escaped as its toolkit does.

use std::fmt::Write;

use serde_json::Value;

use super::diagnostic;
use crate::plan::Plan;
use crate::problem::Problem;

/// GitHub shows ten of a kind and step; a log of thousands helps nobody.
const MOST: usize = 50;

/// Each problem as an error and each note as a notice, at its place; `file` turns a name as the operator typed it into one from the
/// repository's root.
#[must_use]
pub fn problems(problems: &[Problem], file: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    for problem in diagnostic::json(problems).as_array().into_iter().flatten().take(MOST) {
        let text = |key: &str| problem.get(key).and_then(Value::as_str);
        let number = |key: &str| problem.get(key).and_then(Value::as_u64).map(|number| number.to_string());
        let kind = if text("severity") == Some("problem") { "error" } else { "notice" };
        let properties = [
            ("file", text("file").map(&file)),
            ("line", number("line")),
            ("col", number("column")),
            ("title", text("code").map(str::to_owned)),
        ];
        let hint = text("hint").map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        command(&mut out, kind, &properties, &format!("{}{hint}", text("message").unwrap_or_default()));
    }
    out
}

/// Each hold and each host that was not reached as a warning.
#[must_use]
pub fn exceptions(plan: &Plan) -> String {
    let mut out = String::new();
    let hint = |hint: &Option<String>| hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    for hold in plan.holds.iter().take(MOST) {
        let title = [("title", Some(format!("held back: {}", hold.host)))];
        command(&mut out, "warning", &title, &format!("{}: {}{}", hold.what, hold.reason, hint(&hold.hint)));
    }
    for (host, why) in plan.unreachable.iter().take(MOST) {
        let title = [("title", Some(format!("not reached: {host}")))];
        command(&mut out, "warning", &title, &format!("{}{}", why.reason, hint(&why.hint)));
    }
    out
}

fn command(out: &mut String, kind: &str, properties: &[(&str, Option<String>)], message: &str) {
    let given = properties.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let properties: Vec<_> = given.map(|(name, value)| format!("{name}={}", property(value))).collect();
    let _ = writeln!(out, "::{kind} {}::{}", properties.join(","), data(message));
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fleet::HostName;
    use crate::plan::Hold;
    use crate::problem::{Source, Span};

    #[test]
    fn a_problem_is_an_error_at_its_place() {
        let source =
            Arc::new(Source { name: "inventories/a,b/hosts.yml".to_owned(), text: "all:\n  hsots: 1\n".to_owned() });
        let span = Span::new(source, 7..12);
        let found = [
            Problem::new("HW0104", "`hsots` is 100% wrong\n::error::no command")
                .at(&span)
                .hint("did you mean `hosts`?"),
            Problem::note("HW0407", "no place"),
        ];
        insta::assert_snapshot!(problems(&found, |file| format!("root/{file}")), @"
        ::error file=root/inventories/a%2Cb/hosts.yml,line=2,col=3,title=HW0104::`hsots` is 100%25 wrong ::error::no command%0Ahint: did you mean `hosts`?
        ::notice title=HW0407::no place
        ");
    }

    #[test]
    fn a_hold_is_a_warning() {
        let host = HostName::new("data-1-a").unwrap();
        let (what, reason) = ("restart".to_owned(), "shard 1: 1 of 3\nreplicas".to_owned());
        let mut plan = Plan::default();
        plan.holds.push(Hold { host: host.clone(), what, reason, hint: Some("mend it".to_owned()) });
        let why = crate::plan::Unreachable { reason: "timed out".to_owned(), hint: None };
        plan.unreachable.insert(host, why);
        insta::assert_snapshot!(exceptions(&plan), @"
        ::warning title=held back%3A data-1-a::restart: shard 1: 1 of 3%0Areplicas%0Ahint: mend it
        ::warning title=not reached%3A data-1-a::timed out
        ");
    }
}
