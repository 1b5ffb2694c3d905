//! The questions that tell of a host's disks (pure): none of them changes anything, or takes a device for itself.

use super::mount::{self, unit_path};
use super::{Volumes, keep};
use crate::ground::Question;

/// Block devices with what is on them, as the kernel and udev know it.
pub(super) fn blocks() -> Question {
    let columns = "NAME,KNAME,TYPE,SIZE,MODEL,SERIAL,FSTYPE,LABEL,UUID,PTTYPE,MOUNTPOINT,RO,RA,SCHED";
    Question::new(["lsblk", "--json", "--bytes", "--exclude", "1,7,11", "--output", columns])
}

/// Signatures, read from the devices themselves: udev may not have looked since somebody wrote one.
pub(super) fn signatures() -> Question {
    let all = "set -- $(lsblk --list --paths --noheadings --exclude 1,7,11 --output NAME | sort -u); \
               [ $# -gt 0 ] || exit 0; exec wipefs --no-act --json \"$@\"";
    Question::new(["sh", "-c", all])
}

/// Names of devices that do not move between boots.
pub(super) fn links() -> Question {
    Question::new(["sh", "-c", "find /dev/disk/by-id -type l -printf '%f %l\\n' 2>/dev/null | sort"])
}

/// Arrays that run: <https://docs.kernel.org/admin-guide/md.html>.
pub(super) fn arrays() -> Question {
    let each = "for d in /sys/block/md*/md; do [ -d \"$d\" ] || continue; b=${d%/md}; b=${b##*/}; echo \"array=$b\"; \
                mdadm --detail --export \"/dev/$b\"; for f in level layout chunk_size raid_disks degraded sync_action sync_speed_min; do \
                [ -f \"$d/$f\" ] && printf '%s=%s\\n' \"$f\" \"$(cat \"$d/$f\")\"; done; done; true";
    Question::new(["sh", "-c", each])
}

/// What is mounted where.
pub(super) fn mounts() -> Question {
    Question::new(["findmnt", "--json", "--list", "--bytes", "--output", "TARGET,SOURCE,FSTYPE,OPTIONS,SIZE"])
}

/// Which distribution it is.
pub(super) fn release() -> Question {
    Question::new(["cat", "/etc/os-release"])
}

/// A file's content.
pub(super) fn file(path: &str) -> Question {
    Question::new(["cat", path])
}

/// Whether a directory has anything in it.
pub(super) fn contents(path: &str) -> Question {
    Question::new(["find", path, "-mindepth", "1", "-maxdepth", "1", "-print", "-quit"])
}

/// What systemd knows of a mount unit.
pub(super) fn unit(unit: &str) -> Question {
    Question::new(["systemctl", "show", "--property", "ActiveState,UnitFileState", unit])
}

/// What a step that formats counts on.
pub(super) fn sealed() -> Vec<Question> {
    vec![blocks(), signatures(), links()]
}

/// All that has to be asked for what is declared; one question more than the record where nothing is.
pub(super) fn all(volumes: &Volumes) -> Vec<Question> {
    let mut questions = vec![file(keep::RULES), arrays()];
    if volumes.wanted.is_empty() {
        return questions;
    }
    questions.extend([blocks(), signatures(), links(), mounts(), release()]);
    questions.extend(keep::LISTS.map(file));
    for volume in &volumes.wanted {
        questions.push(file(&unit_path(&volume.mount)));
        questions.push(unit(&mount::unit_name(&volume.mount)));
        questions.push(contents(volume.mount.as_str()));
    }
    questions
}
