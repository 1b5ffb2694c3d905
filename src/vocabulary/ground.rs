//! What a role's servers stand on: packages, users, commands of `role.yml` (pure).

use super::role::{ABSOLUTE, ONLY_WITH};
use super::shape::{Choice, Key, Others, Record, Shape};

const TIMES: [Choice; 2] = [
    Choice { word: "before_files", about: "files need it: an owner, a program that checks them" },
    Choice { word: "behind_files", about: "it needs files: a repository, a key, a configuration" },
];
/// A mirror may be slow; nothing that a run waits for takes longer.
const LONGEST_COMMAND: u64 = 7200;

/// A package of a role.
pub static PACKAGE: Record = Record {
    title: "package",
    about: "A package that the role wants, of apt or dnf, whichever the host has. A package manager starts and restarts nothing: that is the plan's.",
    keys: &[
        Key::new("name", Shape::Text, "As the package manager calls it.").required().examples(&["mdadm"]),
        Key::new("version", Shape::Text, "Its version; may hold `{{ variables }}`. By default any.").examples(&["{{ clickhouse_version }}"]),
        Key::new("hold", Shape::Flag, "Whether the package manager is told to leave it as it is. By default where there is a version."),
        Key::new("unit", Shape::Text, "The unit that it brings: another version is a restart of it, in waves. Packages of one unit are one transaction.")
            .examples(&["clickhouse-server"]),
        Key::new("when", Shape::Choice(&TIMES), "By default behind the files where it has a `unit`, else before them."),
        ONLY_WITH,
    ],
    others: Others::Refused,
};

/// A user of a role.
pub static SYSTEM_USER: Record = Record {
    title: "user",
    about: "A system user that the role wants; what is not said is left as it is.",
    keys: &[
        Key::new("name", Shape::Text, "Its name.").required().examples(&["clickhouse"]),
        Key::new(
            "uid",
            Shape::Whole(1, 4_294_967_294),
            "Its number. One that is there with another is not changed: its files would stay behind.",
        ),
        Key::new("group", Shape::Text, "Its own group, made where it is missing. By default of its name."),
        Key::new("groups", Shape::OneOrList(&Shape::Text), "Groups that it is in besides."),
        Key::new("home", ABSOLUTE, "Its home directory; it is not made."),
        Key::new("shell", ABSOLUTE, "Its login shell.").examples(&["/usr/sbin/nologin"]),
        ONLY_WITH,
    ],
    others: Others::Refused,
};

/// A command of a role.
pub static COMMAND: Record = Record {
    title: "command",
    about: "A command that the role wants to have been run, with a guard that says whether it was. It must have `unless` or `creates`.",
    keys: &[
        Key::new("name", Shape::Text, "What it does, in a few words.").required().examples(&["make the certificate"]),
        Key::new(
            "run",
            Shape::List(&Shape::Text),
            "The program and its arguments, each a word of its own, which may hold `{{ variables }}`: no shell reads them, and none may be a secret.",
        )
        .required(),
        Key::new("unless", Shape::List(&Shape::Text), "A program that only reads: where it exits with 0, the command need not be run. `plan` runs it too."),
        Key::new("creates", Shape::Text, "A path that is there once the command was run; may hold `{{ variables }}`."),
        Key::new("timeout", Shape::Whole(1, LONGEST_COMMAND), "Seconds after which it is ended, and has failed.").default("60"),
        Key::new("when", Shape::Choice(&TIMES), "By default behind the files."),
        Key::new("unit", Shape::Text, "The unit that has to be started anew for it to count."),
        ONLY_WITH,
    ],
    others: Others::Refused,
};

const KEY: Key = Key::new(
    "key",
    Shape::Text,
    "Whose signature is believed: the key itself in ASCII armour, or its path on the host.",
)
.required();

/// An item of `apt_repositories`.
pub static APT: Record = Record {
    title: "apt_repository",
    about: "A repository of Debian's kind; what its key has not signed is refused.",
    keys: &[
        Key::new("url", Shape::Text, "Where it is: `https:`, `http:`, or `file:` of a mirror on the host.")
            .required()
            .examples(&["https://packages.clickhouse.com/deb"]),
        Key::new("suite", Shape::Text, "Its suite; `./` of a flat one.").required().examples(&["stable"]),
        Key::new("components", Shape::Text, "Its components; none of a flat one.").examples(&["main"]),
        KEY,
    ],
    others: Others::Refused,
};

/// An item of `yum_repositories`.
pub static YUM: Record = Record {
    title: "yum_repository",
    about: "A repository of Red Hat's kind; what its key has not signed is refused.",
    keys: &[
        Key::new("url", Shape::Text, "Where it is.")
            .required()
            .examples(&["https://packages.clickhouse.com/rpm/stable/"]),
        Key::new("key", Shape::Text, "Whose signature is believed: a URL, or a path on the host.").required(),
        Key::new("signed_packages", Shape::Flag, "False: the lists are signed, and the packages are not.")
            .default("true"),
    ],
    others: Others::Refused,
};
