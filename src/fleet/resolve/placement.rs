//! What a host keeps: the role says the kind, the inventory the numbers (pure).

use super::HostVars;
use crate::fleet::Placement;
use crate::inventory::Node;
use crate::problem::Problem;
use crate::role::{PlacementKind, Role};

/// Reads the variables that the role's placement needs; each that is missing is a problem.
///
/// Values of the wrong type are not reported here: `vocabulary` has done so at each place once.
pub(super) fn resolve(vars: &HostVars<'_>, role: &Role, problems: &mut Vec<Problem>) -> Option<Placement> {
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
            let shard = required(vars, role, "shard", "shard: 1", problems);
            let replica = required(vars, role, "replica", "replica: 1", problems);
            Some(Placement::Storage { shard: number(shard?)?, replica: replica?.scalar_text()? })
        }
        PlacementKind::Keeper => {
            let id = required(vars, role, "keeper_id", "keeper_id: 1", problems);
            Some(Placement::Keeper { id: number(id?)? })
        }
    }
}

fn required<'a>(
    vars: &HostVars<'a>,
    role: &Role,
    name: &str,
    example: &str,
    problems: &mut Vec<Problem>,
) -> Option<&'a Node> {
    let node = vars.get(name);
    if node.is_none() {
        let message = format!("host `{}` of role `{}` has no `{name}`", vars.name, role.name);
        let problem = Problem::new("HW0304", message).at(&vars.written.span);
        let hint = match vars.text("instance_id") {
            Some(instance) => format!("tag the instance `{instance}`, and name the tag in `placement_tags`"),
            None => format!("write `{example}` (or another number) beside the host"),
        };
        problems.push(problem.hint(hint));
    }
    node
}

fn number(node: &Node) -> Option<u32> {
    node.whole().and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
}
