//! The kernel of a simulated host: settings, files below /sys, swap, who keeps the clock, and the programs that tell and change them (edge).

use std::collections::{BTreeMap, BTreeSet};

use super::session::{done, failed};
use crate::remote::Output;

/// What the kernel was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimKernel {
    /// The kind of container; nothing where the kernel is the host's own.
    pub container: Option<String>,
    /// Settings.
    pub sysctl: BTreeMap<String, String>,
    /// Files below /sys, as they are read.
    pub files: BTreeMap<String, String>,
    /// Swap that is on.
    pub swap: BTreeSet<String>,
    /// Swap that a line of /etc/fstab turns on at boot.
    pub fstab: BTreeSet<String>,
    /// `swap.target` was masked.
    pub swap_masked: bool,
    /// Services that keep a clock.
    pub keepers: BTreeMap<String, SimKeeper>,
    /// Whether the clock is right.
    pub synchronized: bool,
    /// The host's own name.
    pub name: String,
}

/// A service that keeps a clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimKeeper {
    /// Starts at boot.
    pub enabled: bool,
    /// Runs.
    pub running: bool,
    /// Somebody wants it off.
    pub masked: bool,
}

impl SimKernel {
    /// As Debian's image for EC2 has it.
    #[must_use]
    pub fn usual() -> Self {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        let sysctl = [
            ("vm.max_map_count", "65530"),
            ("vm.swappiness", "60"),
            ("vm.overcommit_memory", "0"),
            ("net.core.somaxconn", "4096"),
        ];
        let files = [
            ("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
            ("/sys/kernel/mm/transparent_hugepage/defrag", "always defer defer+madvise [madvise] never"),
        ];
        let chrony = SimKeeper { enabled: true, running: true, masked: false };
        Self {
            sysctl: sysctl.map(owned).into(),
            files: files.map(owned).into(),
            keepers: [("chrony.service".to_owned(), chrony)].into(),
            synchronized: true,
            name: "ip-10-0-0-1".to_owned(),
            ..Self::default()
        }
    }

    /// Answers a question; nothing where it is about something else.
    pub(super) fn answer(&self, argv: &[String]) -> Option<Output> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let lines = |lines: &BTreeSet<String>| lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>();
        Some(match words.as_slice() {
            ["systemd-detect-virt", "--container"] => match &self.container {
                Some(kind) => done(format!("{kind}\n")),
                None => Output { stdout: "none\n".into(), ..failed(1, "") },
            },
            ["sysctl", "-e", "--", keys @ ..] => {
                let said = |key: &&str| Some(format!("{key} = {}\n", self.sysctl.get(*key)?));
                done(keys.iter().filter_map(said).collect::<String>())
            }
            ["sh", "-c", script, "housewright", patterns @ ..] if script.starts_with("IFS=; for pattern") => {
                let of = |pattern: &&str| {
                    let files = self.files.iter().filter(|(path, _)| fits(pattern, path));
                    files
                        .flat_map(|(path, value)| [*pattern, "\t", path.as_str(), "\t", value.as_str(), "\n"])
                        .collect::<String>()
                };
                done(patterns.iter().map(of).collect::<String>())
            }
            ["swapon", "--show=NAME", ..] => done(lines(&self.swap)),
            ["findmnt", "--fstab", ..] if self.fstab.is_empty() => failed(1, ""),
            ["findmnt", "--fstab", ..] => done(lines(&self.fstab)),
            ["systemctl", "list-unit-files", ..] => {
                done(format!("swap.target {} -\n", if self.swap_masked { "masked" } else { "static" }))
            }
            ["systemctl", "show", "--property=Id,LoadState,ActiveState,UnitFileState", "--", units @ ..] => {
                done(units.iter().map(|unit| self.keeper(unit)).collect::<Vec<_>>().join("\n"))
            }
            ["timedatectl", "show", ..] => done(if self.synchronized { "yes\n" } else { "no\n" }),
            ["uname", "-n"] => done(format!("{}\n", self.name)),
            _ => return None,
        })
    }

    fn keeper(&self, unit: &str) -> String {
        let (load, active, file) = match self.keepers.get(unit) {
            None => ("not-found", "inactive", ""),
            Some(keeper) if keeper.masked => ("masked", "inactive", "masked"),
            Some(SimKeeper { enabled, running, .. }) => {
                let active = if *running { "active" } else { "inactive" };
                ("loaded", active, if *enabled { "enabled" } else { "disabled" })
            }
        };
        format!("Id={unit}\nLoadState={load}\nActiveState={active}\nUnitFileState={file}\n")
    }

    /// Does what a program does to it; nothing where that is something else.
    pub(super) fn work(&mut self, argv: &[String]) -> Option<Output> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        Some(match words.as_slice() {
            ["sysctl", "-q", "-w", setting] => match setting.split_once('=') {
                Some((key, value)) if self.container.is_none() && self.sysctl.contains_key(key) => {
                    self.sysctl.insert(key.to_owned(), value.to_owned());
                    done("")
                }
                _ => failed(255, "sysctl: cannot stat"),
            },
            ["sh", "-c", script, "housewright", pattern, value] if script.starts_with("IFS=; for file") => {
                for (_, now) in self.files.iter_mut().filter(|(path, _)| fits(pattern, path)) {
                    *now = chosen(now, value);
                }
                done("")
            }
            ["systemctl", "mask", "swap.target"] => {
                self.swap_masked = true;
                done("")
            }
            ["swapoff", "--all"] => {
                self.swap.clear();
                done("")
            }
            ["systemctl", "enable", rest @ ..] => {
                let keeper = self.keepers.get_mut(*rest.last()?)?;
                (keeper.enabled, keeper.running) = (true, keeper.running || rest.contains(&"--now"));
                done("")
            }
            _ => return None,
        })
    }
}

/// Whether a path is one of a pattern's, as a shell has it.
fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let fit = |(pattern, part): (&&str, &&str)| match pattern.split_once('*') {
        None => pattern == part,
        Some((start, end)) => part.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
    };
    pattern.len() == path.len() && pattern.iter().zip(&path).all(fit)
}

/// A choice with another word chosen.
fn chosen(now: &str, value: &str) -> String {
    if !now.contains('[') {
        return value.to_owned();
    }
    let words = now.split(' ').map(|word| word.trim_matches(['[', ']']));
    words.map(|word| if word == value { format!("[{word}]") } else { word.to_owned() }).collect::<Vec<_>>().join(" ")
}
