//! An operator's desk: a small project for the virtual machine, and the program run on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Instant;

use crate::machine::Machine;

/// Stands for ClickHouse: it refuses to begin beside its volume.
const SERVICE: &str = "[Service]\nExecStartPre=/usr/bin/mountpoint -q /var/lib/clickhouse\nExecStart=/usr/bin/sleep infinity\n\
                       [Install]\nWantedBy=multi-user.target\n";
/// A role that stores needs a ClickHouse that answers; one of coordination may be without its server. Boots start the stand-in.
const ROLE: &str = "placement: keeper
hostClusterRole: data
directories:
  - { path: /var/lib/clickhouse, owner: root, group: root, mode: \"0750\" }
files:
  - { template: stand-in.tera, path: /etc/systemd/system/clickhouse-server.service, owner: root, group: root, mode: \"0644\" }
units:
  - { name: clickhouse-server, enabled: true, running: false }
";

pub struct Desk(PathBuf);

impl Desk {
    pub fn new(machine: &Machine) -> Self {
        let project = machine.directory.join("project");
        let put = |path: &str, text: &str| {
            let path = project.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("roles/data/role.yml", ROLE);
        put("templates/stand-in.tera", SERVICE);
        let hosts = format!(
            "all:\n  hosts:\n    d1:\n      hostClusterRole: data\n      keeper_id: 1\n      ansible_host: 127.0.0.1\n      \
             ansible_port: {}\n      ansible_user: root\n      ansible_become: false\n      ansible_ssh_private_key_file: {}\n      \
             ansible_ssh_common_args: -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={}\n",
            machine.port,
            machine.key().display(),
            project.join("known_hosts").display(),
        );
        put("inventories/vm/hosts.yml", &hosts);
        Self(project)
    }

    /// What the host is to have.
    pub fn declare(&self, volumes: &str) {
        let path = self.0.join("inventories/vm/host_vars/d1.yml");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("raid_volumes:\n{volumes}")).unwrap();
    }

    fn program(&self, words: &[&str]) -> Output {
        let begun = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_housewright"))
            .args(words)
            .args(["-i", "inventories/vm", "--plain"])
            .current_dir(&self.0)
            .env("HOUSEWRIGHT_STATE_DIR", self.0.join("state"))
            .output()
            .unwrap();
        println!(
            "$ housewright {} ({:.1} s, exit {:?})\n{}",
            words.join(" "),
            begun.elapsed().as_secs_f64(),
            output.status.code(),
            text(&output)
        );
        output
    }

    #[track_caller]
    pub fn says(&self, words: &[&str], code: i32, parts: &[&str]) {
        let output = self.program(words);
        assert_eq!(output.status.code(), Some(code));
        let text = text(&output);
        parts.iter().for_each(|part| assert!(text.contains(part), "`{part}` is not said"));
    }

    /// Goes through, and then there is nothing to do.
    #[track_caller]
    pub fn applies(&self, words: &[&str], parts: &[&str]) {
        let all: Vec<&str> = ["apply", "--yes"].iter().chain(words).copied().collect();
        self.says(&all, 0, parts);
        self.says(&["plan"], 0, &["nothing to do"]);
    }

    pub fn directory(&self) -> &Path {
        &self.0
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
}
