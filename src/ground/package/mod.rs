//! Packages: installed, of one version, held; what differs goes in one transaction, so that what depends on each other fits (pure).
//!
//! A package manager never starts or stops a server: a new version counts from the restart that the plan gives it.

mod found;
mod rules;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub(super) use found::questions;

use super::{Answers, Findings, GroundChange, Refusal, When};
use crate::remote::UnitName;
use found::{Found, Installed};

/// A package that a role wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PackageWant {
    /// As the package manager calls it.
    pub name: String,
    /// Its version, without the distribution's suffix; any where it is not said.
    pub version: Option<String>,
    /// Whether the package manager is told to leave it as it is.
    pub hold: bool,
    /// The server that it brings, which runs on with the old version until it is started anew.
    pub unit: Option<UnitName>,
    /// Before the files are written, or behind.
    pub when: When,
}

/// Finds packages that are missing or of another version: one change for those that go together.
pub(super) fn diff(packages: &[PackageWant], answers: &Answers, findings: &mut Findings) {
    if packages.is_empty() {
        return;
    }
    let Some(found) = found::installed(packages, answers) else {
        let names: Vec<_> = packages.iter().map(|package| package.name.as_str()).collect();
        return findings.refusals.push(Refusal {
            what: format!("install {}", names.join(", ")),
            reason: "the host has neither dpkg nor rpm".to_owned(),
            hint: None,
        });
    };
    let mut together: BTreeMap<(When, Option<&UnitName>), Vec<&PackageWant>> = BTreeMap::new();
    for package in packages {
        together.entry((package.when, package.unit.as_ref())).or_default().push(package);
    }
    for ((when, unit), packages) in together {
        findings.take(transaction((when, unit), &packages, &found));
    }
}

fn transaction(
    (when, unit): (When, Option<&UnitName>),
    packages: &[&PackageWant],
    found: &Installed,
) -> Result<Option<GroundChange>, Refusal> {
    let is = |package: &PackageWant| found.packages.get(&package.name);
    let is_right = |package: &&&PackageWant| {
        let right = |found: &Found| match &package.version {
            _ if found.broken => false,
            Some(version) => found.versions.contains(version),
            None => true,
        };
        is(package).is_some_and(right)
    };
    let wrong: Vec<&PackageWant> = packages.iter().filter(|package| !is_right(package)).copied().collect();
    let install = !wrong.is_empty();
    let is_held = |package: &PackageWant| is(package).is_some_and(|found| found.held);
    let unheld: Vec<&PackageWant> =
        packages.iter().filter(|package| package.hold && (install || !is_held(package))).copied().collect();
    if !install && unheld.is_empty() {
        return Ok(None);
    }
    let mut needs = None;
    for package in &wrong {
        if let (Some(is), Some(wanted)) = (is(package).and_then(|found| found.versions.first()), &package.version) {
            needs = needs.or(rules::need(package, is, wanted)?);
        }
    }
    let shown = if install { &wrong } else { &unheld };
    let names: Vec<&str> = shown.iter().map(|package| package.name.as_str()).collect();
    let versions: BTreeSet<String> = shown.iter().filter_map(|package| Some(said(is(package)?))).collect();
    let wanted: BTreeSet<&str> =
        wrong.iter().map(|package| package.version.as_deref().unwrap_or("installed")).collect();
    let should = if install { wanted.into_iter().collect::<Vec<_>>().join(", ") } else { "held".to_owned() };
    let mut work = Vec::new();
    if install {
        let all_of_unit = if unit.is_some() { packages } else { &wrong };
        work.extend(work::install(all_of_unit, found));
    }
    if !unheld.is_empty() {
        let names: Vec<&str> = unheld.iter().map(|package| package.name.as_str()).collect();
        work.extend(work::hold(&names, found));
    }
    let was_there = wrong.iter().any(|package| is(package).is_some());
    Ok(Some(GroundChange {
        is: (!versions.is_empty()).then(|| versions.into_iter().collect::<Vec<_>>().join(", ")),
        should,
        work,
        needs,
        restarts: unit.filter(|_| was_there).cloned(),
        brings: unit.filter(|_| install).cloned(),
        ..GroundChange::new(if names.len() == 1 { "package" } else { "packages" }, &names.join(", "), when)
    }))
}

fn said(found: &Found) -> String {
    let version = found.versions.first().cloned().unwrap_or_default();
    if found.broken { format!("{version}, half installed") } else { version }
}

#[cfg(test)]
mod tests {
    use super::super::{Answer, Ground, Question};
    use super::found::{dpkg, dpkg_audit, rpm};
    use super::*;

    fn server(version: &str) -> Vec<PackageWant> {
        let one = |name: &str| PackageWant {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            hold: true,
            unit: UnitName::new("clickhouse-server").ok(),
            when: When::BehindFiles,
        };
        vec![one("clickhouse-common-static"), one("clickhouse-server")]
    }

    fn answers(all: &[(Question, u8, &str)]) -> Answers {
        let answer = |(question, status, text): &(Question, u8, &str)| {
            (question.clone(), Answer { status: Some(*status), stdout: (*text).to_owned() })
        };
        all.iter().map(answer).collect()
    }

    fn found(packages: &[PackageWant], answers: &Answers) -> Findings {
        Ground { packages: packages.to_vec(), ..Ground::default() }.diff(answers)
    }

    #[test]
    fn what_depends_on_each_other_is_one_transaction_and_costs_one_restart() {
        let wanted = server("25.8.3.66");
        let is = "dpkg ii  1.21.22 amd64\nclickhouse-common-static ii  25.3.2.39 amd64\nclickhouse-server hi  25.3.2.39 amd64\n";
        let said = answers(&[(dpkg(&wanted), 0, is)]);
        let changes = found(&wanted, &said).changes;
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        assert_eq!(change.to_string(), "packages clickhouse-common-static, clickhouse-server  25.3.2.39 -> 25.8.3.66");
        assert_eq!(change.restarts, wanted[0].unit);
        let last = &change.work.last().unwrap().argv;
        assert_eq!(last, &["apt-mark", "hold", "--", "clickhouse-common-static", "clickhouse-server"]);
        let is = is.replace("25.3.2.39", "25.8.3.66").replace("static ii", "static hi");
        let said = answers(&[(dpkg(&wanted), 0, is.as_str())]);
        assert_eq!(found(&wanted, &said), Findings::default());
    }

    #[test]
    fn what_comes_first_restarts_nobody_and_what_was_left_half_is_set_up() {
        let wanted = server("25.8.3.66");
        let change = found(&wanted, &answers(&[(dpkg(&wanted), 1, "dpkg ii  1.21.22 amd64\n")])).changes.remove(0);
        assert_eq!((change.is, change.restarts, change.brings), (None, None, wanted[0].unit.clone()));
        let half = "dpkg ii  1.21.22 amd64\nclickhouse-common-static ii  25.8.3.66\nclickhouse-server iF  25.8.3.66\n";
        let change = found(
            &wanted,
            &answers(&[(dpkg(&wanted), 0, half), (dpkg_audit(), 0, "clickhouse-server is half configured\n")]),
        )
        .changes
        .remove(0);
        assert_eq!(change.is.as_deref(), Some("25.8.3.66, half installed"));
        assert!(change.work[0].argv.ends_with(&["dpkg".to_owned(), "--configure".to_owned(), "-a".to_owned()]));
    }

    #[test]
    fn more_than_a_year_is_refused_both_ways() {
        for (is, wanted, refused) in
            [("24.3.1.1", "25.8.3.66", 1), ("25.8.3.66", "24.3.1.1", 1), ("24.8.1.1", "25.8.3.66", 0)]
        {
            let wanted = server(wanted);
            let said =
                format!("dpkg ii  1.21.22 amd64\nclickhouse-common-static ii  {is}\nclickhouse-server ii  {is}\n");
            let found = found(&wanted, &answers(&[(dpkg(&wanted), 0, said.as_str())]));
            assert_eq!((found.refusals.len(), found.changes.len()), (refused, 1 - refused), "{is}");
        }
    }

    #[test]
    fn rpm_answers_where_there_is_no_dpkg() {
        let wanted = server("25.8.3.66");
        let missing = (dpkg(&wanted), 127, "");
        let is = "clickhouse-common-static 0 25.8.3.66 1 x86_64\npackage clickhouse-server is not installed\n";
        let change = found(&wanted, &answers(&[missing.clone(), (rpm(&wanted), 1, is)])).changes.remove(0);
        assert_eq!(change.name, "clickhouse-server");
        assert!(change.work[0].argv.contains(&"clickhouse-common-static-25.8.3.66".to_owned()), "{:?}", change.work);
        assert_eq!(found(&wanted, &answers(&[missing, (rpm(&wanted), 127, "")])).refusals.len(), 1);
    }
}
