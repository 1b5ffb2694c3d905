//! The verbs that look, prove and run, over the simulated fleet.

mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use housewright::apply::{Between, CommandRun, run_command};
use housewright::fleet::HostName;
use housewright::plan::{Drift, FleetDrift, Inputs, Proof, drift, proofs};
use housewright::remote::RemotePath;
use housewright::render::load::templates;
use housewright::report::{self, Diffs};
use housewright::sim::SimFleet;
use world::{Project, Record, block_on, name, plain};

const INVENTORY: &str = "tests/fleets/nothing_to_do/inventory";

/// A fleet that Housewright made.
async fn made() -> (Project, SimFleet) {
    let load =
        Project::load(Path::new(INVENTORY), Path::new("roles"), templates(Path::new("templates")), str::to_owned);
    let project = load.unwrap_or_else(|problems| panic!("{problems:?}"));
    let sim = project.bare_world();
    project.apply(&sim).await;
    (project, sim)
}

async fn with_inputs<T>(project: &Project, sim: &SimFleet, make: impl FnOnce(&Inputs<'_>) -> T) -> T {
    let observed = project.observe(sim, &Record::default()).await;
    make(&project.inputs(&observed))
}

fn wrong(proofs: &BTreeMap<HostName, Vec<Proof>>) -> Vec<String> {
    let wrong = |(host, proofs): (&HostName, &Vec<Proof>)| {
        let wrong = proofs.iter().filter(|proof| !proof.holds);
        wrong.map(|proof| format!("{host}: {}: {}", proof.what, proof.seen)).collect::<Vec<_>>()
    };
    proofs.iter().flat_map(wrong).collect()
}

#[test]
fn a_fleet_that_was_made_is_proven_and_what_breaks_is_named() {
    block_on(async {
        let (project, sim) = made().await;
        let proven = with_inputs(&project, &sim, proofs).await;
        assert_eq!(wrong(&proven), Vec::<String>::new());
        assert!(proven.values().all(|proofs| proofs.len() >= 3), "{proven:?}");
        assert!(
            plain(&report::verify(&proven)).ends_with(&format!("verify: {} hosts as they should be\n", proven.len()))
        );

        let host = project.desired.keys().find(|host| host.as_str().starts_with("data")).unwrap();
        let path = RemotePath::new("/etc/clickhouse-server/config.d/macros.xml").unwrap();
        sim.with_host(host, |host| {
            host.put_file(path.as_str(), "<clickhouse/>");
            host.server.as_mut().unwrap().readonly = 1;
        });
        let proven = with_inputs(&project, &sim, proofs).await;
        let wrong = wrong(&proven);
        assert!(wrong.contains(&format!("{host}: files: not as desired: {path}")), "{wrong:?}");
        assert!(wrong.iter().any(|wrong| wrong.contains("replicas") && wrong.contains("read-only")), "{wrong:?}");
        assert!(wrong.iter().all(|wrong| wrong.starts_with(host.as_str())), "{wrong:?}");
    });
}

#[test]
fn drift_is_what_somebody_changed_and_nothing_else() {
    block_on(async {
        let (project, sim) = made().await;
        let none = with_inputs(&project, &sim, drift).await;
        assert_eq!(none, FleetDrift { unchanged: project.hosts.len(), ..FleetDrift::default() });

        let host = project.desired.keys().find(|host| host.as_str().starts_with("data")).unwrap();
        let path = RemotePath::new("/etc/clickhouse-server/config.d/listen.xml").unwrap();
        sim.with_host(host, |host| host.put_file(path.as_str(), "<clickhouse><http_port>1</http_port></clickhouse>"));
        let found = with_inputs(&project, &sim, drift).await;
        assert_eq!(found.hosts.keys().collect::<Vec<_>>(), [host]);
        assert_eq!(found.hosts[host].files().collect::<Vec<_>>(), [&path]);
        assert_eq!(found.unchanged, project.hosts.len() - 1);
        let told = Drift {
            written: BTreeMap::from([(path, "2026-11-22 15:04:05 +0000".to_owned())]),
            ..found.hosts[host].clone()
        };
        let found = FleetDrift { hosts: BTreeMap::from([(host.clone(), told)]), ..found };
        let text = plain(&report::drift(&found, Diffs::Fold));
        assert!(text.contains("last written 2026-11-22 15:04:05 +0000\n") && text.contains("-<clickhouse>"), "{text}");
        assert!(text.ends_with(&format!("diff: 1 host differ, {} as written\n", found.unchanged)), "{text}");
    });
}

#[test]
fn a_command_runs_everywhere_and_its_exit_codes_are_collected() {
    block_on(async {
        let (project, sim) = made().await;
        let observed = project.observe(&sim, &Record::default()).await;
        let hosts: Vec<HostName> = project.hosts.iter().cloned().collect();
        let run = |argv: &'static [String], waves, between| {
            let open = &observed.open;
            async move { run_command(&CommandRun { argv, waves, open, at_once: 2, between }).await }
        };
        let words = |word: &str| -> &'static [String] { Box::leak(Box::new([word.to_owned()])) };
        let ran = run(words("true"), vec![hosts.clone()], Between::Nothing).await;
        assert!(ran.succeeded() && ran.answers.len() == hosts.len());
        let ran = run(words("false"), vec![hosts.clone()], Between::Nothing).await;
        assert!(!ran.succeeded() && ran.answers.len() == hosts.len() && ran.left.is_empty());
        let text = plain(&report::ran(&ran, &[]));
        assert!(
            text.contains("exit 1\n") && text.ends_with(&format!("run: exit 0 on 0 of {} hosts\n", hosts.len())),
            "{text}"
        );
        assert!(!run(words("true"), Vec::new(), Between::Nothing).await.succeeded(), "no host is no success");

        // Where servers go away, the first failure is the last.
        let one_by_one: Vec<_> = hosts.iter().map(|host| vec![host.clone()]).collect();
        let ran = run(words("false"), one_by_one.clone(), Between::Serving(Duration::from_secs(5))).await;
        assert_eq!((ran.answers.len(), ran.left.len()), (1, hosts.len() - 1));
        let host = hosts.iter().find(|host| host.as_str().starts_with("data")).unwrap();
        sim.with_host(host, |host| host.server.as_mut().unwrap().readonly = 1);
        let ran = run(
            words("true"),
            vec![vec![host.clone()], vec![name("keeper-1")]],
            Between::Serving(Duration::from_secs(5)),
        )
        .await;
        let why = ran.answers[host].as_ref().unwrap_err();
        assert!(why.contains("does not serve 5 s after the command") && ran.left.len() == 1, "{why}");
    });
}

#[test]
fn a_narrow_terminal_leaves_columns_out_and_never_the_state() {
    block_on(async {
        let (project, sim) = made().await;
        let observed = project.observe(&sim, &Record::default()).await;
        let table = |width| plain(&report::status(&project.fleet, &observed.observation, width));
        let titles =
            |width| table(width).lines().next().unwrap().split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert!(titles(None).len() > 7, "{}", table(None));
        assert_eq!(titles(Some(10)), ["host", "state"]);
        for width in [40, 60, 80, 100] {
            let widest = table(Some(width)).lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width, "{widest} > {width}:\n{}", table(Some(width)));
        }
    });
}
