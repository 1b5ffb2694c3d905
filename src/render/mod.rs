//! What should be on each host: templates and variables become [`Desired`] (pure; `load` reads the templates).

mod asynchronous;
mod backup;
mod check;
mod consumers;
mod content;
mod context;
mod desired;
mod effective;
mod elements;
mod engine;
mod escape;
mod filters;
mod findings;
mod generation;
mod ground;
pub mod load;
mod mask;
mod order;
mod press;
pub mod redact;
mod secrets;
pub mod sql;
mod template_error;
mod undeclared;

use std::collections::BTreeMap;

pub use asynchronous::asynchronous;
pub use content::Content;
pub use context::is_ours_by_header;
pub use desired::{Desired, DesiredDirectory, DesiredFile, DesiredUnit};
pub use effective::{EffectiveFile, effective};
pub use engine::Templates;
pub use generation::{generation_of, without_generation};
pub use mask::{Removed, changed_secrets, mask, mask_removed};
pub use secrets::{passwords_over_http, secrets_of, secrets_of_pods};
pub use undeclared::undeclared;

use crate::fleet::{Fleet, Host, HostName};
use crate::problem::Problem;
use crate::secret::SecretStore;

/// Renders every file of every host whose files Housewright looks after.
///
/// # Errors
/// Gives all problems of all hosts; one that many hosts share is told once, with their number.
pub fn render(
    fleet: &Fleet,
    templates: &Templates,
    secrets: &SecretStore,
) -> Result<BTreeMap<HostName, Desired>, Vec<Problem>> {
    render_where(fleet, templates, secrets, &|host| host.has_files())
}

/// Renders every file of the hosts that are wanted.
///
/// # Errors
/// As [`render`].
pub fn render_where(
    fleet: &Fleet,
    templates: &Templates,
    secrets: &SecretStore,
    wanted: &dyn Fn(&Host) -> bool,
) -> Result<BTreeMap<HostName, Desired>, Vec<Problem>> {
    let mut press = press::Press::new(fleet, templates, secrets);
    let mut findings = findings::Findings::default();
    let mut desired = BTreeMap::new();
    for host in fleet.hosts.values().filter(|host| wanted(host)) {
        match press.host(host) {
            Ok(wanted) => {
                desired.insert(host.name.clone(), wanted);
            }
            Err(problems) => findings.add(&host.name, problems),
        }
    }
    findings.into_result().map(|()| desired)
}
