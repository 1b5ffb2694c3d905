//! Which members a coordination server's configuration names: a Keeper's `raft_configuration`, a ZooKeeper's `server.N` (pure).
//!
//! No text panics; one that names nobody is no membership.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

/// Hosts by their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Membership(pub BTreeMap<u32, String>);

impl Membership {
    /// Reads a configuration of either program.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let members = if text.trim_start().starts_with('<') { of_keeper(text)? } else { of_zookeeper(text) };
        (!members.is_empty()).then_some(Self(members))
    }

    /// How many of them are a quorum.
    #[must_use]
    pub fn majority(&self) -> usize {
        self.0.len() / 2 + 1
    }

    /// The ids, for people.
    #[must_use]
    pub fn ids(&self) -> String {
        self.0.keys().map(u32::to_string).collect::<Vec<_>>().join(", ")
    }
}

fn of_keeper(text: &str) -> Option<BTreeMap<u32, String>> {
    let document = Document::parse(text).ok()?;
    let servers = document.descendants().filter(|node| node.has_tag_name("raft_configuration"));
    let servers = servers.flat_map(|raft| raft.children().filter(|child| child.has_tag_name("server")));
    let text = |server: Node<'_, '_>, name: &str| {
        let child = server.children().find(|child| child.has_tag_name(name))?;
        child.text().map(|text| text.trim().to_owned())
    };
    Some(servers.filter_map(|server| Some((text(server, "id")?.parse().ok()?, text(server, "hostname")?))).collect())
}

/// `server.1=host:2888:3888`; an address of IPv6 stands in brackets.
fn of_zookeeper(text: &str) -> BTreeMap<u32, String> {
    let server = |line: &str| {
        let (id, rest) = line.trim().strip_prefix("server.")?.split_once('=')?;
        let rest = rest.trim();
        let host = match rest.strip_prefix('[') {
            Some(inside) => inside.split(']').next()?,
            None => rest.split(':').next()?,
        };
        Some((id.trim().parse().ok()?, host.to_owned()))
    };
    text.lines().filter_map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_programs_name_the_same_members() {
        let keeper = "<clickhouse><keeper_server><raft_configuration><server><id>1</id><hostname>a</hostname><port>9234</port></server>\
                      <server><id> 3 </id><hostname>b.internal</hostname></server></raft_configuration></keeper_server></clickhouse>";
        let zookeeper = "tickTime=2000\nserver.1=a:2888:3888\n server.3=b.internal:2888:3888;2181\n";
        let members = Membership([(1, "a".to_owned()), (3, "b.internal".to_owned())].into());
        assert_eq!(Membership::read(keeper), Some(members.clone()));
        assert_eq!(Membership::read(zookeeper), Some(members.clone()));
        assert_eq!((members.majority(), members.ids().as_str()), (2, "1, 3"));
        assert_eq!(Membership::read("server.2=[fd00::1]:2888:3888").unwrap().0[&2], "fd00::1");
    }

    #[test]
    fn a_text_that_names_nobody_is_no_membership() {
        for text in [
            "",
            "<",
            "<a/>",
            "server.x=a:1",
            "server.1",
            "1",
            "<clickhouse><raft_configuration><server/></raft_configuration></clickhouse>",
        ] {
            assert_eq!(Membership::read(text), None, "{text}");
        }
    }
}
