//! The disks of a host: arrays, their filesystems and where they are mounted (pure).

use super::shape::{Choice, Key, Others, Record, Shape};

const NAMES: Shape = Shape::List(&Shape::Text);
/// XFS keeps labels of at most 12 characters.
const NAME: Shape =
    Shape::Ruled("a name of at most 12 letters, digits, `_` and `-`", "^[A-Za-z0-9_][A-Za-z0-9_-]{0,11}$", |text| {
        text.len() <= 12
            && !text.starts_with('-')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    });
const LEVEL: Shape = Shape::Ruled("0, 1, 5, 10 or `single`", "^(0|1|5|10|single)$", |text| {
    ["0", "1", "5", "10", "single"].contains(&text)
});
const SIZE: Shape =
    Shape::Ruled("a size such as `512K`, `1M` or `7T`", "^[1-9][0-9]{0,8}[KMGT]$", |text| size_kib(text).is_some());
const PLACE: Shape = Shape::Ruled("an absolute path below `/`", "^/[^/]", |text| {
    text.len() > 1 && text.starts_with('/') && !text.starts_with("//")
});
const LAYOUTS: [Choice; 3] = [
    Choice { word: "far2", about: "each block twice, its copies far apart: reads as fast as level 0" },
    Choice { word: "near2", about: "each block twice, its copies side by side" },
    Choice { word: "offset2", about: "each stripe twice, the second time shifted by a device" },
];
const FILESYSTEMS: [Choice; 2] =
    [Choice { word: "ext4", about: "made by `mkfs.ext4`" }, Choice { word: "xfs", about: "made by `mkfs.xfs`" }];
const SCHEDULERS: [Choice; 4] = [
    Choice { word: "none", about: "requests go to the device as they come" },
    Choice { word: "mq-deadline", about: "no request waits for long" },
    Choice { word: "kyber", about: "by latencies that are aimed at" },
    Choice { word: "bfq", about: "a fair share for each process" },
];

/// A size with its unit, in units of 1024 bytes.
#[must_use]
pub fn size_kib(text: &str) -> Option<u64> {
    let unit: u64 = match text.chars().last()? {
        'K' => 1,
        'M' => 1 << 10,
        'G' => 1 << 20,
        'T' => 1 << 30,
        _ => return None,
    };
    let number = text.get(..text.len() - 1)?;
    let plain = number.len() < 10 && !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| number.parse::<u64>().ok()?.checked_mul(unit))?
}

/// One array of an instance's own disks.
pub(super) const RAID_VOLUME_EXAMPLE: &str = "[{\"name\": \"data\", \"level\": 10, \"devices\": {\"instance_store\": true}, \"count\": 4, \"mount\": \"/var/lib/clickhouse\"}]";

/// An item of `raid_volumes`.
pub static RAID_VOLUME: Record = Record {
    title: "volume",
    about: "An array or a single device, with its filesystem and its mount point. What carries anything is never formatted.",
    keys: &[
        Key::new("name", NAME, "The array's name, and its filesystem's label. No two volumes of a host have the same.")
            .required()
            .examples(&["data"]),
        Key::new(
            "level",
            LEVEL,
            "The RAID level; `single` is one device without an array, and several of them are a JBOD.",
        )
        .required()
        .examples(&["10"]),
        Key::new(
            "devices",
            Shape::Record(&DEVICES),
            "Which devices it is made of: all conditions that are written hold for each.",
        )
        .required()
        .examples(&["{\"instance_store\": true}"]),
        Key::new(
            "count",
            Shape::Whole(1, 64),
            "How many devices; needed but for `single`. Fewer than that are a hold, not a smaller array.",
        )
        .examples(&["4"]),
        Key::new(
            "mount",
            PLACE,
            "Where it is mounted. Its owner and mode are those of the role's directory of this path.",
        )
        .required()
        .examples(&["/var/lib/clickhouse"]),
        Key::new("layout", Shape::Choice(&LAYOUTS), "Where level 10 puts the copies.").default("far2"),
        Key::new("chunk", SIZE, "How much of a stripe is on one device.").default("1M"),
        Key::new("filesystem", Shape::Choice(&FILESYSTEMS), "What it is formatted with.").default("ext4"),
        Key::new("filesystem_options", NAMES, "More words for `mkfs`; none that forces it, and no other device.")
            .examples(&["[\"-i\", \"maxpct=50\"]"]),
        Key::new("reserved_percent", Shape::Whole(0, 50), "What ext4 keeps for root.").default("0"),
        Key::new("mount_options", NAMES, "How it is mounted.").default("[\"noatime\"]"),
        Key::new("required_by", NAMES, "Units that do not start unless it is mounted.")
            .default("[\"clickhouse-server\"]"),
        Key::new("read_ahead_kib", Shape::Whole(0, 1 << 20), "How far the kernel reads ahead of who reads in order.")
            .examples(&["4096"]),
        Key::new("scheduler", Shape::Choice(&SCHEDULERS), "How the kernel orders requests to its devices."),
        Key::new(
            "resync_kib_per_second",
            Shape::Whole(1, 1 << 30),
            "How fast the array is made equal at least, per device, also beside other work.",
        )
        .examples(&["500000"]),
    ],
    others: Others::Refused,
};

/// `devices` of a volume.
pub static DEVICES: Record = Record {
    title: "devices",
    about: "Devices by what they are, never by `/dev/nvme1n1`: such names move between boots.",
    keys: &[
        Key::new("instance_store", Shape::Flag, "The instance's own NVMe disks, which a stop empties."),
        Key::new("ebs", Shape::OneOrList(&Shape::Text), "EBS volumes by their ids.")
            .examples(&["[\"vol-0123456789abcdef0\"]"]),
        Key::new("model", Shape::Text, "The model, with `*` and `?`.").examples(&["Amazon EC2 NVMe Instance Storage*"]),
        Key::new("serial", Shape::OneOrList(&Shape::Text), "Serial numbers, with `*` and `?`."),
        Key::new("by_id", Shape::OneOrList(&Shape::Text), "Names in `/dev/disk/by-id`, with `*` and `?`."),
        Key::new("min_size", SIZE, "No smaller device.").examples(&["900G"]),
        Key::new("max_size", SIZE, "No larger device."),
    ],
    others: Others::Refused,
};
