//! Properties of waves over ten thousand random fleets: planned only, so that there can be many of them.
//!
//! Every rule is counted here once more, by its own words, from the fleet and the plan alone.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use housewright::fleet::{
    Cluster, ClusterName, ClusterShard, Fleet, Host, HostName, Layout, Member, Placement, Reach, RoleName, Vars,
};
use housewright::plan::{Amount, Budget, Canary, Inputs, Permissions, Plan, Wave, plan};
use housewright::remote::{RemotePath, UnitName};
use housewright::render::{Content, Desired, DesiredFile, DesiredUnit};
use housewright::resource::{
    ClickHouseFacts, HostFacts, HostObservation, KeeperFacts, Observation, ObservedFile, ObservedUnit, ServerFacts,
};
use housewright::role::{ClickHouseSpec, PlacementKind, Role};
use housewright::secret::Secret;
use proptest::prelude::*;
use proptest::sample::Index;

/// So many fleets, each with its own budget and its own wounds.
const CASES: u32 = 12_000;
const UNIT: &str = "server";
const FILE: &str = "/etc/server.conf";

fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

/// How a host is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Well,
    Readonly,
    Unreachable,
    Stopped,
    /// Its file is as it should be.
    Unchanged,
}

#[derive(Debug, Clone)]
struct Case {
    /// By role: how many replicas each shard has.
    storage: Vec<Vec<usize>>,
    /// By role: how many hosts.
    stateless: Vec<usize>,
    keepers: usize,
    zones: usize,
    /// Pairs of storage hosts that one more sharded cluster takes for replicas.
    overlaps: Vec<(Index, Index)>,
    found: Vec<(Index, Found)>,
    leader: Option<Index>,
    budget: Budget,
    canary: Option<Index>,
    outages: bool,
}

fn amount() -> impl Strategy<Value = Amount> {
    prop_oneof![(1_usize..6).prop_map(Amount::Hosts), (1_u8..=100).prop_map(Amount::Percent)]
}

fn budget() -> impl Strategy<Value = Budget> {
    let canary = prop_oneof![4 => Just(1), 1 => Just(0), 1 => 2_usize..4].prop_map(Canary::Each);
    let serial = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(amount(), 1..=3)];
    let unavailable = prop_oneof![2 => Just(None), 1 => amount().prop_map(Some)];
    (serial, canary, unavailable, 0_usize..3).prop_map(|(serial, canary, max_unavailable, max_failures)| Budget {
        serial,
        canary,
        max_unavailable,
        max_failures,
    })
}

fn case() -> impl Strategy<Value = Case> {
    let storage = prop::collection::vec(prop::collection::vec(1_usize..=3, 1..=5), 0..=2);
    let found = prop::sample::select(vec![Found::Readonly, Found::Unreachable, Found::Stopped, Found::Unchanged]);
    (
        (storage, prop::collection::vec(1_usize..=7, 0..=3), prop::sample::select(vec![0_usize, 1, 3, 5]), 0_usize..4),
        (
            prop::collection::vec((any::<Index>(), any::<Index>()), 0..=3),
            prop::collection::vec((any::<Index>(), found), 0..=3),
            prop::option::weighted(0.9, any::<Index>()),
        ),
        (budget(), prop::option::weighted(0.2, any::<Index>()), prop::bool::weighted(0.2)),
    )
        .prop_map(
            |((storage, stateless, keepers, zones), (overlaps, found, leader), (budget, canary, outages))| Case {
                storage,
                stateless,
                keepers,
                zones,
                overlaps,
                found,
                leader,
                budget,
                canary,
                outages,
            },
        )
}

/// A fleet with all that a plan is made from.
struct World {
    fleet: Fleet,
    desired: BTreeMap<HostName, Desired>,
    observation: Observation,
    hosts: BTreeSet<HostName>,
    budget: Budget,
}

fn role(role: &str, placement: PlacementKind) -> Role {
    let clickhouse = ClickHouseSpec {
        unit: UnitName::new(UNIT).unwrap(),
        http_port: 8123,
        user: "default".to_owned(),
        password: None,
    };
    Role {
        clickhouse: (placement != PlacementKind::Keeper).then_some(clickhouse),
        ..Role::empty(RoleName::new(role).unwrap(), placement)
    }
}

impl World {
    fn of(case: &Case) -> Self {
        let mut world = Self {
            fleet: Fleet::default(),
            desired: BTreeMap::new(),
            observation: Observation::default(),
            hosts: BTreeSet::new(),
            budget: case.budget.clone(),
        };
        for (index, shards) in case.storage.iter().enumerate() {
            for (shard, replicas) in shards.iter().enumerate() {
                for replica in 0..*replicas {
                    let shard = u32::try_from(shard + 1).unwrap();
                    let placement = Placement::Storage { shard, replica: replica.to_string() };
                    world.host(case, &format!("s{index}-{shard}-{replica}"), &format!("s{index}"), placement, replica);
                }
            }
        }
        for (index, hosts) in case.stateless.iter().enumerate() {
            for host in 0..*hosts {
                world.host(case, &format!("i{index}-{host}"), &format!("i{index}"), Placement::Stateless, host);
            }
        }
        for id in 1..=case.keepers {
            let placement = Placement::Keeper { id: u32::try_from(id).unwrap() };
            world.host(case, &format!("k-{id}"), "k", placement, id);
        }
        world.cluster("copies", Layout::SingleShard, vec![world.storage()]);
        let storage = world.storage();
        for (index, (one, other)) in case.overlaps.iter().enumerate().filter(|_| storage.len() > 1) {
            let pair = vec![storage[one.index(storage.len())].clone(), storage[other.index(storage.len())].clone()];
            world.cluster(&format!("overlap{index}"), Layout::Sharded, vec![pair]);
        }
        world.find(case);
        if let (Some(index), false) = (case.canary, world.hosts.is_empty()) {
            let host = world.hosts.iter().nth(index.index(world.hosts.len())).cloned();
            world.budget.canary = Canary::Named(host.into_iter().collect());
        }
        world
    }

    fn host(&mut self, case: &Case, host: &str, role_name: &str, placement: Placement, turn: usize) {
        let role = RoleName::new(role_name).unwrap();
        let kind = match placement {
            Placement::Storage { .. } => PlacementKind::Storage,
            Placement::Stateless => PlacementKind::Stateless,
            Placement::Keeper { .. } => PlacementKind::Keeper,
        };
        self.fleet.roles.entry(role.clone()).or_insert_with(|| self::role(role_name, kind));
        let zone = (case.zones > 0).then(|| format!("zone-{}", turn % case.zones));
        let (fqdn, reach, vars) = (format!("{host}.internal"), Reach::Member, Vars::default());
        self.fleet.hosts.insert(name(host), Host { name: name(host), role, placement, fqdn, zone, reach, vars });
        let mut desired = Desired::default();
        let unit = Some(UnitName::new(UNIT).unwrap());
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        let file = DesiredFile {
            content: Content::plain("new"),
            owner,
            group,
            mode: 0o644,
            unit,
            early: false,
            over_package: false,
        };
        desired.files.insert(RemotePath::new(FILE).unwrap(), file);
        desired.units.insert(UnitName::new(UNIT).unwrap(), DesiredUnit { enabled: true, running: true });
        self.desired.insert(name(host), desired);
        self.hosts.insert(name(host));
    }

    fn cluster(&mut self, cluster: &str, layout: Layout, shards: Vec<Vec<HostName>>) {
        let member = |host: HostName| Member {
            host: format!("{host}.internal"),
            port: 9000,
            secure: false,
            user: None,
            priority: None,
        };
        let shard =
            |hosts: Vec<HostName>| ClusterShard { members: hosts.into_iter().map(member).collect(), weight: None };
        let name = ClusterName::new(cluster).unwrap();
        let shards = shards.into_iter().map(shard).collect();
        let cluster = Cluster { name: name.clone(), layout, shards, secret: None, internal_replication: true };
        self.fleet.clusters.insert(name, cluster);
    }

    fn storage(&self) -> Vec<HostName> {
        let hosts = self.fleet.hosts.values().filter(|host| matches!(host.placement, Placement::Storage { .. }));
        hosts.map(|host| host.name.clone()).collect()
    }

    fn find(&mut self, case: &Case) {
        let names: Vec<_> = self.hosts.iter().cloned().collect();
        let mut found: BTreeMap<&HostName, Found> = BTreeMap::new();
        for (index, how) in case.found.iter().filter(|_| !names.is_empty()) {
            found.insert(&names[index.index(names.len())], *how);
        }
        let keepers: Vec<_> = names.iter().filter(|host| host.as_str().starts_with("k-")).collect();
        let leader = case.leader.filter(|_| !keepers.is_empty()).map(|index| keepers[index.index(keepers.len())]);
        for host in &names {
            let how = found.get(host).copied().unwrap_or(Found::Well);
            let keeper = keepers.contains(&host).then(|| match leader {
                Some(leader) if leader == host => "leader",
                _ => "follower",
            });
            self.observation.hosts.insert(host.clone(), observed(how, keeper));
        }
    }

    fn plan(&self, permissions: Permissions) -> Plan {
        plan(&Inputs {
            fleet: &self.fleet,
            desired: &self.desired,
            objects: &BTreeMap::new(),
            migrations: &BTreeMap::new(),
            observation: &self.observation,
            hosts: &self.hosts,
            permissions,
            allow_destroy: &[],
            go_on: &[],
            budget: &self.budget,
            only: None,
            restart: None,
        })
    }

    fn serves(&self, host: &HostName) -> bool {
        self.observation.hosts[host].serves()
    }
}

fn observed(how: Found, keeper: Option<&str>) -> HostObservation {
    if how == Found::Unreachable {
        return HostObservation::Unreachable { reason: "no route".to_owned(), hint: None };
    }
    let text = if how == Found::Unchanged { "new" } else { "old" };
    let content = Some(Secret::new(text.into()));
    let file = ObservedFile { owner: "root".to_owned(), group: "root".to_owned(), mode: 0o644, content };
    let active = if how == Found::Stopped { "inactive" } else { "active" }.to_owned();
    let unit = ObservedUnit { load: "loaded".to_owned(), active, file_state: "enabled".to_owned(), is_stale: false };
    let mut facts = HostFacts::default();
    facts.files.insert(RemotePath::new(FILE).unwrap(), file);
    facts.units.insert(UnitName::new(UNIT).unwrap(), unit);
    match (keeper, how) {
        (Some(_), Found::Stopped) => facts.keeper = KeeperFacts::Down { reason: "it is down".to_owned() },
        (Some(mode), _) => facts.keeper = KeeperFacts::Up { mode: mode.to_owned() },
        (None, Found::Stopped) => facts.clickhouse = ClickHouseFacts::Down { reason: "it is down".to_owned() },
        (None, _) => {
            let readonly = u64::from(how == Found::Readonly);
            let server = Box::new(ServerFacts { replicas: 1, readonly, ..ServerFacts::default() });
            facts.clickhouse = ClickHouseFacts::Up { server, objects: Vec::new() };
        }
    }
    HostObservation::Reached(Box::new(facts))
}

fn restarts(wave: &Wave) -> bool {
    wave.title.contains("restart")
}

fn placed<'w>(world: &'w World, wave: &Wave) -> Vec<&'w Host> {
    wave.hosts.iter().map(|host| &world.fleet.hosts[&host.host]).collect()
}

fn is_keeper(host: &Host) -> bool {
    matches!(host.placement, Placement::Keeper { .. })
}

/// How many of each group are in a wave.
fn counted<K: Ord>(hosts: &[&Host], key: impl Fn(&Host) -> Option<K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for key in hosts.iter().filter_map(|host| key(host)) {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// Every rule of one plan; nothing of the planner's own counting is used.
fn holds(case: &Case, world: &World, plan: &Plan) -> Result<(), TestCaseError> {
    let waves: Vec<_> = plan.waves.iter().filter(|wave| restarts(wave)).collect();
    for wave in &plan.waves {
        prop_assert!(!wave.hosts.is_empty() && !wave.reason.is_empty());
    }
    let going: Vec<&HostName> = waves.iter().flat_map(|wave| &wave.hosts).map(|host| &host.host).collect();
    let set: BTreeSet<_> = going.iter().copied().collect();
    prop_assert_eq!(going.len(), set.len(), "a host restarts in two waves");
    for wave in &waves {
        let hosts = placed(world, wave);
        no_two_replicas(world, &hosts)?;
        keepers_one_by_one(world, &hosts, wave)?;
        shares(case, world, &hosts, &set)?;
        if let Some(Amount::Hosts(most)) = case.budget.max_unavailable {
            prop_assert!(hosts.len() <= most, "{} away at once, {most} may", hosts.len());
        }
    }
    serial(case, plan)?;
    canaries(world, &waves)?;
    zones(world, &waves)?;
    leader_last(world, &waves)?;
    everybody_is_told_of(world, plan)
}

fn no_two_replicas(world: &World, hosts: &[&Host]) -> Result<(), TestCaseError> {
    let by_placement = counted(hosts, |host| match host.placement {
        Placement::Storage { shard, .. } => Some((host.role.clone(), shard)),
        _ => None,
    });
    prop_assert!(by_placement.values().all(|count| *count == 1), "{by_placement:?}");
    for cluster in world.fleet.clusters.values().filter(|cluster| cluster.layout == Layout::Sharded) {
        for shard in &cluster.shards {
            let away = hosts.iter().filter(|host| shard.members.iter().any(|member| member.host == host.fqdn)).count();
            prop_assert!(away <= 1, "two replicas of a shard of {}", cluster.name);
        }
    }
    Ok(())
}

fn keepers_one_by_one(world: &World, hosts: &[&Host], wave: &Wave) -> Result<(), TestCaseError> {
    if let Some(keeper) = hosts.iter().find(|host| is_keeper(host)) {
        prop_assert_eq!(hosts.len(), 1);
        let text = format!("{:?}", wave.hosts[0].steps);
        let others = world.fleet.hosts.values().filter(|host| is_keeper(host) && host.name != keeper.name);
        let serving = others.filter(|host| world.serves(&host.name)).count();
        let all = world.fleet.hosts.values().filter(|host| is_keeper(host)).count();
        prop_assert!(serving > all / 2 || !text.contains("QuorumServing"), "below the quorum");
    }
    Ok(())
}

fn shares(case: &Case, world: &World, hosts: &[&Host], going: &BTreeSet<&HostName>) -> Result<(), TestCaseError> {
    let percent = match case.budget.max_unavailable {
        Some(Amount::Percent(percent)) => usize::from(percent),
        _ => 50,
    };
    let of_role = |host: &Host| (!is_keeper(host)).then(|| host.role.clone());
    let of_zone = |host: &Host| match (is_keeper(host), &host.zone) {
        (false, Some(zone)) => Some((host.role.clone(), zone.clone())),
        _ => None,
    };
    let of_copies = |host: &Host| matches!(host.placement, Placement::Storage { .. }).then_some(());
    let all: Vec<&Host> = world.fleet.hosts.values().collect();
    let down: Vec<&Host> =
        all.iter().filter(|host| !world.serves(&host.name) && !going.contains(&host.name)).copied().collect();
    let most =
        |all: usize, down: usize| (all * percent / 100).max(1).saturating_sub(down + case.budget.max_failures).max(1);
    macro_rules! check {
        ($key:expr) => {
            let (all, down) = (counted(&all, $key), counted(&down, $key));
            for (group, away) in counted(hosts, $key) {
                let most = most(all[&group], down.get(&group).copied().unwrap_or_default());
                prop_assert!(away <= most, "{away} of {group:?} are away, {most} may");
            }
        };
    }
    check!(of_role);
    check!(of_zone);
    check!(of_copies);
    Ok(())
}

/// The k-th wave of a tier has at most the k-th number of hosts.
fn serial(case: &Case, plan: &Plan) -> Result<(), TestCaseError> {
    let Some(last) = case.budget.serial.last() else { return Ok(()) };
    let mut tiers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for wave in &plan.waves {
        let tier = wave.title.split(|c: char| c.is_ascii_digit()).next().unwrap();
        tiers.entry(tier.trim()).or_default().push(wave.hosts.len());
    }
    for (tier, sizes) in tiers {
        let all = sizes.iter().sum();
        for (index, size) in sizes.iter().enumerate() {
            let most = case.budget.serial.get(index).unwrap_or(last).of(all);
            prop_assert!(*size <= most, "{tier} {}: {size} hosts, {most} may", index + 1);
        }
    }
    Ok(())
}

/// The first host of the run goes alone; no role has more than its canaries in the waves of canaries.
fn canaries(world: &World, waves: &[&Wave]) -> Result<(), TestCaseError> {
    let count = match &world.budget.canary {
        Canary::Each(count) => *count,
        Canary::Named(_) => 1,
    };
    let Some(first) = waves.first().filter(|_| count > 0) else { return Ok(()) };
    prop_assert_eq!(first.hosts.len(), 1, "the first host goes alone");
    if let Canary::Named(names) = &world.budget.canary {
        let host = names.first().unwrap();
        let tier = |wave: &Wave| wave.title.split(':').next().unwrap().to_owned();
        let own = waves.iter().position(|wave| wave.hosts.iter().any(|part| part.host == *host));
        if let Some(own) = own.filter(|own| tier(waves[*own]) != "coordination") {
            let before = waves[..own].iter().filter(|wave| tier(wave) == tier(waves[own]));
            prop_assert_eq!(before.count(), 0, "{} was named and is not the first", host);
        }
    }
    Ok(())
}

/// Behind the canaries, a wave of storage hosts stays in one zone.
fn zones(world: &World, waves: &[&Wave]) -> Result<(), TestCaseError> {
    for wave in waves.iter().filter(|wave| wave.title.starts_with("storage") && !wave.reason.contains("canar")) {
        let zones: BTreeSet<_> = placed(world, wave).into_iter().map(|host| &host.zone).collect();
        prop_assert!(zones.len() == 1, "{zones:?}: {}", wave.reason);
    }
    Ok(())
}

fn leader_last(world: &World, waves: &[&Wave]) -> Result<(), TestCaseError> {
    let hosts: Vec<_> = waves.iter().flat_map(|wave| placed(world, wave)).filter(|host| is_keeper(host)).collect();
    let leads = |host: &&Host| world.observation.facts(&host.name).is_some_and(|facts| facts.keeper.leads());
    let place = hosts.iter().position(leads);
    prop_assert!(place.is_none_or(|place| place + 1 == hosts.len()), "the leader goes last");
    Ok(())
}

/// The waves are all hosts that may go: everybody else is held back, not reached or as desired.
fn everybody_is_told_of(world: &World, plan: &Plan) -> Result<(), TestCaseError> {
    let changed = plan.changed_hosts();
    let held: BTreeSet<_> = plan.holds.iter().map(|hold| &hold.host).collect();
    for host in &world.hosts {
        let known = [
            changed.contains(host),
            held.contains(host),
            plan.unreachable.contains_key(host),
            plan.unchanged.contains(host),
        ];
        prop_assert!(known.iter().any(|is| *is), "nobody speaks of {host}");
        prop_assert!(!known[0] || (!known[2] && !known[3]), "{host}: {known:?}");
    }
    Ok(())
}

fn look(cases: u32, seed: u8) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let algorithm = proptest::test_runner::RngAlgorithm::ChaCha;
    let rng = proptest::test_runner::TestRng::from_seed(algorithm, &[seed; 32]);
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(config, rng);
    let (fleets, waves, held) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let outcome = runner.run(&case(), |case| {
        let world = World::of(&case);
        let permissions =
            Permissions { shard_outage: case.outages, quorum_outage: case.outages, ..Permissions::default() };
        let plan = world.plan(permissions);
        fleets.set(fleets.get() + 1);
        waves.set(waves.get() + plan.waves.len());
        held.set(held.get() + plan.holds.len());
        holds(&case, &world, &plan)
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
    println!("{} fleets planned: {} waves, {} holds", fleets.get(), waves.get(), held.get());
    assert!(waves.get() > fleets.get() && held.get() > 0, "the fleets are no fleets");
}

#[test]
fn ten_thousand_fleets_keep_to_their_budgets_one_half() {
    look(CASES / 2, 1);
}

#[test]
fn ten_thousand_fleets_keep_to_their_budgets_other_half() {
    look(CASES / 2, 2);
}
