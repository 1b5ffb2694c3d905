//! What a host keeps: the role says the kind, the inventory the numbers (pure).

use super::HostVars;
use super::missing::Missing;
use crate::fleet::Placement;
use crate::inventory::Node;
use crate::problem::Problem;
use crate::role::{PlacementKind, Role};

/// Reads the variables that the role's placement needs; each that is missing is a problem.
///
/// Values of the wrong type are not reported here: `vocabulary` has done so at each place once.
pub(super) fn resolve<'a>(
    vars: &HostVars<'a>,
    role: &'a Role,
    missing: &mut Missing<'a>,
    problems: &mut Vec<Problem>,
) -> Option<Placement> {
    let unused: &[&str] = match role.placement {
        PlacementKind::Storage => &["keeper_id"],
        PlacementKind::Stateless => &["shard", "replica", "keeper_id"],
        PlacementKind::Keeper => &["shard", "replica"],
    };
    for name in unused {
        if let Some(node) = vars.get(name) {
            let message = format!("`{name}` means nothing to the role `{}`", role.name);
            problems.push(Problem::note("HW0322", message).at(&node.span));
        }
    }
    match role.placement {
        PlacementKind::Stateless => Some(Placement::Stateless),
        PlacementKind::Storage => {
            let shard = required(vars, role, "shard", missing);
            let replica = required(vars, role, "replica", missing);
            Some(Placement::Storage { shard: number(shard?)?, replica: replica?.scalar_text()? })
        }
        PlacementKind::Keeper => {
            let id = required(vars, role, "keeper_id", missing);
            Some(Placement::Keeper { id: number(id?)? })
        }
    }
}

fn required<'a>(
    vars: &HostVars<'a>,
    role: &'a Role,
    name: &'static str,
    missing: &mut Missing<'a>,
) -> Option<&'a Node> {
    let node = vars.get(name);
    if node.is_none() && !vars.refused.contains_key(name) {
        let hint = match vars.text("instance_id") {
            Some(instance) => format!("tag the instance `{instance}`, and name the tag in `placement_tags`"),
            None => format!("write `{name}: 1` (or another number) beside the host"),
        };
        missing.add(name, Some(role), hint, vars);
    }
    node
}

fn number(node: &Node) -> Option<u32> {
    node.whole().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
}
