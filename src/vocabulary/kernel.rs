//! What a host's kernel is told: `kernel_files` of `role.yml`, and the variables of the role `kernel` (pure).

use super::shape::{Key, Others, Record, Shape};

const BELOW_SYS: Shape =
    Shape::Ruled("a path below `/sys/`, in which `*` stands for any name", r"^/sys/[^\s'\x22\\]+$", |text| {
        text.strip_prefix("/sys/").is_some_and(|rest| {
            !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || "'\"\\".contains(c))
        })
    });

/// A kernel file of a role.
pub static KERNEL_FILE: Record = Record {
    title: "kernel_file",
    about: "A file of the kernel's that has a value: set now, and at every boot by `/etc/tmpfiles.d/housewright.conf`.",
    keys: &[
        Key::new("path", BELOW_SYS, "Which.").required().examples(&["/sys/kernel/mm/transparent_hugepage/enabled"]),
        Key::new(
            "value",
            Shape::Text,
            "Its value, which may hold `{{ variables }}`; of a choice such as `always [madvise] never` one word. Empty: left as it is.",
        )
        .required()
        .examples(&["madvise"]),
        Key::new("optional", Shape::Flag, "A kernel that does not have it is passed over; by default that is held back.")
            .default("false"),
    ],
    others: Others::Refused,
};

/// The variables of the role `kernel`.
pub(super) static KERNEL: &[Key] = &[
    Key::new("kernel_max_map_count", Shape::Text, "`vm.max_map_count`: how many mappings a process may have.")
        .default("1048576"),
    Key::new("kernel_swappiness", Shape::Text, "`vm.swappiness`: how readily memory of programs is swapped out.")
        .default("1"),
    Key::new(
        "kernel_overcommit_memory",
        Shape::Text,
        "`vm.overcommit_memory`; 2 would refuse memory that ClickHouse reserves and never touches.",
    )
    .default("0"),
    Key::new("kernel_somaxconn", Shape::Text, "`net.core.somaxconn`: how many connections may wait to be taken.")
        .default("4096"),
    Key::new(
        "kernel_transparent_huge_pages",
        Shape::Text,
        "When the kernel gives huge pages unasked: `always`, `madvise` or `never`.",
    )
    .default("madvise"),
    Key::new("kernel_transparent_huge_pages_defrag", Shape::Text, "When a program waits for them to be put together.")
        .default("madvise"),
    Key::new(
        "kernel_cpu_governor",
        Shape::Text,
        "How cores choose their frequency, where the machine lets it be chosen.",
    )
    .default("performance"),
    Key::new("kernel_swap", Shape::Text, "`off`: no swap, now and behind the next boot.").default("off"),
    Key::new("kernel_clock", Shape::Text, "`synced`: a service keeps the clock, now and behind the next boot.")
        .default("synced"),
    Key::new(
        "kernel_hostname",
        Shape::Text,
        "The host's own name, as `hostName()` of ClickHouse tells it from its next start. By default the cloud's.",
    )
    .examples(&["data-01-a"]),
];
