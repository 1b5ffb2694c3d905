//! Times as people write and read them: `90s`, `15m`, `24h`, `7d` (pure).

/// Seconds of a number with its unit.
///
/// # Errors
/// Says how one is written.
pub fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "a number with `s`, `m`, `h` or `d`, such as `24h`".to_owned();
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(wrong)
}

/// How long ago, in its two largest units: `3 h 20 min`.
#[must_use]
pub fn words(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, 0, _) => format!("{days} d"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// A duration as whole seconds, for serde's `with`.
pub mod whole_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes it.
    ///
    /// # Errors
    /// As the serializer's.
    pub fn serialize<S: Serializer>(limit: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(limit.as_secs())
    }

    /// Reads it.
    ///
    /// # Errors
    /// It is no whole number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_said() {
        assert_eq!(
            ["90s", "15m", "24h", "7d", "0s"].map(|text| seconds(text).ok()),
            [90, 900, 86_400, 604_800, 0].map(Some)
        );
        for wrong in ["", "24", "h", "-1h", "1.5h", "1 h", "1w", "99999999999999999999s", "999999999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            [59, 60, 3600, 12_000, 86_400, 100_000].map(words),
            ["59 s", "1 min", "1 h", "3 h 20 min", "1 d", "1 d 3 h"]
        );
    }
}
