//! Names that follow from what is declared (pure): so a volume that is made anew has the ids that the host's files know.

use crate::secret::sha256_hex;

/// The id of a host's volume, and apart from it that of its array: made from names, so that the same declaration is the same
/// plan. Version 8 of <https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8>.
#[must_use]
pub fn derived_uuid(host: &str, volume: &str, what: &str) -> String {
    let digest = sha256_hex(format!("housewright\0{host}\0{volume}\0{what}").as_bytes());
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// As `mdadm` writes it: four groups of eight.
#[must_use]
pub fn array_uuid(uuid: &str) -> String {
    let digits: Vec<char> = uuid.chars().filter(char::is_ascii_hexdigit).collect();
    digits.chunks(8).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join(":")
}

/// A path as a part of a unit's name (<https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html#String%20Escaping%20for%20Inclusion%20in%20Unit%20Names>).
#[must_use]
pub fn escaped(path: &str) -> String {
    let trimmed = path.trim_matches('/');
    let byte = |(index, byte): (usize, u8)| match byte {
        b'/' => "-".to_owned(),
        b'.' if index > 0 => ".".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b':' | b'_' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    let out: String = trimmed.bytes().enumerate().map(byte).collect();
    if out.is_empty() { "-".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_escaped_as_systemd_does() {
        assert_eq!(escaped("/var/lib/clickhouse"), "var-lib-clickhouse");
        assert_eq!(escaped("/mnt/disk-1"), "mnt-disk\\x2d1");
        assert_eq!(escaped("/.hidden/ä b"), "\\x2ehidden-\\xc3\\xa4\\x20b");
        assert_eq!(escaped("/"), "-");
    }

    #[test]
    fn ids_follow_from_names() {
        let uuid = derived_uuid("d1", "data", "filesystem");
        assert_eq!(uuid, derived_uuid("d1", "data", "filesystem"));
        assert_ne!(uuid, derived_uuid("d2", "data", "filesystem"));
        assert_eq!((uuid.len(), uuid.as_bytes()[14], uuid.as_bytes()[19]), (36, b'8', b'8'));
        assert_eq!(array_uuid("11111111-2222-2222-3333-333344444444"), "11111111:22222222:33333333:44444444");
    }
}
