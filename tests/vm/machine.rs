//! A virtual machine with emulated NVMe disks: the distribution's kernel, systemd, udev and mdadm, reached by SSH.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A boot takes six seconds on an idle machine, and 90 more where systemd waits for a volume that a stop emptied; and the
/// machine may be busy.
const BOOT: Duration = Duration::from_secs(420);
const STOP: Duration = Duration::from_secs(120);
pub const DISK_BYTES: u64 = 512 << 20;

/// A machine that is off, or runs; it is ended with the value.
pub struct Machine {
    base: PathBuf,
    pub directory: PathBuf,
    pub port: u16,
    running: Option<Child>,
}

impl Machine {
    /// A machine of its own, with the root that `scripts/test-vm` built.
    pub fn new(directory: &Path) -> Self {
        let base =
            PathBuf::from(std::env::var_os("HOUSEWRIGHT_VM").unwrap_or_else(|| "/var/cache/housewright-vm".into()));
        assert!(base.join("root.img").exists(), "`scripts/test-vm` builds the machine's root");
        let copied = Command::new("cp")
            .arg("--sparse=always")
            .arg(base.join("root.img"))
            .arg(directory.join("root.img"))
            .status();
        assert!(copied.unwrap().success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { base, directory: directory.to_owned(), port, running: None }
    }

    /// A new disk's file, with nothing in it.
    pub fn disk(&self, serial: &str) -> PathBuf {
        let path = self.directory.join(format!("{serial}.raw"));
        File::create(&path).unwrap().set_len(DISK_BYTES).unwrap();
        path
    }

    pub fn key(&self) -> PathBuf {
        self.base.join("id")
    }

    /// Boots with these disks, in this order.
    pub fn boot(&mut self, serials: &[&str]) {
        assert!(self.running.is_none());
        let root =
            format!("file={},if=none,id=root,format=raw,cache=unsafe", self.directory.join("root.img").display());
        let forward = format!("user,id=n0,hostfwd=tcp:127.0.0.1:{}-:22", self.port);
        let console = format!("file:{}", self.directory.join("console").display());
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args(["-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", "512"])
            .args(["-nographic", "-nodefaults", "-no-reboot", "-serial", &console, "-kernel"])
            .arg(self.base.join("vmlinuz"))
            .args([
                "-append",
                "root=/dev/nvme0n1 rw console=ttyS0 quiet net.ifnames=0 mitigations=off nowatchdog tsc=unstable",
            ])
            .args(["-drive", &root, "-device", "nvme,drive=root,serial=vol0"])
            .args(["-netdev", &forward, "-device", "virtio-net-pci,netdev=n0", "-device", "virtio-rng-pci"]);
        for serial in serials {
            let file = self.directory.join(format!("{serial}.raw"));
            let drive = format!("file={},if=none,id={serial},format=raw,cache=unsafe,discard=unmap", file.display());
            command.args(["-drive", &drive, "-device", &format!("nvme,drive={serial},serial={serial}")]);
        }
        let log = File::create(self.directory.join("qemu.log")).unwrap();
        self.running =
            Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("qemu-system-x86_64"));
        let begun = Instant::now();
        while !self.ssh("systemctl is-system-running --wait >/dev/null; true").status.success() {
            let qemu = self.running.as_mut().unwrap().try_wait().unwrap();
            let console = || fs::read_to_string(self.directory.join("console")).unwrap_or_default();
            assert!(qemu.is_none() && begun.elapsed() < BOOT, "the machine did not come up\n{}", console());
            sleep(Duration::from_millis(500));
        }
        println!("booted in {:.1} s", begun.elapsed().as_secs_f64());
    }

    /// Off, in order.
    pub fn power_off(&mut self) {
        let _ = self.ssh("systemctl poweroff");
        let mut qemu = self.running.take().expect("it runs");
        let begun = Instant::now();
        while qemu.try_wait().unwrap().is_none() {
            if begun.elapsed() > STOP {
                qemu.kill().unwrap();
                qemu.wait().unwrap();
                panic!("the machine did not power off");
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// What a stop and start of an instance does to its own disks.
    pub fn empty(&self, serials: &[&str]) {
        serials.iter().for_each(|serial| drop(self.disk(serial)));
    }

    pub fn ssh(&self, script: &str) -> Output {
        let port = self.port.to_string();
        let quiet = [
            "BatchMode=yes",
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "ConnectTimeout=5",
        ];
        let mut child = Command::new("timeout")
            .args(["180", "ssh", "-p", &port, "-i"])
            .arg(self.key())
            .args(quiet.iter().flat_map(|option| ["-o", option]))
            .args(["root@127.0.0.1", "sh", "-s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A connection that fails does not read it.
        let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs a script that must go well, and gives what it printed.
    #[track_caller]
    pub fn run(&self, script: &str) -> String {
        let output = self.ssh(script);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script}\n{out}{err}");
        out.into_owned()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut qemu) = self.running.take() {
            let _ = qemu.kill();
            let _ = qemu.wait();
        }
    }
}
