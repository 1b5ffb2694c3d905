//! The disk balancer over a simulated server: what it moves, what it leaves, how it ends, what it shows.

mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use housewright::apply::{Balance, BalanceEnd, Balanced, QUERY_ID, balance};
use housewright::balance::{Aim, Disk, Layout, Part, PartName, Volume, Why, plan, pools};
use housewright::clickhouse::ClickHouse;
use housewright::fleet::HostName;
use housewright::render::load::templates;
use housewright::report;
use housewright::sim::{Act, SimErrand, SimFleet};
use world::{Project, Record, block_on, name, plain};

const INVENTORY: &str = "tests/fleets/nothing_to_do/inventory";
const HOST: &str = "data-1-a";
const GB: u64 = 1_000_000_000;

/// Disks of 1000, 500 and 250 GB; 600 GB in parts of 50, 30, 15 and 5 GB lie on the first.
fn uneven() -> Layout {
    let mut layout = Layout::default();
    for (name, total) in [("d1", 1000), ("d2", 500), ("d3", 250)] {
        let total = total * GB;
        layout.disks.insert(name.to_owned(), Disk { total, free: total, unreserved: total, unfit: None });
    }
    let disks = layout.disks.keys().cloned().collect();
    layout.volumes.push(Volume { policy: "jbod".to_owned(), name: "main".to_owned(), disks });
    for number in 0..24_u64 {
        let bytes = [50, 30, 15, 5][usize::try_from(number % 4).unwrap()] * GB;
        let part = format!("202611_{number}_{number}_0");
        let name = PartName { database: "default".to_owned(), table: "events".to_owned(), part };
        let (disk, policy) = ("d1".to_owned(), "jbod".to_owned());
        layout.parts.push(Part { name, disk, policy, bytes, busy: None });
    }
    let first = layout.disks.get_mut("d1").unwrap();
    (first.free, first.unreserved) = (400 * GB, 400 * GB);
    layout
}

struct World {
    project: Project,
    sim: SimFleet,
    host: HostName,
    stop: AtomicBool,
}

impl World {
    async fn new(layout: Layout) -> Self {
        let load =
            Project::load(Path::new(INVENTORY), Path::new("roles"), templates(Path::new("templates")), str::to_owned);
        let project = load.unwrap_or_else(|problems| panic!("{problems:?}"));
        let sim = project.bare_world();
        project.apply(&sim).await;
        let host = name(HOST);
        sim.with_host(&host, |host| host.server.as_mut().unwrap().disks.layout = layout);
        Self { project, sim, host, stop: AtomicBool::new(false) }
    }

    async fn clickhouse(&self) -> Arc<dyn ClickHouse> {
        let observed = self.project.observe(&self.sim, &Record::default()).await;
        observed.open[&self.host].clickhouse.clone().unwrap()
    }

    async fn balance(&self) -> Balanced {
        let aim = Aim::of_spread(10, u64::MAX);
        let run = Balance { aim, rate: 7, stop: &self.stop, sink: &Record::default() };
        balance(&self.host, &*self.clickhouse().await, &run).await
    }

    fn layout(&self) -> Layout {
        self.sim.with_host(&self.host, |host| host.server.as_ref().unwrap().disks.layout.clone()).unwrap()
    }

    fn told(&self) -> Vec<(String, u64)> {
        let told = |host: &mut housewright::sim::SimHost| host.server.as_ref().unwrap().disks.told.clone();
        let told = self.sim.with_host(&self.host, told).unwrap();
        told.into_iter().map(|(_, part, _, rate)| (part, rate)).collect()
    }

    /// Does this before each move that the server is told.
    fn before_moves(&self, mut strike: impl FnMut(&mut housewright::sim::SimHost) + Send + 'static) {
        let fate = housewright::sim::Fate::new(move |host, act, hosts| {
            if matches!(act, Act::Statement(statement) if statement.text().contains(" MOVE PART ")) {
                strike(hosts.get_mut(host).unwrap());
            }
        });
        self.sim.with(|world| world.fate = fate);
    }
}

#[test]
fn what_was_planned_is_moved_and_a_second_run_moves_nothing() {
    block_on(async {
        let world = World::new(uneven()).await;
        let planned = plan(&uneven(), &Aim::of_spread(10, u64::MAX));
        let done = world.balance().await;
        assert_eq!(
            (&done.moved, &done.after, &done.end),
            (&planned.moves, &planned.after, &BalanceEnd::Done(Why::Even))
        );
        assert_eq!(done.after, pools(&world.layout()));
        assert!(world.told().iter().all(|(_, rate)| *rate == 7), "{:?}", world.told());
        let told = world.told().len();
        let again = world.balance().await;
        assert_eq!((again.moved, again.end, world.told().len()), (vec![], BalanceEnd::Done(Why::Even), told));

        let (host, plans) = (world.host.clone(), BTreeMap::from([(world.host.clone(), planned)]));
        insta::assert_snapshot!(plain(&report::balance_plans(&plans)), @r"
        data-1-a  6 moves, 245 GB; the disks are even enough
          d1   1.00 TB  ############........  60.0 % -> #######.............  35.5 %
          d2    500 GB  ....................   0.0 % -> #######.............  33.0 %
          d3    250 GB  ....................   0.0 % -> ######..............  32.0 %
          > default.events 202611_0_0_0  50.0 GB  d1 -> d2
          > default.events 202611_12_12_0  50.0 GB  d1 -> d2
          > default.events 202611_16_16_0  50.0 GB  d1 -> d2
          > default.events 202611_20_20_0  50.0 GB  d1 -> d3
          > default.events 202611_13_13_0  30.0 GB  d1 -> d3
          > default.events 202611_10_10_0  15.0 GB  d1 -> d2

        balance: 6 moves of 245 GB on 1 host to make
        ");
        insta::assert_snapshot!(plain(&report::balanced(&plans, &BTreeMap::from([(host, done)]))), @r"
        data-1-a  6 moves, 245 GB; the disks are even enough
          d1   1.00 TB  ############........  60.0 % -> #######.............  35.5 %
          d2    500 GB  ....................   0.0 % -> #######.............  33.0 %
          d3    250 GB  ....................   0.0 % -> ######..............  32.0 %

        balance: 6 moves of 245 GB on 1 host made
        ");
    });
}

#[test]
fn a_part_that_merged_away_is_passed_over() {
    block_on(async {
        let world = World::new(uneven()).await;
        let mut left = 1;
        world.before_moves(move |host| {
            let parts = &mut host.server.as_mut().unwrap().disks.layout.parts;
            // The parts of 50 GB become one that is too large.
            if left > 0 {
                left -= 1;
                parts.retain(|part| part.bytes != 50 * GB);
            }
        });
        let done = world.balance().await;
        assert_eq!(done.left.len(), 1);
        assert!(done.left[0].1.contains("NO_SUCH_DATA_PART"), "{:?}", done.left);
        assert!(!done.moved.is_empty());
        assert_eq!(done.end, BalanceEnd::Done(Why::Even));
    });
}

#[test]
fn a_lost_answer_is_looked_for_and_the_part_is_not_moved_twice() {
    block_on(async {
        let world = World::new(uneven()).await;
        let mut lost = 1;
        world.before_moves(move |host| host.answers_lost = std::mem::take(&mut lost));
        let done = world.balance().await;
        assert_eq!((done.left, done.end), (vec![], BalanceEnd::Done(Why::Even)));
        let mut told = world.told();
        told.dedup();
        assert_eq!(told.len(), world.told().len());
        assert_eq!(done.moved, plan(&uneven(), &Aim::of_spread(10, u64::MAX)).moves);
    });
}

#[test]
fn it_stands_back_behind_another_run_and_gives_up_on_a_server_that_refuses() {
    block_on(async {
        let world = World::new(uneven()).await;
        let errand = SimErrand {
            query_id: QUERY_ID.to_owned(),
            text: String::new(),
            ended: "QueryFinish",
            complaint: String::new(),
            left: 9,
        };
        world.sim.with_host(&world.host, |host| host.server.as_mut().unwrap().errands.told.push(errand));
        let done = world.balance().await;
        assert!(matches!(done.end, BalanceEnd::Held(_)) && done.moved.is_empty(), "{done:?}");

        let world = World::new(uneven()).await;
        world.sim.with_host(&world.host, |host| host.server.as_mut().unwrap().refuses = Some("MOVE PART".to_owned()));
        let done = world.balance().await;
        assert!(matches!(&done.end, BalanceEnd::Failed(why) if why.contains("ACCESS_DENIED")), "{done:?}");
        assert_eq!((done.left.len(), pools(&world.layout())), (3, pools(&uneven())));
    });
}

#[test]
fn it_stops_between_two_moves() {
    block_on(async {
        let world = Arc::new(World::new(uneven()).await);
        let (seen, mut moves) = (Arc::clone(&world), 0);
        world.before_moves(move |_| {
            moves += 1;
            seen.stop.store(moves == 2, Ordering::Relaxed);
        });
        let done = world.balance().await;
        assert_eq!((done.moved.len(), &done.end), (2, &BalanceEnd::Interrupted));
        assert_eq!(done.after, pools(&world.layout()));
        world.sim.with(|world| world.fate = housewright::sim::Fate::default());
        world.stop.store(false, Ordering::Relaxed);
        assert_eq!(world.balance().await.end, BalanceEnd::Done(Why::Even));
    });
}
