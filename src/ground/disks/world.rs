//! What a host's disks are and carry, read from its tools (pure): what cannot be read is unknown, and never "nothing".

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::ask;
use crate::ground::Answers;

/// Block devices, signatures, arrays and mounts, by the kernel's names of this boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct World {
    pub(super) blocks: BTreeMap<String, Block>,
    pub(super) arrays: Vec<Array>,
    pub(super) mounts: Vec<Mount>,
}

/// A block device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// `nvme1n1`: of this boot only.
    pub(super) kernel_name: String,
    /// `disk`, `part`, `raid10`, ...
    pub(super) kind: String,
    pub(super) size: u64,
    pub(super) model: String,
    pub(super) serial: String,
    pub(super) is_read_only: bool,
    pub(super) read_ahead_kib: Option<u64>,
    pub(super) scheduler: Option<String>,
    /// Names in `/dev/disk/by-id`.
    pub(super) links: BTreeSet<String>,
    pub(super) signatures: Vec<Signature>,
    /// Where it is mounted, or `[SWAP]`.
    pub(super) mounted: BTreeSet<String>,
    /// Devices on it: partitions, arrays, mappings.
    pub(super) children: BTreeSet<String>,
}

/// What a device says that it carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signature {
    pub(super) kind: String,
    pub(super) label: Option<String>,
    pub(super) uuid: Option<String>,
}

/// An array that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Array {
    pub(super) kernel_name: String,
    /// Without the name of the host that made it.
    pub(super) name: String,
    /// As `mdadm` writes it, with colons.
    pub(super) uuid: String,
    pub(super) level: String,
    pub(super) layout: u64,
    pub(super) chunk_kib: u64,
    pub(super) count: usize,
    pub(super) degraded: usize,
    pub(super) sync_action: String,
    pub(super) sync_speed_min: String,
}

/// A mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) target: String,
    pub(super) source: String,
    pub(super) options: Vec<String>,
    pub(super) size: Option<u64>,
}

impl World {
    /// Reads the answers.
    ///
    /// # Errors
    /// Names the question that was not answered, or not as its tool answers.
    pub(super) fn read(answers: &Answers) -> Result<Self, String> {
        let json = |question, what: &str| {
            let text = answers.text(&question).ok_or_else(|| format!("{what} was not answered"))?;
            if text.trim().is_empty() {
                return Ok(Value::Null);
            }
            serde_json::from_str::<Value>(text).map_err(|error| format!("{what} cannot be read: {error}"))
        };
        let mut world = Self::default();
        let listed = json(ask::blocks(), "`lsblk`")?;
        for item in items(&listed, "blockdevices") {
            world.block(item);
        }
        for signature in items(&json(ask::signatures(), "`wipefs`")?, "signatures") {
            let Some(block) = text(signature, "device").and_then(|name| world.blocks.get_mut(kernel_name(&name)))
            else {
                return Err("`wipefs` names a device that `lsblk` does not".to_owned());
            };
            let kind = text(signature, "type").ok_or("`wipefs` tells a signature without its type")?;
            block.signatures.push(Signature { kind, label: text(signature, "label"), uuid: text(signature, "uuid") });
        }
        for line in answers.text(&ask::links()).ok_or("`/dev/disk/by-id` was not answered")?.lines() {
            let Some((link, target)) = line.rsplit_once(' ') else { continue };
            if let Some(block) = world.blocks.get_mut(kernel_name(target)) {
                block.links.insert(link.to_owned());
            }
        }
        world.mounts = items(&json(ask::mounts(), "`findmnt`")?, "filesystems").filter_map(mount).collect();
        for mount in &world.mounts {
            if let Some(block) =
                world.blocks.get_mut(kernel_name(&mount.source)).filter(|_| mount.source.starts_with("/dev/"))
            {
                block.mounted.insert(mount.target.clone());
            }
        }
        world.arrays = arrays(answers);
        Ok(world)
    }

    fn block(&mut self, item: &Value) -> Option<String> {
        let name = text(item, "kname").or_else(|| text(item, "name"))?;
        let children: BTreeSet<String> = items(item, "children").filter_map(|child| self.block(child)).collect();
        let mut signatures = BTreeSet::new();
        if let Some(kind) = text(item, "fstype") {
            signatures.insert(Signature { kind, label: text(item, "label"), uuid: text(item, "uuid") });
        } else if let Some(kind) = text(item, "pttype") {
            signatures.insert(Signature { kind, label: None, uuid: None });
        }
        let block = self.blocks.entry(name.clone()).or_default();
        *block = Block {
            kernel_name: name.clone(),
            kind: text(item, "type").unwrap_or_default(),
            size: number(item, "size").unwrap_or_default(),
            model: text(item, "model").unwrap_or_default(),
            serial: text(item, "serial").unwrap_or_default(),
            is_read_only: matches!(item.get("ro"), Some(Value::Bool(true))) || number(item, "ro") == Some(1),
            read_ahead_kib: number(item, "ra"),
            scheduler: text(item, "sched"),
            links: BTreeSet::new(),
            signatures: signatures.into_iter().collect(),
            mounted: text(item, "mountpoint").into_iter().collect(),
            children,
        };
        Some(name)
    }

    pub(super) fn mounted_at(&self, target: &str) -> Option<&Mount> {
        // The last of several is the one that is seen.
        self.mounts.iter().rev().find(|mount| mount.target == target)
    }
}

impl Block {
    /// The name of it that does not move: the shortest, then the first.
    pub(super) fn link(&self) -> Option<&str> {
        self.links.iter().min_by_key(|link| (link.len(), link.as_str())).map(String::as_str)
    }

    /// How people tell it from others.
    pub(super) fn shown(&self) -> &str {
        if self.serial.is_empty() { self.link().unwrap_or(&self.kernel_name) } else { &self.serial }
    }

    /// A filesystem or member signature of some kind.
    pub(super) fn signature(&self, kind: &str) -> Option<&Signature> {
        self.signatures.iter().find(|signature| signature.kind == kind)
    }
}

/// The array's answer: blocks of `key=value` that begin with `array=`.
pub(super) fn arrays(answers: &Answers) -> Vec<Array> {
    let mut found: Vec<Array> = Vec::new();
    for line in answers.text(&ask::arrays()).unwrap_or_default().lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if key == "array" {
            found.push(Array { kernel_name: value.to_owned(), ..Array::default() });
            continue;
        }
        let Some(array) = found.last_mut() else { continue };
        let number = || value.parse::<u64>().unwrap_or_default();
        match key {
            "MD_NAME" => value.rsplit(':').next().unwrap_or_default().clone_into(&mut array.name),
            "MD_UUID" => value.clone_into(&mut array.uuid),
            "level" => value.clone_into(&mut array.level),
            "layout" => array.layout = number(),
            "chunk_size" => array.chunk_kib = number() / 1024,
            "raid_disks" => {
                array.count = value.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default();
            }
            "degraded" => array.degraded = value.parse().unwrap_or_default(),
            "sync_action" => value.clone_into(&mut array.sync_action),
            "sync_speed_min" => value.split(' ').next().unwrap_or_default().clone_into(&mut array.sync_speed_min),
            _ => {}
        }
    }
    found
}

fn mount(item: &Value) -> Option<Mount> {
    let options = text(item, "options").unwrap_or_default();
    Some(Mount {
        target: text(item, "target")?,
        source: text(item, "source")?,
        options: options.split(',').map(str::to_owned).collect(),
        size: number(item, "size"),
    })
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Older tools print numbers as texts.
fn number(value: &Value, key: &str) -> Option<u64> {
    let value = value.get(key)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn kernel_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
