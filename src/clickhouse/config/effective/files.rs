//! Which files make a configuration, in which order, and as what each is read (pure).
//!
//! Source: `getConfigMergeFiles` and `parseConfig` in
//! <https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.1-lts/src/Common/Config/ConfigProcessor.cpp>.

use super::error::ReadError;
use super::tree::Tree;
use super::{xml, yaml};

/// Endings of the files that are merged, in any case.
const ENDINGS: [&str; 4] = ["xml", "conf", "yaml", "yml"];

/// Whether a path is merged into the main file: beside it in `<stem>.d/` or `conf.d/`, with a known ending, no dot-file.
#[must_use]
pub fn is_part(main: &str, path: &str) -> bool {
    let (directory, name) = split(main);
    let (stem, _) = stem(name);
    let (inside, file) = split(path);
    let merged = inside.strip_prefix(directory).is_some_and(|inside| {
        let inside = inside.trim_matches('/');
        inside == "conf.d" || inside.strip_suffix(".d") == Some(stem)
    });
    let (stem, ending) = self::stem(file);
    merged && !stem.starts_with('.') && ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The directory with its last `/`, and the name.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |at| at + 1))
}

/// The name without its ending, and the ending; a name that only begins with a dot has none.
fn stem(name: &str) -> (&str, &str) {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => (stem, ending),
        _ => (name, ""),
    }
}

/// Reads a file as what its name says; without a known ending, as XML where its first character is `<`.
pub(super) fn read(path: &str, bytes: &[u8], number: usize) -> Result<Tree, ReadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ReadError::NotUtf8)?;
    if is_yaml(path, text) { yaml::read(text, number) } else { xml::read(text, number) }
}

pub(super) fn is_yaml(path: &str, text: &str) -> bool {
    match stem(split(path).1).1.to_ascii_lowercase().as_str() {
        "xml" => false,
        "yaml" | "yml" => true,
        _ => !text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('<'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_beside_the_main_file() {
        let main = "/etc/clickhouse-server/config.xml";
        for part in ["config.d/a.xml", "conf.d/a.conf", "config.d/A.YML", "config.d/a.b.yaml"] {
            assert!(is_part(main, &format!("/etc/clickhouse-server/{part}")), "{part}");
        }
        for other in [
            "config.d/.a.xml",
            "config.d/a.xml.bak",
            "config.d/.xml",
            "config.d/b/a.xml",
            "users.d/a.xml",
            "config.xml",
        ] {
            assert!(!is_part(main, &format!("/etc/clickhouse-server/{other}")), "{other}");
        }
        assert!(is_part("/etc/clickhouse-keeper/keeper_config.xml", "/etc/clickhouse-keeper/keeper_config.d/a.xml"));
        assert!(!is_part("/etc/a/config.xml", "/etc/b/config.d/a.xml"));
    }
}
