//! Pods of the Altinity operator: its `ClickHouseInstallation`s, from the same topology, roles and templates as the other hosts (pure).
//!
//! No value of a secret is read for it: the pods take each from a Kubernetes Secret through their environment.

mod files;
mod installation;
mod key;
mod manifest;
mod rules;
mod xml;

pub use installation::{Cluster, Installation, installations};
pub use key::{KeyForm, SecretKey};
pub use manifest::Manifest;

use crate::fleet::Fleet;
use crate::inventory::Inventory;
use crate::problem::Problem;
use crate::render::Templates;

/// The variable that says to which installation a pod belongs.
pub const VARIABLE: &str = "kubernetes";

/// The manifest of every installation, in order of namespace and name.
///
/// # Errors
/// Gives all problems of all installations.
pub fn manifests(inventory: &Inventory, fleet: &Fleet, templates: &Templates) -> Result<Vec<Manifest>, Vec<Problem>> {
    let (installations, mut problems) = installations(inventory, fleet);
    if installations.is_empty() || !problems.is_empty() {
        return if problems.is_empty() { Ok(Vec::new()) } else { Err(problems) };
    }
    let mut manifests = Vec::new();
    let mut rendered = files::Rendered::new(fleet, templates)?;
    for installation in &installations {
        match rendered.of(installation) {
            Ok(files) => manifests.push(Manifest::new(installation, files)),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(manifests) } else { Err(problems) }
}
