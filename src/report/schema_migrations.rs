//! What has become of the migrations, for people: by role and number, hosts that know the same together (pure).

use std::collections::BTreeMap;
use std::fmt::Write;

use super::hosts::{count, short};
use super::style::{BAD, GOOD, HEAD, QUIET, WARN, paint};
use crate::fleet::HostName;
use crate::migration::{Ran, Survey};
use crate::observe::NoRows;

/// Every migration, and a line that counts.
#[must_use]
pub fn schema_migrations(all: &[Survey], without: &BTreeMap<HostName, NoRows>, asked: usize) -> String {
    let mut out = String::new();
    for one in all {
        let gone = if one.file_is_gone { ", its file is gone" } else { "" };
        let about = format!("once per {}, {}{gone}", one.scope, count(one.statements as usize, "statement"));
        let _ = writeln!(out, "{} {}  {}", paint(HEAD, &one.migration), one.name, paint(QUIET, about));
        for (ran, hosts) in &one.hosts {
            let (style, what) = match ran {
                Ran::Done { by } => (GOOD, format!("done, by {by}")),
                Ran::Changed { by, checksum } => {
                    let checksum: String = checksum.chars().take(8).collect();
                    (BAD, format!("the file has changed since {by} ran it ({checksum})"))
                }
                Ran::Begun { by, done, runs } => {
                    let runs = if *runs { ", which runs now" } else { "" };
                    (WARN, format!("begun by {by}: {done} of {} statements done{runs}", one.statements))
                }
                Ran::Not => (QUIET, "not run, as far as they know".to_owned()),
            };
            let _ = writeln!(out, "  {}  {}", paint(style, what), paint(QUIET, format!("on {}", short(hosts))));
        }
    }
    if !all.is_empty() {
        out.push('\n');
    }
    for (host, why) in without {
        let _ = writeln!(out, "{} {host}: {}", paint(BAD, "x"), why.reason());
    }
    let silent = if without.is_empty() { String::new() } else { format!(", {} did not answer", without.len()) };
    let text =
        format!("{} on record or in the roles, {} asked{silent}", count(all.len(), "migration"), count(asked, "host"));
    let _ = writeln!(out, "{} {text}", paint(HEAD, "schema migrations:"));
    out
}
