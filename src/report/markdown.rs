//! The plan as Markdown for a pull request: what it means first, then waves, then each distinct change folded away (pure).
//!
//! Never longer than a comment on GitHub may be; what is cut is said, and never inside a fence. Texts of hosts and
//! inventories are no markup: they name nobody and hide nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::around::around;
use super::hosts::{count, short};
use super::plan::{FOREIGN, foreign_files, head, is_told, summary};
use crate::clickhouse::config::Disruption;
use crate::fleet::HostName;
use crate::plan::{Change, Plan, Wave};
use crate::resource::FileChangeKind;

/// What GitHub takes as a comment, in characters; bytes here, so that it is never more.
pub const MOST_BYTES: usize = 65_536;
/// Left for the line that says what was cut.
const CUT_BYTES: usize = 400;
/// A change with more than that is cut by itself, so that others have a place.
const MOST_DIFF_BYTES: usize = 16_384;
/// Rows of a table or a list; more are counted.
const MOST_ROWS: usize = 100;

/// Writes the whole plan.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    let mut out = format!("### Housewright {}\n\n", inline(plain(&summary(plan)).trim()));
    hosts_table(&mut out, plan);
    waves_table(&mut out, &plan.waves);
    exceptions(&mut out, plan);
    if out.len() + CUT_BYTES > MOST_BYTES {
        out = head_of(&out, MOST_BYTES - CUT_BYTES);
        out.push_str("\n\n**Cut here**: it does not fit in a comment; `housewright show FILE` prints all of it.\n");
        return out;
    }
    let changes = distinct(plan);
    for (index, change) in changes.iter().enumerate() {
        let text = details(change);
        if out.len() + text.len() + CUT_BYTES > MOST_BYTES {
            let _ = write!(
                out,
                "\n**Cut here**: {} more of {} do not fit in a comment; `housewright show FILE` prints all of them.\n",
                changes.len() - index,
                count(changes.len(), "change"),
            );
            break;
        }
        out.push_str(&text);
    }
    out
}

/// Which hosts are disrupted how.
fn hosts_table(out: &mut String, plan: &Plan) {
    let mut most: BTreeMap<&HostName, Disruption> = BTreeMap::new();
    for host in plan.waves.iter().flat_map(|wave| &wave.hosts) {
        let disruption = most.entry(&host.host).or_default();
        *disruption = (*disruption).max(host.disruption);
    }
    let of =
        |wanted: Disruption| most.iter().filter(|(_, is)| **is == wanted).map(|(host, _)| *host).collect::<Vec<_>>();
    let held: BTreeSet<_> = plan.holds.iter().map(|hold| &hold.host).collect();
    let rows = [
        ("restart", of(Disruption::Restart)),
        ("reattach", of(Disruption::Reattach)),
        ("reload", of(Disruption::Reload)),
        ("change without disruption", of(Disruption::None)),
        ("as desired", plan.unchanged.iter().collect()),
        ("held back", held.into_iter().collect()),
        ("not reached", plan.unreachable.keys().collect()),
    ];
    out.push_str("| | hosts | |\n|---|--:|---|\n");
    for (what, hosts) in rows.iter().filter(|(_, hosts)| !hosts.is_empty()) {
        let _ = writeln!(out, "| {what} | {} | {} |", hosts.len(), cell(&short(hosts)));
    }
    out.push('\n');
}

fn waves_table(out: &mut String, waves: &[Wave]) {
    if waves.is_empty() {
        return;
    }
    out.push_str("| wave | what | on | why |\n|--:|---|---|---|\n");
    for (index, wave) in waves.iter().take(MOST_ROWS).enumerate() {
        let hosts: Vec<_> = wave.hosts.iter().map(|host| &host.host).collect();
        let why: BTreeSet<&str> = wave.hosts.iter().flat_map(|host| &host.reasons).map(String::as_str).collect();
        let around = around(wave);
        let why = [wave.reason.as_str()].into_iter().chain(why).chain(around.iter().map(String::as_str));
        let why: Vec<&str> = why.collect();
        let why = short(&why).replace(", ", "; ");
        let _ = writeln!(out, "| {} | {} | {} | {} |", index + 1, cell(&wave.title), cell(&short(&hosts)), cell(&why));
    }
    more(out, waves.len(), "wave");
    out.push('\n');
}

fn exceptions(out: &mut String, plan: &Plan) {
    let hint = |hint: &Option<String>| hint.as_ref().map(|hint| format!(" ({})", inline(hint))).unwrap_or_default();
    if !plan.holds.is_empty() {
        out.push_str("**Held back**\n\n");
        for hold in plan.holds.iter().take(MOST_ROWS) {
            let (what, reason) = (inline(&hold.what), inline(&hold.reason));
            let _ = writeln!(out, "* {}: {what}: {reason}{}", hold.host, hint(&hold.hint));
        }
        more(out, plan.holds.len(), "hold");
        out.push('\n');
    }
    let foreign = foreign_files(&plan.foreign);
    if !foreign.is_empty() {
        let _ = writeln!(out, "**Not ours**: {}\n", inline(FOREIGN));
        for (path, hosts) in foreign.iter().take(MOST_ROWS) {
            let _ = writeln!(out, "* {} on {}", code(path.as_str()), short(hosts));
        }
        more(out, foreign.len(), "file");
        out.push('\n');
    }
    if !plan.remarks.is_empty() {
        out.push_str("**Worth knowing**\n\n");
        for (remark, hosts) in plan.remarks.iter().take(MOST_ROWS) {
            let hosts: Vec<_> = hosts.iter().collect();
            let _ = writeln!(out, "* {} on {}", inline(remark), short(&hosts));
        }
        more(out, plan.remarks.len(), "remark");
        out.push('\n');
    }
    if !plan.unreachable.is_empty() {
        out.push_str("**Not reached**\n\n");
        for (host, why) in plan.unreachable.iter().take(MOST_ROWS) {
            let _ = writeln!(out, "* {host}: {}{}", inline(&why.reason), hint(&why.hint));
        }
        more(out, plan.unreachable.len(), "host");
        out.push('\n');
    }
}

fn more(out: &mut String, all: usize, noun: &str) {
    if all > MOST_ROWS {
        let _ = writeln!(out, "\nand {} more", count(all - MOST_ROWS, noun));
    }
}

/// A change and all hosts of the plan that have it.
struct Distinct<'a> {
    head: String,
    change: &'a Change,
    hosts: Vec<&'a HostName>,
    varies: bool,
}

/// Equal changes of all waves said once; a new file once for its path, whatever is in it.
fn distinct(plan: &Plan) -> Vec<Distinct<'_>> {
    let mut all: Vec<Distinct<'_>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let hosts = plan.waves.iter().flat_map(|wave| &wave.hosts);
    let changes = hosts.flat_map(|host| host.changes.iter().map(move |change| (&host.host, change)));
    for (host, change) in changes.filter(|(_, change)| is_told(change)) {
        let head = plain(&head(change));
        let key = match change {
            Change::File { kind: FileChangeKind::Create, .. } => head.clone(),
            _ => format!("{change:?}"),
        };
        let place = *places.entry(key).or_insert(all.len());
        match all.get_mut(place) {
            Some(known) => {
                known.varies |= known.change != change;
                known.hosts.push(host);
            }
            None => all.push(Distinct { head, change, hosts: vec![host], varies: false }),
        }
    }
    all
}

/// One change, folded where it has a difference to show.
fn details(change: &Distinct<'_>) -> String {
    const MOST_NAMED: usize = 200;
    let number = count(change.hosts.len(), "host");
    let mut names: Vec<_> = change.hosts.iter().take(MOST_NAMED).map(ToString::to_string).collect();
    if change.hosts.len() > MOST_NAMED {
        names.push(format!("and {} more", change.hosts.len() - MOST_NAMED));
    }
    let Change::File { diff, kind, .. } = change.change else {
        return format!("* {} on {number}: {}\n", code(&change.head), short(&change.hosts));
    };
    let head = html(&change.head);
    let mut lines = String::new();
    let mut rest = 0;
    for line in diff.lines().skip(2) {
        if lines.len() + line.len() > MOST_DIFF_BYTES || rest > 0 {
            rest += 1;
        } else {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    let new = if *kind == FileChangeKind::Create { ", new" } else { "" };
    let varies = change.hosts.first().filter(|_| change.varies);
    let varies = varies.map(|host| format!("It differs by host; this is {host}'s.\n\n")).unwrap_or_default();
    let body = if lines.is_empty() {
        String::new()
    } else {
        let fence = fence(&lines);
        format!("{varies}{fence}diff\n{lines}{fence}\n\n")
    };
    let cut = if rest > 0 { format!("**Cut here**: {} more.\n\n", count(rest, "line")) } else { String::new() };
    let names = names.join(", ");
    format!(
        "\n<details><summary><code>{head}</code> on {number}{new}</summary>\n\n{names}\n\n{body}{cut}</details>\n\n"
    )
}

/// More backticks than any line of the text has in a row.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat((longest + 1).max(3))
}

/// Code in a line, whatever is in it.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let ticks = "`".repeat(longest + 1);
    if longest == 0 { format!("`{text}`") } else { format!("{ticks} {text} {ticks}") }
}

/// Text between markup: what is in backticks stays code, all else says what it says.
fn inline(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let closed = parts.len() % 2 == 1;
    let mut out = String::with_capacity(text.len());
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            out.push_str(if closed { "`" } else { "&#96;" });
        }
        let code = closed && index % 2 == 1;
        for c in part.chars() {
            match c {
                '\n' | '\r' => out.push(' '),
                c if code => out.push(c),
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '@' => out.push_str("&#64;"),
                '*' | '_' | '[' | ']' | '~' | '#' | '\\' => {
                    let _ = write!(out, "\\{c}");
                }
                c => out.push(c),
            }
        }
    }
    out
}

/// The same in a table, where a bar ends a cell also in code.
fn cell(text: &str) -> String {
    inline(text).replace('|', "\\|")
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The whole lines of a text that fit.
fn head_of(text: &str, most: usize) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        if out.len() + line.len() > most {
            break;
        }
        out.push_str(line);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::{FailurePolicy, Fallback, Hold, HostPlan, Precondition};
    use crate::remote::RemotePath;

    fn file(path: &str, diff: &str) -> Change {
        let diff = format!("--- {path}\n+++ {path}\n{diff}");
        let path = RemotePath::new(path).unwrap();
        Change::File { path, kind: FileChangeKind::Content, metadata: None, foreign: false, diff: diff.into() }
    }

    fn of(changes: Vec<(String, Change)>) -> Plan {
        let host = |(host, change): (String, Change)| HostPlan {
            host: HostName::new(host).unwrap(),
            changes: vec![change],
            disruption: Disruption::Reload,
            reasons: vec!["`a|b`: because".to_owned()],
            steps: Vec::new(),
            on_failure: FailurePolicy::StopRun,
            expects: Precondition::default(),
            fallback: Fallback::default(),
        };
        let hosts = changes.into_iter().map(host).collect();
        let wave = Wave {
            title: "storage: reload".to_owned(),
            reason: "why | so".to_owned(),
            away: Vec::new(),
            relies_on: BTreeSet::new(),
            hosts,
        };
        Plan { waves: vec![wave], ..Plan::default() }
    }

    /// Whether every fence and every fold that begins also ends.
    fn is_whole(text: &str) -> bool {
        let mut fence: Option<String> = None;
        let mut open = 0_i32;
        for line in text.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(close) if line == close => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 => fence = Some(ticks),
                None => {
                    open += i32::try_from(line.matches("<details>").count()).unwrap();
                    open -= i32::try_from(line.matches("</details>").count()).unwrap();
                }
            }
        }
        fence.is_none() && open == 0
    }

    #[test]
    fn equal_changes_are_folded_once_and_markup_of_others_is_text() {
        let diff = "@@ -1 +1 @@\n-```\n+</details> @here <b>\n";
        let mut plan = of(vec![("a".to_owned(), file("/etc/x", diff)), ("b".to_owned(), file("/etc/x", diff))]);
        let (what, reason) = ("do | it".to_owned(), "<!-- `x|y` @me *now*".to_owned());
        plan.holds.push(Hold { host: HostName::new("c").unwrap(), what, reason, hint: None });
        let theirs = ["/etc/x.d/a_b*.xml", "/etc/x.d/`<b>`.xml"].map(|path| RemotePath::new(path).unwrap());
        plan.foreign = BTreeMap::from([(HostName::new("b").unwrap(), BTreeSet::from(theirs))]);
        let text = markdown(&plan);
        insta::assert_snapshot!(text, @r"
        ### Housewright plan: 2 hosts to change in 1 wave, 2 reloads, 0 as desired, 1 held back

        | | hosts | |
        |---|--:|---|
        | reload | 2 | a, b |
        | held back | 1 | c |

        | wave | what | on | why |
        |--:|---|---|---|
        | 1 | storage: reload | a, b | why \| so; `a\|b`: because |

        **Held back**

        * c: do | it: &lt;!-- `x|y` &#64;me \*now\*

        **Not ours**: the server reads them; Housewright leaves them alone, until `housewright adopt FILE` makes one its own

        * `` /etc/x.d/`<b>`.xml `` on b
        * `/etc/x.d/a_b*.xml` on b


        <details><summary><code>~ /etc/x</code> on 2 hosts</summary>

        a, b

        ````diff
        @@ -1 +1 @@
        -```
        +</details> @here <b>
        ````

        </details>
        ");
        assert!(is_whole(&text));
    }

    #[test]
    fn a_large_plan_is_cut_where_it_can_be_read() {
        let line = "+<password>‹env:X›</password>\n".repeat(300);
        let hosts = |number: usize| (0..number).map(|index| format!("data-{index:05}"));
        let plan = of(hosts(500).map(|host| (host.clone(), file(&format!("/etc/{host}"), &line))).collect());
        let text = markdown(&plan);
        assert!(text.len() <= MOST_BYTES && is_whole(&text), "{} bytes", text.len());
        assert!(
            text.ends_with("do not fit in a comment; `housewright show FILE` prints all of them.\n"),
            "{}",
            &text[text.len() - 200..]
        );
        let long = of(vec![("a".to_owned(), file("/etc/x", &line.repeat(20)))]);
        let text = markdown(&long);
        assert!(is_whole(&text) && text.contains("**Cut here**: ") && text.len() <= MOST_BYTES);
    }

    proptest! {
        #[test]
        fn any_plan_is_a_whole_comment(
            lines in proptest::collection::vec("[-+ ]?[ -~`‹é]{0,60}", 0..80), hosts in 1_usize..60, reason in "[ -~`|\n]{0,90}",
        ) {
            let diff = lines.join("\n");
            let mut plan = of((0..hosts).map(|host| (format!("h{host}"), file(&format!("/etc/{host}"), &diff))).collect());
            let host = HostName::new("z").unwrap();
            let theirs = (0..hosts * 4).map(|index| RemotePath::new(format!("/etc/{}{index}", reason.replace(['\n', '/'], ""))).unwrap());
            plan.foreign = BTreeMap::from([(host.clone(), theirs.collect())]);
            plan.holds = vec![Hold { host, what: reason.clone(), reason, hint: None }; hosts];
            let text = markdown(&plan);
            prop_assert!(text.len() <= MOST_BYTES);
            prop_assert!(is_whole(&text), "{text}");
        }
    }
}
