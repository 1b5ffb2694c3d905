//! `*.aws_ec2.yml` (pure).

use super::shape::{Choice, Key, Others, Record, Shape};

const PLUGINS: [Choice; 2] = [
    Choice { word: "amazon.aws.aws_ec2", about: "Ansible's plugin, by its full name" },
    Choice { word: "aws_ec2", about: "the same" },
];
const SCALAR: Shape = Shape::Either(&[Shape::Text, Shape::Flag]);
const FILTERS: Shape = Shape::Map(&Shape::OneOrList(&SCALAR));
const SHARE: Shape = Shape::Ruled("a share from `0%` to `100%`", "^(100|[0-9]{1,2}) ?%$", |text| {
    text.strip_suffix('%').and_then(|share| share.trim().parse::<u8>().ok()).is_some_and(|share| share <= 100)
});

const PROFILE: &str = "A profile of `~/.aws/config`. By default what the environment says.";
const ROLE_ARN: &str = "A role to assume.";
const ENDPOINT: &str = "Where to ask instead of at AWS.";

/// One EC2 discovery file: the keys that are read.
pub static EC2_FILE: Record = Record {
    title: "EC2 discovery",
    about: "Where to look for hosts in EC2, and what they become: the keys of Ansible's `amazon.aws.aws_ec2` plugin, and `max_shrink` and `placement_tags`, which are Housewright's own.",
    keys: &[
        Key::new("plugin", Shape::Choice(&PLUGINS), "Says that this is such a file.").required(),
        Key::new("regions", Shape::OneOrList(&Shape::Text), "AWS regions to ask; never all of them.")
            .required()
            .examples(&["[\"us-east-1\"]"]),
        Key::new("filters", FILTERS, "Filters of `DescribeInstances`, all of which an instance must fit.")
            .examples(&["{\"tag:fleet\": \"posthog\", \"instance-state-name\": [\"running\"]}"]),
        Key::new("include_filters", Shape::List(&FILTERS), "More of them: an instance must fit one of the list."),
        Key::new("exclude_filters", Shape::List(&FILTERS), "An instance that fits one of the list is left out."),
        Key::new(
            "hostnames",
            Shape::OneOrList(&Shape::Either(&[Shape::Text, Shape::Record(&HOSTNAME)])),
            "What names a host, in order of preference: `tag:KEY` or an attribute. By default `dns-name`, then `private-dns-name`.",
        )
        .examples(&["[\"tag:Name\", \"private-dns-name\"]"]),
        Key::new(
            "placement_tags",
            Shape::Record(&PLACEMENT_TAGS),
            "Which tags say what a host is. A host without the tag of its role is a problem.",
        )
        .examples(&["{\"role\": \"Role\", \"shard\": \"Shard\", \"replica\": \"Replica\"}"]),
        Key::new("keyed_groups", Shape::List(&Shape::Record(&KEYED_GROUP)), "Groups named after values of instances."),
        Key::new("groups", Shape::Map(&SCALAR), "Groups by condition, a Jinja expression without braces.")
            .examples(&["{\"ingestion\": \"tags.Role != 'data'\"}"]),
        Key::new("compose", Shape::Map(&SCALAR), "Variables by Jinja expressions without braces.")
            .examples(&["{\"ansible_host\": \"private_ip_address\"}"]),
        Key::new("strict", Shape::Flag, "Whether an expression that fails is an error; otherwise it gives nothing.").default("false"),
        Key::new(
            "leading_separator",
            Shape::Flag,
            "Whether a keyed group without a prefix begins with its separator.",
        )
        .default("true"),
        Key::new("hostvars_prefix", Shape::Text, "Before the name of each fact.").examples(&["aws_"]),
        Key::new("hostvars_suffix", Shape::Text, "Behind the name of each fact."),
        Key::new(
            "use_contrib_script_compatible_ec2_tag_keys",
            Shape::Flag,
            "Whether tags are variables `ec2_tag_KEY` too.",
        )
        .default("false"),
        Key::new("cache", Shape::Flag, "Whether an answer of some time ago is good enough.").default("false"),
        Key::new("cache_timeout", Shape::Whole(1, u32::MAX as u64), "For how many seconds it is.").default("3600"),
        Key::new(
            "max_shrink",
            SHARE,
            "Which share of a region's instances may be gone since the last good answer; more is an error.",
        )
        .default("20%"),
        Key::new("profile", Shape::Text, PROFILE),
        Key::new("aws_profile", Shape::Text, "Another name of `profile`."),
        Key::new("boto_profile", Shape::Text, "Another name of `profile`."),
        Key::new("assume_role_arn", Shape::Text, ROLE_ARN),
        Key::new("iam_role_arn", Shape::Text, "Another name of `assume_role_arn`."),
        Key::new("aws_iam_role_arn", Shape::Text, "Another name of `assume_role_arn`."),
        Key::new("endpoint_url", Shape::Text, ENDPOINT).examples(&["http://127.0.0.1:5000"]),
        Key::new("aws_endpoint_url", Shape::Text, "Another name of `endpoint_url`."),
        Key::new("ec2_url", Shape::Text, "Another name of `endpoint_url`."),
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

/// A host's name of two parts.
pub static HOSTNAME: Record = Record {
    title: "host name",
    about: "A name behind a prefix.",
    keys: &[
        Key::new("name", Shape::Text, "`tag:KEY` or an attribute, which an instance must have.").required(),
        Key::new("prefix", Shape::Text, "What stands in front, where the instance has it; other texts as they are."),
        Key::new("separator", Shape::Text, "Between the two.").default("_"),
    ],
    others: Others::Refused,
};

/// Tags that say what a host is.
pub static PLACEMENT_TAGS: Record = Record {
    title: "placement tags",
    about: "For each of the placement's variables the key of the tag that has its value.",
    keys: &[
        Key::new("role", Shape::Text, "The tag of `hostClusterRole`; every instance must have it."),
        Key::new("shard", Shape::Text, "The tag of `shard`."),
        Key::new("replica", Shape::Text, "The tag of `replica`."),
        Key::new("keeper_id", Shape::Text, "The tag of `keeper_id`."),
    ],
    others: Others::Refused,
};

/// A group named after a value.
pub static KEYED_GROUP: Record = Record {
    title: "keyed group",
    about: "Groups that are named after a value: prefix, separator, value.",
    keys: &[
        Key::new(
            "key",
            SCALAR,
            "Whose value: a Jinja expression without braces. A list makes several groups, a mapping one for each key.",
        )
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
