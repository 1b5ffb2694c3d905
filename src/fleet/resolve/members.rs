//! Members of clusters (pure): hosts of the inventory and names that are none, with port, user, weight and priority.

use std::collections::BTreeSet;

use serde_json::Value;

use super::clusters::CODES;
use crate::fleet::{Host, HostName, Member};
use crate::inventory::fields::Fields;
use crate::inventory::pattern::Selection;
use crate::inventory::{Node, NodeValue, ranges};
use crate::problem::Problem;
use crate::vocabulary::MEMBER;

/// A member and what its shard gets by it.
pub(super) struct Placed {
    pub(super) member: Member,
    pub(super) weight: Option<u32>,
}

/// What holds for every member that says nothing else.
pub(super) struct Common {
    port: Option<u16>,
    secure: bool,
    user: Option<String>,
    weight: Numbers,
    priority: Numbers,
}

impl Common {
    /// Reads a cluster's keys that are about its members.
    pub(super) fn read(fields: &mut Fields<'_, '_>, selection: &Selection<'_>) -> Self {
        Self {
            port: fields.port("port"),
            secure: fields.flag("secure").unwrap_or_default(),
            user: fields.text("user"),
            weight: Numbers::read("weight", fields, selection),
            priority: Numbers::read("priority", fields, selection),
        }
    }

    /// A host of the inventory as a member.
    pub(super) fn host(&self, host: &Host) -> Placed {
        let own =
            host.vars.get("clickhouse_tcp_port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
        let member = Member {
            host: host.fqdn.clone(),
            port: self.port.or(own.filter(|_| !self.secure)).unwrap_or_else(|| default_port(self.secure)),
            secure: self.secure,
            user: self.user.clone(),
            priority: self.priority.of(&host.name),
        };
        Placed { member, weight: self.weight.of(&host.name) }
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 9440 } else { 9000 }
}

/// A number for all members, or by host pattern: the first pattern that has the host counts.
enum Numbers {
    All(Option<u32>),
    ByPattern(Vec<(BTreeSet<HostName>, u32)>),
}

impl Numbers {
    fn read(key: &str, fields: &mut Fields<'_, '_>, selection: &Selection<'_>) -> Self {
        let Some(node) = fields.get(key) else { return Self::All(None) };
        let NodeValue::Map(entries) = &node.value else { return Self::All(number(node)) };
        let mut found = Vec::new();
        for entry in entries {
            let Some(number) = number(&entry.value) else { continue };
            match selection.in_order(&[&entry.key]) {
                Ok(hosts) => found.push((hosts.into_iter().collect(), number)),
                Err(problem) => fields.report(problem.at(&entry.key_span)),
            }
        }
        Self::ByPattern(found)
    }

    fn of(&self, host: &HostName) -> Option<u32> {
        match self {
            Self::All(number) => *number,
            Self::ByPattern(found) => found.iter().find(|(hosts, _)| hosts.contains(host)).map(|(_, number)| *number),
        }
    }

    fn of_literal(&self) -> Option<u32> {
        match self {
            Self::All(number) => *number,
            Self::ByPattern(_) => None,
        }
    }
}

fn number(node: &Node) -> Option<u32> {
    node.whole().and_then(|number| u32::try_from(number).ok())
}

/// Members that are no hosts of the inventory: `pod-[0:3]`, `pod-[0:3]:9440` or a mapping; none where one cannot be read.
pub(super) fn literal(fields: &mut Fields<'_, '_>, common: &Common) -> Option<Vec<Placed>> {
    let mut members: Vec<Placed> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut readable = true;
    for node in fields.items("members") {
        let found = match &node.value {
            NodeValue::Map(_) => mapping(node, fields, common),
            _ => node.text().and_then(|text| named(text, node, &Own::default(), fields, common)),
        };
        readable &= found.is_some();
        for placed in found.unwrap_or_default() {
            let Member { host, port, .. } = &placed.member;
            if seen.insert((host.clone(), *port)) {
                members.push(placed);
            } else {
                let message = format!("the member `{host}:{port}` stands twice in this cluster");
                fields.report(Problem::new("HW0171", message).at(&node.span).hint("remove one of the two"));
            }
        }
    }
    readable.then_some(members)
}

/// What a member says itself.
#[derive(Default)]
struct Own {
    port: Option<u16>,
    secure: Option<bool>,
    user: Option<String>,
    weight: Option<u32>,
    priority: Option<u32>,
}

fn mapping(node: &Node, fields: &mut Fields<'_, '_>, common: &Common) -> Option<Vec<Placed>> {
    let before = fields.problems().len();
    let mut entry = Fields::of(node, "a member", &MEMBER, CODES, fields.problems())?;
    let host = entry.text("host");
    let own = Own {
        port: entry.port("port"),
        secure: entry.flag("secure"),
        user: entry.text("user"),
        weight: entry.get("weight").and_then(number),
        priority: entry.get("priority").and_then(number),
    };
    if fields.problems().len() > before {
        return None;
    }
    named(&host?, node.get("host")?, &own, fields, common)
}

fn named(text: &str, at: &Node, own: &Own, fields: &mut Fields<'_, '_>, common: &Common) -> Option<Vec<Placed>> {
    let names = ranges::split_port(text).and_then(|(pattern, port)| Ok((ranges::expand(pattern)?, port)));
    let wrong = |why| fields.report(Problem::new("HW0111", format!("`{text}` is not a member: {why}")).at(&at.span));
    let (names, port) = names.map_err(wrong).ok()?;
    let secure = own.secure.unwrap_or(common.secure);
    let port = own.port.or(port).or(common.port).unwrap_or_else(|| default_port(secure));
    let member = |host: String| Placed {
        member: Member {
            host,
            port,
            secure,
            user: own.user.clone().or_else(|| common.user.clone()),
            priority: own.priority.or(common.priority.of_literal()),
        },
        weight: own.weight.or(common.weight.of_literal()),
    };
    Some(names.into_iter().map(member).collect())
}
