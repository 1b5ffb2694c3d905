//! Servers lose all that they had: the coordination forgets a replica only where nothing goes with it, or the operator has named it.

use std::collections::{BTreeMap, BTreeSet};

use housewright::fleet::HostName;
use housewright::report::{Diffs, plan as show};
use housewright::schema::ObjectName;
use housewright::sim::{Forgotten, SimFleet, SimHost};
use proptest::prelude::*;
use proptest::sample::Index;

use super::fleets::{Order, project, shape};
use super::world::{block_on, name, plain};
use super::{config, made};

const TABLES: [&str; 3] = ["groups", "persons", "sharded_events"];
const PARTS: [&str; 4] = ["all_0_9_2", "all_10_10_0", "all_11_11_0", "202601_0_0_0"];

/// How a storage host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Well,
    /// It runs, and has nothing.
    Emptied,
    /// It was made anew under its name.
    Bare,
    /// It lost its tables, in the directory of before.
    Robbed,
    /// Somebody detached its tables.
    Detached,
    /// It has nothing, and somebody else has its sessions.
    Taken,
    Down,
    Readonly,
    Behind,
    GaveUp,
}

fn state() -> impl Strategy<Value = State> {
    use State::{Bare, Behind, Detached, Down, Emptied, GaveUp, Readonly, Robbed, Taken, Well};
    prop_oneof![
        8 => Just(Well), 8 => Just(Emptied), 2 => Just(Bare), 1 => Just(Robbed), 1 => Just(Detached), 1 => Just(Taken),
        1 => Just(Down), 2 => Just(Readonly), 2 => Just(Behind), 1 => Just(GaveUp),
    ]
}

/// What a story of one storage host is: its state, the parts that it lacks of each table, and whether each table is named.
type Fate = (State, [BTreeSet<usize>; 3], [bool; 3]);

fn fate() -> impl Strategy<Value = Fate> {
    let lacks = || proptest::collection::btree_set(0..PARTS.len(), 0..=1);
    (state(), [lacks(), lacks(), lacks()], proptest::array::uniform3(proptest::bool::weighted(0.15)))
}

fn table(name: &str) -> ObjectName {
    ObjectName::relation(None, name)
}

fn put(sim: &SimFleet, host: &HostName, (state, lacks, _): &Fate) {
    sim.with(|world| {
        for replica in world.registry.values_mut().filter(|replica| replica.host.as_ref() == Some(host)) {
            let at = TABLES.iter().position(|name| Some(&table(name)) == replica.table.as_ref());
            let Some(lacks) = at.and_then(|at| lacks.get(at)) else { continue };
            let has = PARTS.iter().enumerate().filter(|(index, _)| !lacks.contains(index));
            replica.parts = has.map(|(_, part)| (*part).to_owned()).collect();
            replica.taken = *state == State::Taken;
        }
    });
    sim.with_host(host, |sim| {
        if *state == State::Bare {
            *sim = SimHost::bare();
        }
        let Some(server) = &mut sim.server else { return };
        let is_stored = |name: &ObjectName| TABLES.iter().any(|stored| table(stored) == *name);
        match state {
            State::Well | State::Bare => {}
            State::Emptied | State::Taken => server.lose_everything(),
            State::Robbed => server.objects.retain(|object| !is_stored(&object.name)),
            State::Detached => {
                let (gone, left) = server.objects.drain(..).partition(|object| is_stored(&object.name));
                server.objects = left;
                let gone: Vec<_> = gone;
                let how = housewright::resource::Detachment::ForGood;
                server.flow.detached.extend(gone.into_iter().map(|object| (object, how)));
            }
            State::Down => server.up = false,
            State::Readonly => server.readonly = 1,
            State::Behind => server.delay = 9000,
            State::GaveUp => server.lost = 3,
        }
    });
}

fn forgotten(sim: &SimFleet) -> Vec<Forgotten> {
    sim.with(|world| world.forgotten.clone())
}

proptest! {
    #![proptest_config(config())]

    /// Never an active one, never one whose server has something, never one with a part that no healthy replica has, unless it is named.
    #[test]
    fn nothing_goes_with_a_replica_that_is_forgotten(
        shape in shape(), fates in proptest::collection::vec(fate(), 12), runs in 1_usize..4,
    ) {
        let sim = made(&shape, &Vec::new());
        let mut project = project(&shape, &[], &Order::plain());
        let mut named = BTreeSet::new();
        for (host, fate) in shape.storage().iter().zip(fates.iter().cycle()) {
            put(&sim, &name(host), fate);
            let may = TABLES.iter().zip(fate.2).filter(|(_, may)| *may);
            named.extend(may.map(|(table, _)| format!("{host}:default.{table}")));
        }
        project.allow_destroy = named.iter().cloned().collect();
        for _ in 0..runs {
            block_on(project.apply(&sim));
        }
        for gone in forgotten(&sim) {
            prop_assert!(!gone.active && !gone.had_table, "{gone:?}");
            let (host, table) = (gone.host.clone().unwrap(), gone.table.clone().unwrap());
            let permission = format!("{host}:default.{table}");
            prop_assert!(gone.lost.is_empty() || named.contains(&permission), "{gone:?}");
        }
    }

    /// A host that lost everything comes back by two runs at most, where another replica is well and has what it had.
    #[test]
    fn whoever_lost_everything_comes_back(shape in shape(), victim in any::<Index>(), bare: bool) {
        let sim = made(&shape, &Vec::new());
        let project = project(&shape, &[], &Order::plain());
        let candidates: Vec<String> =
            shape.storage().into_iter().filter(|host| shape.shard_of(host).len() > 1).collect();
        prop_assume!(!candidates.is_empty());
        let victim = name(&candidates[victim.index(candidates.len())]);
        for host in shape.storage() {
            let state = match (name(&host) == victim, bare) {
                (false, _) => State::Well,
                (true, true) => State::Bare,
                (true, false) => State::Emptied,
            };
            put(&sim, &name(&host), &(state, Default::default(), [false; 3]));
        }
        for _ in 0..=usize::from(bare) {
            let (_, outcome) = block_on(project.apply(&sim));
            prop_assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        }
        let next = block_on(project.plan_now(&sim));
        prop_assert!(next.is_empty() && next.holds.is_empty(), "{}", plain(&show(&next, Diffs::Fold)));
        let of_victim: BTreeMap<_, _> = sim.with(|world| {
            let own = world.registry.values().filter(|replica| replica.host.as_ref() == Some(&victim));
            own.map(|replica| (replica.table.clone(), replica.parts.len())).collect()
        });
        prop_assert!(of_victim.len() == TABLES.len() && of_victim.values().all(|parts| *parts == PARTS.len()), "{of_victim:?}");
        prop_assert_eq!(forgotten(&sim).len(), TABLES.len());
    }
}
