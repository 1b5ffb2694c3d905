//! `role.yml` (pure).

use super::ground::{COMMAND, PACKAGE, SYSTEM_USER};
use super::hooks::GATE;
use super::kernel::KERNEL_FILE;
use super::shape::{Choice, Defined, Key, Others, Record, Shape};

const PLACEMENTS: [Choice; 3] = [
    Choice { word: "storage", about: "a replica of a shard" },
    Choice { word: "stateless", about: "nothing" },
    Choice { word: "keeper", about: "a member of the coordination ensemble" },
];

pub(super) const ABSOLUTE: Shape = Shape::Ruled("an absolute path", "^/", |text| text.starts_with('/'));
const OWNER: Key = Key::new("owner", Shape::Text, "Owning user's name.").default("root");
const GROUP: Key = Key::new("group", Shape::Text, "Owning group's name. By default the owner's.");
pub(super) const ONLY_WITH: Key = Key::new(
    "only_with",
    Shape::OneOrList(&Shape::Text),
    "Variables: a host has it only where one of them is set, and is not false or empty. By default every host has it.",
)
.examples(&["clickhouse_tls"]);

/// One `role.yml`.
pub static ROLE: Record = Record {
    title: "role",
    about: "A kind of host: what it keeps, which directories, files and units it has.",
    keys: &[
        Key::new("description", Shape::Text, "One line for people."),
        Key::new(
            "include",
            Shape::List(&Shape::Text),
            "Roles whose parts come first, in order; the role's own parts win on the same key.",
        )
        .examples(&["[\"clickhouse\"]"]),
        Key::new(
            "placement",
            Shape::Choice(&PLACEMENTS),
            "What the role's hosts keep. May come from an included role.",
        ),
        Key::new(
            "hostClusterRole",
            Shape::Text,
            "The value by which hosts choose the role, and their macro. A role without it can only be included.",
        ),
        Key::new("vars", Shape::Defined(Defined::Variables), "Defaults; any variable of the inventory wins."),
        Key::new("directories", Shape::List(&Shape::Record(&DIRECTORY)), "Directories that the role wants."),
        Key::new("files", Shape::List(&Shape::Record(&FILE)), "Files that the role wants, each made from a template."),
        Key::new("packages", Shape::List(&Shape::Record(&PACKAGE)), "Packages that the role wants."),
        Key::new("users", Shape::List(&Shape::Record(&SYSTEM_USER)), "System users that the role wants."),
        Key::new(
            "sysctl",
            Shape::Map(&Shape::Text),
            "Kernel settings: name and value, which may hold `{{ variables }}`; one whose value is empty is left as it is. They are kept in `/etc/sysctl.d/90-housewright.conf`.",
        )
        .examples(&["{\"vm.max_map_count\": 262144}"]),
        Key::new(
            "kernel_files",
            Shape::List(&Shape::Record(&KERNEL_FILE)),
            "Files of the kernel's that the role wants to have a value.",
        ),
        Key::new(
            "swap",
            Shape::Text,
            "`off`: no swap, now and behind the next boot. Empty: left as it is. May hold `{{ variables }}`.",
        )
        .examples(&["off"]),
        Key::new(
            "clock",
            Shape::Text,
            "`synced`: whichever of chrony, systemd-timesyncd and ntpd the host has keeps its clock, now and behind the next boot. Empty: left as it is. May hold `{{ variables }}`.",
        )
        .examples(&["synced"]),
        Key::new(
            "hostname",
            Shape::Text,
            "The host's own name. Empty: left as it is. May hold `{{ variables }}`.",
        )
        .examples(&["{{ host.name }}"]),
        Key::new("commands", Shape::List(&Shape::Record(&COMMAND)), "Commands that the role wants to have been run."),
        Key::new("units", Shape::List(&Shape::Record(&UNIT)), "systemd units that the role looks after."),
        Key::new(
            "clickhouse",
            Shape::Record(&CLICKHOUSE),
            "How the role's ClickHouse server is asked, on the host itself.",
        ),
        Key::new(
            "gates",
            Shape::List(&Shape::Record(&GATE)),
            "Questions to that server that must be answered with 1 behind a restart, and by `verify`.",
        ),
    ],
    others: Others::Refused,
};

/// A directory of a role.
pub static DIRECTORY: Record = Record {
    title: "directory",
    about: "A directory that the role wants.",
    keys: &[
        Key::new("path", ABSOLUTE, "Where it is on the host.").required(),
        OWNER,
        GROUP,
        Key::new("mode", Shape::Mode, "Permission bits.").default("0755"),
        ONLY_WITH,
    ],
    others: Others::Refused,
};

/// A file of a role.
pub static FILE: Record = Record {
    title: "file",
    about: "A file that the role wants.",
    keys: &[
        Key::new("template", Shape::Text, "Path below `templates/`.").required(),
        Key::new("path", ABSOLUTE, "Where it is on the host.").required(),
        OWNER,
        GROUP,
        Key::new("mode", Shape::Mode, "Permission bits.").default("0644"),
        Key::new("unit", Shape::Text, "The systemd unit that reads it; what a change costs that unit is computed."),
        Key::new(
            "over_package",
            Shape::Flag,
            "A package that is installed before it brings one of its own: ours takes its place.",
        )
        .default("false"),
        Key::new(
            "early",
            Shape::Flag,
            "Written before packages and commands whose `when` is `before_files`: a repository, a key.",
        )
        .default("false"),
        ONLY_WITH,
    ],
    others: Others::Refused,
};

/// A unit of a role.
pub static UNIT: Record = Record {
    title: "unit",
    about: "A systemd unit that the role looks after.",
    keys: &[
        Key::new("name", Shape::Text, "The unit's name.").required().examples(&["clickhouse-server"]),
        Key::new("enabled", Shape::Flag, "Starts at boot; false: left as it is.").default("true"),
        Key::new("running", Shape::Flag, "Runs now; false: left as it is.").default("true"),
        ONLY_WITH,
    ],
    others: Others::Refused,
};

/// How a role's server is asked.
pub static CLICKHOUSE: Record = Record {
    title: "clickhouse",
    about: "How the role's ClickHouse server is asked, on the host itself, through the SSH connection.",
    keys: &[
        Key::new("unit", Shape::Text, "The systemd unit that the server runs in; one of `units`.").required(),
        Key::new("http_port", Shape::Port, "HTTP port on the loopback; a host's `clickhouse_http_port` wins.")
            .default("8123"),
        Key::new("user", Shape::Text, "The user that Housewright works as.").default("default"),
        Key::new("password", Shape::Secret, "That user's password, by reference.")
            .examples(&["env:CLICKHOUSE_PASSWORD"]),
    ],
    others: Others::Refused,
};
