//! Inventory files (pure).

use super::shape::{Defined, Key, Others, Record, Shape};

/// A group of an inventory file.
pub static GROUP: Record = Record {
    title: "group",
    about: "A group of hosts: the hosts that it names itself, the groups in it, and variables of all of them.",
    keys: &[
        Key::new(
            "hosts",
            Shape::Either(&[Shape::Map(&Shape::Defined(Defined::Variables)), Shape::Text]),
            "Hosts by name, each with its own variables or nothing. A range such as `data-[01:30]` or `[a:c]` stands for many.",
        )
        .examples(&["{\"data-[01:10]-[a:c]\": null}"]),
        Key::new(
            "children",
            Shape::Either(&[Shape::Map(&Shape::Defined(Defined::Group)), Shape::Text]),
            "Groups in this group.",
        ),
        Key::new("vars", Shape::Defined(Defined::Variables), "Variables of all hosts of the group."),
    ],
    others: Others::Refused,
};
