//! Disks: what real tools answered on a virtual machine, and properties over random worlds of devices.

use std::collections::{BTreeMap, BTreeSet};

use housewright::ground::disks::{Destroyable, Volumes, read_volumes};
use housewright::ground::{Answer, Answers, Findings};
use housewright::sim::{SimArray, SimDevices};
use proptest::prelude::*;
use serde_json::{Value, json};

const OWN: &str = "Amazon EC2 NVMe Instance Storage";
const EBS: &str = "Amazon Elastic Block Store";

/// A host: its disks and its files.
#[derive(Debug, Clone, Default)]
struct World {
    disks: SimDevices,
    files: BTreeMap<String, String>,
}

impl World {
    fn ask(&self, volumes: &Volumes) -> Answers {
        let answer = |argv: &[String]| match argv {
            [cat, path] if cat == "cat" => {
                let text = self.files.get(path).cloned();
                Answer { status: Some(u8::from(text.is_none())), stdout: text.unwrap_or_default() }
            }
            _ => {
                let stdout = self.disks.answer(argv).unwrap_or_else(|| panic!("nobody answers {argv:?}"));
                Answer { status: Some(0), stdout }
            }
        };
        volumes.questions().into_iter().map(|question| (question.clone(), answer(question.argv()))).collect()
    }

    fn plan(&self, volumes: &(Volumes, Destroyable)) -> Findings {
        let mut findings = Findings::default();
        volumes.0.diff(&self.ask(&volumes.0), &volumes.1, &mut findings);
        findings
    }

    /// Does the steps until one fails, as a host does.
    fn apply(&mut self, findings: &Findings) -> Result<(), String> {
        for work in findings.changes.iter().flat_map(|change| &change.work) {
            let words: Vec<&str> = work.argv.iter().map(String::as_str).collect();
            if let ["systemctl", "start", unit] = words.as_slice() {
                let text = self.files.get(&format!("/etc/systemd/system/{unit}")).cloned().unwrap_or_default();
                self.disks.mount(&text)?;
                continue;
            }
            let files = &mut self.files;
            let mut write = |path: &str, text: &str| drop(files.insert(path.to_owned(), text.to_owned()));
            self.disks.work(&work.argv, &mut write).unwrap_or_else(|| panic!("nobody does {words:?}"))?;
        }
        Ok(())
    }
}

fn volumes(declared: &Value, destroyable: &[&str]) -> (Volumes, Destroyable) {
    let destroyable = Destroyable(destroyable.iter().map(|name| (*name).to_owned()).collect());
    (Volumes { host: "d1".to_owned(), wanted: read_volumes(declared).unwrap() }, destroyable)
}

/// What a device is before anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Nothing,
    Filesystem,
    Partition,
    IdleMember,
    Array,
    Mounted,
    Swap,
}

fn burdened(world: &mut SimDevices, name: &str, carries: Carries) {
    let signature = |kind: &str, label: &str| (kind.to_owned(), label.to_owned(), format!("foreign-{name}"));
    let array = format!("md{}", 60 + world.blocks.len());
    let block = world.blocks.get_mut(name).unwrap();
    match carries {
        Carries::Nothing => {}
        Carries::Filesystem => block.signatures.push(signature("xfs", "")),
        Carries::Swap => block.signatures.push(signature("swap", "")),
        Carries::IdleMember => block.signatures.push(signature("linux_raid_member", "other:old")),
        Carries::Mounted => {
            block.signatures.push(signature("ext4", ""));
            world.mounts.insert(format!("/mnt/{name}"), (name.to_owned(), "rw".to_owned()));
        }
        Carries::Partition => {
            let part = format!("{name}p1");
            block.signatures.push(signature("gpt", ""));
            block.children.insert(part.clone());
            world.add(&part, "", "", 1 << 30).is_partition = true;
        }
        Carries::Array => {
            block.signatures.push(signature("linux_raid_member", "other:old"));
            block.children.insert(array.clone());
            let of = SimArray {
                name: format!("old{name}"),
                uuid: format!("uuid-{name}"),
                level: 0,
                count: 1,
                ..SimArray::default()
            };
            world.add(&array, "", "", 1 << 30).array = Some(of);
        }
    }
}

fn carries() -> impl Strategy<Value = Carries> {
    use Carries::{Array, Filesystem, IdleMember, Mounted, Nothing, Partition, Swap};
    prop_oneof![6 => Just(Nothing), 1 => proptest::sample::select(vec![Filesystem, Partition, IdleMember, Array, Mounted, Swap])]
}

prop_compose! {
    fn declarations()(level in proptest::sample::select(vec!["0", "1", "5", "10", "single"]), count in 2..5_u64,
                      filesystem in proptest::sample::select(vec!["ext4", "xfs"]), own in any::<bool>(), second in any::<bool>()) -> Value {
        let count = if level == "5" { count.max(3) } else { count };
        let mut first = json!({ "name": "data", "level": level, "devices": { "instance_store": own }, "mount": "/data", "filesystem": filesystem });
        if level != "single" {
            first["count"] = json!(count);
        }
        let other = json!({ "name": "cold", "level": "single", "devices": { "instance_store": own }, "mount": "/cold", "filesystem": "ext4" });
        if second { json!([first, other]) } else { json!([first]) }
    }
}

prop_compose! {
    fn worlds()(devices in proptest::collection::vec((carries(), any::<bool>()), 0..9), root in any::<bool>()) -> World {
        let mut world = World::default();
        for (index, (carries, own)) in devices.into_iter().enumerate() {
            let name = format!("nvme{index}n1");
            // Serial numbers do not follow the kernel's order.
            let serial = format!("AWS{:02}", (index * 7 + 3) % 11);
            world.disks.add(&name, &serial, if own { OWN } else { EBS }, 1 << 40);
            burdened(&mut world.disks, &name, carries);
        }
        if root {
            world.disks.add("nvme20n1", "vol0", EBS, 8 << 30);
            burdened(&mut world.disks, "nvme20n1", Carries::Mounted);
        }
        world
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_carries_anything_is_touched_unless_it_is_named(
        world in worlds(), declared in declarations(), named in proptest::collection::vec(0..11_usize, 0..3), names_kernel in any::<bool>(),
    ) {
        let serials: Vec<String> = named.iter().map(|index| format!("AWS{index:02}")).collect();
        let kernel: Vec<String> = (0..9).map(|index| format!("nvme{index}n1")).collect();
        // A name that moves between boots permits nothing.
        let allowed: Vec<&str> = serials.iter().chain(kernel.iter().filter(|_| names_kernel)).map(String::as_str).collect();
        let volumes = volumes(&declared, &allowed);
        let plan = world.plan(&volumes);
        prop_assert_eq!(&plan, &world.plan(&volumes));
        let mut after = world.clone();
        prop_assert_eq!(after.apply(&plan), Ok(()), "{:#?}", plan);
        for (serial, on) in &after.disks.destroyed {
            prop_assert!(on.is_empty() || serials.contains(serial), "{} carried {:?}", serial, on);
            prop_assert!(!on.iter().any(|on| on.starts_with("mounted")));
        }
        // What was on other devices is on them as before.
        for (name, block) in world.disks.blocks.iter().filter(|(_, block)| !serials.contains(&block.serial)) {
            let before: BTreeSet<_> = block.signatures.iter().collect();
            let now: BTreeSet<_> = after.disks.blocks.get(name).into_iter().flat_map(|block| &block.signatures).collect();
            prop_assert!(block.is_partition || before.is_subset(&now), "{}", name);
        }
        // Nothing more is to be done, and what was held is held for the same reason.
        let again = after.plan(&volumes);
        prop_assert!(again.changes.is_empty(), "{:#?}", again);
        prop_assert_eq!(again.refusals.len(), plan.refusals.len());
        // A stop and start: the instance's own volumes come back, the others stay.
        if plan.refusals.is_empty() {
            after.disks.stop_and_start(OWN);
            after.disks.destroyed.clear();
            let back = after.plan(&volumes);
            if back.refusals.is_empty() {
                prop_assert_eq!(after.apply(&back), Ok(()));
                prop_assert!(after.disks.destroyed.iter().all(|(serial, on)| on.is_empty() || serials.contains(serial)));
                prop_assert!(after.plan(&volumes).changes.is_empty());
            }
        }
    }
}

/// The plan as text.
fn told(findings: &Findings) -> String {
    let changes = findings.changes.iter().map(|change| {
        let work: String = change.work.iter().map(|work| format!("    {}\n", work.what)).collect();
        format!("{change}\n{work}")
    });
    let held = findings.refusals.iter().map(|refusal| {
        let hint = refusal.hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
        format!("held: {}: {}{hint}\n", refusal.what, refusal.reason)
    });
    changes.chain(held).collect()
}

/// Compares with a file, which `HOUSEWRIGHT_BLESS` writes.
#[track_caller]
fn as_expected(path: impl AsRef<std::path::Path>, text: &str) {
    let path = path.as_ref();
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        std::fs::write(path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap_or_default(), "{}", path.display());
}

/// What the tools of a virtual machine answered (`scripts/test-vm` with `HOUSEWRIGHT_CAPTURE=DIR`), and what is planned from it.
#[test]
fn captured_answers_are_planned_from() {
    let declared = |level: u8, filesystem: &str| {
        json!([{ "name": "data", "level": level, "count": 4, "devices": { "model": "QEMU NVMe Ctrl", "serial": "AWS*" }, "mount": "/var/lib/clickhouse",
                 "filesystem": filesystem, "read_ahead_kib": 4096, "scheduler": "none", "resync_kib_per_second": 200_000 }])
    };
    let mut seen = 0;
    for entry in std::fs::read_dir("tests/captured/debian-12").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        seen += 1;
        let answers: Answers = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let is_zero = path.file_stem().is_some_and(|stem| stem == "raid0");
        let (wanted, named) = volumes(&if is_zero { declared(0, "ext4") } else { declared(10, "xfs") }, &[]);
        let mut findings = Findings::default();
        wanted.diff(&answers, &named, &mut findings);
        as_expected(path.with_extension("txt"), &told(&findings));
    }
    assert!(seen >= 2);
}

fn four(level: &str) -> Value {
    json!([{ "name": "data", "level": level, "devices": { "instance_store": true }, "count": 4, "mount": "/var/lib/clickhouse" }])
}

fn bare() -> World {
    let mut world = World::default();
    for (name, serial) in [("nvme2n1", "AWS1"), ("nvme0n1", "AWS2"), ("nvme4n1", "AWS3"), ("nvme1n1", "AWS4")] {
        world.disks.add(name, serial, OWN, 7 << 40);
    }
    world.files.insert("/etc/os-release".to_owned(), "NAME=x\nID=debian\n".to_owned());
    world
}

#[test]
fn a_foreign_signature_holds_and_a_permission_for_that_very_device_lifts_it() {
    let mut world = bare();
    world.disks.blocks.get_mut("nvme4n1").unwrap().signatures.push((
        "ext4".to_owned(),
        "old".to_owned(),
        "u".to_owned(),
    ));
    as_expected("tests/captured/simulated/held.txt", &told(&world.plan(&volumes(&four("10"), &[]))));
    assert_eq!(world.plan(&volumes(&four("10"), &["nvme4n1", "AWS"])).changes, [], "no other name is that device");
    let lifted = world.plan(&volumes(&four("10"), &["AWS3"]));
    as_expected("tests/captured/simulated/named.txt", &told(&lifted));
    world.apply(&lifted).unwrap();
    assert_eq!(world.disks.destroyed[0], ("AWS3".to_owned(), vec!["ext4".to_owned()]));
}

#[test]
fn a_replaced_disk_is_added_and_what_should_be_another_array_is_told() {
    let mut world = bare();
    world.apply(&world.plan(&volumes(&four("10"), &[]))).unwrap();
    world.disks.blocks.remove("nvme1n1");
    let array = world.disks.blocks.values_mut().find_map(|block| block.array.as_mut()).unwrap();
    array.degraded = 1;
    as_expected("tests/captured/simulated/degraded.txt", &told(&world.plan(&volumes(&four("10"), &[]))));
    world.disks.add("nvme9n1", "AWS9", OWN, 7 << 40);
    as_expected("tests/captured/simulated/replaced.txt", &told(&world.plan(&volumes(&four("10"), &[]))));
    world.apply(&world.plan(&volumes(&four("10"), &[]))).unwrap();
    assert_eq!(told(&world.plan(&volumes(&four("10"), &[]))), "");
    as_expected("tests/captured/simulated/another_level.txt", &told(&world.plan(&volumes(&four("0"), &[]))));
}

#[test]
fn a_directory_with_something_in_it_is_not_hidden() {
    let mut world = bare();
    world.disks.contents.insert("/var/lib/clickhouse".to_owned(), "store".to_owned());
    as_expected("tests/captured/simulated/not_empty.txt", &told(&world.plan(&volumes(&four("0"), &[]))));
}

#[test]
fn what_a_former_role_left_is_told_and_stays() {
    let mut world = bare();
    world.apply(&world.plan(&volumes(&four("0"), &[]))).unwrap();
    as_expected("tests/captured/simulated/leftovers.txt", &told(&world.plan(&volumes(&json!([]), &[]))));
    assert_eq!(told(&bare().plan(&volumes(&json!([]), &[]))), "");
}

#[test]
fn what_is_not_known_is_not_blank() {
    let (wanted, named) = volumes(&four("0"), &[]);
    for broken in 0..wanted.questions().len() {
        let answers = bare().ask(&wanted);
        let asked = wanted.questions();
        let lost: Answers = asked
            .iter()
            .enumerate()
            .map(|(index, question)| {
                let answer = answers.get(question).cloned().unwrap();
                (
                    question.clone(),
                    if index == broken { Answer { status: Some(1), stdout: String::new() } } else { answer },
                )
            })
            .collect();
        let mut findings = Findings::default();
        wanted.diff(&lost, &named, &mut findings);
        let words = asked[broken].argv().join(" ");
        let tells = ["lsblk", "wipefs", "by-id -type", "findmnt"].iter().any(|tool| words.contains(tool));
        assert_eq!(findings.changes.is_empty(), tells, "{words}");
    }
}

#[test]
fn declarations_are_read_strictly() {
    let wrong = |part: Value| {
        let mut volume = four("10")[0].clone();
        part.as_object().unwrap().iter().for_each(|(key, value)| volume[key] = value.clone());
        read_volumes(&json!([volume])).unwrap_err()
    };
    for part in [
        json!({ "level": 6 }),
        json!({ "level": "single" }),
        json!({ "count": null }),
        json!({ "count": 1 }),
        json!({ "devices": {} }),
        json!({ "devices": { "min_size": "1T" } }),
        json!({ "devices": { "by_id": "/dev/nvme1n1" } }),
        json!({ "devices": { "instance_store": "perhaps" } }),
        json!({ "filesystem": "btrfs" }),
        json!({ "filesystem_options": ["-f"] }),
        json!({ "filesystem_options": ["-qF"] }),
        json!({ "filesystem_options": ["-l", "logdev=/dev/sda"] }),
        json!({ "mount": "data" }),
        json!({ "mount_options": ["noatime\nType=nfs"] }),
        json!({ "level": 0, "layout": "far2" }),
        json!({ "chunk": "1" }),
        json!({ "anything": 1 }),
    ] {
        assert!(!wrong(part.clone()).is_empty(), "{part}");
    }
    assert!(read_volumes(&json!([four("0")[0], four("0")[0]])).is_err(), "two of a name");
    assert_eq!(read_volumes(&json!([])), Ok(Vec::new()));
}
