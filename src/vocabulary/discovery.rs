//! `*.aws_ec2.yml` (pure).

use super::shape::{Choice, Key, Others, Record, Shape};

const PLUGINS: [Choice; 2] = [
    Choice { word: "amazon.aws.aws_ec2", about: "Ansible's plugin, by its full name" },
    Choice { word: "aws_ec2", about: "the same" },
];

/// One EC2 discovery file.
pub static EC2_FILE: Record = Record {
    title: "EC2 discovery",
    about: "Where to look for hosts in EC2, and what they become; the keys are those of Ansible's `amazon.aws.aws_ec2` plugin.",
    keys: &[
        Key::new("plugin", Shape::Choice(&PLUGINS), "Says that this is such a file."),
        Key::new("regions", Shape::List(&Shape::Text), "AWS regions to ask.").required().examples(&["[\"us-east-1\"]"]),
        Key::new(
            "filters",
            Shape::Map(&Shape::OneOrList(&Shape::Either(&[Shape::Text, Shape::Flag]))),
            "Filters of `DescribeInstances`, all of which an instance must fit.",
        )
        .examples(&["{\"tag:fleet\": \"posthog\", \"instance-state-name\": [\"running\"]}"]),
        Key::new("hostnames", Shape::List(&Shape::Text), "What names a host, in order of preference.")
            .examples(&["[\"tag:Name\", \"private-dns-name\"]"]),
        Key::new("keyed_groups", Shape::List(&Shape::Record(&KEYED_GROUP)), "Groups named after values of instances."),
        Key::new("compose", Shape::Map(&Shape::Text), "Variables made from values of instances.")
            .examples(&["{\"ansible_host\": \"private_ip_address\"}"]),
    ],
    others: Others::Refused,
};

/// A group named after a value.
pub static KEYED_GROUP: Record = Record {
    title: "keyed group",
    about: "Groups that are named after a value: prefix, separator, value.",
    keys: &[
        Key::new("key", Shape::Text, "Whose value.").required().examples(&["tags.role", "placement.availability_zone"]),
        Key::new("prefix", Shape::Text, "Before the separator."),
        Key::new("separator", Shape::Text, "Between prefix and value.").default("_"),
    ],
    others: Others::Refused,
};
