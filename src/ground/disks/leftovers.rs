//! What a former role left on a host that is to have no volumes (pure): told, and never taken down.

use super::keep::{RULES, Record};
use super::{RAID_VOLUMES, escaped, world};
use crate::ground::{Answers, Findings, Refusal};

/// Tells each volume that the record knows, and each array that runs besides.
pub(super) fn find(answers: &Answers, findings: &mut Findings) {
    let Record(known) = Record::read(answers);
    for (name, mount) in &known {
        let unit = format!("{}.mount", escaped(mount));
        findings.refusals.push(Refusal {
            what: format!("take down volume `{name}`"),
            reason: format!("`{RAID_VOLUMES}` is empty, and the host still has it for `{mount}`: a former role's data may be on it"),
            hint: Some(format!("when nobody needs it: `systemctl disable --now '{unit}'`, `mdadm --stop /dev/md/{name}`, and remove `{RULES}`")),
        });
    }
    for array in world::arrays(answers).iter().filter(|array| !known.iter().any(|(name, _)| *name == array.name)) {
        findings.refusals.push(Refusal {
            what: format!("take down array `{}`", array.kernel_name),
            reason: format!("`{RAID_VOLUMES}` is empty, and an array `{}` of level {} runs", array.name, array.level),
            hint: Some(format!("when nobody needs it: `mdadm --stop /dev/{}`", array.kernel_name)),
        });
    }
}
