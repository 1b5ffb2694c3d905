//! The program dies at fifty moments of its way, under four operators at once; whatever it left is found and brought to its
//! end, after every third death by `apply --resume`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::desk::{Desk, Run};
use crate::fleet::{Fleet, SERVERS, each, eventually};
use crate::roll::{pool_is_in_force, set_pool};
use crate::traffic::{Traffic, nothing_is_detached};

/// Each has a part of the fleet, and a role whose schema grows.
const OPERATORS: [(&str, &[&str], &str); 4] = [
    ("shard-1", &["data-1-1", "data-1-2"], "data"),
    ("shard-2", &["data-2-1", "data-2-2"], "data"),
    ("groups-and-persons", &["ingestion-small-1", "ingestion-medium-1"], "ingestion-small"),
    ("events", &["ingestion-events-1"], "ingestion-events"),
];
const DEATHS: usize = 50;
/// So many deaths stand between a change and the run that comes to its end.
const IN_A_ROW: usize = 3;

#[test]
fn fifty_deaths_of_the_program_leave_nothing_behind() {
    let fleet = Fleet::provisioned().patient();
    let traffic = Traffic::start(&fleet);
    let seed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    println!("the seed is {seed}");
    let names = OPERATORS.map(|(name, _, _)| name);
    let left = AtomicUsize::new(DEATHS);
    let deaths: Vec<Death> = each(&names, |name| Operator::new(&fleet, name, seed).works(&left)).concat();
    table(&deaths);

    set_pool(&fleet, 9999);
    fleet.set_macro("end");
    // The host that nobody had; the others are as they all left them, but for objects that are in no role here.
    let end = fleet.apply(&[]);
    end.exits(0).says(["wave 1 of 2: stateless: restart  on shufflehog-1", "wave 2 of 2: schema: drop storage"]);
    end.says(["recap: 7 hosts done, 2 as desired before"]);
    fleet.plan(&[]).exits(0).says(["nothing to do"]);
    pool_is_in_force(&fleet, 9999);
    each(&SERVERS, |host| fleet.nothing_is_half_written(host));
    nothing_is_detached(&fleet, &SERVERS);
    let (reads, seen) = traffic.end(&fleet);
    reads.none_failed();
    assert!(seen.both.is_empty(), "both replicas of a shard were away: {:?}", seen.both);

    assert_eq!(deaths.len(), DEATHS);
    let met: BTreeSet<_> = deaths.iter().flat_map(|death| &death.amid).map(String::as_str).collect();
    for kind in ["asking the hosts", "write and restart", "gate"] {
        assert!(met.contains(kind), "nobody died amid: {kind}; only {met:?}");
    }
}

/// The program was killed: when, of a run that takes so long, and amid what.
#[derive(Debug, Clone)]
struct Death {
    who: &'static str,
    at: Duration,
    of: Duration,
    amid: BTreeSet<String>,
    steps: String,
}

fn table(deaths: &[Death]) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for death in deaths {
        let Death { who, at, of, steps, .. } = death;
        println!("{who:20} {:5.2} s of {:5.2} s  {steps}", at.as_secs_f32(), of.as_secs_f32());
        for kind in &death.amid {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    println!("{} deaths, amid: {kinds:?}", deaths.len());
}

/// What a change costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    Restart,
    Reload,
}

struct Operator<'a> {
    fleet: &'a Fleet,
    desk: Desk,
    who: &'static str,
    hosts: &'static [&'static str],
    role: &'static str,
    journal: String,
    changes: u32,
    /// The share of the way after which the next run dies.
    share: f64,
    /// How long a run takes that nobody disturbs.
    whole: BTreeMap<Cost, Duration>,
}

impl<'a> Operator<'a> {
    fn new(fleet: &'a Fleet, name: &str, seed: u32) -> Self {
        let (place, (who, hosts, role)) =
            OPERATORS.into_iter().enumerate().find(|(_, (who, _, _))| *who == name).expect("an operator");
        let desk = fleet.operator(who);
        let journal = desk.path("journal").display().to_string();
        let share = f64::from((seed >> (8 * place)) as u8) / 256.0;
        Self { fleet, desk, who, hosts, role, journal, changes: 0, share, whole: BTreeMap::new() }
    }

    /// Takes a death after the other while some are left; a consumer group moves slowly, and its operator gets fewer.
    fn works(mut self, left: &AtomicUsize) -> Vec<Death> {
        for cost in [Cost::Restart, Cost::Reload] {
            self.change(cost);
            let began = Instant::now();
            self.apply().exits(0);
            self.whole.insert(cost, began.elapsed());
        }
        let mut deaths = Vec::new();
        let takes_one = |left: usize| left.checked_sub(1);
        while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, takes_one).is_ok() {
            let number = deaths.len();
            let cost = [Cost::Restart, Cost::Reload][number / IN_A_ROW % 2];
            if number % IN_A_ROW == 0 {
                self.change(cost);
            }
            // Steps of the golden ratio lie evenly in the whole way, however many they become.
            self.share = (self.share + 0.618_034).fract();
            deaths.push(self.dies(cost));
            self.nothing_is_half_written();
            if deaths.len() % IN_A_ROW == 0 {
                self.resumes(&deaths[deaths.len() - IN_A_ROW..]);
            }
        }
        self.change(Cost::Restart);
        set_pool(&self.desk, 9999);
        self.desk.set_macro("end");
        self.converges();
        deaths
    }

    /// Something to write that costs that, and an object to create.
    fn change(&mut self, cost: Cost) {
        self.changes += 1;
        let Self { desk, changes, role, .. } = self;
        if cost == Cost::Restart {
            set_pool(desk, 9100 + *changes);
        }
        desk.set_macro(&format!("change{changes}"));
        let table = format!("death_{}_{changes}", self.who.replace('-', "_"));
        let statement = format!("CREATE TABLE IF NOT EXISTS {table} (a UInt8) ENGINE = Null;\n");
        desk.append(&format!("roles/{role}/schema/{table}.sql"), &statement);
    }

    fn options(&self) -> [String; 4] {
        ["--limit".to_owned(), self.hosts.join(":"), "--journal".to_owned(), self.journal.clone()]
    }

    fn apply(&self) -> Run {
        self.desk.apply(&self.options().each_ref().map(String::as_str))
    }

    /// Starts runs until one is killed at its moment; one that was faster has something new to do.
    fn dies(&mut self, cost: Cost) -> Death {
        let mut fresh = false;
        loop {
            let options = self.options();
            let options = options.each_ref().map(String::as_str);
            let (began, of) = (Instant::now(), self.whole[&cost]);
            let at = of.mul_f64(self.share);
            let mut run = self.desk.start_apply(&[&options[..], &["-o", "json"]].concat());
            if !run.ends_before(began + at) {
                run.signal("KILL");
            }
            let run = run.end();
            match run.code {
                None => {
                    let (amid, steps) = amid(&run.out);
                    return Death { who: self.who, at, of, amid, steps };
                }
                Some(0) => {
                    if fresh {
                        self.whole.insert(cost, began.elapsed());
                    }
                    fresh = true;
                    self.change(cost);
                }
                // A host that is still on its way of the run before is refused, and left alone.
                Some(3 | 4) => println!("{}: not yet: {}", self.who, run.text()),
                Some(_) => panic!("{}", run.text()),
            }
        }
    }

    /// No file is ever cut; what was being unpacked when the program died is gone when the host has come to its end with it.
    fn nothing_is_half_written(&self) {
        eventually(
            "what was under way on the hosts comes to its end",
            || each(self.hosts, |host| self.fleet.half_written(host)),
            |left| {
                assert!(!left.iter().any(|left| left.contains("is cut")), "{left:?}");
                left.iter().all(String::is_empty)
            },
        );
    }

    /// Goes on with the run that died last.
    fn resumes(&self, deaths: &[Death]) {
        let resume = ["apply", "-i", "inventories/lab", "--yes", "--journal", &self.journal, "--resume"];
        let run = self.desk.run(&resume);
        if run.code == Some(1) {
            // None of them had begun.
            run.says(["to go on with"]);
            let early = |death: &Death| death.amid.contains("asking the hosts") || death.amid.contains("nothing yet");
            assert!(deaths.last().is_some_and(early), "{deaths:?}\n{}", run.text());
            self.apply().exits(0);
        } else {
            run.says(["going on with run"]);
            // A host that takes longer with what was begun is refused once more, and left alone.
            assert!(matches!(run.code, Some(0 | 3)), "{}", run.text());
        }
        self.converges();
    }

    fn converges(&self) {
        eventually("it converges", || self.apply(), |run| run.code == Some(0));
        self.apply().exits(0).says(["nothing to do"]);
    }
}

/// Amid what the run was when its last event came: kinds, and the steps with their hosts.
fn amid(events: &str) -> (BTreeSet<String>, String) {
    let events: Vec<Value> = events.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let alone = |kind: &str| (BTreeSet::from([kind.to_owned()]), kind.to_owned());
    if !events.iter().any(|event| event["event"] == "planned") {
        return alone("asking the hosts");
    }
    let mut steps: BTreeMap<&str, &str> = BTreeMap::new();
    let mut began = false;
    for event in &events {
        let (Some(name), Some(host)) = (event["event"].as_str(), event["host"].as_str()) else { continue };
        match name {
            "step-started" => {
                began = true;
                steps.insert(host, event["step"].as_str().unwrap_or_default());
            }
            "host-finished" | "host-failed" => drop(steps.remove(host)),
            "step-finished" if steps.get(host).is_some_and(|step| event["step"] == **step) => drop(steps.remove(host)),
            _ => {}
        }
    }
    let told = steps.iter().map(|(host, step)| format!("{host}: {step}")).collect::<Vec<_>>().join("; ");
    let none = if began { "between two steps" } else { "nothing yet" };
    match steps.is_empty() {
        true => alone(none),
        false => (steps.values().map(|step| kind(step).to_owned()).collect(), told),
    }
}

fn kind(step: &str) -> &str {
    match step {
        _ if step.starts_with("write") && step.contains("restart") => "write and restart",
        _ if step.starts_with("gate") && step.contains("consumes") => "gate of a consumer",
        _ => step.split([' ', ':']).next().unwrap_or_default(),
    }
}
