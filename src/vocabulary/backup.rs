//! Where a host's backups go, and when (pure).

use super::shape::{Key, Others, Record, Shape};

const SAFE: &str = "^[A-Za-z0-9_][A-Za-z0-9_./-]*$";

/// The names of a script, of SQL and of a path at once: no character of them means anything to any of the three.
fn is_safe(text: &str) -> bool {
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    first && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./-".contains(&byte)) && !text.contains("..")
}

const NAME: Shape = Shape::Ruled("a name of letters, digits and `_`", "^[A-Za-z_][A-Za-z0-9_]*$", |text| {
    !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
});
const PATH: Shape = Shape::Ruled("a path of letters, digits, `_`, `-`, `.` and `/`", SAFE, is_safe);
const URL: Shape = Shape::Ruled("the address of a bucket", "^https?://[A-Za-z0-9_./:-]+$", |text| {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_./:-".contains(&byte))
    })
});
/// `man systemd.time`; systemd itself judges the rest.
const CALENDAR: Shape =
    Shape::Ruled("a time of systemd, as `OnCalendar` takes it", r"^[A-Za-z0-9*:.,/~ -]+$", |text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"*:.,/~ -".contains(&byte))
    });

/// The variable `backup`.
pub static BACKUP: Record = Record {
    title: "backup",
    about: "Where the `backup_tables` go, and when: exactly one of `disk` and `s3`.",
    keys: &[
        Key::new("disk", NAME, "A disk of `clickhouse_disks`; old chains are removed from it.").examples(&["backups"]),
        Key::new("s3", Shape::Record(&BUCKET), "A bucket; what is old there is for its lifecycle rules.")
            .examples(&["{\"collection\": \"backup_store\"}"]),
        Key::new("prefix", PATH, "The path below it.").default("housewright"),
        Key::new("full", CALENDAR, "When full backups are taken.").default("Sun *-*-* 02:00:00"),
        Key::new("incremental", CALENDAR, "When those are taken that hold only what is new since the one before.")
            .default("Mon..Sat *-*-* 02:00:00"),
        Key::new(
            "longest_chain",
            Shape::Whole(1, 999),
            "Backups in a chain, the full one among them; then the next one is full whatever the time is.",
        )
        .default("14"),
        Key::new("keep_chains", Shape::Whole(1, 999), "Whole chains that stay on a `disk`.").default("3"),
        Key::new(
            "max_age",
            Shape::Whole(1, 8760),
            "Hours between two backups of a table beyond which `backup status` tells of it.",
        )
        .default("26"),
        Key::new(
            "bandwidth",
            Shape::Whole(0, u64::MAX),
            "Bytes each second that a backup may read (`max_backup_bandwidth`); 0: all.",
        )
        .default("0"),
        Key::new("threads", Shape::Whole(1, 1024), "Threads of a backup (`backup_threads`).").default("4"),
    ],
    others: Others::Refused,
};

/// A bucket.
pub static BUCKET: Record = Record {
    title: "bucket",
    about: "A bucket for backups: exactly one of `collection` and `url`.",
    keys: &[
        Key::new(
            "collection",
            NAME,
            "A named collection of `clickhouse_named_collections` with `url`, `access_key_id` and `secret_access_key`: no statement and no log has them.",
        )
        .examples(&["backup_store"]),
        Key::new("url", URL, "The bucket's address, where the hosts have the right to it by themselves, such as by the role of an instance.")
            .examples(&["https://bucket.s3.us-east-1.amazonaws.com/clickhouse"]),
    ],
    others: Others::Refused,
};
