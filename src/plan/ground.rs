//! What hosts' servers stand on, in a plan (pure).

use std::collections::{BTreeMap, BTreeSet};

use super::{Hold, Inputs};
use crate::fleet::HostName;
use crate::ground::disks::Destroyable;
use crate::ground::{Findings, GroundChange, Need, Refusal, When};
use crate::render::Desired;
use crate::resource::HostFacts;

use super::Step;

/// What differs on a host; what must not be done becomes a hold. Without a volume that it should have, nothing that needs files is
/// done: they would be written beside it.
pub(super) fn collect(
    (host, desired, facts): (&HostName, &Desired, &HostFacts),
    inputs: &Inputs<'_>,
    holds: &mut Vec<Hold>,
) -> Findings {
    let destroyable = Destroyable::of(host.as_str(), inputs.allow_destroy);
    let mut found = desired.ground.diff_allowing(&facts.ground, &destroyable);
    let allowed = |change: &mut GroundChange| match change.needs {
        Some(Need::Downgrade) => inputs.permissions.downgrade,
        None => true,
    };
    let refused: Vec<_> = found.changes.extract_if(.., |change| !allowed(change)).collect();
    found.refusals.extend(refused.iter().map(refusal));
    let hold = |Refusal { what, reason, hint }: Refusal| Hold { host: host.clone(), what, reason, hint };
    holds.extend(found.refusals.drain(..).map(hold));
    if found.lacks_a_volume {
        found.changes.retain(|change| change.when == When::BeforeFiles);
    }
    found
}

/// What is to be known of the hosts that may be changed: each word with all that it is true of.
pub(super) fn remarks(inputs: &Inputs<'_>) -> BTreeMap<String, BTreeSet<HostName>> {
    let mut remarks: BTreeMap<String, BTreeSet<HostName>> = BTreeMap::new();
    for host in inputs.hosts {
        let (Some(desired), Some(facts)) = (inputs.desired.get(host), inputs.observation.facts(host)) else { continue };
        for remark in desired.ground.remarks(&facts.ground) {
            remarks.entry(remark).or_default().insert(host.clone());
        }
    }
    remarks
}

/// What is not allowed.
fn refusal(change: &GroundChange) -> Refusal {
    Refusal {
        what: change.to_string(),
        reason: "a version may write what an older one does not read".to_owned(),
        hint: Some("try it on one host first, and allow it by name: `--allow downgrade`".to_owned()),
    }
}

/// The work of one side of the files.
pub(super) fn work(changes: &[GroundChange], when: When) -> impl Iterator<Item = Step> {
    changes.iter().filter(move |change| change.when == when).flat_map(|change| &change.work).cloned().map(Step::Work)
}
