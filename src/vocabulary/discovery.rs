//! `*.aws_ec2.yml` (pure).

use super::shape::{Choice, Key, Others, Record, Shape};

const PLUGINS: [Choice; 2] = [
    Choice { word: "amazon.aws.aws_ec2", about: "Ansible's plugin, by its full name" },
    Choice { word: "aws_ec2", about: "the same" },
];

/// Each filter with the values that it may have.
const FILTERS: Shape = Shape::Map(&Shape::OneOrList(&Shape::Either(&[Shape::Text, Shape::Flag])));

/// An expression without braces; a plain value stands for itself.
const EXPRESSION: Shape = Shape::Either(&[Shape::Text, Shape::Flag]);

/// A share of a whole.
const SHARE: Shape =
    Shape::Ruled("a share from `0%` to `100%`", "^(100|[1-9]?[0-9]) ?%$", |text| share(text).is_some());

/// A region's name.
const REGION: Shape = Shape::Ruled("the name of a region", "^[a-z0-9-]+$", |text| {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
});

/// The number of a share such as `20%`.
#[must_use]
pub fn share(text: &str) -> Option<u64> {
    text.strip_suffix('%')?.trim_end().parse().ok().filter(|share| *share <= 100)
}

/// One EC2 discovery file.
pub static EC2_FILE: Record = Record {
    title: "EC2 discovery",
    about: "Where to look for hosts in EC2, and what they become; the keys are those of Ansible's `amazon.aws.aws_ec2` plugin, \
            but `placement_tags` and `max_shrink`, which are Housewright's own.",
    keys: &[
        Key::new("plugin", Shape::Choice(&PLUGINS), "Says that this is such a file.").required(),
        Key::new("regions", Shape::OneOrList(&REGION), "AWS regions to ask; all regions are never asked.")
            .required()
            .examples(&["[\"us-east-1\"]"]),
        Key::new("filters", FILTERS, "Filters of `DescribeInstances`, all of which an instance must fit.")
            .examples(&["{\"tag:Fleet\": \"posthog\", \"instance-state-name\": [\"running\"]}"]),
        Key::new(
            "include_filters",
            Shape::List(&FILTERS),
            "Further filters: an instance must fit `filters` or one of these.",
        ),
        Key::new("exclude_filters", Shape::List(&FILTERS), "An instance that fits one of these is left out."),
        Key::new(
            "hostnames",
            Shape::OneOrList(&Shape::Either(&[Shape::Text, Shape::Record(&HOST_NAME)])),
            "What names a host, in order of preference: `tag:KEY`, `tag:KEY=VALUE` or an attribute.",
        )
        .default("[\"dns-name\", \"private-dns-name\"]")
        .examples(&["[\"tag:Name\", \"private-dns-name\"]"]),
        Key::new("placement_tags", Shape::Record(&PLACEMENT_TAGS), "Tags that say what a host is.")
            .examples(&["{\"role\": \"Role\", \"shard\": \"Shard\", \"replica\": \"Replica\"}"]),
        Key::new("keyed_groups", Shape::List(&Shape::Record(&KEYED_GROUP)), "Groups named after values of instances."),
        Key::new("groups", Shape::Map(&EXPRESSION), "Groups by condition.")
            .examples(&["{\"large\": \"instance_type == 'i4i.16xlarge'\"}"]),
        Key::new("compose", Shape::Map(&EXPRESSION), "Variables made from values of instances.")
            .examples(&["{\"ansible_host\": \"public_ip_address\"}"]),
        Key::new("strict", Shape::Flag, "Whether an expression that fails is an error; otherwise it gives nothing.")
            .default("false"),
        Key::new("leading_separator", Shape::Flag, "Whether a keyed group without a prefix begins with its separator.")
            .default("true"),
        Key::new("hostvars_prefix", Shape::Text, "Before the name of each fact."),
        Key::new("hostvars_suffix", Shape::Text, "Behind the name of each fact."),
        Key::new(
            "use_contrib_script_compatible_ec2_tag_keys",
            Shape::Flag,
            "Whether tags are variables `ec2_tag_KEY` too.",
        )
        .default("false"),
        Key::new("max_shrink", SHARE, "How many of a region's instances may be gone since the last good answer.")
            .default("20%"),
        Key::new("cache", Shape::Flag, "Whether an answer is kept and used again.").default("false"),
        Key::new("cache_timeout", Shape::Whole(1, u32::MAX as u64), "For how many seconds.").default("3600"),
        Key::new("profile", Shape::Text, "A profile of the AWS tools. Also `aws_profile`, `boto_profile`."),
        Key::new("aws_profile", Shape::Text, "As `profile`."),
        Key::new("boto_profile", Shape::Text, "As `profile`."),
        Key::new("assume_role_arn", Shape::Text, "A role to assume. Also `iam_role_arn`, `aws_iam_role_arn`."),
        Key::new("iam_role_arn", Shape::Text, "As `assume_role_arn`."),
        Key::new("aws_iam_role_arn", Shape::Text, "As `assume_role_arn`."),
        Key::new("endpoint_url", Shape::Text, "Where to ask instead of at AWS. Also `aws_endpoint_url`, `ec2_url`."),
        Key::new("aws_endpoint_url", Shape::Text, "As `endpoint_url`."),
        Key::new("ec2_url", Shape::Text, "As `endpoint_url`."),
    ],
    others: Others::Refused,
};

/// A host name of parts.
pub static HOST_NAME: Record = Record {
    title: "host name",
    about: "A tag or attribute, behind another one.",
    keys: &[
        Key::new("name", Shape::Text, "What must be there.").required().examples(&["private-ip-address"]),
        Key::new(
            "prefix",
            Shape::Text,
            "What stands in front, where the instance has it; any other text is taken as it is.",
        ),
        Key::new("separator", Shape::Text, "Between the two.").default("_"),
    ],
    others: Others::Refused,
};

/// Tags that say what a host is.
pub static PLACEMENT_TAGS: Record = Record {
    title: "placement tags",
    about: "The keys of the tags that give a host its place in the fleet.",
    keys: &[
        Key::new("role", Shape::Text, "Gives `hostClusterRole`; every instance must have it.").examples(&["Role"]),
        Key::new("shard", Shape::Text, "Gives `shard`, a whole number from 1.").examples(&["Shard"]),
        Key::new("replica", Shape::Text, "Gives `replica`.").examples(&["Replica"]),
        Key::new("keeper_id", Shape::Text, "Gives `keeper_id`, a whole number from 1.").examples(&["KeeperId"]),
    ],
    others: Others::Refused,
};

/// A group named after a value.
pub static KEYED_GROUP: Record = Record {
    title: "keyed group",
    about: "Groups that are named after a value: prefix, separator, value.",
    keys: &[
        Key::new("key", EXPRESSION, "Whose value; a list makes several groups, a mapping one for each key.")
            .required()
            .examples(&["tags.Role", "placement.availability_zone"]),
        Key::new("prefix", Shape::Text, "Before the separator."),
        Key::new("separator", Shape::Text, "Between prefix and value.").default("_"),
        Key::new("parent_group", Shape::Text, "The group that these are in; it may hold `{{ }}`."),
        Key::new("default_value", Shape::Text, "What an empty value is taken for."),
        Key::new(
            "trailing_separator",
            Shape::Flag,
            "Whether the group of an empty value of a mapping ends with the separator.",
        )
        .default("true"),
    ],
    others: Others::Refused,
};

/// Keys of the plugin that are not read, each with what holds instead: a note where a file has one.
pub static EC2_NOT_READ: Record = Record {
    title: "EC2 discovery, keys that are not read",
    about: "Keys of the plugin that Housewright knows and does not read, and what holds instead.",
    keys: &[
        Key::new("allow_duplicated_hosts", Shape::Any, "each instance is one host, under its first name"),
        Key::new("aws_ca_bundle", Shape::Any, "`AWS_CA_BUNDLE` names further authorities"),
        Key::new("cache_connection", Shape::Any, "the cache is in the user's cache directory"),
        Key::new("cache_plugin", Shape::Any, "the cache is in the user's cache directory"),
        Key::new("cache_prefix", Shape::Any, "the cache is in the user's cache directory"),
        Key::new("debug_botocore_endpoint_logs", Shape::Any, "there is no such log"),
        Key::new("include_extra_api_calls", Shape::Any, "`events` and `persistent` are not asked"),
        Key::new("route53_enabled", Shape::Any, "names are those of EC2 and of tags"),
        Key::new("route53_excluded_zones", Shape::Any, "names are those of EC2 and of tags"),
        Key::new("route53_hostnames", Shape::Any, "names are those of EC2 and of tags"),
        Key::new("strict_permissions", Shape::Any, "a region that may not be listed is always an error"),
        Key::new(
            "use_contrib_script_compatible_sanitization",
            Shape::Any,
            "group names have letters, digits and `_` only",
        ),
        Key::new("use_extra_vars", Shape::Any, "there are no extra variables"),
        Key::new("use_ssm_inventory", Shape::Any, "nothing is asked of Systems Manager"),
        Key::new("validate_certs", Shape::Any, "certificates are always checked"),
    ],
    others: Others::Refused,
};
