//! Saved plans over the simulated world: what moved between the plan and the run is refused, host by host.

mod world;

use std::collections::BTreeMap;
use std::path::Path;

use housewright::plan::{Compared, Fingerprints, Plan, SavedPlan, SavedPlanError};
use housewright::remote::{EntryKind, RemotePath};
use housewright::render::load::templates;
use housewright::report::{Diffs, plan as show};
use housewright::secret::keyed::DigestKey;
use housewright::sim::SimFleet;
use world::{Project, Record, block_on, name, plain};

const HOSTS: &str = "\
all:
  children:
    data:
      hosts:
        data-1-a: { shard: 1, replica: a }
        data-1-b: { shard: 1, replica: b }
        data-2-a: { shard: 2, replica: a }
        data-2-b: { shard: 2, replica: b }
      vars: { hostClusterRole: data }
";
const VARS: &str = "\
clickhouse_clusters:
  posthog: { hosts: data, layout: sharded, secret: \"env:CLUSTER_SECRET\" }
";

fn project(vars: &str, secret: &str) -> Project {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(directory.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(directory.path().join(name), text).unwrap();
    };
    write("hosts.yml", HOSTS);
    write("group_vars/all.yml", &format!("{VARS}{vars}"));
    let secret = secret.to_owned();
    let loaded =
        Project::load(directory.path(), Path::new("roles"), templates(Path::new("templates")), |_| secret.clone());
    loaded.unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A running fleet, and a setting that is new.
fn fleet() -> (SimFleet, Project) {
    let then = project("", "first-value");
    let sim = then.bare_world();
    block_on(then.apply(&sim));
    (sim, project(NEW, "first-value"))
}

const NEW: &str = "clickhouse_settings: { max_concurrent_queries: 77 }\n";
const KEY: [u8; 32] = [7; 32];

fn look(project: &Project, sim: &SimFleet, key: &DigestKey) -> (Plan, Fingerprints) {
    let observed = block_on(project.observe(sim, &Record::default()));
    let plan = project.plan(&observed);
    let from = Fingerprints::of(&plan, &project.inputs(&observed), BTreeMap::new(), key);
    (plan, from)
}

fn saved(project: &Project, sim: &SimFleet) -> SavedPlan {
    let (plan, from) = look(project, sim, &DigestKey::new(KEY));
    assert!(!plan.is_empty());
    SavedPlan::read(&SavedPlan::new(&plan).at(0, 60).from(from).to_text()).unwrap()
}

fn against(saved: &SavedPlan, project: &Project, sim: &SimFleet) -> Result<(Plan, Compared), SavedPlanError> {
    let (plan, from) = look(project, sim, &DigestKey::new(KEY));
    saved.against(plan, Some(&from))
}

fn edit(sim: &SimFleet, host: &str, path: &str, change: impl Fn(String) -> String) {
    let path = RemotePath::new(path).unwrap();
    sim.with_host(&name(host), |host| {
        let text = change(host.text(&path).unwrap());
        host.entries.get_mut(&path).unwrap().kind = EntryKind::File(text.into());
    });
}

const MACROS: &str = "/etc/clickhouse-server/config.d/macros.xml";

#[test]
fn nothing_has_moved_and_everything_is_run() {
    let (sim, project) = fleet();
    let saved = saved(&project, &sim);
    let (plan, compared) = against(&saved, &project, &sim).unwrap();
    assert_eq!((plan, compared), (block_on(project.plan_now(&sim)), Compared::All));
}

#[test]
fn a_saved_plan_is_refused_when_a_host_moved_and_the_others_go_on() {
    let (sim, project) = fleet();
    let saved = saved(&project, &sim);
    edit(&sim, "data-2-a", MACROS, |text| text + "<!-- by hand -->\n");
    let (plan, _) = against(&saved, &project, &sim).unwrap();
    let hosts: Vec<String> = plan.changed_hosts().iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["data-1-a", "data-1-b", "data-2-b"]);
    let hold =
        plan.holds.iter().map(|hold| format!("{}: {}: {}", hold.host, hold.what, hold.reason)).collect::<String>();
    assert_eq!(
        hold,
        "data-2-a: do what the saved plan says: it has moved since the plan was saved: \
         file `/etc/clickhouse-server/config.d/macros.xml` differs in another way now"
    );
}

#[test]
fn a_saved_plan_is_refused_when_the_canary_moved() {
    let (sim, project) = fleet();
    let saved = saved(&project, &sim);
    edit(&sim, "data-1-a", MACROS, |text| text + "<!-- by hand -->\n");
    let error = against(&saved, &project, &sim).unwrap_err().to_string();
    assert_eq!(
        error,
        "`data-1-a` would go first, so that what breaks, breaks there; 1 host has moved since it was saved\n  \
         data-1-a: file `/etc/clickhouse-server/config.d/macros.xml` differs in another way now"
    );
}

#[test]
fn a_saved_plan_is_refused_when_a_secret_changed() {
    let then = project("", "old-value");
    let sim = then.bare_world();
    block_on(then.apply(&sim));
    let [first, second] = ["first-value", "second-value"].map(|value| project("", value));
    let saved = saved(&first, &sim);
    assert_eq!(
        show(saved.plan(), Diffs::Each),
        show(&look(&second, &sim, &DigestKey::new(KEY)).0, Diffs::Each),
        "what is shown is the same"
    );
    let error = against(&saved, &second, &sim).unwrap_err().to_string();
    assert!(error.contains("4 hosts have moved since it was saved"), "{error}");
    assert!(error.contains("data-1-a: a secret has another value now: `env:CLUSTER_SECRET`"), "{error}");
    assert!(!error.contains("-value") && !saved.to_text().contains("-value"), "{error}");
}

#[test]
fn a_saved_plan_is_refused_when_what_the_plan_does_not_show_moved() {
    let then = project("", "old-value");
    let sim = then.bare_world();
    block_on(then.apply(&sim));
    let project = project("", "new-value");
    let saved = saved(&project, &sim);
    for host in ["data-1-a", "data-1-b", "data-2-a", "data-2-b"] {
        let servers = "/etc/clickhouse-server/config.d/remote_servers.xml";
        edit(&sim, host, servers, |text| text.replace("old-value", "other-value"));
    }
    let error = against(&saved, &project, &sim).unwrap_err().to_string();
    assert!(error.contains("data-2-b: files on it have changed where the plan does not show it"), "{error}");
}

#[test]
fn another_key_compares_what_is_shown_and_says_so() {
    let (sim, project) = fleet();
    let saved = saved(&project, &sim);
    for key in [Some(DigestKey::new([8; 32])), None] {
        let (plan, from) = look(&project, &sim, &DigestKey::new([8; 32]));
        let compared = saved.against(plan.clone(), key.is_some().then_some(&from));
        assert_eq!(compared, Ok((plan, Compared::WhatIsShown)));
    }
    edit(&sim, "data-2-a", MACROS, |text| text + "<!-- by hand -->\n");
    let (plan, _) = look(&project, &sim, &DigestKey::new(KEY));
    assert_eq!(saved.against(plan, None).unwrap().0.holds.len(), 1);
}

#[test]
fn a_saved_plan_is_refused_when_the_inventory_changed() {
    let (sim, project) = fleet();
    let saved = saved(&project, &sim);
    let other = self::project("clickhouse_settings: { max_concurrent_queries: 78 }\n", "first-value");
    let error = against(&saved, &other, &sim).unwrap_err().to_string();
    assert!(error.starts_with("4 hosts have moved since it was saved\n  data-1-a: file `"), "{error}");
}

#[test]
fn what_was_done_is_not_done_again() {
    let (sim, project) = fleet();
    let saved = saved(&project, &sim);
    block_on(project.apply(&sim));
    let error = against(&saved, &project, &sim).unwrap_err().to_string();
    assert!(error.contains("4 hosts have moved"), "{error}");
}

#[test]
fn a_host_that_the_plan_left_alone_is_left_alone() {
    let (sim, project) = fleet();
    sim.with_host(&name("data-2-b"), |host| {
        host.refuses = Some(housewright::transport::ConnectError::Unreachable {
            address: "data-2-b".to_owned(),
            port: 22,
            reason: "connection timed out".to_owned(),
        });
    });
    let saved = saved(&project, &sim);
    sim.with_host(&name("data-2-b"), |host| host.refuses = None);
    let (plan, _) = against(&saved, &project, &sim).unwrap();
    assert!(!plan.changed_hosts().contains(&name("data-2-b")), "{}", plain(&show(&plan, Diffs::None)));
    assert!(
        plan.holds.iter().any(|hold| hold.host == name("data-2-b") && hold.reason.contains("it did not answer then"))
    );
}

#[test]
fn a_plan_from_a_file_cannot_be_run() {
    let (sim, project) = fleet();
    let saved = saved(&project, &sim);
    let (record, stop) = (Record::default(), std::sync::atomic::AtomicBool::new(false));
    block_on(async {
        let observed = project.observe(&sim, &record).await;
        let how = world::How { at_once: 4, stop: &stop, sink: &record };
        let outcome = project.run(saved.plan().clone(), &observed, how).await;
        assert!(outcome.finished.is_empty() && !outcome.failed.is_empty(), "{outcome:?}");
        assert!(outcome.failed.values().all(|failure| !failure.changed), "{outcome:?}");
    });
    assert_eq!(block_on(project.plan_now(&sim)).changed_hosts().len(), 4, "nothing was done");
}

fn schema(name: &str) -> jsonschema::Validator {
    let text = std::fs::read_to_string(format!("schema/{name}.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// What a machine reads of a plan and of its run is as the schemas say, and something else is not.
#[test]
fn plans_and_events_are_as_their_schemas_say() {
    let (sim, project) = fleet();
    let (plans, events) = (schema("plan"), schema("events"));
    let fits = |validator: &jsonschema::Validator, value: &serde_json::Value| {
        let wrong: Vec<_> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    };
    let saved: serde_json::Value = serde_json::from_str(&saved(&project, &sim).to_text()).unwrap();
    fits(&plans, &saved);
    for (name, wrong) in
        [("version", serde_json::json!(1)), ("no_op", serde_json::json!("no")), ("plan", serde_json::json!({}))]
    {
        let mut other = saved.clone();
        other[name] = wrong;
        assert!(!plans.is_valid(&other), "{name}");
    }
    let mut other = saved.clone();
    other["plan"]["waves"][0]["hosts"][0]["changes"][0]["of"]["kind"] = serde_json::json!("turned");
    assert!(!plans.is_valid(&other));

    // A host that cannot be reached, one whose files cannot be written, and all the others.
    sim.with_host(&name("data-2-b"), |host| host.disk = housewright::sim::Disk::Full);
    let sink = Record::default();
    let observed = block_on(project.observe(&sim, &sink));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let how = world::How { at_once: 4, stop: &stop, sink: &sink };
    block_on(project.run(project.plan(&observed), &observed, how));
    let told = sink.take();
    assert!(told.len() > 20, "{told:?}");
    let mut seen = std::collections::BTreeSet::new();
    for event in &told {
        let line: serde_json::Value = serde_json::from_str(&housewright::report::event_line(event)).unwrap();
        fits(&events, &line);
        let kind = line["event"].as_str().unwrap().to_owned();
        let required = line.as_object().unwrap().keys().filter(|key| *key != "event" && *key != "hint").cloned();
        for key in required.collect::<Vec<_>>() {
            let mut less = line.clone();
            less.as_object_mut().unwrap().remove(&key);
            assert!(!events.is_valid(&less), "{kind} without {key}");
        }
        seen.insert(kind);
    }
    for kind in ["observe-started", "wave-started", "step-finished", "host-failed", "host-finished", "wave-finished"] {
        assert!(seen.contains(kind), "{kind}: {seen:?}");
    }
}
