//! The filesystem of a volume: made where nothing is, grown where its device grew (pure).

use std::time::Duration;

use super::device::Burden;
use super::want::Filesystem;
use super::{Look, Standing, ask, script};
use crate::ground::{Findings, GroundChange, When, Work};

/// `mkfs` of a large ext4 writes for minutes; it is told not to discard first, which takes longer, and new disks are trimmed.
const LONGEST: Duration = Duration::from_mins(30);
/// What of a device a filesystem keeps for itself, at most: a journal or log, and the inodes of ext4.
const OVERHEAD_BYTES: u64 = 512 << 20;

/// Finds what differs, and tells the filesystem's id; nothing where there is none, and that is told.
pub(super) fn diff(look: &Look<'_>, stands: Standing, findings: &mut Findings) -> Option<Standing> {
    let block = match &stands.kernel_name {
        None => return Some(make(look, stands, Vec::new(), findings)),
        Some(name) => look.world.blocks.get(name),
    };
    let Some(block) = block else {
        let reason = "`lsblk` does not list it: what it carries is not known".to_owned();
        findings.refusals.push(look.refuse("format", reason, None));
        return None;
    };
    let burden = Burden::of(block, look.world);
    let own = block.signature(look.want.filesystem.word());
    if let Some(uuid) =
        own.and_then(|own| own.uuid.clone()).filter(|_| block.signatures.iter().all(|other| Some(other) == own))
    {
        grow(look, block.size, findings);
        return Some(Standing { filesystem: uuid, ..stands });
    }
    if burden.is_none() {
        return Some(make(look, stands, Vec::new(), findings));
    }
    if burden.used.is_empty() && look.destroyable.names(block) {
        let wipe = script::wipe(format!("empty {}, which carries {}", block.shown(), burden.text()), &stands.path);
        return Some(make(look, stands, vec![wipe], findings));
    }
    let reason = format!("it is there and carries {}, not one {}", burden.text(), look.want.filesystem.word());
    let hint = burden.used.is_empty().then(|| {
        let name = block.link().unwrap_or(&block.kernel_name);
        format!("if that may be lost: `--allow-destroy {}:{name}`", look.volumes.host)
    });
    findings.refusals.push(look.refuse("format", reason, hint));
    None
}

fn make(look: &Look<'_>, stands: Standing, mut work: Vec<Work>, findings: &mut Findings) -> Standing {
    let (want, uuid) = (look.want, look.uuid("filesystem"));
    let reserved = want.reserved_percent.to_string();
    let id = format!("uuid={uuid}");
    let mut argv: Vec<&str> = match want.filesystem {
        Filesystem::Xfs => vec!["mkfs.xfs", "-K", "-m", &id, "-L", &want.name],
        Filesystem::Ext4 => vec!["mkfs.ext4", "-q", "-E", "nodiscard", "-m", &reserved, "-U", &uuid, "-L", &want.name],
    };
    argv.extend(want.filesystem_options.iter().map(String::as_str));
    argv.push(&stands.path);
    let argv: Vec<String> = argv.into_iter().map(str::to_owned).collect();
    let what = format!("make {} {}", want.filesystem.word(), want.name);
    work.push(script::on_blank(what, std::slice::from_ref(&stands.path), &argv).within(LONGEST));
    work.push(Work::quick("wait for its names", ["udevadm", "settle", "--timeout=30"]));
    findings.changes.push(GroundChange {
        should: format!("{} on {}", want.filesystem.word(), stands.path),
        work,
        sealed: ask::sealed(),
        ..GroundChange::new("filesystem", &want.name, When::BeforeFiles)
    });
    Standing { filesystem: uuid, ..stands }
}

/// A device that is larger than its filesystem was grown.
fn grow(look: &Look<'_>, device: u64, findings: &mut Findings) {
    let mount = look.want.mount.as_str();
    let Some(size) = look.world.mounted_at(mount).and_then(|mount| mount.size) else { return };
    let spare = device.saturating_sub(size);
    if spare <= OVERHEAD_BYTES.max(device / 10) {
        return;
    }
    let argv = match look.want.filesystem {
        Filesystem::Xfs => vec!["xfs_growfs".to_owned(), mount.to_owned()],
        Filesystem::Ext4 => {
            let source = look.world.mounted_at(mount).map(|mount| mount.source.clone()).unwrap_or_default();
            vec!["resize2fs".to_owned(), source]
        }
    };
    findings.changes.push(GroundChange {
        is: Some(format!("{} MiB", size >> 20)),
        should: format!("{} MiB, as its device", device >> 20),
        work: vec![Work::quick("grow it", argv).within(Duration::from_mins(10))],
        ..GroundChange::new("filesystem", &look.want.name, When::BeforeFiles)
    });
}
