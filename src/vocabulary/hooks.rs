//! What is run around a restart, and what must be so behind it (pure).

use super::shape::{Choice, Key, Others, Record, Shape};

/// To deregister from a load balancer and let its connections end takes a minute or two; a batch on a host may take five.
pub const LONGEST_HOOK: u64 = 240;

const PLACES: [Choice; 2] = [
    Choice { word: "host", about: "the host itself, as root where the connection becomes root" },
    Choice { word: "here", about: "the machine that runs Housewright, as the user who runs it" },
];

/// The variable `traffic_hooks`.
pub static TRAFFIC_HOOKS: Record = Record {
    title: "traffic_hooks",
    about: "Commands around a restart. Both lists are needed: who takes a host out of traffic must be able to bring it back.",
    keys: &[
        Key::new(
            "drain",
            Shape::List(&Shape::Record(&HOOK)),
            "Run in order before anything goes away. Where one fails, the host is not restarted.",
        ),
        Key::new(
            "restore",
            Shape::List(&Shape::Record(&HOOK)),
            "Run in order behind the last gate, also after a failure where the host is well; until then the host is owed it.",
        ),
    ],
    others: Others::Refused,
};

/// One command.
pub static HOOK: Record = Record {
    title: "hook",
    about: "One command of `traffic_hooks`. It may be run again where its answer was lost: twice must be as good as once.",
    keys: &[
        Key::new(
            "run",
            Shape::List(&Shape::Text),
            "The program and its arguments, each a word of its own: no shell reads them, and none of them may be a secret.",
        )
        .required()
        .examples(&["[\"aws\", \"elbv2\", \"wait\", \"target-deregistered\", \"--target-group-arn\", \"{{ target_group }}\"]"]),
        Key::new("where", Shape::Choice(&PLACES), "Which machine runs it.").default("host"),
        Key::new("timeout", Shape::Whole(1, LONGEST_HOOK), "Seconds after which it is ended, and has failed.").default("60"),
    ],
    others: Others::Refused,
};

/// An item of `gates` of a role.
pub static GATE: Record = Record {
    title: "gate",
    about: "A question to the host's own ClickHouse that must be answered with 1 behind a restart before the next wave begins.",
    keys: &[
        Key::new("name", Shape::Text, "Its name in plans and reports.").required().examples(&["no_old_mutations"]),
        Key::new(
            "query",
            Shape::Text,
            "One `SELECT` that gives one row; its first column must be 1 or true, the others are shown while it is waited for.",
        )
        .required()
        .examples(&["SELECT count() = 0, count() FROM system.mutations WHERE NOT is_done"]),
        Key::new("description", Shape::Text, "One line for people."),
        Key::new("timeout", Shape::Whole(1, 86400), "Seconds that it may stay shut. By default `--gate-timeout`."),
    ],
    others: Others::Refused,
};
