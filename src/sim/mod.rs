//! SimFleet: a small world in memory behind the same seams as the real one, with faults that a test scripts (edge).
//!
//! It keeps what a real host keeps: files, users, units, disks, a ClickHouse server that reads its configuration when
//! it starts or reloads. Time passes on tokio's clock, which tests pause.

mod host;
mod server;
mod session;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

pub use host::{Disk, SimHost, SimUnit};
pub use server::SimServer;

use crate::fleet::{Host, HostName};
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
    /// Every time that a server went away or came back, in order.
    pub log: Vec<Transition>,
    /// How many connections were made.
    pub connects: usize,
    /// How many batches were run.
    pub batches: usize,
}

/// A server that went away or came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// On which host.
    pub host: HostName,
    /// Whether it serves now.
    pub serves: bool,
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
}

#[async_trait]
impl Transport for SimFleet {
    async fn connect(&self, host: &Host) -> Result<Arc<dyn Session>, ConnectError> {
        // Real connections take their time: hosts that are asked together answer in any order.
        tokio::task::yield_now().await;
        let refusal = self.with(|world| {
            world.connects += 1;
            match world.hosts.get(&host.name) {
                Some(sim) => sim.refuses.clone(),
                None => {
                    Some(ConnectError::Resolve { address: host.name.to_string(), reason: "no such host".to_owned() })
                }
            }
        });
        match refusal {
            Some(error) => Err(error),
            None => Ok(Arc::new(session::SimSession::new(self.clone(), host.name.clone()))),
        }
    }
}
