//! What the templates make a ClickHouse server's configuration of (pure).

use super::shape::{Choice, Key, Others, Record, Shape};
use crate::size;

const SETTINGS: Shape = Shape::Map(&Shape::Any);
const NAMES: Shape = Shape::List(&Shape::Text);
const ABSOLUTE: Shape = Shape::Ruled("an absolute path", "^/", |text| text.starts_with('/'));
/// It becomes an element of the configuration.
const NAME: Shape = Shape::Ruled("a name of letters, digits, `_` and `-`", r"^[A-Za-z_][A-Za-z0-9_-]*$", |text| {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
});
const SIZE: Shape =
    Shape::Ruled("a size such as `500GB` or `10GiB`", "^[0-9]+([kMGT]B|[KMGT]iB|B)$", |text| size::bytes(text).is_ok());
const LOAD_BALANCING: [Choice; 2] = [
    Choice { word: "round_robin", about: "each disk in turn" },
    Choice { word: "least_used", about: "the one with the most free space" },
];
/// Poco's modes of verification.
const VERIFICATION: [Choice; 4] = [
    Choice { word: "none", about: "nothing is verified" },
    Choice { word: "relaxed", about: "a certificate that is given is verified" },
    Choice { word: "strict", about: "a certificate must be given" },
    Choice { word: "once", about: "as `strict`, at the first handshake only" },
];

/// The variables of this section.
pub(super) static SERVER: &[Key] = &[
        Key::new(
            "clickhouse_default_settings",
            SETTINGS,
            "The role's own server settings, which `clickhouse_settings` is laid over, key by key; null there takes one away.",
        ),
        Key::new("hostClusterType", Shape::Text, "The ClickHouse macro of this name.").default("online"),
        Key::new("clickhouse_cluster", Shape::Text, "The macro `cluster`: one of `clickhouse_clusters` that has the host."),
        Key::new(
            "clickhouse_macros",
            SETTINGS,
            "Macros beside `hostClusterRole`, `hostClusterType`, `cluster`, `generation`, `shard` and `replica`.",
        ),
        Key::new(
        "clickhouse_stop_wait",
        Shape::Whole(0, 3600),
        "How long a server that stops lets running queries go on, in seconds.",
    )
    .default("60"),
    Key::new("clickhouse_listen_hosts", NAMES, "Addresses that the server listens on.").examples(&["[\"0.0.0.0\"]"]),
        Key::new("clickhouse_interserver_http_port", Shape::Port, "Where replicas fetch parts from each other.").default("9009"),
        Key::new(
            "clickhouse_interserver_http_host",
            Shape::Text,
            "The name under which replicas fetch parts from the host. By default its `fqdn`.",
        ),
        Key::new(
            "clickhouse_interserver_credentials",
            Shape::Record(&INTERSERVER),
            "With which user and password replicas fetch parts.",
        )
        .examples(&["{\"user\": \"fleet\", \"password\": {\"from_secret\": \"env:INTERSERVER_PASSWORD\"}}"]),
        Key::new("clickhouse_tls", Shape::Record(&TLS), "Certificates, by their paths on the host; they are not brought there."),
        Key::new("clickhouse_https_port", Shape::Port, "HTTP over TLS, beside `clickhouse_http_port`; needs `clickhouse_tls`.").examples(&["8443"]),
        Key::new("clickhouse_tcp_port_secure", Shape::Port, "The native protocol over TLS; needs `clickhouse_tls`.").examples(&["9440"]),
        Key::new("clickhouse_interserver_https_port", Shape::Port, "Fetching parts over TLS; needs `clickhouse_tls`.").examples(&["9010"]),
        Key::new("clickhouse_disks", Shape::Map(&Shape::Record(&DISK)), "Disks of `storage_configuration`, by name.")
            .examples(&["{\"cold\": {\"type\": \"s3\", \"endpoint\": \"https://bucket.s3.amazonaws.com/data/\"}}"]),
        Key::new(
            "clickhouse_storage",
            Shape::Record(&STORAGE),
            "A storage policy and the disks that it needs, over `raid_volumes`, paths and `clickhouse_disks`.",
        )
        .examples(&["{\"policy\": \"jbod\"}"]),
        Key::new("clickhouse_storage_policies", Shape::Map(&Shape::Record(&POLICY)), "Storage policies, by name.")
            .examples(&["{\"tiered\": {\"volumes\": [{\"name\": \"hot\", \"disks\": [\"default\"]}, {\"name\": \"cold\", \"disks\": [\"cold\"]}]}}"]),
        Key::new("clickhouse_disk_balancer_calendar", Shape::Text, "When the host's timer evens its disks out, as systemd writes times.")
            .examples(&["*-*-* 03:30:00"]),
        Key::new(
            "clickhouse_disk_balancer_spread",
            Shape::Whole(1, 90),
            "How far apart the fullest and the emptiest disk may be before the timer moves parts, in percent.",
        )
        .examples(&["10"]),
        Key::new("clickhouse_disk_balancer_gigabytes", Shape::Whole(1, 1_000_000), "How much the timer moves in one run.")
            .examples(&["200"]),
        Key::new("clickhouse_disk_balancer_megabytes_per_second", Shape::Whole(1, 100_000), "How fast the timer moves it.")
            .examples(&["100"]),
        Key::new(
            "clickhouse_disk_balancer_environment",
            SETTINGS,
            "As whom the timer comes in, where `default` needs a password: the environment of `clickhouse-client`.",
        )
        .examples(&["{\"CLICKHOUSE_PASSWORD\": {\"from_secret\": \"env:MOVER_PASSWORD\"}}"]),
        Key::new("clickhouse_kafka", SETTINGS, "librdkafka's settings for every Kafka table of the server.")
            .examples(&["{\"session_timeout_ms\": 45000}"]),
        Key::new(
            "clickhouse_zookeeper_nodes",
            Shape::List(&Shape::Record(&COORDINATION_NODE)),
            "A coordination ensemble that somebody else runs. By default the servers use the keepers of the inventory.",
        )
        .examples(&["[{\"host\": \"zk-1.example.internal\", \"port\": 2181}]"]),
        Key::new(
            "clickhouse_distributed_ddl",
            SETTINGS,
            "Turns `ON CLUSTER` on. By default it is off: statements go to each host of a role by themselves.",
        )
        .examples(&["{\"path\": \"/clickhouse/task_queue/ddl\"}"]),
        Key::new(
            "clickhouse_environment",
            Shape::Map(&Shape::Any),
            "The server's environment, in a file that only root reads; a change of it is a restart.",
        )
        .examples(&["{\"MSK_PASSWORD\": {\"from_secret\": \"env:MSK_PASSWORD\"}}"]),
        Key::new(
            "clickhouse_limits",
            Shape::Map(&Shape::Text),
            "What systemd lets the server have, over what its package says, as in systemd.exec(5) and systemd.resource-control(5); a change is a restart.",
        )
        .examples(&["{\"LimitNOFILE\": 1048576, \"TasksMax\": \"infinity\"}"]),
        Key::new("clickhouse_users", Shape::Map(&Shape::Record(&USER)), "Users, by name. One called `default` replaces the one that has no password.")
            .examples(&["{\"metrics\": {\"password\": {\"from_secret\": \"env:METRICS_PASSWORD\"}, \"profile\": \"readonly\"}}"]),
        Key::new("clickhouse_profiles", Shape::Map(&SETTINGS), "Profiles, as in ClickHouse's `users.xml`.").examples(&["{\"readonly\": {\"readonly\": 1}}"]),
        Key::new("clickhouse_quotas", Shape::Map(&SETTINGS), "Quotas, as in ClickHouse's `users.xml`.")
            .examples(&["{\"default\": {\"interval\": {\"duration\": 3600, \"queries\": 0}}}"]),
        Key::new(
            "clickhouse_default_user_networks",
            NAMES,
            "Who else than the host itself comes in as `default`, without a password.",
        )
        .examples(&["[\"10.77.0.0/16\"]"]),
];

/// A disk.
pub static DISK: Record = Record {
    title: "disk",
    about: "A disk of `storage_configuration`; other keys are ClickHouse's own.",
    keys: &[
        Key::new("type", Shape::Text, "What it is, in ClickHouse's words.").default("local").examples(&["s3"]),
        Key::new("path", ABSOLUTE, "Where a local disk is; ClickHouse wants a `/` at the end.")
            .examples(&["/mnt/nvme/"]),
        Key::new("keep_free_space_bytes", Shape::Any, "What stays free on it."),
    ],
    others: Others::Allowed,
};

/// A member of an ensemble that somebody else runs.
pub static COORDINATION_NODE: Record = Record {
    title: "coordination node",
    about: "A member of an ensemble that somebody else runs: it is used as it is.",
    keys: &[
        Key::new("host", Shape::Text, "Name or address.").required().examples(&["zk-1.example.internal"]),
        Key::new("port", Shape::Port, "Where its clients connect.").default("2181"),
        Key::new("secure", Shape::Flag, "TLS.").default("false"),
    ],
    others: Others::Refused,
};

/// A storage policy.
pub static POLICY: Record = Record {
    title: "storage policy",
    about: "Where parts go; other keys are ClickHouse's own.",
    keys: &[
        Key::new(
            "volumes",
            Shape::List(&Shape::Record(&VOLUME)),
            "Its volumes, in the order in which they are filled.",
        )
        .required(),
        Key::new("move_factor", Shape::Any, "Parts move on when less than this share of a volume is free."),
    ],
    others: Others::Allowed,
};

/// A policy that disks follow from.
pub static STORAGE: Record = Record {
    title: "storage",
    about: "One storage policy; a local disk that it names and that is not in `clickhouse_disks` is made from it.",
    keys: &[
        Key::new("policy", NAME, "Its name. `default` changes what tables have that name no policy.")
            .required()
            .examples(&["tiered"]),
        Key::new(
            "volumes",
            Shape::List(&Shape::Record(&STORAGE_VOLUME)),
            "Its volumes, in the order in which they are filled. By default one, `main`, of all `raid_volumes`: a JBOD.",
        ),
        Key::new("move_factor", Shape::Any, "Parts move on when less than this share of a volume is free.")
            .examples(&["0.1"]),
        Key::new("keep_free_space", SIZE, "What stays free on each local disk but `default`.").examples(&["10GiB"]),
    ],
    others: Others::Refused,
};

/// A volume of [`STORAGE`].
pub static STORAGE_VOLUME: Record = Record {
    title: "volume of storage",
    about: "Disks that stand in for each other.",
    keys: &[
        Key::new("name", NAME, "Its name.").required().examples(&["hot"]),
        Key::new(
            "disks",
            NAMES,
            "Names of `raid_volumes` or `clickhouse_disks`, absolute paths, or `default`, the disk at the server's own path.",
        )
        .required()
        .examples(&["[\"data\"]"]),
        Key::new("max_data_part_size", SIZE, "Larger parts go to the next volume.").examples(&["100GiB"]),
        Key::new("perform_ttl_move_on_insert", Shape::Flag, "Whether new parts go at once to where a TTL sends them.")
            .default("true"),
        Key::new("prefer_not_to_merge", Shape::Flag, "Whether parts are left unmerged there.").default("false"),
        Key::new("load_balancing", Shape::Choice(&LOAD_BALANCING), "Which disk a new part goes to.")
            .default("round_robin"),
    ],
    others: Others::Refused,
};

/// A volume.
pub static VOLUME: Record = Record {
    title: "volume",
    about: "Disks of a policy that stand in for each other; other keys are ClickHouse's own.",
    keys: &[
        Key::new("name", NAME, "Its name.").required().examples(&["hot"]),
        Key::new("disks", NAMES, "Disks, by name; `default` is the one below ClickHouse's own path.")
            .required()
            .examples(&["[\"default\"]"]),
        Key::new("max_data_part_size_bytes", Shape::Any, "Larger parts go to the next volume."),
    ],
    others: Others::Allowed,
};

/// Who may fetch parts.
pub static INTERSERVER: Record = Record {
    title: "interserver credentials",
    about: "With which user and password replicas fetch parts from each other.",
    keys: &[
        Key::new("user", Shape::Any, "The user.").required().examples(&["fleet"]),
        Key::new("password", Shape::Any, "Its password, `{from_secret: ...}`.").required(),
        Key::new(
            "old",
            Shape::List(&SETTINGS),
            "Pairs of `user` and `password` that are taken as well, during a rotation.",
        ),
        Key::new("allow_empty", Shape::Flag, "Replicas without any are let in as well, during the first rotation.")
            .default("false"),
    ],
    others: Others::Refused,
};

/// Certificates and how the other side is verified.
pub static TLS: Record = Record {
    title: "TLS",
    about: "Certificates, by their paths on the host, and how the other side is verified.",
    keys: &[
        Key::new("certificate", ABSOLUTE, "The server's certificate and its chain.")
            .required()
            .examples(&["/etc/clickhouse-server/server.crt"]),
        Key::new("key", ABSOLUTE, "Its private key, which the user `clickhouse` can read.")
            .required()
            .examples(&["/etc/clickhouse-server/server.key"]),
        Key::new(
            "ca",
            ABSOLUTE,
            "The authority that the other side's certificate is checked against, beside the system's.",
        ),
        Key::new("dh_params", ABSOLUTE, "Diffie-Hellman parameters."),
        Key::new("verify_clients", Shape::Choice(&VERIFICATION), "Of those who connect.").default("none"),
        Key::new("verify_servers", Shape::Choice(&VERIFICATION), "Of those whom the server connects to.")
            .default("relaxed"),
        Key::new("server", SETTINGS, "More of `openSSL/server`, as ClickHouse has it."),
        Key::new("client", SETTINGS, "More of `openSSL/client`, as ClickHouse has it."),
    ],
    others: Others::Refused,
};

/// A user of `users.xml`.
pub static USER: Record = Record {
    title: "user",
    about: "A user; other keys are those of ClickHouse's `users.xml`.",
    keys: &[
        Key::new("password", Shape::Any, "Its password, `{from_secret: ...}`. The host gets its SHA-256 only."),
        Key::new("password_sha256_hex", Shape::Any, "The SHA-256 of its password, where you have that instead."),
        Key::new(
            "networks",
            Shape::Either(&[NAMES, SETTINGS]),
            "From where it is let in: addresses and networks, or a mapping as in `users.xml`.",
        )
        .examples(&["[\"10.0.0.0/8\"]"]),
        Key::new("profile", Shape::Text, "Its profile.").examples(&["default"]),
        Key::new("quota", Shape::Text, "Its quota.").examples(&["default"]),
        Key::new("access_management", Shape::Flag, "Whether it may make users and roles by SQL."),
    ],
    others: Others::Allowed,
};
