//! What the roles' databases, tables and views should be: objects, their order, their checks and what differs (pure).
//!
//! Plain CREATE statements are the desired state; an object is on exactly the hosts whose role has it.

mod check;
pub mod code;
mod compare;
mod consumers;
mod diff;
mod drift;
mod dump;
mod engine;
mod graph;
mod literal;
mod mend;
mod object;
mod observe;
mod operation;
mod order;
mod read;
mod record;
pub mod recording;
mod stage;
mod uses;

use std::collections::BTreeMap;

pub use check::{check, check_roles, without_hosts};
pub use consumers::consumers;
pub use diff::diff;
pub use drift::{Drifted, OWN_DATABASE, ObjectDrift, drift};
pub use dump::{Left, RoleDump, dump, laid_out};
pub use engine::{Family, Remote, collection, kafka_setting};
pub use graph::{Edge, Graph, GraphRole, Node, NodeKind, graph};
pub use literal::check as literal_secrets;
pub use object::{DEFAULT_DATABASE, Object, ObjectKind, ObjectName};
pub use observe::{ObservedObject, ROWS, read_objects, statement};
pub use operation::{Class, Difference, ObjectChange, Operation};
pub use order::{SchemaStage, cycles, stages};
pub use read::{hides_a_secret, read, read_files, read_live};
pub use record::{ObjectRecord, ObjectRecords, RecordState, Recorded, Records};
pub use stage::Stage;
pub use uses::Uses;

use crate::fleet::{Fleet, RoleName};
use crate::problem::Problem;
use crate::role::Role;

/// The objects of every role's hosts; an object of an included role stands under every role that includes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// Objects by the role of the hosts that have them, in the order of the files.
    pub roles: BTreeMap<RoleName, Vec<Object>>,
}

impl Schema {
    /// Reads the SQL of all roles of a fleet; a problem in a shared file is told once.
    #[must_use]
    pub fn read(fleet: &Fleet) -> (Self, Vec<Problem>) {
        Self::read_roles(&fleet.roles)
    }

    /// Reads the SQL of roles, whether hosts have them or not.
    #[must_use]
    pub fn read_roles(roles: &BTreeMap<RoleName, Role>) -> (Self, Vec<Problem>) {
        let (mut schema, mut problems) = (Self::default(), Vec::new());
        for (name, role) in roles {
            let (objects, found) = read(role);
            schema.roles.insert(name.clone(), objects);
            for problem in found {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        (schema, problems)
    }

    /// The objects of a role's hosts.
    #[must_use]
    pub fn of(&self, role: &RoleName) -> &[Object] {
        self.roles.get(role).map(Vec::as_slice).unwrap_or_default()
    }

    /// One order of creation over all roles.
    #[must_use]
    pub fn stages(&self) -> Vec<SchemaStage> {
        stages(&self.roles)
    }
}
