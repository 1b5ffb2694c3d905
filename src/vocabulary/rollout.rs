//! How runs go through the fleet where no option says so (pure).

use super::shape::{Key, Others, Record, Shape};

/// As the options `--serial` and `--max-unavailable` take it.
const AMOUNT: Shape = Shape::Ruled(
    "a number of hosts from 1, or a share from 1% to 100%",
    "^([1-9][0-9]{0,5}|([1-9][0-9]?|100)%)$",
    is_amount,
);

fn is_amount(text: &str) -> bool {
    let (number, most) = text.strip_suffix('%').map_or((text, 999_999), |share| (share, 100));
    let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    digits && number.parse().is_ok_and(|number: u32| (1..=most).contains(&number))
}

/// The variable `rollout`.
pub static ROLLOUT: Record = Record {
    title: "rollout",
    about: "How runs go through the fleet; each key is an option of `plan` and `apply`, and an option that is given wins.",
    keys: &[
        Key::new(
            "serial",
            Shape::OneOrList(&AMOUNT),
            "The most hosts in a wave, or in the first, second, ... wave of each tier: `--serial`.",
        )
        .examples(&["[1, \"20%\"]"]),
        Key::new(
            "canary",
            Shape::Whole(0, 1000),
            "How many hosts of each role go first, one after the other: `--canary`.",
        )
        .default("1"),
        Key::new(
            "max_unavailable",
            AMOUNT,
            "The most hosts away at a time, of the run or of each role and zone: `--max-unavailable`.",
        )
        .examples(&["25%"]),
        Key::new("max_failures", Shape::Whole(0, 1000), "How many hosts that served may fail: `--max-failures`.")
            .default("0"),
    ],
    others: Others::Refused,
};
