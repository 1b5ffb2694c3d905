//! Entries of `clickhouse_clusters` (pure).

use super::shape::{Choice, Key, Others, Record, Shape};

/// How a cluster's hosts form shards.
const LAYOUTS: [Choice; 3] = [
    Choice { word: "sharded", about: "shards and replicas by the hosts' `shard` and `replica`" },
    Choice { word: "single_shard", about: "all hosts are replicas of one shard" },
    Choice { word: "one_shard_per_host", about: "every host is a shard of its own" },
];

/// ClickHouse keeps one slot in memory for each unit of weight (`slot_to_shard` in `Cluster.cpp`).
const WEIGHT: Shape = Shape::Whole(0, 10_000);
/// ClickHouse reads a signed 32-bit number, and prefers the lowest.
const PRIORITY: Shape = Shape::Whole(1, 1_000_000);

const SECURE: Key = Key::new("secure", Shape::Flag, "Servers are asked over TLS.").default("false");
const USER: Key = Key::new("user", Shape::Text, "The user of the other side, where the cluster has no `secret`.");

/// One entry of `remote_servers`.
pub static CLUSTER: Record = Record {
    title: "cluster",
    about: "One entry of `remote_servers`: which hosts form it, and how. It needs `hosts`, `members`, or both.",
    keys: &[
        Key::new(
            "hosts",
            Shape::OneOrList(&Shape::Text),
            "Host pattern, or a list of them, as `--limit` takes it: names, groups, globs, `:&`, `:!`.",
        )
        .examples(&["data", "ingestion:!canary", "[\"ingestion_small\", \"ingestion_medium\"]"]),
        Key::new(
            "members",
            Shape::List(&Shape::Either(&[Shape::Text, Shape::Record(&MEMBER)])),
            "Members that are no hosts of the inventory, such as pods: names with ranges, `name:port`, or mappings.",
        )
        .examples(&["[\"chi-ingestion-[0:3]\"]", "[{\"host\": \"chi-ingestion-[0:3]\", \"port\": 9440, \"secure\": true}]"]),
        Key::new("layout", Shape::Choice(&LAYOUTS), "How the members form shards.").required(),
        Key::new("secret", Shape::Secret, "The cluster's inter-server secret, by reference.")
            .examples(&["env:CLICKHOUSE_CLUSTER_SECRET"]),
        Key::new(
            "port",
            Shape::Port,
            "Port of the native protocol, for every member. By default the host's `clickhouse_tcp_port`, else 9000, or 9440 with `secure`.",
        ),
        SECURE,
        USER,
        Key::new(
            "internal_replication",
            Shape::Flag,
            "Whether Distributed tables write to one replica and leave the rest to replication. By default true, but false with `one_shard_per_host`.",
        ),
        Key::new(
            "weight",
            Shape::Either(&[WEIGHT, Shape::Map(&WEIGHT)]),
            "The share of rows that a shard gets; 0: it is read, and nothing is written to it. One number, or a mapping from host pattern to number, in which the first pattern that has the host counts. ClickHouse's default is 1.",
        )
        .examples(&["2", "{\"shard_10\": 0}"]),
        Key::new(
            "priority",
            Shape::Either(&[PRIORITY, Shape::Map(&PRIORITY)]),
            "Replicas of a lower number are asked first. One number, or a mapping from host pattern to number, in which the first pattern that has the host counts. ClickHouse's default is 1.",
        )
        .examples(&["{\"zone_a\": 1, \"zone_b\": 2}"]),
    ],
    others: Others::Refused,
};

/// A member that is no host of the inventory.
pub static MEMBER: Record = Record {
    title: "member",
    about: "A member of a cluster that is no host of the inventory. Keys that it lacks it has from its cluster.",
    keys: &[
        Key::new("host", Shape::Text, "Name or address; a range makes several.")
            .required()
            .examples(&["chi-events-[0:3]"]),
        Key::new("port", Shape::Port, "Port of the native protocol."),
        Key::new("secure", Shape::Flag, "This member is asked over TLS."),
        Key::new("user", Shape::Text, "The user on this member, where the cluster has no `secret`."),
        Key::new("weight", WEIGHT, "The share of rows that its shard gets."),
        Key::new("priority", PRIORITY, "Replicas of a lower number are asked first."),
    ],
    others: Others::Refused,
};
