//! Hosts that two sources claim (pure): each problem names both.

use std::collections::BTreeMap;

use super::ask::Found;
use super::layout;
use crate::fleet::HostName;
use crate::inventory::{Documents, Inventory, Node};
use crate::problem::Problem;

/// Two discovery files that find a host of the same name.
pub(super) fn between_files(found: &[Found], problems: &mut Vec<Problem>) {
    let mut named: BTreeMap<&HostName, (&Found, &str)> = BTreeMap::new();
    for one in found {
        for host in &one.hosts {
            let Some((other, instance)) = named.insert(&host.name, (one, &host.instance)) else { continue };
            let message = if instance == host.instance {
                format!("`{}` finds the instance `{instance}` too, as `{}`", other.source.file(), host.name)
            } else {
                format!(
                    "the instances `{instance}` of `{}` and `{}` of this file are both called `{}`",
                    other.source.file(),
                    host.instance,
                    host.name
                )
            };
            let problem = Problem::new("HW0123", message).at(&one.source.span);
            problems.push(problem.hint("make the filters of one of the two files narrower"));
        }
    }
}

/// A discovered host that is written by hand too: which of the two is meant?
pub(super) fn with_written(documents: &mut Documents, discovered: &Node, problems: &mut Vec<Problem>) {
    let hosts = discovered.get(layout::EVERY).and_then(|group| group.get("hosts")).and_then(Node::entries);
    // Variables play no part in who is there; what is wrong with the written ones is told when they are put together.
    let vars = std::mem::take(&mut documents.vars);
    let written = Inventory::assemble(documents, &mut Vec::new());
    documents.vars = vars;
    for entry in hosts.unwrap_or_default() {
        let host = HostName::new(entry.key.as_str()).ok().and_then(|name| written.hosts.get(&name));
        if let Some(host) = host {
            let message = format!("the host `{}` is written here, and EC2 lists it: {}", entry.key, entry.key_span);
            let hint = "remove it here; what only you know of it goes into `host_vars/`, its groups into `groups` of the `aws_ec2.yml` file";
            problems.push(Problem::new("HW0164", message).at(&host.span).hint(hint));
        }
    }
}
