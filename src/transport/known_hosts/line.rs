//! One line of a known_hosts file (pure).
//!
//! A key is kept as its bytes on the wire, so that key types which this program cannot use are still compared, and a
//! comment never is. Format: <https://man.openbsd.org/sshd.8#SSH_KNOWN_HOSTS_FILE_FORMAT>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::pattern::Patterns;

/// A line that names hosts and a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// What the key is, where it is not simply the host's.
    pub marker: Option<Marker>,
    /// Which hosts it speaks of.
    pub hosts: Patterns,
    /// The key type's name, such as `ssh-ed25519`.
    pub key_type: String,
    /// The key as SSH sends it.
    pub key: Vec<u8>,
}

/// What stands before the hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// `@cert-authority`: the key signs certificates of these hosts.
    Authority,
    /// `@revoked`: the key must not be taken.
    Revoked,
}

impl Line {
    /// Reads a line; comments, empty lines and lines that make no sense are nothing.
    #[must_use]
    pub fn parse(number: usize, text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace().peekable();
        let marker = match *words.peek()? {
            word if word.starts_with('#') => return None,
            "@cert-authority" => Some(Marker::Authority),
            "@revoked" => Some(Marker::Revoked),
            word if word.starts_with('@') => return None,
            _ => None,
        };
        if marker.is_some() {
            words.next();
        }
        let hosts = Patterns::parse(words.next()?)?;
        let key_type = words.next()?.to_owned();
        let key = STANDARD.decode(words.next()?).ok()?;
        // The type stands at the beginning of the key once more: length and name.
        let name = key.get(4..4 + key_type.len())?;
        (name == key_type.as_bytes()).then_some(())?;
        Some(Self { number, marker, hosts, key_type, key })
    }
}
