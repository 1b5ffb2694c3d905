//! What keeps volumes as they are over a boot: the list of arrays, and rules for devices (pure).
//!
//! The rules' comments are also the record of what was made here: that is how a stop that emptied the disks is recognised.

use std::time::Duration;

use super::want::Level;
use super::world::World;
use super::{Standing, VolumeWant, ask, script};
use crate::ground::{Answers, Findings, GroundChange, When, Work};

/// Rules of udev, and the record.
pub const RULES: &str = "/etc/udev/rules.d/99-housewright-disks.rules";
/// Where `mdadm` reads lists of arrays besides its own (<https://man7.org/linux/man-pages/man5/mdadm.conf.5.html>): Debian's, then the others'.
pub(super) const LISTS: [&str; 2] = ["/etc/mdadm/mdadm.conf.d/housewright.conf", "/etc/mdadm.conf.d/housewright.conf"];
const VOLUME: &str = "# volume ";
/// To pack an initramfs takes a minute on a small machine.
const PACKING: Duration = Duration::from_mins(10);

/// Which volumes the host's files know.
pub(super) struct Record(pub(super) Vec<(String, String)>);

impl Record {
    pub(super) fn read(answers: &Answers) -> Self {
        let text = answers.text(&ask::file(RULES)).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.strip_prefix(VOLUME)?.split_once(' '));
        Self(lines.map(|(name, mount)| (name.to_owned(), mount.to_owned())).collect())
    }

    pub(super) fn knows(&self, volume: &str) -> bool {
        self.0.iter().any(|(name, _)| name == volume)
    }
}

/// Finds what differs.
pub(super) fn diff(standing: &[(&VolumeWant, Standing)], world: &World, answers: &Answers, findings: &mut Findings) {
    list(standing, answers, findings);
    let text = rules(standing);
    let is_written = answers.text(&ask::file(RULES)) == Some(text.as_str());
    let drifted: Vec<_> = standing.iter().flat_map(|(want, stands)| drift(want, stands, world)).collect();
    if is_written && drifted.is_empty() {
        return;
    }
    let mut work = Vec::new();
    if !is_written {
        work.push(script::write(RULES, &text));
        work.push(Work::quick("read rules again", ["udevadm", "control", "--reload"]));
    }
    let trigger = ["udevadm", "trigger", "--action=change", "--subsystem-match=block", "--settle"];
    work.push(Work::quick("follow the rules", trigger));
    findings.changes.push(GroundChange {
        is: (!drifted.is_empty()).then(|| drifted.join(", ")),
        should: "read-ahead, scheduler and resync speed as declared".to_owned(),
        work,
        ..GroundChange::new("device rules", RULES, When::BeforeFiles)
    });
}

fn list(standing: &[(&VolumeWant, Standing)], answers: &Answers, findings: &mut Findings) {
    let line = |(want, stands): &(&VolumeWant, Standing)| {
        stands.array.as_ref().map(|uuid| format!("ARRAY /dev/md/{} metadata=1.2 UUID={uuid}\n", want.name))
    };
    let lines: String = standing.iter().filter_map(line).collect();
    let release = answers.text(&ask::release()).unwrap_or_default();
    let is_debian =
        release.lines().any(|line| line.starts_with("ID") && (line.contains("debian") || line.contains("ubuntu")));
    let [debian, others] = LISTS;
    let path = if is_debian { debian } else { others };
    let there = answers.text(&ask::file(path));
    if there.unwrap_or_default() == lines {
        return;
    }
    let pack = if is_debian { ["update-initramfs", "-u"] } else { ["dracut", "--force"] };
    // An image without it boots without an initramfs.
    let pack =
        ["sh", "-c", "command -v \"$1\" >/dev/null || exit 0; exec \"$@\"", "housewright"].into_iter().chain(pack);
    findings.changes.push(GroundChange {
        is: there.map(|_| "other arrays".to_owned()),
        should: "the arrays by their ids, also in the initramfs".to_owned(),
        work: vec![script::write(path, &lines), Work::quick("pack the initramfs", pack).within(PACKING)],
        ..GroundChange::new("array list", path, When::BeforeFiles)
    });
}

fn rules(standing: &[(&VolumeWant, Standing)]) -> String {
    let volume = |(want, stands): &(&VolumeWant, Standing)| {
        let mut lines = vec![format!("{VOLUME}{} {}\n", want.name, want.mount)];
        for (scheduler, serial) in
            want.scheduler.iter().flat_map(|scheduler| stands.serials.iter().map(move |serial| (scheduler, serial)))
        {
            let of = format!("ENV{{ID_SERIAL_SHORT}}==\"{serial}\", ENV{{DEVTYPE}}==\"disk\"");
            lines.push(rule(&of, &format!("ATTR{{queue/scheduler}}=\"{scheduler}\"")));
        }
        let of = format!("ENV{{ID_FS_UUID}}==\"{}\"", stands.filesystem);
        lines.extend(want.read_ahead_kib.map(|kib| rule(&of, &format!("ATTR{{queue/read_ahead_kb}}=\"{kib}\""))));
        if let (Some(kib), Level::Raid { level: 1 | 5 | 10, .. }) = (want.resync_kib_per_second, &want.level) {
            lines.push(rule(&of, &format!("ATTR{{md/sync_speed_min}}=\"{kib}\"")));
        }
        lines.concat()
    };
    let head = "# Written by Housewright: the volumes of this host, and how their devices are set.\n";
    head.to_owned() + &standing.iter().map(volume).collect::<String>()
}

fn rule(of: &str, set: &str) -> String {
    format!("SUBSYSTEM==\"block\", ACTION==\"add|change\", {of}, {set}\n")
}

/// What the running kernel has otherwise, of devices that are there.
fn drift(want: &VolumeWant, stands: &Standing, world: &World) -> Vec<String> {
    let mut drifted = Vec::new();
    let Some(name) = &stands.kernel_name else { return drifted };
    let read_ahead = world.blocks.get(name).and_then(|block| block.read_ahead_kib);
    if let (Some(is), Some(wanted)) = (read_ahead, want.read_ahead_kib)
        && is != wanted
    {
        drifted.push(format!("{} reads {is} KiB ahead", want.name));
    }
    for block in world.blocks.values().filter(|block| block.kind == "disk" && stands.serials.contains(&block.serial)) {
        if let (Some(is), Some(wanted)) = (&block.scheduler, &want.scheduler)
            && is != wanted
        {
            drifted.push(format!("{} has the scheduler {is}", block.shown()));
        }
    }
    let array = world.arrays.iter().find(|array| array.kernel_name == *name);
    if let (Some(array), Some(wanted), Level::Raid { level: 1 | 5 | 10, .. }) =
        (array, want.resync_kib_per_second, &want.level)
        && array.sync_speed_min != wanted.to_string()
    {
        drifted.push(format!("{} is made equal at {} KiB/s at least", want.name, array.sync_speed_min));
    }
    drifted
}
