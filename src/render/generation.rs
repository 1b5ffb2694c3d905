//! The generation: a short digest of what a host's rendered ClickHouse configuration is, which the server then tells (pure).
//!
//! It is made of the texts that people may see, so nobody can try secrets out against it: another value of the same
//! secret alone is no other generation. Equal texts give an equal one.

use std::collections::BTreeMap;

use super::{Content, DesiredFile};
use crate::clickhouse::config::ConfigDirectory;
use crate::remote::{RemotePath, UnitName};
use crate::secret::sha256_hex;

/// Stands for it in a rendered text until all files of the host are rendered: one character that no escape changes.
pub(super) const MARKER: char = '\u{F8F2}';

/// What people see in its place in differences: it is another one on every host, and follows from the rest.
const SHOWN: &str = "‹generation›";

/// A letter first: no reader of YAML takes it for a number.
const PREFIX: char = 'g';

/// Of the digest. It tells apart what one host has had, by accident only: nobody gains by two that are equal.
const DIGITS: usize = 12;

/// systemd reads these, and no server.
const UNIT_FILES: &str = "/etc/systemd/";

/// Puts the generation into the files that ask for it; none where no file does.
pub(super) fn stamp(files: &mut BTreeMap<RemotePath, DesiredFile>, server: Option<&UnitName>) -> Option<String> {
    if !files.values().any(|file| file.content.awaits_generation()) {
        return None;
    }
    let mut all = Vec::new();
    for (path, file) in files.iter().filter(|(path, file)| is_read(path, file, server)) {
        all.extend_from_slice(path.as_str().as_bytes());
        // A path holds no such byte, so that no two lists of files are the same bytes.
        all.push(0);
        all.extend_from_slice(&file.content.shown_digest());
    }
    let generation = generation_of(&all);
    for file in files.values_mut().filter(|file| file.content.awaits_generation()) {
        file.content = file.content.with_generation(&generation);
    }
    Some(generation)
}

/// The generation of these bytes.
#[must_use]
pub fn generation_of(bytes: &[u8]) -> String {
    [PREFIX].into_iter().chain(sha256_hex(bytes).chars().take(DIGITS)).collect()
}

/// Whether the server reads a file, its environment among them.
fn is_read(path: &RemotePath, file: &DesiredFile, server: Option<&UnitName>) -> bool {
    let read = ConfigDirectory::of(path.as_str()).is_some() || (file.unit.is_some() && file.unit.as_ref() == server);
    read && !path.as_str().starts_with(UNIT_FILES)
}

/// Hides the generation where the desired text has its own: both sides of a difference then say the same.
#[must_use]
pub fn without_generation(text: &str, desired: &Content) -> String {
    let Some(own) = desired.generation() else { return text.to_owned() };
    let places: Vec<(&str, &str)> = desired.shown().lines().filter_map(|line| line.trim().split_once(own)).collect();
    super::elements::by_line(text, |line| {
        let body = line.trim();
        let is_one = |(before, after): &&(&str, &str)| {
            let middle = body.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            middle.is_some_and(is_generation)
        };
        match places.iter().find(is_one) {
            Some((before, after)) => line.replacen(body, &format!("{before}{SHOWN}{after}"), 1),
            None => line.to_owned(),
        }
    })
}

/// Whether a text has the form of a generation.
fn is_generation(text: &str) -> bool {
    let digits = text.strip_prefix(PREFIX).map(str::as_bytes).unwrap_or_default();
    digits.len() == DIGITS && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::render::escape::Escape;
    use crate::secret::{Secret, SecretRef, SecretStore};

    const MACROS: &str = "/etc/clickhouse-server/config.d/macros.xml";

    fn files(password: &str, texts: &[(&str, &str)]) -> BTreeMap<RemotePath, DesiredFile> {
        let secret = SecretRef::Env("S".to_owned());
        let mut store = SecretStore::default();
        store.insert(secret.clone(), Secret::new(password.to_owned()));
        let file = |text: &str| DesiredFile {
            content: Content::reveal(&text.replace("SECRET", &secret.marker()), &store, Escape::Xml).unwrap(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            mode: 0o644,
            unit: None,
            early: false,
            over_package: false,
        };
        texts.iter().map(|(path, text)| (RemotePath::new(*path).unwrap(), file(text))).collect()
    }

    fn macros() -> (&'static str, String) {
        (MACROS, format!("<clickhouse><macros>\n  <generation>{MARKER}</generation>\n</macros></clickhouse>"))
    }

    fn stamped(password: &str, others: &[(&str, &str)]) -> (Option<String>, BTreeMap<RemotePath, DesiredFile>) {
        let (path, text) = macros();
        let all: Vec<_> = [(path, text.as_str())].into_iter().chain(others.iter().copied()).collect();
        let mut files = files(password, &all);
        (stamp(&mut files, Some(&UnitName::new("clickhouse-server").unwrap())), files)
    }

    #[test]
    fn it_follows_from_what_the_server_reads_and_from_no_value_of_a_secret() {
        let users = "/etc/clickhouse-server/users.d/users.xml";
        let of = |password: &str, others: &[(&str, &str)]| stamped(password, others).0.unwrap();
        let first = of("one", &[(users, "<clickhouse><a>SECRET</a></clickhouse>")]);
        assert!(is_generation(&first), "{first}");
        assert_eq!(first, of("another", &[(users, "<clickhouse><a>SECRET</a></clickhouse>")]));
        assert_ne!(first, of("one", &[(users, "<clickhouse><a>1</a></clickhouse>")]));
        let elsewhere = "/etc/clickhouse-server/users.d/other.xml";
        assert_ne!(first, of("one", &[(elsewhere, "<clickhouse><a>SECRET</a></clickhouse>")]));
        let bare = of("one", &[]);
        let drop_in = "/etc/systemd/system/clickhouse-server.service.d/a.conf";
        assert_eq!(bare, of("one", &[("/etc/motd", "hello"), (drop_in, "[Service]")]));
    }

    #[test]
    fn it_is_in_the_bytes_and_no_file_without_a_place_for_it_has_one() {
        let (generation, files) = stamped("one", &[]);
        let generation = generation.unwrap();
        let content = &files[&RemotePath::new(MACROS).unwrap()].content;
        let real = std::str::from_utf8(content.bytes().expose()).unwrap();
        assert!(real.contains(&generation) && content.shown() == real && !real.contains(MARKER));
        let digest: [u8; 32] = Sha256::digest(real).into();
        assert_eq!(content.digest(), digest);
        let mut none = self::files("one", &[("/etc/clickhouse-server/config.d/a.xml", "<clickhouse/>")]);
        assert_eq!(stamp(&mut none, None), None);
    }

    #[test]
    fn both_sides_of_a_difference_say_the_same_word() {
        let content = stamped("one", &[]).1.remove(&RemotePath::new(MACROS).unwrap()).unwrap().content;
        let fold = |line: &str| without_generation(line, &content);
        assert_eq!(fold("    <generation>g0123456789ab</generation>\n"), "    <generation>‹generation›</generation>\n");
        for other in ["<generation>by hand</generation>", "<other>g0123456789ab</other>", "<generation></generation>"] {
            assert_eq!(fold(other), other);
        }
    }
}
