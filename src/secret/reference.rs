//! What stands for a secret: the operator's reference, and its marker in rendered text (pure).
//!
//! A text becomes a reference to a vaulted value only where Housewright itself wrote the marker; an operator cannot write one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::Value;

use super::vault::VaultText;
use super::{Secret, look};

/// Starts a secret's marker in rendered text.
pub const MARKER_START: char = '\u{F8F0}';
/// Ends a secret's marker in rendered text.
pub const MARKER_END: char = '\u{F8F1}';

/// Starts a vaulted value's name in a marker.
const VAULT: &str = "vault:";

/// Where a secret comes from: `env:NAME`, `file:PATH`, `exec:COMMAND`, or a vaulted value of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// An environment variable of the process that runs Housewright.
    Env(String),
    /// A file on the machine that runs Housewright; one trailing newline is not part of the secret.
    File(String),
    /// A command on that machine, run without a shell; one trailing newline of its output is not part of the secret.
    Exec(String),
    /// A value that Ansible Vault encrypted.
    Vault(Vaulted),
}

/// A vaulted value; it is known and compared by its place.
#[derive(Debug, Clone)]
pub struct Vaulted {
    place: Arc<str>,
    held: Option<Arc<Held>>,
}

/// What there is at the place of a vaulted value.
#[derive(Debug)]
pub enum Held {
    /// The encrypted text.
    Text(VaultText),
    /// The value: its whole file was decrypted when it was read.
    Value(Secret<String>),
}

impl Vaulted {
    /// Names what is held at a place: `FILE:LINE`, or `FILE:KEY` in a file that is vaulted as a whole.
    #[must_use]
    pub fn new(place: &str, held: Held) -> Self {
        let plain = |c: char| !c.is_control() && c != MARKER_START && c != MARKER_END;
        let place: String = place.chars().map(|c| if plain(c) { c } else { '?' }).collect();
        Self { place: place.into(), held: Some(Arc::new(held)) }
    }

    /// What is held; nothing where the reference was read back from a marker.
    #[must_use]
    pub fn held(&self) -> Option<&Held> {
        self.held.as_deref()
    }

    /// The whole encrypted text as it was written, header and all; a value of a vaulted file has none of its own.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self.held()? {
            Held::Text(vault) => Some(vault.text()),
            Held::Value(_) => None,
        }
    }
}

impl PartialEq for Vaulted {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Vaulted {}

impl PartialOrd for Vaulted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Vaulted {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }
}

impl Hash for Vaulted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
    }
}

impl SecretRef {
    /// Reads what an operator may write: `env:NAME`, `file:PATH` or `exec:COMMAND`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':').filter(|(_, rest)| !rest.trim().is_empty())?;
        if text.contains([MARKER_START, MARKER_END]) {
            return None;
        }
        match kind {
            "env" => Some(Self::Env(rest.to_owned())),
            "file" => Some(Self::File(rest.to_owned())),
            "exec" => Some(Self::Exec(rest.to_owned())),
            _ => None,
        }
    }

    /// Reads what stands between the two characters of a marker.
    #[must_use]
    pub fn from_marker(inside: &str) -> Option<Self> {
        match inside.strip_prefix(VAULT) {
            Some(place) => Some(Self::Vault(Vaulted { place: place.into(), held: None })),
            None => Self::parse(inside),
        }
    }

    /// Every reference whose marker stands in a text.
    pub fn in_text(text: &str) -> impl Iterator<Item = Self> {
        text.split(MARKER_START).skip(1).filter_map(|part| Self::from_marker(part.split_once(MARKER_END)?.0))
    }

    /// Adds every reference whose marker stands in a value.
    pub fn collect(value: &Value, found: &mut BTreeSet<Self>) {
        match value {
            Value::String(text) => found.extend(Self::in_text(text)),
            Value::Array(items) => items.iter().for_each(|item| Self::collect(item, found)),
            Value::Object(map) => map.values().for_each(|item| Self::collect(item, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The text that stands for the secret in rendered text until [`super::SecretStore`] puts the value in.
    ///
    /// Private-use characters, which no sane template holds, delimit it.
    #[must_use]
    pub fn marker(&self) -> String {
        match self {
            Self::Env(name) => format!("{MARKER_START}env:{name}{MARKER_END}"),
            Self::File(path) => format!("{MARKER_START}file:{path}{MARKER_END}"),
            Self::Exec(command) => format!("{MARKER_START}exec:{command}{MARKER_END}"),
            Self::Vault(vaulted) => format!("{MARKER_START}{VAULT}{}{MARKER_END}", vaulted.place),
        }
    }
}

/// For people: a vaulted value's place within its inventory, and no secret that a command line holds.
impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marker = self.marker();
        f.write_str(&shown(marker.trim_matches([MARKER_START, MARKER_END])))
    }
}

/// A marker's inside for people.
fn shown(inside: &str) -> Cow<'_, str> {
    if let Some(place) = inside.strip_prefix(VAULT) {
        return format!("{VAULT}{}", within_inventory(place)).into();
    }
    let command = inside.strip_prefix("exec:").unwrap_or_default();
    match look::written_secret(command).and_then(|at| command.get(..at)) {
        Some(before) => format!("exec:{before}***").into(),
        None => inside.into(),
    }
}

/// The place from `group_vars/` or `host_vars/` on, else from the file's name: the same from wherever the inventory is named.
fn within_inventory(place: &str) -> &str {
    let directory = ["group_vars/", "host_vars/"].iter().filter_map(|name| place.rfind(name)).max();
    place.get(directory.or_else(|| Some(place.rfind('/')? + 1)).unwrap_or(0)..).unwrap_or(place)
}

/// Writes `‹env:NAME›` in the places of the markers in a text.
#[must_use]
pub fn mask_markers(text: &str) -> String {
    let (mut masked, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once(MARKER_START) {
        let (inside, behind) = after.split_once(MARKER_END).unwrap_or((after, ""));
        masked.push_str(before);
        masked.push('‹');
        masked.push_str(&shown(inside));
        masked.push('›');
        rest = behind;
    }
    masked + &rest.replace(MARKER_END, "›")
}

/// The text without the characters of markers: what comes from elsewhere must not refer to secrets.
#[must_use]
pub fn without_markers(text: &str) -> Cow<'_, str> {
    if text.contains([MARKER_START, MARKER_END]) {
        text.replace([MARKER_START, MARKER_END], "\u{FFFD}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vaulted(place: &str) -> SecretRef {
        SecretRef::Vault(Vaulted::new(place, Held::Value(Secret::new("hunter2".to_owned()))))
    }

    #[test]
    fn operators_write_three_kinds_and_no_other() {
        for text in ["env:A", "file:/run/a", "exec:pass show a"] {
            assert_eq!(SecretRef::parse(text).unwrap().to_string(), text);
        }
        for text in ["vault:a.yml:1", "env:", "exec: ", "hunter2", "env:\u{F8F1}", "ENV:A", ""] {
            assert_eq!(SecretRef::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_marker_is_read_back_as_what_it_stands_for() {
        let written = ["env:A", "file:/run/a b", "exec:curl --token=hunter2 x"];
        let written = written.into_iter().filter_map(SecretRef::parse).chain([vaulted("inv/group_vars/all.yml:12")]);
        for reference in written {
            let marker = reference.marker();
            let inside = marker.strip_prefix(MARKER_START).and_then(|rest| rest.strip_suffix(MARKER_END)).unwrap();
            assert_eq!(SecretRef::from_marker(inside), Some(reference));
        }
    }

    #[test]
    fn people_see_the_place_within_the_inventory_and_no_secret_of_a_command() {
        for (place, shown) in [
            ("inventories/eu/group_vars/all.yml:12", "vault:group_vars/all.yml:12"),
            ("/srv/group_vars/eu/host_vars/h1/v.yml:k.a[0]", "vault:host_vars/h1/v.yml:k.a[0]"),
            ("inventories/eu/hosts.yml:3", "vault:hosts.yml:3"),
            ("hosts.yml:3", "vault:hosts.yml:3"),
            ("a\u{F8F1}\n.yml:3", "vault:a??.yml:3"),
        ] {
            assert_eq!(vaulted(place).to_string(), shown);
            assert_eq!(mask_markers(&vaulted(place).marker()), format!("‹{shown}›"));
        }
        let command = SecretRef::parse("exec:curl --token=hunter2 x").unwrap();
        assert_eq!(command.to_string(), "exec:curl --token=***");
        assert_eq!(mask_markers(&format!("a {} b\u{F8F1}", command.marker())), "a ‹exec:curl --token=***› b›");
    }

    #[test]
    fn places_that_look_alike_are_not_the_same() {
        let (one, other) = (vaulted("a/group_vars/all.yml:1"), vaulted("b/group_vars/all.yml:1"));
        assert_ne!(one, other);
        assert_ne!(one.marker(), other.marker());
        assert!(!format!("{one:?}").contains("hunter2"));
    }
}
