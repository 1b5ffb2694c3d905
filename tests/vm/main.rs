//! A virtual machine: bare devices become volumes, and come back when a stop emptied them; its kernel is told. By the real program over SSH.
//!
//! `scripts/test-vm` builds the machine's root and runs this; `scripts/test` does not, for its time.

mod desk;
mod kernel;
mod machine;

use std::fs;
use std::path::Path;

use desk::Desk;
use housewright::ground::disks::{Volumes, read_volumes};
use housewright::ground::{Answer, Answers};
use machine::Machine;

const DISKS: [&str; 4] = ["AWS1", "AWS2", "AWS3", "AWS4"];

fn declared(level: u8, filesystem: &str) -> String {
    format!(
        "  - {{ name: data, level: {level}, count: 4, devices: {{ model: QEMU NVMe Ctrl, serial: AWS* }}, mount: /var/lib/clickhouse,\n      \
         filesystem: {filesystem}, read_ahead_kib: 4096, scheduler: none, resync_kib_per_second: 200000 }}\n"
    )
}

/// Keeps what the machine's own tools answer, for the tests that have no machine.
fn capture(machine: &Machine, volumes: &str, stage: &str) {
    let Some(directory) = std::env::var_os("HOUSEWRIGHT_CAPTURE") else { return };
    let wanted = read_volumes(&serde_yaml::from_str(volumes).unwrap()).unwrap();
    let volumes = Volumes { host: "d1".to_owned(), wanted };
    let quoted = |argv: &[String]| {
        argv.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect::<Vec<_>>().join(" ")
    };
    let questions = volumes.questions();
    let script: String = questions
        .iter()
        .map(|question| format!("{} 2>/dev/null; printf '\\n%s\\036' $?\n", quoted(question.argv())))
        .collect();
    let said = machine.run(&script);
    let answers: Answers = questions
        .into_iter()
        .zip(said.split('\u{1e}'))
        .map(|(question, said)| {
            let (stdout, status) = said.rsplit_once('\n').unwrap();
            (question, Answer { status: status.parse().ok(), stdout: stdout.to_owned() })
        })
        .collect();
    fs::write(Path::new(&directory).join(format!("{stage}.json")), serde_json::to_string_pretty(&answers).unwrap())
        .unwrap();
}

#[test]
#[ignore = "takes minutes of an emulated processor: scripts/test-vm"]
fn disks_become_volumes_and_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut machine = Machine::new(directory.path());
    let desk = Desk::new(&machine);
    DISKS.iter().for_each(|serial| drop(machine.disk(serial)));
    let foreign = machine.disk("AWS3");
    assert!(
        std::process::Command::new("mkfs.ext4").args(["-q", "-L", "whose"]).arg(&foreign).status().unwrap().success()
    );
    let bytes = fs::read(&foreign).unwrap();

    // Somebody's filesystem is on one of four.
    machine.boot(&DISKS);
    let ten = declared(10, "xfs");
    desk.declare(&ten);
    capture(&machine, &ten, "foreign");
    let held = ["3 of 4 devices are blank", "AWS3: ext4 `whose`", "--allow-destroy d1:AWS3"];
    desk.says(&["plan"], 0, &held);
    desk.says(&["apply", "--yes"], 3, &held);
    machine.run("! test -e /etc/systemd/system/clickhouse-server.service; sync");
    assert!(fs::read(&foreign).unwrap() == bytes, "the disk of somebody else is as it was, byte for byte");

    // It is named: level 10, and the server behind it.
    desk.applies(&["--allow-destroy", "d1:AWS3"], &["empty AWS3", "make array data", "make xfs data"]);
    capture(&machine, &ten, "raid10");
    machine.run(
        "systemctl start clickhouse-server; mountpoint /var/lib/clickhouse; echo kept > /var/lib/clickhouse/witness",
    );
    let stat = machine.run("stat -c %a /var/lib/clickhouse");
    assert_eq!(stat.trim(), "750", "the directory's mode is the volume's");

    // A boot in another order of devices.
    machine.power_off();
    machine.boot(&["AWS3", "AWS1", "AWS4", "AWS2"]);
    capture(&machine, &ten, "other_order");
    desk.says(&["plan"], 0, &["nothing to do"]);
    // 3: the stand-in answers nobody, and that is told.
    desk.says(&["apply", "--yes"], 3, &["nothing to do"]);
    assert_eq!(machine.run("systemctl is-active clickhouse-server; cat /var/lib/clickhouse/witness"), "active\nkept\n");

    // A stop and start empties them; a server does not begin beside its volume, and all is made anew.
    machine.power_off();
    machine.empty(&DISKS);
    machine.boot(&["AWS2", "AWS4", "AWS1", "AWS3"]);
    capture(&machine, &ten, "wiped");
    assert_eq!(machine.run("systemctl is-active clickhouse-server || true").trim(), "inactive");
    desk.applies(&[], &["a stop emptied them", "make array data"]);
    machine.run(
        "systemctl start clickhouse-server; mountpoint /var/lib/clickhouse; ! test -e /var/lib/clickhouse/witness",
    );

    // New disks become level 0 with ext4.
    machine.power_off();
    machine.empty(&DISKS);
    machine.boot(&DISKS);
    let zero = declared(0, "ext4");
    desk.declare(&zero);
    desk.applies(&[], &["make ext4 data"]);
    capture(&machine, &zero, "raid0");
    machine.run("systemctl start clickhouse-server; grep -q raid0 /proc/mdstat; grep -q ' /var/lib/clickhouse ext4 rw,noatime' /proc/mounts");

    // The host is to have none any more.
    fs::write(desk.directory().join("inventories/vm/host_vars/d1.yml"), "raid_volumes: []\n").unwrap();
    desk.says(&["plan"], 0, &["take down volume `data`", "is empty"]);
    machine.run("mountpoint /var/lib/clickhouse");
    machine.power_off();
}
