//! The disks of a simulated host: they answer what `lsblk`, `wipefs`, `mdadm` and `findmnt` are asked, and do what steps do to them,
//! as the tools do on a virtual machine (edge).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::SimHost;
use super::session::{done, failed};
use crate::remote::{Output, RemotePath};

/// The block devices of a host, and what is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimDevices {
    /// By the kernel's names.
    pub blocks: BTreeMap<String, SimBlock>,
    /// What is mounted, by where: the device and the options.
    pub mounts: BTreeMap<String, (String, String)>,
    /// Mount units that start at boot.
    pub enabled: BTreeSet<String>,
    /// What lies in directories that are no mount points.
    pub contents: BTreeMap<String, String>,
    /// What was on devices when something was made on them, or they were emptied: who looks on from outside judges it.
    pub destroyed: Vec<(String, Vec<String>)>,
}

/// A disk, a partition or an array.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimBlock {
    /// Nothing for an array or a partition.
    pub serial: String,
    /// As `lsblk` shows it.
    pub model: String,
    /// In bytes.
    pub size: u64,
    /// Kind, label and id of each signature.
    pub signatures: Vec<(String, String, String)>,
    /// Names of the devices that are parts of it or made of it.
    pub children: BTreeSet<String>,
    /// For an array: name, id, level, layout and chunk.
    pub array: Option<SimArray>,
    /// Whether it is a partition.
    pub is_partition: bool,
}

/// What an array is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SimArray {
    /// Without a host's.
    pub name: String,
    /// With colons.
    pub uuid: String,
    /// 0, 1, 5, 10.
    pub level: u8,
    /// The kernel's number.
    pub layout: u64,
    /// Of a stripe.
    pub chunk_kib: u64,
    /// How many devices it should have.
    pub count: usize,
    /// How many it lacks.
    pub degraded: usize,
}

/// Does a step of a host's disks; nothing where it is about something else.
pub(super) fn work(host: &mut SimHost, argv: &[String]) -> Option<Output> {
    if let [systemctl, start, unit] = argv
        && (systemctl.as_str(), start.as_str()) == ("systemctl", "start")
        && unit.strip_suffix(".mount").is_some()
    {
        let path = RemotePath::new(format!("/etc/systemd/system/{unit}")).ok();
        let text = path.and_then(|path| host.text(&path)).unwrap_or_default();
        return Some(answer(host.ground.devices.mount(&text)));
    }
    let mut written = Vec::new();
    let mut write = |path: &str, text: &str| written.push((path.to_owned(), text.to_owned()));
    let result = host.ground.devices.work(argv, &mut write)?;
    for (path, text) in written {
        host.put_file(&path, &text);
    }
    Some(answer(result))
}

fn answer(result: Result<(), String>) -> Output {
    result.map_or_else(|why| failed(1, &why), |()| done(""))
}

const NAMES: &str = "/dev/disk/by-id/";

impl SimDevices {
    /// Adds a disk with nothing on it.
    pub fn add(&mut self, kernel_name: &str, serial: &str, model: &str, size: u64) -> &mut SimBlock {
        let block = SimBlock { serial: serial.to_owned(), model: model.to_owned(), size, ..SimBlock::default() };
        self.blocks.insert(kernel_name.to_owned(), block);
        self.blocks.entry(kernel_name.to_owned()).or_default()
    }

    /// Answers a question about disks; nothing where it is about something else.
    #[must_use]
    pub fn answer(&self, argv: &[String]) -> Option<String> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let said = match words.as_slice() {
            ["lsblk", ..] => self.lsblk().to_string(),
            ["sh", "-c", script] if script.contains("wipefs --no-act --json") => self.wipefs(),
            ["sh", "-c", script] if script.contains("/dev/disk/by-id -type l") => {
                let lines: Vec<_> = self.links().iter().map(|(link, name)| format!("{link} ../../{name}")).collect();
                lines.join("\n")
            }
            ["sh", "-c", script] if script.contains("mdadm --detail --export") => self.arrays(),
            ["findmnt", ..] => {
                let list: Vec<Value> = self.mounts.iter().map(|(target, (source, options))| {
                    json!({ "target": target, "source": format!("/dev/{source}"), "fstype": "ext4", "options": options,
                        "size": self.blocks.get(source).map(|block| block.size) })
                }).collect();
                json!({ "filesystems": list }).to_string()
            }
            ["find", directory, "-mindepth", "1", ..] => {
                match (self.mounts.contains_key(*directory), self.contents.get(*directory)) {
                    (false, Some(entry)) => format!("{directory}/{entry}\n"),
                    _ => String::new(),
                }
            }
            ["systemctl", "show", "--property", "ActiveState,UnitFileState", unit] => {
                let state = if self.enabled.contains(*unit) { "enabled" } else { "" };
                format!("ActiveState=inactive\nUnitFileState={state}\n")
            }
            _ => return None,
        };
        Some(said)
    }

    /// Does what a step does; nothing where it is about something else.
    ///
    /// # Errors
    /// Says what the tool would say: a device with anything on it is left alone.
    pub fn work(&mut self, argv: &[String], write: &mut dyn FnMut(&str, &str)) -> Option<Result<(), String>> {
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        Some(match words.as_slice() {
            ["sh", "-c", script, "housewright", device] if script.contains("wipefs --all") => self.wipe(device),
            ["sh", "-c", script, "housewright", rest @ ..] if script.contains("it has partitions") => {
                let end = rest.iter().position(|word| *word == "--").unwrap_or(rest.len());
                let (devices, program) = rest.split_at(end);
                devices
                    .iter()
                    .try_for_each(|device| self.blank(device))
                    .and_then(|()| self.make(program.get(1..).unwrap_or_default()))
            }
            ["sh", "-c", script, "housewright", path, content] if script.contains("mv -f") => {
                write(path, content);
                Ok(())
            }
            ["sh", "-c", script, "housewright", ..] if script.contains("command -v") => Ok(()),
            ["udevadm", ..] | ["systemctl", "daemon-reload"] | ["xfs_growfs" | "resize2fs", _] => Ok(()),
            ["systemctl", "reenable", unit] => {
                self.enabled.insert((*unit).to_owned());
                Ok(())
            }
            ["mount", "-o", options, target] => match self.mounts.get_mut(*target) {
                Some((_, has)) => {
                    has.push_str(&options.replacen("remount", "", 1));
                    Ok(())
                }
                None => Err(format!("mount: {target}: mount point not mounted")),
            },
            _ => return None,
        })
    }

    /// Mounts what a mount unit's text says.
    ///
    /// # Errors
    /// No device has this filesystem.
    pub fn mount(&mut self, unit: &str) -> Result<(), String> {
        let value =
            |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_default();
        let id = value("What").trim_start_matches("/dev/disk/by-uuid/");
        let has = |block: &SimBlock| block.signatures.iter().any(|(kind, _, uuid)| uuid == id && kind == value("Type"));
        let Some(name) = self.blocks.iter().find(|(_, block)| has(block)).map(|(name, _)| name.clone()) else {
            return Err("Dependency failed".to_owned());
        };
        self.mounts.insert(value("Where").to_owned(), (name, format!("rw,{}", value("Options"))));
        Ok(())
    }

    /// A stop and start: the instance's own disks are new ones.
    pub fn stop_and_start(&mut self, model: &str) {
        self.mounts.clear();
        let emptied = self.blocks.values().filter(|block| block.model == model);
        let gone: BTreeSet<String> = emptied.flat_map(|block| block.children.clone()).collect();
        self.blocks.retain(|name, _| !gone.contains(name));
        for block in self.blocks.values_mut().filter(|block| block.model == model) {
            block.signatures.clear();
            block.children.clear();
        }
    }

    fn links(&self) -> BTreeMap<String, String> {
        let link = |(name, block): (&String, &SimBlock)| match &block.array {
            Some(array) => Some((format!("md-uuid-{}", array.uuid), name.clone())),
            None if block.serial.is_empty() => None,
            None => Some((format!("nvme-{}_{}", block.model.replace(' ', "_"), block.serial), name.clone())),
        };
        self.blocks.iter().filter_map(link).collect()
    }

    fn lsblk(&self) -> Value {
        let below: BTreeSet<&String> = self.blocks.values().flat_map(|block| &block.children).collect();
        let roots = self.blocks.keys().filter(|name| !below.contains(name));
        json!({ "blockdevices": roots.map(|name| self.listed(name)).collect::<Vec<_>>() })
    }

    fn listed(&self, name: &str) -> Value {
        let Some(block) = self.blocks.get(name) else { return Value::Null };
        let kind = match &block.array {
            Some(array) => format!("raid{}", array.level),
            None => if block.is_partition { "part" } else { "disk" }.to_owned(),
        };
        let mounted = self.mounts.iter().find(|(_, (source, _))| source == name).map(|(target, _)| target);
        let known = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let first = block.signatures.first();
        json!({
            "name": name, "kname": name, "type": kind, "size": block.size, "model": known(&block.model), "serial": known(&block.serial),
            "fstype": first.map(|signature| &signature.0), "label": first.and_then(|signature| known(&signature.1)),
            "uuid": first.and_then(|signature| known(&signature.2)), "pttype": null, "mountpoint": mounted, "ro": false, "ra": 128,
            "sched": null, "children": block.children.iter().map(|child| self.listed(child)).collect::<Vec<_>>(),
        })
    }

    fn wipefs(&self) -> String {
        let of = |(name, block): (&String, &SimBlock)| {
            let each = |(kind, label, uuid): &(String, String, String)| json!({ "device": name, "type": kind, "label": label, "uuid": uuid });
            block.signatures.iter().map(each).collect::<Vec<_>>()
        };
        let all: Vec<Value> = self.blocks.iter().flat_map(of).collect();
        if all.is_empty() { String::new() } else { json!({ "signatures": all }).to_string() }
    }

    fn arrays(&self) -> String {
        let each = |(name, block): (&String, &SimBlock)| {
            let array = block.array.as_ref()?;
            Some(format!(
                "array={name}\nMD_LEVEL=raid{0}\nMD_UUID={1}\nMD_NAME=any:{2}\nlevel=raid{0}\nlayout={3}\nchunk_size={4}\nraid_disks={5}\ndegraded={6}\n\
                 sync_action=idle\nsync_speed_min=1000 (system)\n",
                array.level,
                array.uuid,
                array.name,
                array.layout,
                array.chunk_kib * 1024,
                array.count,
                array.degraded
            ))
        };
        self.blocks.iter().filter_map(each).collect()
    }

    fn name_of(&self, path: &str) -> Result<String, String> {
        let link = path.strip_prefix(NAMES).unwrap_or_default();
        self.links().get(link).cloned().ok_or_else(|| format!("{path}: no such device"))
    }

    fn on(&self, name: &str) -> Vec<String> {
        let Some(block) = self.blocks.get(name) else { return Vec::new() };
        let signatures = block.signatures.iter().map(|signature| signature.0.clone());
        let mounts = self
            .mounts
            .iter()
            .filter(|(_, (source, _))| source == name)
            .map(|(target, _)| format!("mounted at {target}"));
        signatures.chain(block.children.iter().cloned()).chain(mounts).collect()
    }

    fn blank(&self, path: &str) -> Result<(), String> {
        let name = self.name_of(path)?;
        let on = self.on(&name);
        if on.is_empty() { Ok(()) } else { Err(format!("{path}: it carries {}", on.join(", "))) }
    }

    fn wipe(&mut self, path: &str) -> Result<(), String> {
        let name = self.name_of(path)?;
        let parts = self.blocks.get(&name).map(|block| block.children.clone()).unwrap_or_default();
        let is_used = |name: &String| self.mounts.values().any(|(source, _)| source == name);
        let held = parts
            .iter()
            .any(|part| self.blocks.get(part).is_none_or(|part| !part.is_partition || !part.children.is_empty()));
        if held || is_used(&name) || parts.iter().any(is_used) {
            return Err(format!("{path}: it is used"));
        }
        self.note(&name);
        self.blocks.retain(|name, _| !parts.contains(name));
        if let Some(block) = self.blocks.get_mut(&name) {
            block.signatures.clear();
            block.children.clear();
        }
        Ok(())
    }

    fn note(&mut self, name: &str) {
        let (on, serial) = (self.on(name), self.blocks.get(name).map(|block| block.serial.clone()).unwrap_or_default());
        self.destroyed.push((serial, on));
    }

    fn make(&mut self, program: &[&str]) -> Result<(), String> {
        let value = |key: &str| program.iter().find_map(|word| word.strip_prefix(key)).unwrap_or_default().to_owned();
        let behind = |key: &str| {
            program.iter().position(|word| *word == key).and_then(|at| program.get(at + 1)).copied().unwrap_or_default()
        };
        match program {
            ["mdadm", "--create", _, ..] => {
                let members: Vec<String> = program
                    .iter()
                    .filter(|word| word.starts_with(NAMES))
                    .map(|path| self.name_of(path))
                    .collect::<Result<_, _>>()?;
                members.iter().for_each(|member| self.note(member));
                let number = |text: String| text.parse().unwrap_or_default();
                let layout = match value("--layout=").as_str() {
                    "f2" => 0x201,
                    "n2" => 0x102,
                    "o2" => 0x1_0201,
                    _ => 0,
                };
                let array = SimArray {
                    name: value("--name="),
                    uuid: value("--uuid="),
                    level: value("--level=").parse().unwrap_or_default(),
                    layout,
                    chunk_kib: number(value("--chunk=").trim_end_matches('K').to_owned()),
                    count: members.len(),
                    degraded: 0,
                };
                let free =
                    (0..128).rev().map(|number| format!("md{number}")).find(|name| !self.blocks.contains_key(name));
                let name = free.ok_or("no array is free")?;
                let mut size = 0;
                for member in &members {
                    let Some(block) = self.blocks.get_mut(member) else { continue };
                    block.signatures.push((
                        "linux_raid_member".to_owned(),
                        format!("any:{}", array.name),
                        array.uuid.clone(),
                    ));
                    block.children.insert(name.clone());
                    size += block.size;
                }
                self.blocks.insert(name, SimBlock { array: Some(array), size, ..SimBlock::default() });
                Ok(())
            }
            ["mdadm", array, "--add", device] => {
                let (array, device) = (self.name_of(array)?, self.name_of(device)?);
                self.note(&device);
                let of = self.blocks.get_mut(&array).and_then(|block| block.array.as_mut()).ok_or("no array")?;
                of.degraded = of.degraded.saturating_sub(1);
                let member = ("linux_raid_member".to_owned(), format!("any:{}", of.name), of.uuid.clone());
                if let Some(block) = self.blocks.get_mut(&device) {
                    block.signatures.push(member);
                    block.children.insert(array);
                }
                Ok(())
            }
            [mkfs @ ("mkfs.xfs" | "mkfs.ext4"), .., device] => {
                let name = self.name_of(device)?;
                self.note(&name);
                let id = program
                    .iter()
                    .find_map(|word| word.strip_prefix("uuid="))
                    .unwrap_or_else(|| behind("-U"))
                    .to_owned();
                let signature = (mkfs.trim_start_matches("mkfs.").to_owned(), behind("-L").to_owned(), id);
                if let Some(block) = self.blocks.get_mut(&name) {
                    block.signatures.push(signature);
                }
                Ok(())
            }
            _ => Err(format!("{}: not found", program.first().unwrap_or(&""))),
        }
    }
}
