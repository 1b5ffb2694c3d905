//! SimFleet: a small world in memory behind the same seams as the real one, with faults that a test scripts (edge).
//!
//! It keeps what a real host keeps: files, users, units, disks, a ClickHouse server that reads its configuration when
//! it starts or reloads. Time passes on tokio's clock, which tests pause.

mod devices;
mod disks;
mod flow;
mod ground;
mod health;
mod hook;
mod host;
mod keeper;
mod kernel;
mod lock;
mod migrations;
mod objects;
mod process;
mod registry;
mod server;
mod session;
mod session_loss;
mod unit;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

pub use devices::{SimArray, SimBlock, SimDevices};
pub use disks::SimDisks;
pub use flow::Flow;
pub use ground::{SimGround, SimPackage};
pub use health::Health;
pub use host::{Disk, SimHost, SimUnit};
pub use kernel::{SimKeeper, SimKernel};
pub use migrations::{Errands, SimErrand};
pub use objects::SimRecord;
pub use registry::{Forgotten, Registry, SimReplica};
pub use server::{Loaded, SimServer};
pub use session_loss::SessionLoss;

use crate::clickhouse::Statement;
use crate::fleet::{Host, HostName};
use crate::remote::{Command, UnitName};
use crate::transport::{ConnectError, Session, Transport};

/// The world.
#[derive(Debug, Clone, Default)]
pub struct SimFleet {
    world: Arc<Mutex<World>>,
}

/// What is in the world.
#[derive(Debug, Default)]
pub struct World {
    /// The hosts.
    pub hosts: BTreeMap<HostName, SimHost>,
    /// Every time that somebody took a unit away or brought it back through us, in order.
    pub log: Vec<Transition>,
    /// How many connections were made.
    pub connects: usize,
    /// How many batches were run.
    pub batches: usize,
    /// Who holds the lock of a host.
    pub locks: BTreeMap<HostName, String>,
    /// Sessions that are gone, and whose hosts have not noticed: they still hold what they held.
    pub ghosts: BTreeSet<String>,
    /// The keeper that leads, since the last time that somebody looked.
    pub leader: Option<HostName>,
    /// How many of the keepers that follow are not as far as their leader.
    pub lagging: usize,
    /// The replicas that the coordination knows.
    pub registry: Registry,
    /// Those that it was told to forget, in order.
    pub forgotten: Vec<Forgotten>,
    /// What was run on the machine that runs Housewright, in order.
    pub here: Vec<Vec<String>>,
    /// A command there that holds this text fails.
    pub here_fails: Option<String>,
    /// What else happens in the world.
    pub fate: Fate,
    /// Who looks on.
    pub witness: Witness,
}

/// A unit that somebody took away or brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// On which host.
    pub host: HostName,
    /// Which unit.
    pub unit: UnitName,
    /// Whether it runs now.
    pub serves: bool,
    /// Whether it was the same before.
    pub before: bool,
    /// Hosts whose ClickHouse answered and took writes right before.
    pub serving: BTreeSet<HostName>,
}

/// Something that is about to be done on a host.
#[derive(Debug, Clone, Copy)]
pub enum Act<'a> {
    /// A command of a batch.
    Command(&'a Command),
    /// A statement for its ClickHouse.
    Statement(&'a Statement),
}

type Look = Box<dyn FnMut(&HostName, &World) + Send>;

/// Somebody who looks on from outside: called whenever a host may be another than it was.
#[derive(Default)]
pub struct Witness(Option<Look>);

impl Witness {
    /// Calls this after each act, and each time that a unit goes away or comes back.
    pub fn new(look: impl FnMut(&HostName, &World) + Send + 'static) -> Self {
        Self(Some(Box::new(look)))
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Witness(..)" } else { "Witness" })
    }
}

impl World {
    /// Lets the witness look.
    fn seen(&mut self, name: &HostName) {
        if let Some(mut look) = self.witness.0.take() {
            look(name, self);
            self.witness.0 = Some(look);
        }
    }
}

type Strike = Box<dyn FnMut(&HostName, Act<'_>, &mut BTreeMap<HostName, SimHost>) + Send>;

/// What happens in the world without us: called before each act, it may change any host.
#[derive(Default)]
pub struct Fate(Option<Strike>);

impl Fate {
    /// Calls this before each act.
    pub fn new(strike: impl FnMut(&HostName, Act<'_>, &mut BTreeMap<HostName, SimHost>) + Send + 'static) -> Self {
        Self(Some(Box::new(strike)))
    }
}

impl fmt::Debug for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Fate(..)" } else { "Fate" })
    }
}

impl SimFleet {
    /// Adds or replaces a host.
    pub fn put(&self, name: HostName, host: SimHost) {
        self.with(|world| world.hosts.insert(name, host));
    }

    /// Looks at the world or changes it.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.world.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at one host or changes it; nothing where there is none of that name.
    pub fn with_host<T>(&self, name: &HostName, look: impl FnOnce(&mut SimHost) -> T) -> Option<T> {
        self.with(|world| world.hosts.get_mut(name).map(look))
    }

    fn is_cut_off(&self, name: &HostName) -> bool {
        self.with_host(name, |host| host.cut_off).unwrap_or_default()
    }

    /// Lets the witness look after something was done on a host.
    fn after(&self, name: &HostName) {
        self.with(|world| world.seen(name));
    }

    /// Lets fate strike before something is done on a host.
    fn before(&self, name: &HostName, act: Act<'_>) {
        self.with(|world| {
            if let Some(strike) = &mut world.fate.0 {
                strike(name, act, &mut world.hosts);
            }
        });
    }
}

/// Why a host cannot be reached that is cut off.
fn no_route(host: &HostName) -> ConnectError {
    ConnectError::Unreachable { address: host.to_string(), port: 22, reason: "no route to host".to_owned() }
}

#[async_trait]
impl Transport for SimFleet {
    async fn connect(&self, host: &Host) -> Result<Arc<dyn Session>, ConnectError> {
        // Real connections take their time: hosts that are asked together answer in any order.
        tokio::task::yield_now().await;
        let (number, refusal) = self.with(|world| {
            world.connects += 1;
            let refusal = match world.hosts.get(&host.name) {
                Some(SimHost { cut_off: true, .. }) => Some(no_route(&host.name)),
                Some(sim) => sim.refuses.clone(),
                None => {
                    Some(ConnectError::Resolve { address: host.name.to_string(), reason: "no such host".to_owned() })
                }
            };
            (world.connects, refusal)
        });
        match refusal {
            Some(error) => Err(error),
            None => Ok(Arc::new(session::SimSession::new(self.clone(), host, number))),
        }
    }
}
