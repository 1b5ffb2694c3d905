//! The locks of the simulated hosts (edge).

use std::collections::btree_map;

use super::SimFleet;
use crate::fleet::HostName;
use crate::transport::{HostLock, SessionError};

/// One host's lock.
struct SimLock {
    fleet: SimFleet,
    host: HostName,
    holder: String,
}

impl HostLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.fleet.unlock(&self.host, &self.holder);
    }
}

impl SimFleet {
    pub(super) fn lock(&self, host: &HostName, holder: &str) -> Result<Box<dyn HostLock>, SessionError> {
        self.with(|world| match world.locks.entry(host.clone()) {
            btree_map::Entry::Occupied(held) => Err(SessionError::Locked { holder: held.get().clone() }),
            btree_map::Entry::Vacant(free) => {
                free.insert(holder.to_owned());
                Ok(())
            }
        })?;
        Ok(Box::new(SimLock { fleet: self.clone(), host: host.clone(), holder: holder.to_owned() }))
    }

    /// Releases a lock that a session holds which is gone.
    pub(super) fn lay_ghosts(&self, host: &HostName) {
        self.with(|world| {
            if world.locks.get(host).is_some_and(|held| world.ghosts.contains(held)) {
                world.locks.remove(host);
            }
        });
    }

    /// Releases a lock, where it is this holder's.
    pub(super) fn unlock(&self, host: &HostName, holder: &str) {
        self.with(|world| {
            if world.locks.get(host).is_some_and(|held| held == holder) {
                world.locks.remove(host);
            }
        });
    }
}
