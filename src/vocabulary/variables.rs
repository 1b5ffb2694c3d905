//! The variables of the inventory that mean something to Housewright or to the repository's templates (pure).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::backup::BACKUP;
use super::clusters::CLUSTER;
use super::ground::{APT, YUM};
use super::hooks::TRAFFIC_HOOKS;
use super::kernel::KERNEL;
use super::pods::{HTTP, KUBERNETES};
use super::rollout::ROLLOUT;
use super::server::SERVER;
use super::shape::{Choice, Key, Others, Record, Shape};
use super::volumes::{RAID_VOLUME, RAID_VOLUME_EXAMPLE};

/// Variables that belong together.
#[derive(Debug)]
pub struct Section {
    /// Title, sentence and variables.
    pub record: Record,
    /// Who says what they look like.
    pub checked: Checked,
}

/// Whether Housewright itself insists on a variable's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// It does: it reads them.
    Always,
    /// It does, for the templates that print them: secrets may be in them.
    ForTemplates,
    /// The roles and templates do: another `roles/` may have others.
    ByTemplates,
}

const REACHES: [Choice; 3] = [
    Choice { word: "ssh", about: "Housewright looks after it" },
    Choice {
        word: "http",
        about: "a pod that an operator runs: Housewright looks after its schema, and asks its ClickHouse alone",
    },
    Choice { word: "member", about: "a part of clusters that is never connected to" },
];
const FROM_ONE: Shape = Shape::Whole(1, u32::MAX as u64);
/// It becomes a part of a path in ZooKeeper.
const REPLICA: Shape = Shape::Ruled("a name or a number, without `/`", r"^[^/\x00-\x1f\x7f]+$", |text| {
    !text.contains(|c: char| c == '/' || c.is_control())
});
const NAMES: Shape = Shape::List(&Shape::Text);
const SETTINGS: Shape = Shape::Map(&Shape::Any);
/// A topic as far as checks know it.
static TOPIC: Record = Record {
    title: "topic",
    about: "A topic of a broker.",
    others: Others::Refused,
    keys: &[Key::new("partitions", FROM_ONE, "How many partitions it has.").required()],
};

/// All sections.
pub static VARIABLES: [Section; 6] = [
    Section {
        checked: Checked::Always,
        record: Record {
            title: "What the host is",
            about: "Who a host is in the fleet, and what it keeps.",
            others: Others::Allowed,
            keys: &[
                Key::new(
                    "hostClusterRole",
                    Shape::Text,
                    "Chooses the host's role: the one whose `role.yml` has this value. It is also the ClickHouse macro of this name. Every host needs it.",
                )
                .examples(&["data", "small"]),
                Key::new("shard", FROM_ONE, "The shard that a storage host holds a replica of; required there.")
                    .examples(&["1"]),
                Key::new(
                    "replica",
                    REPLICA,
                    "Which replica of its shard a storage host is; required there. No two hosts of a role have the same shard and replica.",
                )
                .examples(&["a", "1"]),
                Key::new(
                    "keeper_id",
                    FROM_ONE,
                    "The id of a coordination server; required there. Never used again for another machine.",
                )
                .examples(&["1"]),
                Key::new("zone", Shape::Text, "Availability zone: shown, and given to templates.").examples(&["us-east-1a"]),
                Key::new(
                    "fqdn",
                    Shape::Text,
                    "The name under which other hosts reach it. By default `ansible_host`, else the host's name.",
                ),
                Key::new("housewright_reach", Shape::Choice(&REACHES), "How Housewright reaches the host.").default("ssh"),
                Key::new("housewright_http", Shape::Record(&HTTP), "Where its ClickHouse answers, with `housewright_reach: http`.")
                    .examples(&["{\"port\": 8443, \"ca\": \"/etc/ssl/fleet-ca.pem\", \"user\": \"housewright\", \"password\": \"env:CLICKHOUSE_PODS_PASSWORD\"}"]),
                Key::new("kubernetes", Shape::Record(&KUBERNETES), "The operator's installation that the pod belongs to: `housewright k8s render`.")
                    .examples(&["{\"namespace\": \"clickhouse\", \"installation\": \"ingestion\", \"cluster\": \"events\", \"image\": \"clickhouse/clickhouse-server:25.8.2\"}"]),
                Key::new(
                    "raid_volumes",
                    Shape::List(&Shape::Record(&RAID_VOLUME)),
                    "The host's volumes: arrays or single devices, their filesystems, and where they are mounted. Empty on stateless hosts.",
                )
                .examples(&[RAID_VOLUME_EXAMPLE]),
                Key::new("backup_tables", NAMES, "Tables to back up, to where `backup` says; empty on stateless hosts.")
                    .examples(&["[\"default.events\"]"]),
                Key::new("backup", Shape::Record(&BACKUP), "Where the `backup_tables` go, and when.")
                    .examples(&["{\"disk\": \"backups\"}"]),
                Key::new(
                    "clickhouse_disk_balancer_enabled",
                    Shape::Flag,
                    "Whether parts are moved between the disks of a volume, by `housewright balance` and by a timer on the host; false on stateless hosts.",
                ),
                Key::new(
                    "network_namespace",
                    Shape::Text,
                    "The run enters this network namespace of your machine: for the lab. The same on all hosts.",
                ),
            ],
        },
    },
    Section {
        checked: Checked::Always,
        record: Record {
            title: "ClickHouse and its coordination",
            about: "What Housewright itself reads about the servers.",
            others: Others::Allowed,
            keys: &[
                Key::new(
                    "clickhouse_clusters",
                    Shape::Map(&Shape::Record(&CLUSTER)),
                    "The entries of `remote_servers`, by name. Read from the group `all` only: they are the same on every host.",
                ),
                Key::new(
                    "clickhouse_named_collections",
                    Shape::Map(&SETTINGS),
                    "Named collections: name, then keys such as `kafka_broker_list`.",
                )
                .examples(&["{\"msk_ingestion\": {\"kafka_broker_list\": \"broker-1:9092\"}}"]),
                Key::new(
                    "clickhouse_cores",
                    Shape::Whole(1, 4096),
                    "How many cores the host has, where `check` is to compare its consumers with them.",
                )
                .examples(&["8"]),
                Key::new(
                    "kafka_topics",
                    Shape::Map(&Shape::Record(&TOPIC)),
                    "Topics by name, where `check` is to compare the consumers of all hosts with their partitions.",
                )
                .examples(&["{\"events\": {\"partitions\": 64}}"]),
                Key::new("clickhouse_settings", SETTINGS, "Server settings, as ClickHouse names and nests them.")
                    .examples(&["{\"mark_cache_size\": 5368709120, \"logger\": {\"level\": \"information\"}}"]),
                Key::new("clickhouse_tcp_port", Shape::Port, "Port of the native protocol.").default("9000"),
                Key::new("clickhouse_http_port", Shape::Port, "Port of HTTP; Housewright asks there, on the host itself.").default("8123"),
                Key::new(
                    "drain_timeout",
                    Shape::Whole(0, 86400),
                    "Seconds that Kafka tables may take to be detached, and spooled rows to be sent, before a restart.",
                )
                .default("120"),
                Key::new(
                    "query_timeout",
                    Shape::Whole(0, 86400),
                    "Seconds that running queries are waited for before a data host restarts. Those that still run then are cut.",
                )
                .default("30"),
                Key::new(
                    "replica_delay_limit",
                    Shape::Whole(0, 86400),
                    "Seconds that a restarted replica may be behind its peers when the next wave begins.",
                )
                .default("300"),
                Key::new(
                    "stable_window",
                    Shape::Whole(0, 86400),
                    "Seconds that a restarted server must be well without a break.",
                )
                .default("2"),
                Key::new(
                    "retry_timeout",
                    Shape::Whole(0, 86400),
                    "Seconds that a statement of the schema is sent again while it fails for the connection, the coordination or a time-out.",
                )
                .default("30"),
                Key::new(
                    "rollout",
                    Shape::Record(&ROLLOUT),
                    "How runs go through the fleet where no option says so. Read from the group `all` only.",
                )
                .examples(&["{\"serial\": [1, \"20%\"], \"max_unavailable\": \"25%\"}"]),
                Key::new(
                    "traffic_hooks",
                    Shape::Record(&TRAFFIC_HOOKS),
                    "Commands that take the host out of traffic before each restart, and bring it back when it is well again.",
                )
                .examples(&["{\"drain\": [{\"run\": [\"touch\", \"/run/drain\"]}], \"restore\": [{\"run\": [\"rm\", \"-f\", \"/run/drain\"]}]}"]),
                Key::new("keeper_port", Shape::Port, "Where a coordination server's clients connect. The roles set 9181 (ClickHouse Keeper) and 2181 (ZooKeeper)."),
                Key::new("keeper_raft_port", Shape::Port, "Where ClickHouse Keepers speak to each other.").default("9234"),
            ],
        },
    },
    Section {
        checked: Checked::Always,
        record: Record {
            title: "How the host is reached",
            about: "Ansible's connection variables.",
            others: Others::Allowed,
            keys: &[
                Key::new("ansible_host", Shape::Text, "Address or name to connect to. By default the host's name.").examples(&["10.0.1.11"]),
                Key::new("ansible_port", Shape::Port, "SSH port.").default("22"),
                Key::new("ansible_user", Shape::Text, "Login user. By default the user who runs Housewright.").examples(&["deploy"]),
                Key::new(
                    "ansible_ssh_private_key_file",
                    Shape::Text,
                    "The key to log in with. By default the agent's keys, else `~/.ssh/id_ed25519`, `id_ecdsa`, `id_rsa`.",
                )
                .examples(&["~/.ssh/fleet"]),
                Key::new(
                    "ansible_become",
                    Shape::Flag,
                    "True: work as root through `sudo -n`; false: as the login user. By default true unless the login user is `root`.",
                ),
                Key::new("ansible_ssh_common_args", Shape::Text, "ssh's own arguments; those that are followed are in docs/inventory.md.")
                    .examples(&["-J user@bastion"]),
                Key::new("ansible_ssh_extra_args", Shape::Text, "More of ssh's own arguments."),
                Key::new("ansible_connection", Shape::Text, "`ssh`, or one of its other names: nothing else is supported.").default("ssh"),
                Key::new("ansible_become_user", Shape::Text, "`root`: nothing else is supported.").default("root"),
                Key::new("ansible_become_method", Shape::Text, "`sudo`: nothing else is supported.").default("sudo"),
                Key::new("ansible_ssh_host", Shape::Text, "An older name of `ansible_host`."),
                Key::new("ansible_ssh_port", Shape::Port, "An older name of `ansible_port`."),
                Key::new("ansible_ssh_user", Shape::Text, "An older name of `ansible_user`."),
                Key::new("ansible_private_key_file", Shape::Text, "Another name of `ansible_ssh_private_key_file`."),
                Key::new("ansible_password", Shape::Any, "Not used: Housewright logs in with keys."),
                Key::new("ansible_ssh_pass", Shape::Any, "Not used, as `ansible_password`."),
                Key::new("ansible_become_password", Shape::Any, "Not used: Housewright asks `sudo -n`."),
                Key::new("ansible_become_pass", Shape::Any, "Not used, as `ansible_become_password`."),
                Key::new(
                    "ansible_group_priority",
                    Shape::Any,
                    "A whole number, in a group's `vars` of an inventory file: orders groups of the same depth, the higher wins.",
                )
                .default("1"),
            ],
        },
    },
    Section {
        checked: Checked::ForTemplates,
        record: Record {
            title: "A server's configuration",
            about: "What the templates of this repository make `config.d/` and `users.d/` of. A secret is written as `{from_secret: env:NAME}`, and what the server is to take from its environment as `{\"@from_env\": NAME}`.",
            others: Others::Allowed,
            keys: SERVER,
        },
    },
    Section {
        checked: Checked::ByTemplates,
        record: Record {
            title: "The kernel",
            about: "Of the role `kernel`, which every host has. An empty value leaves the host as it is.",
            others: Others::Allowed,
            keys: KERNEL,
        },
    },
    Section {
        checked: Checked::ByTemplates,
        record: Record {
            title: "Of the roles and templates of this repository",
            about: "Another `roles/` may have others, and these in another form.",
            others: Others::Allowed,
            keys: &[
                Key::new("apt_repositories", Shape::Map(&Shape::Record(&APT)), "Repositories of Debian's kind beside the distribution's own, by name.")
                    .examples(&["{\"clickhouse\": {\"url\": \"https://packages.clickhouse.com/deb\", \"suite\": \"stable\", \"components\": \"main\", \"key\": \"/etc/apt/keyrings/clickhouse.asc\"}}"]),
                Key::new("yum_repositories", Shape::Map(&Shape::Record(&YUM)), "Repositories of Red Hat's kind beside the distribution's own, by name.")
                    .examples(&["{\"clickhouse\": {\"url\": \"https://packages.clickhouse.com/rpm/stable/\", \"key\": \"https://packages.clickhouse.com/rpm/stable/repodata/repomd.xml.key\"}}"]),
                Key::new("etc_hosts", Shape::Map(&Shape::Any), "Names by address for `/etc/hosts`, which is then all ours. By default it is left alone.")
                    .examples(&["{\"10.0.1.11\": [\"data-01-a\", \"data-01-a.internal\"]}"]),
                Key::new("clickhouse_version", Shape::Text, "The version of ClickHouse's packages that is installed and held. By default packages are left alone.").examples(&["25.8.3.66"]),
                Key::new("clickhouse_keeper_version", Shape::Text, "The same of ClickHouse Keeper's package.").examples(&["25.8.3.66"]),
                Key::new("zookeeper_package", Shape::Flag, "Whether the distribution's package of ZooKeeper is installed.").default("false"),
                Key::new("zookeeper_heap", Shape::Text, "Memory of ZooKeeper's Java.").default("1g"),
                Key::new("zookeeper_java_options", Shape::Text, "More options of ZooKeeper's Java.").default("-XX:+UseG1GC"),
            ],
        },
    },
];

static BY_NAME: LazyLock<BTreeMap<&'static str, (&'static Key, Checked)>> = LazyLock::new(|| {
    let keys = |section: &'static Section| section.record.keys.iter().map(|key| (key.name, (key, section.checked)));
    VARIABLES.iter().flat_map(keys).collect()
});

/// A variable by its name, and who insists on its shape.
#[must_use]
pub fn variable(name: &str) -> Option<(&'static Key, Checked)> {
    BY_NAME.get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_variable_stands_twice() {
        assert_eq!(BY_NAME.len(), VARIABLES.iter().map(|section| section.record.keys.len()).sum::<usize>());
    }
}
