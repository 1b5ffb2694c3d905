//! The verbs that look, prove and run, over the simulated fleet.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use housewright::apply::{CommandRun, Order, Ran, Run, adopt, run_command};
use housewright::clickhouse::Bounds;
use housewright::fleet::HostName;
use housewright::observe::{Asked, NoRows, ask_each, ask_health};
use housewright::plan::{
    Drift, FleetDrift, Inputs, Proof, SeenClusters, Wanted, adoption, cluster_proofs, drift, proofs,
};
use housewright::remote::{EntryKind, RemotePath, UnitName};
use housewright::render;
use housewright::render::load::templates;
use housewright::report::{self, Diffs};
use housewright::resource::Owed;
use housewright::sim::{SimFleet, SimHost};
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

/// The files are right, and the server has read them: what only a start takes is still as it was.
#[test]
fn what_a_server_runs_with_otherwise_than_its_files_say_is_drift() {
    block_on(async {
        let (mut project, sim) = made().await;
        let host = name("data-1-a");
        sim.with_host(&host, |host| {
            host.put_file(MINE, "<clickhouse><max_connections>7</max_connections></clickhouse>");
        });
        let told = |drift: FleetDrift| drift.hosts.get(&host).map(|drift| drift.server.clone()).unwrap_or_default();
        let owed = "it runs with `max_connections` 4096, its files say 7: a restart is owed";
        assert_eq!(told(with_inputs(&project, &sim, drift).await), [owed]);
        project.restart = Some(BTreeSet::new());
        project.apply(&sim).await;
        project.restart = None;
        assert_eq!(told(with_inputs(&project, &sim, drift).await), Vec::<String>::new());
    });
}

/// Each server's own word about its clusters, against its files, the other hosts and itself.
#[test]
fn clusters_are_proven_on_every_host() {
    block_on(async {
        let (project, sim) = made().await;
        let prove = || async {
            let observed = project.observe(&sim, &Record::default()).await;
            let mut seen = SeenClusters::default();
            for (host, open) in &observed.open {
                if let Some(clickhouse) = &open.clickhouse {
                    seen.add(host.clone(), ask_health(&**clickhouse).await.map_err(|error| error.to_string()));
                }
            }
            let proofs = cluster_proofs(&project.inputs(&observed), &seen);
            proofs.into_iter().map(|(host, proof)| (host, vec![proof])).collect::<BTreeMap<_, _>>()
        };
        let proven = prove().await;
        assert!(proven.len() >= 4, "{proven:?}");
        assert_eq!(wrong(&proven), Vec::<String>::new());
        let host = name("data-1-a");
        sim.with_host(&host, |host| {
            let members = &mut host.server.as_mut().unwrap().loaded.members;
            members.get_mut("posthog").unwrap().pop();
        });
        let said = wrong(&prove().await);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("data-1-a: clusters: cluster `posthog` lacks ")
                && said[0].ends_with(", which its files say")
        );
        sim.with_host(&host, |host| host.server.as_mut().unwrap().up = false);
        let proven = prove().await;
        assert!(wrong(&proven)[0].contains("they were not told"), "unknown is no proof: {proven:?}");
    });
}

/// A reload that a server has not done is seen by the generation that it tells.
#[test]
fn a_generation_that_a_server_has_not_read_is_named() {
    block_on(async {
        let (project, sim) = made().await;
        let host = name("data-1-a");
        let wanted = project.desired[&host].generation.clone().unwrap();
        let row = |observed: &housewright::observe::Observed| {
            let table = plain(&report::status(&project.fleet, &project.desired, &observed.observation, None));
            table.lines().find(|line| line.starts_with("data-1-a")).unwrap().to_owned()
        };
        let observed = project.observe(&sim, &Record::default()).await;
        assert!(row(&observed).contains("  =  "), "{}", row(&observed));
        let set = |generation: &str| {
            sim.with_host(&host, |host| {
                let macros = &mut host.server.as_mut().unwrap().loaded.macros;
                macros.insert("generation".to_owned(), generation.to_owned());
                let unit = UnitName::new("clickhouse-server").unwrap();
                host.put_file(Owed::Restart(unit).marker().unwrap().as_str(), "");
            })
        };
        set("g0123456789ab");
        let observed = project.observe(&sim, &Record::default()).await;
        let line = row(&observed);
        assert!(line.contains(&format!("g0123456789ab -> {wanted}")), "{line}");
        assert!(line.ends_with("serving, owes restart of clickhouse-server"), "{line}");
        let data = report::status_data(&project.desired, &observed.observation);
        assert_eq!(data["hosts"]["data-1-a"]["clickhouse"]["generation"], "g0123456789ab");
        assert_eq!(data["hosts"]["data-1-a"]["wanted_generation"], wanted.as_str());
        assert_eq!(data["hosts"]["data-1-a"]["owed"][0], "restart of clickhouse-server");
        let wrong = wrong(&proofs(&project.inputs(&observed)));
        let generation = format!("data-1-a: generation: the server has read g0123456789ab, not {wanted}");
        assert!(wrong.contains(&generation), "{wrong:?}");
    });
}

#[test]
fn a_command_runs_everywhere_and_its_exit_codes_are_collected() {
    block_on(async {
        let (project, sim) = made().await;
        let observed = project.observe(&sim, &Record::default()).await;
        let hosts: Vec<HostName> = project.hosts.iter().cloned().collect();
        let words = |word: &str| -> &'static [String] { Box::leak(Box::new([word.to_owned()])) };
        let together = |argv: &'static [String], hosts: BTreeSet<HostName>| {
            let open = &observed.open;
            async move { run_command(&CommandRun { argv, order: Order::Together(&hosts), open, at_once: 2 }).await }
        };
        let ran = together(words("true"), project.hosts.clone()).await;
        assert!(ran.succeeded() && ran.answers.len() == hosts.len());
        let ran = together(words("false"), project.hosts.clone()).await;
        assert!(!ran.succeeded() && ran.answers.len() == hosts.len() && ran.left.is_empty());
        let text = plain(&report::ran(&ran, &[]));
        assert!(
            text.contains("exit 1\n") && text.ends_with(&format!("run: exit 0 on 0 of {} hosts\n", hosts.len())),
            "{text}"
        );
        assert!(!together(words("true"), BTreeSet::new()).await.succeeded(), "no host is no success");
    });
}

/// As a restart: in its waves, with its locks, and nothing is begun whose peers do not serve.
#[test]
fn a_disruptive_command_asks_what_a_restart_asks() {
    block_on(async {
        let (mut project, sim) = made().await;
        project.restart = Some(BTreeSet::new());
        let project = &project;
        let run = |word: &'static str, before: Box<dyn Fn()>| {
            let sim = &sim;
            async move {
                let observed = project.observe(sim, &Record::default()).await;
                let restart = project.plan(&observed);
                before();
                let (stop, sink) = (AtomicBool::new(false), Record::default());
                let run = Run {
                    desired: &project.desired,
                    found: &observed.observation,
                    here: &*project.here,
                    open: &observed.open,
                    at_once: 2,
                    gate_timeout: Duration::from_secs(5),
                    stop: &stop,
                    sink: &sink,
                };
                let (argv, order) = ([word.to_owned()], Order::AsRestarted(&restart, &run));
                let ran = run_command(&CommandRun { argv: &argv, order, open: &observed.open, at_once: 2 }).await;
                for open in observed.open.values() {
                    open.session.close().await;
                }
                (ran, restart.changed_hosts().into_iter().cloned().collect::<BTreeSet<_>>())
            }
        };
        // The only coordination server is held back.
        let (ran, hosts) = run("true", Box::new(|| {})).await;
        assert!(ran.succeeded() && ran.answers.keys().eq(&hosts) && hosts.len() == 5, "{ran:?}");
        // Where servers go away, the first failure is the last.
        let (ran, _) = run("false", Box::new(|| {})).await;
        assert_eq!((ran.answers.len(), ran.left.len()), (1, hosts.len() - 1));
        let first = ran.answers.keys().next().unwrap().clone();
        let stopped = |ran: &Ran| ran.stopped.clone().unwrap_or_default();
        assert_eq!(stopped(&ran), format!("the command failed on `{first}`"));
        // Its peer stopped serving after it was asked.
        let (peers, data) = (sim.clone(), name("data-1-b"));
        let readonly = |host: &HostName, sim: &SimFleet, tables| {
            sim.with_host(host, |host| host.server.as_mut().unwrap().readonly = tables);
        };
        let (ran, _) = run("true", Box::new(move || readonly(&data, &peers, 1))).await;
        assert!(stopped(&ran).contains("`data-1-b`: 1 of"), "{ran:?}");
        assert!(
            ran.answers.values().all(|answer| answer.as_ref().is_ok() || answer.as_ref().unwrap_err().contains("gate"))
        );
        readonly(&name("data-1-b"), &sim, 0);
        // It is another than it was when it was asked.
        let (edits, data) = (sim.clone(), first.clone());
        let edit = move || {
            edits.with_host(&data, |host| host.put_file(MACROS, "<clickhouse/>"));
        };
        let (ran, _) = run("true", Box::new(edit)).await;
        assert!(stopped(&ran).contains("it has moved"), "{ran:?}");
        assert_eq!(ran.answers.len(), 1);
    });
}

#[test]
fn a_narrow_terminal_leaves_columns_out_and_never_the_state() {
    block_on(async {
        let (project, sim) = made().await;
        let observed = project.observe(&sim, &Record::default()).await;
        let table = |width| plain(&report::status(&project.fleet, &project.desired, &observed.observation, width));
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

/// Asks, takes over what the words mean, and tells it.
async fn take_over(project: &Project, sim: &SimFleet, words: &[&str]) -> Result<String, String> {
    let words: Vec<Wanted> = words.iter().map(|word| word.parse().unwrap()).collect();
    let observed = project.observe(sim, &Record::default()).await;
    let found = adoption(&project.inputs(&observed), &words);
    let found = found.map_err(|nothing| nothing.iter().map(|why| format!("{why}\n")).collect::<String>())?;
    let results = adopt(&found.hosts, &observed.open, 2).await;
    let text = report::adoption(&found) + &report::adopted(&found, &results);
    for open in observed.open.values() {
        open.session.close().await;
    }
    Ok(plain(&text))
}

const MINE: &str = "/etc/clickhouse-server/config.d/mine.xml";
const MACROS: &str = "/etc/clickhouse-server/config.d/macros.xml";

/// Files of everybody on all hosts, the manifests aside.
fn files(sim: &SimFleet) -> Vec<(HostName, RemotePath, Option<String>)> {
    let hosts = sim.with(|world| world.hosts.clone());
    let manifest = RemotePath::new("/var/lib/housewright/manifest").unwrap();
    let of = |(name, host): (&HostName, &SimHost)| {
        let paths = host.entries.keys().filter(|path| **path != manifest);
        paths.map(|path| (name.clone(), path.clone(), host.text(path))).collect::<Vec<_>>()
    };
    hosts.iter().flat_map(of).collect()
}

#[test]
fn a_file_of_somebody_else_is_taken_over_and_the_next_run_does_the_rest() {
    block_on(async {
        let (project, sim) = made().await;
        let (one, two) = (name("data-1-a"), name("data-1-b"));
        let wish = "<clickhouse><max_concurrent_queries>7</max_concurrent_queries></clickhouse>\n";
        for host in [&one, &two] {
            sim.with_host(host, |host| host.put_file(MINE, wish));
        }
        let manifest = RemotePath::new("/var/lib/housewright/manifest").unwrap();
        sim.with_host(&two, |host| {
            // Somebody else's file where ours goes, as before a first run.
            host.entries.remove(&manifest);
            host.put_file(MACROS, "<clickhouse><macros><shard>9</shard></macros></clickhouse>\n");
        });
        let plan = project.plan_now(&sim).await;
        let held = plain(&report::plan(&plan, Diffs::Fold));
        assert!(held.contains(&format!("housewright adopt --limit data-1-b {MACROS}")), "{held}");
        let proven = with_inputs(&project, &sim, proofs).await;
        let seen: Vec<_> = proven[&one].iter().map(|proof| (proof.holds, proof.seen.clone())).collect();
        assert!(seen.iter().any(|(holds, seen)| *holds && seen.ends_with(&format!("(not ours: {MINE})"))), "{seen:?}");
        let told = with_inputs(&project, &sim, drift).await;
        assert!(!told.hosts.contains_key(&one), "{told:?}");
        assert!(plain(&report::drift(&told, Diffs::Fold)).contains(&format!("? {MINE}  on data-1-a, data-1-b")));

        let before = files(&sim);
        let text = take_over(&project, &sim, &["/etc/*/config.d/m*.xml"]).await.unwrap();
        assert_eq!(
            text,
            format!(
                "to be Housewright's own\n  \
                 ~ {MACROS}  on data-1-b\n      the next plan writes the role's file in its place\n  \
                 - {MINE}  on data-1-a, data-1-b\n      no role renders it: the next plan REMOVES it\n      \
                 by itself this changes no file: only the hosts' lists of what is Housewright's own\n\n\
                 adopt: 2 files taken over on 2 hosts, `housewright plan` shows what follows\n"
            )
        );
        assert_eq!(files(&sim), before, "adopting changes no file");

        let plan = project.plan_now(&sim).await;
        assert!(plan.holds.is_empty() && plan.foreign.is_empty(), "{}", plain(&report::plan(&plan, Diffs::Each)));
        let shown = plain(&report::plan(&plan, Diffs::Each));
        assert!(shown.contains(&format!("- {MINE}\n")) && shown.contains("<shard>9</shard>"), "{shown}");
        assert!(!shown.contains(">7<") && !shown.contains("= 7"), "nobody knows whether it was a secret: {shown}");
        let (_, outcome) = project.apply(&sim).await;
        assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        assert!(project.plan_now(&sim).await.is_empty());
        let left = files(&sim);
        assert!(left.iter().all(|(_, path, _)| path.as_str() != MINE));
        let macros = left.iter().find(|(host, path, _)| *host == two && path.as_str() == MACROS).unwrap();
        assert!(macros.2.as_ref().unwrap().contains("<shard>1</shard>"), "{macros:?}");
    });
}

#[test]
fn what_is_not_of_somebody_else_is_not_taken_over() {
    block_on(async {
        let (project, sim) = made().await;
        let host = name("data-1-a");
        sim.with_host(&host, |host| {
            host.put_file("/etc/clickhouse-server/config.xml", "<clickhouse/>");
            host.put_file("/etc/clickhouse-server/config.d/mine.xml.bak", "<clickhouse/>");
        });
        let nothing = take_over(
            &project,
            &sim,
            &[MACROS, MINE, "/etc/clickhouse-server/config.xml", "/etc/clickhouse-server/config.d/*.bak", "/etc/x*"],
        );
        assert_eq!(
            nothing.await.unwrap_err(),
            format!(
                "`{MACROS}`: on `data-1-a` it is Housewright's own already\n\
                 `{MINE}`: no host has such a file of somebody else\n\
                 `/etc/clickhouse-server/config.xml`: on `data-1-a` it is in no directory whose files are merged; \
                 where a role renders it, `apply` takes its place\n\
                 `/etc/clickhouse-server/config.d/*.bak`: no host has such a file of somebody else\n\
                 `/etc/x*`: no host has such a file of somebody else\n"
            )
        );
        // A link, a host that another run works on, and a host that changes meanwhile.
        for host in ["data-1-a", "data-1-b", "data-2-a", "data-2-b"] {
            sim.with_host(&name(host), |host| host.put_file(MINE, "<clickhouse/>"));
        }
        sim.with_host(&host, |host| {
            host.entries.get_mut(&RemotePath::new(MINE).unwrap()).unwrap().kind = EntryKind::Other;
        });
        let busy = project.observe(&sim, &Record::default()).await;
        let lock = busy.open[&name("data-1-b")].session.lock().await.unwrap();
        let observed = project.observe(&sim, &Record::default()).await;
        let found = adoption(&project.inputs(&observed), &[MINE.parse().unwrap()]).unwrap();
        sim.with_host(&name("data-2-a"), |host| host.put_file(MINE, "<clickhouse><a/></clickhouse>"));
        let before = sim.with(|world| world.hosts.clone());
        let results = adopt(&found.hosts, &observed.open, 2).await;
        assert_eq!(
            found.refused.iter().map(|(host, _, why)| format!("{host}: {why}")).collect::<Vec<_>>(),
            ["data-1-a: it is no regular file"]
        );
        let why = |host: &str| results[&name(host)].as_ref().unwrap_err().clone();
        assert!(why("data-1-b").0.contains("another run works on the host"), "{:?}", why("data-1-b"));
        assert!(why("data-2-a").0.contains("changed since it was read"), "{:?}", why("data-2-a"));
        assert_eq!(results[&name("data-2-b")], Ok(()));
        let told = plain(&report::adopted(&found, &results));
        assert!(
            told.ends_with(
                "adopt: 1 file taken over on 1 host, 2 failed, 1 held back, `housewright plan` shows what follows\n"
            ),
            "{told}"
        );
        let after = sim.with(|world| world.hosts.clone());
        for host in ["data-1-a", "data-1-b", "data-2-a"] {
            assert_eq!(before[&name(host)].entries, after[&name(host)].entries, "{host}");
        }
        drop(lock);
    });
}

#[test]
fn a_lost_answer_takes_over_once_and_what_somebody_edited_is_ours_again() {
    block_on(async {
        let (project, sim) = made().await;
        let host = name("data-1-a");
        for lost_after in 0..2 {
            sim.with_host(&host, |host| {
                host.put_file(&MINE.replace("mine", &format!("mine{lost_after}")), "<clickhouse/>");
                host.lost_after = Some(lost_after);
            });
            let text = take_over(&project, &sim, &["/etc/clickhouse-server/*"]).await.unwrap();
            assert!(text.contains("adopt: 1 file taken over on 1 host"), "{text}");
        }
        // Edited after it was taken over: held, until it is taken over as it is now.
        let edited = MINE.replace("mine", "mine0");
        sim.with_host(&host, |host| host.put_file(&edited, "<clickhouse><b/></clickhouse>"));
        let plan = project.plan_now(&sim).await;
        let hint = format!("`housewright adopt --limit data-1-a {edited}` lets the next plan remove it as it is now");
        assert!(plain(&report::plan(&plan, Diffs::Fold)).contains(&hint), "{plan:?}");
        take_over(&project, &sim, &[&edited]).await.unwrap();
        let (plan, outcome) = project.apply(&sim).await;
        assert!(plan.holds.is_empty() && outcome.failed.is_empty(), "{plan:?} {outcome:?}");
        assert!(files(&sim).iter().all(|(_, path, _)| !path.as_str().contains("mine")));
        assert!(project.plan_now(&sim).await.is_empty());
    });
}

/// A question goes to each server, or to one that stands in for the others: the next one where the first has no answer.
#[test]
fn a_question_is_answered_by_each_server_or_by_one_of_its_shard() {
    block_on(async {
        let (project, sim) = made().await;
        let question = housewright::schema::statement();
        let bounds = Bounds { rows: 2, bytes: 1 << 20, time: Duration::from_secs(5) };
        let asked = |host: &str| {
            let host = &project.fleet.hosts[&name(host)];
            Asked { host, endpoint: project.endpoints[&host.name].clone() }
        };
        let (first, second) = ("data-1-a", "data-1-b");
        sim.with_host(&name(first), |host| host.server.as_mut().unwrap().up = false);
        let groups = [vec![asked(first)], vec![asked(second)], vec![asked(first), asked(second)]];
        let said = ask_each(&sim, &groups, &question, &bounds, 2, &Record::default()).await;
        let [down, up, shard] = said.as_slice() else { panic!("{said:?}") };
        assert!(matches!(&down[0].1, Err(NoRows::Unreachable(why)) if why.contains("refused")), "{down:?}");
        // One row more than is taken: there are more.
        assert!(up[0].1.as_ref().is_ok_and(|rows| rows.len() == 3), "{up:?}");
        assert_eq!(
            shard.iter().map(|(host, answer)| (host.as_str(), answer.is_ok())).collect::<Vec<_>>(),
            [(first, false), (second, true)]
        );
        sim.with_host(&name(second), |host| host.server.as_mut().unwrap().refuses = Some("SELECT".to_owned()));
        let said = ask_each(&sim, &[vec![asked(second)]], &question, &bounds, 2, &Record::default()).await;
        assert!(matches!(&said[0][0].1, Err(NoRows::Refused(why)) if why.contains("ACCESS_DENIED")), "{said:?}");
    });
}

/// The picture in the documentation is what the program draws of the lab.
#[test]
fn the_documented_picture_is_the_labs() {
    const PICTURE: &str = "docs/pictures/schema.svg";
    let load = Project::load(
        Path::new("inventories/lab"),
        Path::new("roles"),
        templates(Path::new("templates")),
        str::to_owned,
    );
    let project = load.unwrap_or_else(|problems| panic!("{problems:?}"));
    let drawn = report::svg(&housewright::schema::graph(&project.fleet, &project.objects));
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        std::fs::write(PICTURE, &drawn).unwrap();
    }
    let documented = std::fs::read_to_string(PICTURE).unwrap_or_default();
    assert!(documented == drawn, "{PICTURE} is stale: HOUSEWRIGHT_BLESS=1 writes it anew");
}

/// Rows that Kafka was told are stored must not wait on a host that may be thrown away.
#[test]
fn a_stateless_host_that_only_spools_is_told() {
    block_on(async {
        let (mut project, _) = made().await;
        let found = |project: &Project| {
            let notes = render::asynchronous(&project.fleet, &project.objects, &project.desired);
            notes.iter().map(|note| format!("{} {note}", note.code)).collect::<Vec<_>>()
        };
        assert_eq!(found(&project), Vec::<String>::new());
        let path = RemotePath::new("/etc/clickhouse-server/users.d/stateless.xml").unwrap();
        let mut hosts = project.desired.iter_mut();
        let (host, desired) = hosts.find(|(_, desired)| desired.files.contains_key(&path)).unwrap();
        let host = host.clone();
        desired.files.remove(&path);
        let [note] = <[String; 1]>::try_from(found(&project)).unwrap();
        assert!(note.starts_with("HW0426 roles/ingestion-") && note.contains(&format!("1 hosts, `{host}`")), "{note}");
    });
}
