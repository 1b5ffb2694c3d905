//! Where a volume stands: its array or device, made of blank devices where it is not there (pure).

use std::collections::BTreeSet;
use std::time::Duration;

use super::device::{Burden, Candidates};
use super::want::Level;
use super::world::{Array, Block, World};
use super::{Look, Standing, VolumeWant, Volumes, array_uuid, ask, derived_uuid, mount, script};
use crate::ground::{Findings, GroundChange, When, Work};

/// What there is of a volume: more than one of a name is told, and none is chosen.
pub(super) enum Existing<'w> {
    Arrays(Vec<&'w Array>),
    Devices(Vec<&'w Block>),
}

/// Finds a volume by the ids that it was made with, or by its name.
pub(super) fn existing<'w>(volumes: &Volumes, want: &VolumeWant, world: &'w World) -> Option<Existing<'w>> {
    if want.level == Level::Single {
        let uuid = derived_uuid(&volumes.host, &want.name, "filesystem");
        let is = |block: &&Block| {
            let named = |label: &String| *label == want.name;
            let of = block.signature(want.filesystem.word());
            want.devices.matches(block)
                && of.is_some_and(|of| of.uuid.as_ref() == Some(&uuid) || of.label.as_ref().is_some_and(named))
        };
        let found: Vec<_> = world.blocks.values().filter(is).collect();
        return (!found.is_empty()).then_some(Existing::Devices(found));
    }
    let uuid = array_uuid(&derived_uuid(&volumes.host, &want.name, "array"));
    let is = |array: &&Array| array.uuid == uuid || array.name == want.name;
    let found: Vec<_> = world.arrays.iter().filter(is).collect();
    (!found.is_empty()).then_some(Existing::Arrays(found))
}

impl Existing<'_> {
    /// The kernel's names of its devices.
    pub(super) fn members(&self, world: &World) -> Vec<String> {
        match self {
            Self::Arrays(arrays) => {
                arrays.iter().flat_map(|array| members(array, world)).map(|block| block.kernel_name.clone()).collect()
            }
            Self::Devices(blocks) => blocks.iter().map(|block| block.kernel_name.clone()).collect(),
        }
    }
}

fn members<'w>(array: &Array, world: &'w World) -> Vec<&'w Block> {
    world.blocks.values().filter(|block| block.children.contains(&array.kernel_name)).collect()
}

fn serials(blocks: &[&Block]) -> Vec<String> {
    let mut serials: Vec<_> =
        blocks.iter().map(|block| block.serial.clone()).filter(|serial| !serial.is_empty()).collect();
    serials.sort();
    serials
}

fn path(block: &Block) -> String {
    format!("/dev/disk/by-id/{}", block.link().unwrap_or_default())
}

fn array_path(uuid: &str) -> String {
    format!("/dev/disk/by-id/md-uuid-{uuid}")
}

/// Finds what differs, and tells where the volume stands; nothing where it does not, and that is told.
pub(super) fn diff(
    look: &Look<'_>,
    found: Option<&Existing<'_>>,
    taken: &mut BTreeSet<String>,
    findings: &mut Findings,
) -> Option<Standing> {
    match found {
        None => make(look, taken, findings),
        Some(Existing::Arrays(arrays)) => match arrays.as_slice() {
            [array] => Some(keep(look, array, taken, findings)),
            several => {
                let names: Vec<_> = several.iter().map(|array| format!("`{}`", array.kernel_name)).collect();
                let reason = format!("{} arrays are called so: {}", several.len(), names.join(", "));
                findings.refusals.push(look.refuse("look after", reason, None));
                None
            }
        },
        Some(Existing::Devices(blocks)) => match blocks.as_slice() {
            [block] => Some(Standing {
                path: path(block),
                kernel_name: Some(block.kernel_name.clone()),
                array: None,
                serials: serials(&[block]),
                filesystem: String::new(),
            }),
            several => {
                let names: Vec<_> = several.iter().map(|block| format!("`{}`", block.shown())).collect();
                let reason = format!("{} devices carry a filesystem of this name: {}", several.len(), names.join(", "));
                findings.refusals.push(look.refuse("look after", reason, None));
                None
            }
        },
    }
}

/// Makes it of devices that nothing is on.
fn make(look: &Look<'_>, taken: &mut BTreeSet<String>, findings: &mut Findings) -> Option<Standing> {
    let want = look.want;
    let candidates = Candidates::find(&want.devices, look.world, look.destroyable, taken);
    let uuid = array_uuid(&look.uuid("array"));
    let is_member = |block: &Block| {
        block.signature("linux_raid_member").is_some_and(|member| {
            let named = member.label.as_ref().is_some_and(|label| label.rsplit(':').next() == Some(&want.name));
            named || member.uuid.as_deref().map(array_uuid).as_ref() == Some(&uuid)
        })
    };
    let idle: Vec<_> =
        candidates.burdened.iter().filter(|(block, _)| is_member(block)).map(|(block, _)| block.shown()).collect();
    if !idle.is_empty() {
        let reason = format!("its array does not run, and these are members of it: {}", idle.join(", "));
        let hint = "see what is wrong with it: `mdadm --examine --scan`, then `mdadm --assemble --scan`";
        findings.refusals.push(look.refuse("make", reason, Some(hint.to_owned())));
        return None;
    }
    let Some(chosen) = candidates.take(want.count) else {
        findings.refusals.push(shortage(look, &candidates));
        return None;
    };
    if let Some(obstacle) = mount::obstacle(look, None) {
        findings.refusals.push(obstacle);
        return None;
    }
    taken.extend(chosen.iter().map(|block| block.kernel_name.clone()));
    let mut work: Vec<Work> = Vec::new();
    for block in chosen.iter().filter(|block| !Burden::of(block, look.world).is_none()) {
        let burden = Burden::of(block, look.world).text();
        work.push(script::wipe(format!("empty {}, which carries {burden}", block.shown()), &path(block)));
    }
    let shown: Vec<_> = chosen.iter().map(|block| block.shown()).collect();
    let devices: Vec<_> = chosen.iter().map(|block| path(block)).collect();
    let is = look.was_there.then(|| "was there before, and its devices are blank: a stop emptied them".to_owned());
    let (kind, should, path, array) = match &want.level {
        Level::Single => ("device", shown.join(", "), devices.concat(), None),
        Level::Raid { .. } => {
            work.push(script::on_blank(format!("make array {}", want.name), &devices, &create(want, &uuid, &devices)));
            work.push(Work::quick("wait for its names", ["udevadm", "settle", "--timeout=30"]));
            ("array", format!("{} of {}", shape(&want.level), shown.join(", ")), array_path(&uuid), Some(uuid))
        }
    };
    if !work.is_empty() || is.is_some() {
        let sealed = ask::sealed();
        findings.changes.push(GroundChange {
            is,
            should,
            work,
            sealed,
            ..GroundChange::new(kind, &want.name, When::BeforeFiles)
        });
    }
    Some(Standing { path, kernel_name: None, array, serials: serials(&chosen), filesystem: String::new() })
}

fn shortage(look: &Look<'_>, candidates: &Candidates<'_>) -> crate::ground::Refusal {
    let want = look.want;
    let usable = candidates.blank.len() + candidates.allowed.len();
    let burdens = candidates.burdened.iter().map(|(block, burden)| format!("; {}: {}", block.shown(), burden.text()));
    let reason = format!("{usable} of {} devices are blank{}", want.count, burdens.collect::<String>());
    let liftable = candidates.burdened.iter().find(|(_, burden)| burden.used.is_empty());
    let hint = liftable
        .map(|(block, _)| format!("if that may be lost: `--allow-destroy {}:{}`", look.volumes.host, block.shown()));
    look.refuse("make", reason, hint)
}

/// `raid10 far2, chunk 1024K`.
fn shape(level: &Level) -> String {
    match level {
        Level::Single => "single".to_owned(),
        Level::Raid { level, layout, chunk_kib } => {
            let layout = layout.as_ref().map(|layout| format!(" {layout}")).unwrap_or_default();
            let chunk = chunk_kib.map(|chunk| format!(", chunk {chunk}K")).unwrap_or_default();
            format!("raid{level}{layout}{chunk}")
        }
    }
}

fn create(want: &VolumeWant, uuid: &str, devices: &[String]) -> Vec<String> {
    let Level::Raid { level, layout, chunk_kib } = &want.level else { return Vec::new() };
    let mut argv = vec![
        "mdadm".to_owned(),
        "--create".to_owned(),
        format!("/dev/md/{}", want.name),
        "--metadata=1.2".to_owned(),
        format!("--name={}", want.name),
        // Otherwise a host that was renamed would take it for somebody else's.
        "--homehost=any".to_owned(),
        format!("--uuid={uuid}"),
        format!("--level={level}"),
    ];
    argv.extend(layout.as_ref().map(|layout| format!("--layout={}", layout_word(layout))));
    argv.extend(chunk_kib.map(|chunk| format!("--chunk={chunk}K")));
    // Said, so that it does not ask; a level without copies has none.
    argv.extend((*level != 0).then(|| "--bitmap=internal".to_owned()));
    argv.push(format!("--raid-devices={}", devices.len()));
    argv.extend(devices.iter().cloned());
    argv
}

/// `far2` is `f2` to `mdadm`.
fn layout_word(layout: &str) -> String {
    let first: String = layout.chars().take(1).collect();
    format!("{first}{}", layout.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
}

/// As the kernel numbers it (<https://elixir.bootlin.com/linux/v6.1/source/drivers/md/raid10.c>): near copies, then far ones, then whether they are shifted.
fn layout_number(layout: &str) -> u64 {
    match layout {
        "near2" => 0x102,
        "offset2" => 0x1_0201,
        _ => 0x201,
    }
}

/// Looks after an array that is there: a device that it lacks is added, everything else is told.
fn keep(look: &Look<'_>, array: &Array, taken: &mut BTreeSet<String>, findings: &mut Findings) -> Standing {
    let want = look.want;
    if let Level::Raid { level, layout, chunk_kib } = &want.level {
        let mut differs = Vec::new();
        let is_level = array.level == format!("raid{level}");
        if !is_level {
            differs.push(format!("it is `{}`", array.level));
        }
        if is_level {
            if layout.as_ref().is_some_and(|layout| layout_number(layout) != array.layout) {
                differs.push(format!("its layout has the number {:#x}", array.layout));
            }
            if chunk_kib.is_some_and(|chunk| chunk != array.chunk_kib) {
                differs.push(format!("its chunk is {}K", array.chunk_kib));
            }
            if array.count != want.count {
                differs.push(format!("it has {} devices", array.count));
            }
        }
        if !differs.is_empty() {
            let reason = format!("{}, and should be {} of {}", differs.join(", "), shape(&want.level), want.count);
            let hint = "what is there is not reshaped: write what it is, or move its data away and make it anew";
            findings.refusals.push(look.refuse("reshape", reason, Some(hint.to_owned())));
        }
    }
    if array.degraded > 0 {
        lacks(look, array, taken, findings);
    }
    Standing {
        path: array_path(&array.uuid),
        kernel_name: Some(array.kernel_name.clone()),
        array: Some(array.uuid.clone()),
        serials: serials(&members(array, look.world)),
        filesystem: String::new(),
    }
}

fn lacks(look: &Look<'_>, array: &Array, taken: &mut BTreeSet<String>, findings: &mut Findings) {
    // A device that was added is filled: until then the array counts as degraded.
    if matches!(array.sync_action.as_str(), "recover" | "resync") {
        return;
    }
    let candidates = Candidates::find(&look.want.devices, look.world, look.destroyable, taken);
    let Some(block) = candidates.blank.first() else {
        let reason = format!("{} of {} devices are missing, and no blank device matches", array.degraded, array.count);
        let hint = "give the host a new disk; it is added by the next apply";
        findings.refusals.push(look.refuse("mend", reason, Some(hint.to_owned())));
        return;
    };
    taken.insert(block.kernel_name.clone());
    let device = path(block);
    let add = ["mdadm", &array_path(&array.uuid), "--add", &device].map(str::to_owned);
    findings.changes.push(GroundChange {
        is: Some(format!("{} of {} devices missing", array.degraded, array.count)),
        should: format!("with {}", block.shown()),
        work: vec![script::on_blank(format!("add {}", block.shown()), &[device], &add).within(Duration::from_mins(2))],
        sealed: ask::sealed(),
        ..GroundChange::new("array", &look.want.name, When::BeforeFiles)
    });
}
