//! The kernel of a virtual machine: told now, and as it was told behind a boot.

use std::fs;

use super::desk::Desk;
use super::machine::Machine;

const WANTED: &str = r#"placement: keeper
hostClusterRole: data
sysctl: { vm.swappiness: 1, vm.max_map_count: 1048576 }
kernel_files:
  - { path: /sys/kernel/mm/transparent_hugepage/enabled, value: never }
  - { path: "/sys/devices/system/cpu/cpufreq/policy*/scaling_governor", value: performance, optional: true }
swap: "off"
clock: synced
hostname: "{{ host.name }}"
"#;
/// As a person or cloud-init leaves it: swap by a line of fstab, and a service for the clock that nobody has started.
const GIVEN: &str = "fallocate -l 32M /swapfile; chmod 600 /swapfile; mkswap -q /swapfile; swapon /swapfile
    echo '/swapfile none swap sw 0 0' >> /etc/fstab
    printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/chrony.service
    systemctl daemon-reload; echo always > /sys/kernel/mm/transparent_hugepage/enabled; sysctl -q -w vm.swappiness=60";
const TOLD: &str = "hostname; cat /etc/hostname; swapon --show; sysctl -n vm.swappiness vm.max_map_count
    cat /sys/kernel/mm/transparent_hugepage/enabled; systemctl is-active chrony";

#[test]
#[ignore = "takes minutes of an emulated processor: scripts/test-vm"]
fn the_kernel_is_told_and_is_so_behind_a_boot() {
    let directory = tempfile::tempdir().unwrap();
    let mut machine = Machine::new(directory.path());
    let desk = Desk::new(&machine);
    fs::write(desk.directory().join("roles/data/role.yml"), WANTED).unwrap();
    machine.boot(&[]);
    machine.run(GIVEN);
    let parts =
        ["swap /swapfile  on -> off", "enabled  always -> never", "does not run -> keeps the clock", "vm1 -> d1"];
    desk.says(&["plan"], 0, &parts);
    desk.applies(&[], &parts);
    let told = "d1\nd1\n1\n1048576\nalways madvise [never]\nactive\n";
    assert_eq!(machine.run(TOLD), told);

    machine.power_off();
    machine.boot(&[]);
    assert_eq!(machine.run(TOLD), told);
    machine.run("grep -q swapfile /etc/fstab && test \"$(systemctl is-enabled swap.target)\" = masked");
    desk.says(&["plan"], 0, &["nothing to do"]);
    machine.power_off();
}
