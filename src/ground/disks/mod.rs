//! Disks: arrays, filesystems and mounts of a host, from bare devices and back after a stop emptied them (pure).
//!
//! Invariant: no step formats, joins or empties a device that carries a signature, a partition, a holder or a mount, unless
//! that very device was named; and what is not known is not blank.

mod array;
mod ask;
mod device;
mod filesystem;
mod keep;
mod leftovers;
mod mount;
mod names;
mod script;
mod want;
mod world;

use std::collections::BTreeSet;

use serde::Serialize;

pub use device::Destroyable;
pub use keep::RULES as DISK_RULES;
pub use names::{array_uuid, derived_uuid, escaped};
pub use want::{Filesystem, Level, RAID_VOLUMES, Selector, VolumeWant, read_volumes};

use super::{Answers, Findings, Question, Refusal};
use world::World;

/// The volumes of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Volumes {
    /// Whose they are: ids are made of it.
    pub host: String,
    /// As declared; empty where a host is to have none.
    pub wanted: Vec<VolumeWant>,
}

/// What of a volume is there, or will be when the steps so far are done.
struct Standing {
    /// What its filesystem is on: a path that does not move.
    path: String,
    /// The kernel's name, where it is there already.
    kernel_name: Option<String>,
    /// The array's id.
    array: Option<String>,
    /// Serial numbers of its devices.
    serials: Vec<String>,
    /// The filesystem's id.
    filesystem: String,
}

impl Volumes {
    /// What has to be asked of the host.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        ask::all(self)
    }

    /// Finds what differs, in the order in which it is removed; what `destroyable` names may be destroyed.
    pub fn diff(&self, answers: &Answers, destroyable: &Destroyable, findings: &mut Findings) {
        diff(self, answers, destroyable, findings);
    }
}

fn diff(volumes: &Volumes, answers: &Answers, destroyable: &Destroyable, findings: &mut Findings) {
    if volumes.wanted.is_empty() {
        return leftovers::find(answers, findings);
    }
    let world = match World::read(answers) {
        Ok(world) => world,
        Err(why) => {
            findings.refusals.push(Refusal {
                what: format!("look after `{RAID_VOLUMES}`"),
                reason: format!("what its disks carry is not known: {why}"),
                hint: Some("util-linux and mdadm must be there: name them in the role's packages".to_owned()),
            });
            findings.lacks_a_volume = true;
            return;
        }
    };
    let record = keep::Record::read(answers);
    let found: Vec<_> = volumes.wanted.iter().map(|want| array::existing(volumes, want, &world)).collect();
    let mut taken: BTreeSet<String> = found.iter().flatten().flat_map(|found| found.members(&world)).collect();
    let mut standing = Vec::new();
    for (want, found) in volumes.wanted.iter().zip(found) {
        let look = Look { volumes, destroyable, want, world: &world, answers, was_there: record.knows(&want.name) };
        let stands = array::diff(&look, found.as_ref(), &mut taken, findings)
            .and_then(|stands| filesystem::diff(&look, stands, findings))
            .filter(|stands| mount::diff(&look, stands, findings));
        standing.extend(stands.map(|stands| (want, stands)));
    }
    // Half of the truth would be written over the whole of it: that is how a wiped volume is recognised.
    findings.lacks_a_volume |= standing.len() < volumes.wanted.len();
    if !findings.lacks_a_volume {
        keep::diff(&standing, &world, answers, findings);
    }
}

/// One volume, and all that is known where it is looked at.
struct Look<'a> {
    volumes: &'a Volumes,
    destroyable: &'a Destroyable,
    want: &'a VolumeWant,
    world: &'a World,
    answers: &'a Answers,
    /// The host's files know it: it was there before.
    was_there: bool,
}

impl Look<'_> {
    fn uuid(&self, what: &str) -> String {
        derived_uuid(&self.volumes.host, &self.want.name, what)
    }

    fn refuse(&self, what: &str, reason: String, hint: Option<String>) -> Refusal {
        Refusal { what: format!("{what} volume `{}`", self.want.name), reason, hint }
    }
}
