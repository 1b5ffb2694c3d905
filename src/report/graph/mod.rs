//! The flow of rows as text for documentation and as a picture (pure).

mod layout;
mod mermaid;
mod svg;

pub use mermaid::mermaid;
pub use svg::svg;

use super::hosts::count;
use crate::role::PlacementKind;
use crate::schema::GraphRole;

/// `30 hosts, 10 shards`.
fn role_words(role: &GraphRole) -> String {
    let hosts = count(role.hosts, "host");
    match role.placement {
        PlacementKind::Storage => format!("{hosts}, {}", count(role.shards, "shard")),
        PlacementKind::Stateless => format!("{hosts}, stateless"),
        PlacementKind::Keeper => hosts,
    }
}
