//! Amounts of bytes as people write and read them: `500MB`, `2GiB` (pure).

/// Units by their names, larger ones first; `MB` is a million, `MiB` is 2^20.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Bytes of a whole number with its unit.
///
/// # Errors
/// Says how one is written.
pub fn bytes(text: &str) -> Result<u64, String> {
    let wrong =
        || "a whole number with `B`, `kB`, `MB`, `GB`, `TB`, `KiB`, `MiB`, `GiB` or `TiB`, such as `200GiB`".to_owned();
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(*unit)).ok_or_else(wrong)
}

/// How much, to three digits: `1.42 GB`.
#[must_use]
pub fn words(bytes: u64) -> String {
    let decimal = UNITS.iter().filter(|(name, _)| !name.contains('i'));
    let (name, unit) = decimal.copied().find(|(_, unit)| bytes >= *unit).unwrap_or(("B", 1));
    let hundredths = u128::from(bytes) * 100 / u128::from(unit);
    match (unit, hundredths) {
        (1, _) | (_, 10_000..) => format!("{} {name}", hundredths / 100),
        (_, 1_000..) => format!("{}.{} {name}", hundredths / 100, hundredths / 10 % 10),
        _ => format!("{}.{:02} {name}", hundredths / 100, hundredths % 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_said() {
        assert_eq!(["0B", "500MB", "2GiB"].map(|text| bytes(text).ok()), [0, 500_000_000, 2 << 30].map(Some));
        for wrong in ["", "5", "MB", "-1MB", "1.5GB", "1 GB", "1gb", "99999999999999999999B", "99999999999TiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            [0, 999, 1_000, 84_331_899, 1_429_999_999, u64::MAX].map(words),
            ["0 B", "999 B", "1.00 kB", "84.3 MB", "1.42 GB", "18446744 TB"]
        );
    }
}
