//! What is run around a restart, and what must be so behind it: the operator's own commands and questions, in a plan (pure).

use std::collections::BTreeMap;

use super::hosts::short;
use crate::fleet::HostName;
use crate::plan::{Gate, HostPlan, Step, Wave};

/// Words differ by host where an expression is in them: more than so many lines say less than the first.
const FEW: usize = 3;

/// The operator's own steps of a host, in order.
fn own(host: &HostPlan) -> impl Iterator<Item = String> {
    let own = host.steps.iter().filter(|step| matches!(step, Step::Hook { .. } | Step::Gate(Gate::Asked { .. })));
    own.map(ToString::to_string)
}

/// One line for each of them, with its hosts where they are not all of the wave.
#[must_use]
pub(super) fn around(wave: &Wave) -> Vec<String> {
    let mut ordered: Vec<(usize, String)> = Vec::new();
    let mut hosts: BTreeMap<(usize, String), Vec<&HostName>> = BTreeMap::new();
    for host in &wave.hosts {
        for key in own(host).enumerate() {
            if !hosts.contains_key(&key) {
                ordered.push(key.clone());
            }
            hosts.entry(key).or_default().push(&host.host);
        }
    }
    ordered.sort_by_key(|(place, _)| *place);
    let mut lines = Vec::new();
    let places = ordered.chunk_by(|a, b| a.0 == b.0);
    for same in places {
        let (shown, more) = same.split_at(if same.len() > FEW { 1 } else { same.len() });
        for key in shown {
            let on = hosts.get(key).map(Vec::as_slice).unwrap_or_default();
            let on = if on.len() == wave.hosts.len() { String::new() } else { format!("  on {}", short(on)) };
            lines.push(format!("{}{on}", key.1));
        }
        if !more.is_empty() {
            lines.push(format!("  and {} more like it, one for each host", more.len()));
        }
    }
    lines
}
