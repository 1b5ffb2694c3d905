//! The mount unit of a volume: by the filesystem's id, and before what needs it (pure).

use super::want::Filesystem;
use super::{Look, Standing, ask, escaped, script};
use crate::ground::{Findings, GroundChange, Refusal, When, Work};
use crate::remote::{RemotePath, UnitName};

/// Options that the kernel shows as they were asked for; others, such as `nofail`, it does not know.
const SHOWN: [&str; 10] =
    ["noatime", "nodiratime", "relatime", "strictatime", "lazytime", "discard", "nodev", "nosuid", "noexec", "ro"];

pub(super) fn unit_name(mount: &RemotePath) -> String {
    format!("{}.mount", escaped(mount.as_str()))
}

pub(super) fn unit_path(mount: &RemotePath) -> String {
    format!("/etc/systemd/system/{}", unit_name(mount))
}

/// The unit file: <https://www.freedesktop.org/software/systemd/man/latest/systemd.mount.html>.
fn unit_text(look: &Look<'_>, filesystem: &str) -> String {
    let want = look.want;
    let device = format!("/dev/disk/by-uuid/{filesystem}");
    let units: Vec<_> = want.required_by.iter().map(UnitName::as_str).collect();
    let units = units.join(" ");
    let some = |key: &str, value: &str| (!value.is_empty()).then(|| format!("{key}={value}"));
    let check = format!("systemd-fsck@{}.service", escaped(&device));
    let check = if want.filesystem == Filesystem::Ext4 { check.as_str() } else { "" };
    let lines = [
        Some(format!("# Volume `{}`, written by Housewright.", want.name)),
        Some("[Unit]".to_owned()),
        some("Description", &format!("Volume {}", want.name)),
        some("Before", &units),
        some("Requires", check),
        some("After", check),
        Some("\n[Mount]".to_owned()),
        some("What", &device),
        some("Where", want.mount.as_str()),
        some("Type", want.filesystem.word()),
        some("Options", &want.mount_options.join(",")),
        Some("\n[Install]".to_owned()),
        some("WantedBy", "multi-user.target"),
        some("RequiredBy", &units),
    ];
    lines.into_iter().flatten().map(|line| line + "\n").collect()
}

/// What stands where the volume is to be mounted.
pub(super) fn obstacle(look: &Look<'_>, kernel_name: Option<&str>) -> Option<Refusal> {
    let target = look.want.mount.as_str();
    if let Some(mount) = look.world.mounted_at(target) {
        let own = kernel_name.is_some_and(|name| mount.source == format!("/dev/{name}"));
        return (!own).then(|| look.refuse("mount", format!("`{}` is mounted at `{target}`", mount.source), None));
    }
    let contents = look.answers.get(&ask::contents(target));
    if contents.is_none_or(|answer| answer.status.is_none()) {
        return Some(look.refuse("mount", format!("what is in `{target}` is not known: `find` took too long"), None));
    }
    // A directory that is not there yet is an exit code.
    let first = contents.map(|answer| answer.stdout.trim()).unwrap_or_default();
    if first.is_empty() {
        return None;
    }
    let reason = format!("`{target}` is not empty and would be hidden: `{first}` is in it");
    let hint =
        format!("stop what uses it, and move what is in it away: `mv {0} {0}.before`", look.want.mount.as_word());
    Some(look.refuse("mount", reason, Some(hint)))
}

/// Finds what differs; tells whether the volume can be where it should.
pub(super) fn diff(look: &Look<'_>, stands: &Standing, findings: &mut Findings) -> bool {
    let want = look.want;
    if let Some(obstacle) = obstacle(look, stands.kernel_name.as_deref()) {
        findings.refusals.push(obstacle);
        return false;
    }
    let (name, path) = (unit_name(&want.mount), unit_path(&want.mount));
    let text = unit_text(look, &stands.filesystem);
    let shown = look.answers.text(&ask::unit(&name)).unwrap_or_default();
    let is_enabled = shown.lines().any(|line| line == "UnitFileState=enabled");
    let is_written = look.answers.get(&ask::file(&path)).is_some_and(|answer| answer.text() == Some(&text));
    let mounted = look.world.mounted_at(want.mount.as_str());
    let mut work = Vec::new();
    if !is_written {
        work.push(script::write(&path, &text));
    }
    if !is_written || !is_enabled {
        work.push(Work::quick("read units again", ["systemctl", "daemon-reload"]));
        work.push(Work::quick(format!("enable {name}"), ["systemctl", "reenable", &name]));
    }
    let mut is = Vec::new();
    match mounted {
        None => {
            is.push("not mounted".to_owned());
            work.push(Work::quick(format!("mount {}", want.mount), ["systemctl", "start", &name]));
        }
        Some(mount) => {
            is.push("mounted".to_owned());
            let lacks: Vec<_> = want
                .mount_options
                .iter()
                .filter(|option| SHOWN.contains(&option.as_str()) && !mount.options.contains(option))
                .cloned()
                .collect();
            if !lacks.is_empty() {
                is.push(format!("without {}", lacks.join(",")));
                let options = format!("remount,{}", lacks.join(","));
                work.push(Work::quick("mount it anew in place", ["mount", "-o", &options, want.mount.as_str()]));
            }
        }
    }
    if !is_written {
        is.push("another unit file, or none".to_owned());
    } else if !is_enabled {
        is.push("not enabled".to_owned());
    }
    if !work.is_empty() {
        let options = want.mount_options.join(",");
        let before: Vec<_> = want.required_by.iter().map(UnitName::as_str).collect();
        findings.changes.push(GroundChange {
            is: (look.was_there || mounted.is_some()).then(|| is.join(", ")),
            should: format!("volume {} by its id, {options}, before {}", want.name, before.join(", ")),
            work,
            ..GroundChange::new("mount", want.mount.as_str(), When::BeforeFiles)
        });
    }
    true
}
