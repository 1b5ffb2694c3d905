//! Volumes as they are declared (pure): read strictly, for what is misread formats the wrong device.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::remote::{RemotePath, UnitName};
use crate::vocabulary::{DEVICES, RAID_VOLUME, size_kib};

/// The variable that declares them.
pub const RAID_VOLUMES: &str = "raid_volumes";

/// An array or a single device, with its filesystem and its mount point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VolumeWant {
    /// The array's name and the filesystem's label.
    pub name: String,
    /// How its devices are joined.
    pub level: Level,
    /// Which devices it may be made of.
    pub devices: Selector,
    /// How many it is made of.
    pub count: usize,
    /// Where it is mounted.
    pub mount: RemotePath,
    /// What it is formatted with.
    pub filesystem: Filesystem,
    /// More words for `mkfs`.
    pub filesystem_options: Vec<String>,
    /// What ext4 keeps for root.
    pub reserved_percent: u64,
    /// How it is mounted.
    pub mount_options: Vec<String>,
    /// Units that do not start unless it is mounted.
    pub required_by: Vec<UnitName>,
    /// How far the kernel reads ahead.
    pub read_ahead_kib: Option<u64>,
    /// How the kernel orders requests.
    pub scheduler: Option<String>,
    /// How fast an array is made equal at least.
    pub resync_kib_per_second: Option<u64>,
}

/// How devices are joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// One device without an array.
    Single,
    /// An array: its level as the kernel numbers it, what level 10 does with the copies, and the stripes.
    Raid {
        /// 0, 1, 5 or 10.
        level: u8,
        /// `far2`, `near2` or `offset2`.
        layout: Option<String>,
        /// How much of a stripe is on one device; level 1 has no stripes.
        chunk_kib: Option<u64>,
    },
}

/// A kind of filesystem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filesystem {
    /// ext4.
    Ext4,
    /// XFS.
    Xfs,
}

impl Filesystem {
    /// As `mount` and `blkid` call it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }
}

/// What a device must be; all conditions hold for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Selector {
    /// Whether it is one of the instance's own disks.
    pub instance_store: Option<bool>,
    /// EBS volumes by id.
    pub ebs: Vec<String>,
    /// The model, with `*` and `?`.
    pub model: Option<String>,
    /// Serial numbers, with `*` and `?`.
    pub serial: Vec<String>,
    /// Names in `/dev/disk/by-id`, with `*` and `?`.
    pub by_id: Vec<String>,
    /// Bytes at least.
    pub min_size: Option<u64>,
    /// Bytes at most.
    pub max_size: Option<u64>,
}

/// Reads the variable's value.
///
/// # Errors
/// Says what is wrong: nothing of it is guessed.
pub fn read_volumes(value: &Value) -> Result<Vec<VolumeWant>, String> {
    let items = value.as_array().ok_or("must be a list")?;
    let volumes: Vec<VolumeWant> = items.iter().map(read_volume).collect::<Result<_, _>>()?;
    for (index, volume) in volumes.iter().enumerate() {
        for earlier in volumes.iter().take(index) {
            if earlier.name == volume.name {
                return Err(format!("two volumes have the name `{}`", volume.name));
            }
            if earlier.mount == volume.mount {
                return Err(format!("`{}` and `{}` have the same `mount`", earlier.name, volume.name));
            }
        }
    }
    Ok(volumes)
}

fn read_volume(value: &Value) -> Result<VolumeWant, String> {
    let known = |key: &str| RAID_VOLUME.key(key).is_some();
    let map = value
        .as_object()
        .ok_or("each volume must be a mapping with `name`, `level`, `devices`, `count` and `mount`")?;
    if let Some(key) = map.keys().find(|key| !known(key)) {
        return Err(format!("`{key}` is no key of a volume"));
    }
    let name = needed(map, "name")?;
    let of = |why: String| format!("volume `{name}`: {why}");
    let level = level(map).map_err(of)?;
    let devices = match map.get("devices") {
        Some(Value::Object(devices)) => selector(devices).map_err(of)?,
        _ => return Err(of("lacks `devices`".to_owned())),
    };
    let count = match (&level, whole(map, "count").map_err(of)?) {
        (Level::Single, None | Some(1)) => 1,
        (Level::Single, Some(_)) => return Err(of("`single` is one device: write one volume for each".to_owned())),
        (Level::Raid { .. }, None) => {
            return Err(of("lacks `count`: how many devices the array is made of".to_owned()));
        }
        (Level::Raid { level, .. }, Some(count)) => {
            let least = if *level == 5 { 3 } else { 2 };
            if count < least {
                return Err(of(format!("level {level} needs at least {least} devices, not {count}")));
            }
            usize::try_from(count).unwrap_or(usize::MAX)
        }
    };
    let filesystem = match text(map, "filesystem").as_deref() {
        None | Some("ext4") => Filesystem::Ext4,
        Some("xfs") => Filesystem::Xfs,
        Some(other) => return Err(of(format!("`filesystem` must be ext4 or xfs, not `{other}`"))),
    };
    let options = texts(map, "filesystem_options");
    if let Some(word) = options.iter().find(|word| is_unsafe(word)) {
        return Err(of(format!("`{word}` in `filesystem_options` would force `mkfs`, or name another device")));
    }
    let mount = needed(map, "mount").map_err(of)?;
    let units = map.contains_key("required_by").then(|| texts(map, "required_by"));
    let units = units.unwrap_or_else(|| vec!["clickhouse-server".to_owned()]);
    let mount_options = map.contains_key("mount_options").then(|| texts(map, "mount_options"));
    let mount_options = mount_options.unwrap_or_else(|| vec!["noatime".to_owned()]);
    // They become a line of a unit file.
    let plain =
        |word: &&String| !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '%' | '\\'));
    if let Some(word) = mount_options.iter().find(|word| !plain(word)) {
        return Err(of(format!("`{word}` is no mount option")));
    }
    Ok(VolumeWant {
        devices,
        count,
        mount: RemotePath::new(mount).map_err(|error| of(error.to_string()))?,
        filesystem,
        filesystem_options: options,
        reserved_percent: whole(map, "reserved_percent").map_err(of)?.unwrap_or(0),
        mount_options,
        required_by: units
            .into_iter()
            .map(|unit| UnitName::new(unit).map_err(|error| of(error.to_string())))
            .collect::<Result<_, _>>()?,
        read_ahead_kib: whole(map, "read_ahead_kib").map_err(of)?,
        scheduler: text(map, "scheduler"),
        resync_kib_per_second: whole(map, "resync_kib_per_second").map_err(of)?,
        level,
        name,
    })
}

fn level(map: &Map<String, Value>) -> Result<Level, String> {
    let written = needed(map, "level")?;
    let level = match written.as_str() {
        "single" => return Ok(Level::Single),
        "0" => 0,
        "1" => 1,
        "5" => 5,
        "10" => 10,
        other => return Err(format!("`level` must be 0, 1, 5, 10 or `single`, not `{other}`")),
    };
    let layout = match (level, text(map, "layout")) {
        (10, layout) => Some(layout.unwrap_or_else(|| "far2".to_owned())),
        (_, None) => None,
        (level, Some(_)) => return Err(format!("`layout` is of level 10, and not of level {level}")),
    };
    let chunk = text(map, "chunk").unwrap_or_else(|| "1M".to_owned());
    let chunk_kib = size_kib(&chunk).ok_or_else(|| format!("`chunk` must be a size such as `1M`, not `{chunk}`"))?;
    Ok(Level::Raid { level, layout, chunk_kib: (level != 1).then_some(chunk_kib) })
}

fn selector(map: &Map<String, Value>) -> Result<Selector, String> {
    if let Some(key) = map.keys().find(|key| DEVICES.key(key).is_none()) {
        return Err(format!("`{key}` is no key of `devices`"));
    }
    let size = |key: &str| match text(map, key) {
        None => Ok(None),
        Some(size) => match size_kib(&size).and_then(|kib| kib.checked_mul(1024)) {
            Some(bytes) => Ok(Some(bytes)),
            None => Err(format!("`{key}` must be a size such as `900G`, not `{size}`")),
        },
    };
    let selector = Selector {
        instance_store: flag(map, "instance_store")?,
        ebs: texts(map, "ebs"),
        model: text(map, "model"),
        serial: texts(map, "serial"),
        by_id: texts(map, "by_id"),
        min_size: size("min_size")?,
        max_size: size("max_size")?,
    };
    if (Selector { min_size: None, max_size: None, ..selector.clone() }) == Selector::default() {
        return Err("`devices` says nothing but sizes, or nothing at all: any disk could be taken".to_owned());
    }
    let moving = |id: &&String| id.starts_with("/dev/nvme") || id.starts_with("/dev/sd") || id.starts_with("/dev/xvd");
    if let Some(id) = selector.by_id.iter().find(moving) {
        return Err(format!("`{id}` moves between boots: write a name of `/dev/disk/by-id`"));
    }
    Ok(selector)
}

/// Words that make `mkfs` overwrite what is there, or that name a device besides.
fn is_unsafe(word: &str) -> bool {
    let letters = word.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
    let forces =
        letters.is_some_and(|letters| letters.chars().any(|c| matches!(c, 'f' | 'F')) && !letters.contains('='));
    forces
        || word.starts_with("--force")
        || word.starts_with('/')
        || word.contains("/dev/")
        || word.chars().any(char::is_control)
}

fn needed(map: &Map<String, Value>, key: &str) -> Result<String, String> {
    text(map, key).ok_or_else(|| format!("lacks `{key}`"))
}

fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    map.get(key).and_then(word)
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(map: &Map<String, Value>, key: &str) -> Vec<String> {
    match map.get(key) {
        Some(Value::Array(items)) => items.iter().filter_map(word).collect(),
        Some(one) => word(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn whole(map: &Map<String, Value>, key: &str) -> Result<Option<u64>, String> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
            number.map(Some).ok_or_else(|| format!("`{key}` must be a whole number"))
        }
    }
}

/// `true` and `false` in YAML 1.1's spellings.
fn flag(map: &Map<String, Value>, key: &str) -> Result<Option<bool>, String> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if ["true", "yes", "on"].contains(&text.to_lowercase().as_str()) => Ok(Some(true)),
        Some(Value::String(text)) if ["false", "no", "off"].contains(&text.to_lowercase().as_str()) => Ok(Some(false)),
        Some(_) => Err(format!("`{key}` must be true or false")),
    }
}
