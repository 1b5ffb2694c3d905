//! Vault passwords, and which of them opens a vaulted text (pure).

use super::Secret;
use super::vault::{VaultError, VaultText};

/// A vault password and its label.
#[derive(Debug, Clone)]
pub struct Password {
    /// The vault id that it belongs to; `default` where none was named.
    pub label: String,
    /// The password.
    pub bytes: Secret<Vec<u8>>,
}

/// The passwords of a run, in the order in which they were given.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Vec<Password>);

/// Why a vaulted text stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There is no password at all.
    #[error("no vault password is given")]
    NoPassword,
    /// Each password was tried; the labels of the text and of the passwords.
    #[error("{}", wrong(label.as_deref(), tried))]
    Wrong {
        /// The vault id that the text names.
        label: Option<String>,
        /// The vault ids of the passwords.
        tried: Vec<String>,
    },
    /// It can never be opened.
    #[error("it cannot be decrypted: {0}")]
    Damaged(VaultError),
    /// What came out is no text.
    #[error("what is encrypted in it is not UTF-8")]
    NotText,
}

fn wrong(label: Option<&str>, tried: &[String]) -> String {
    let names: Vec<String> = tried.iter().map(|label| format!("`{label}`")).collect();
    let whose = label.map_or_else(String::new, |label| format!(" of the vault id `{label}`"));
    format!("no password opens this vault{whose}, or it was changed; tried: {}", names.join(", "))
}

impl Keyring {
    /// Makes one without a password.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a password behind the others.
    pub fn add(&mut self, password: Password) {
        self.0.push(password);
    }

    /// Opens a text: passwords of its label first, then the others, as Ansible does.
    ///
    /// # Errors
    /// Says why it stays closed.
    pub fn open(&self, vault: &VaultText) -> Result<Secret<String>, OpenError> {
        if self.0.is_empty() {
            return Err(OpenError::NoPassword);
        }
        let is_first = |password: &&Password| vault.label() == Some(password.label.as_str());
        let (first, others): (Vec<_>, Vec<_>) = self.0.iter().partition(is_first);
        for password in first.iter().chain(&others) {
            match vault.decrypt(&password.bytes) {
                Ok(plain) => {
                    return String::from_utf8(plain.expose().clone()).map(Secret::new).map_err(|_| OpenError::NotText);
                }
                Err(VaultError::Wrong) => {}
                Err(error) => return Err(OpenError::Damaged(error)),
            }
        }
        let mut tried: Vec<String> = first.iter().chain(&others).map(|password| password.label.clone()).collect();
        tried.dedup();
        Err(OpenError::Wrong { label: vault.label().map(str::to_owned), tried })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROD: &str = include_str!("../../tests/vault/prod.vault");
    const BYTES: &str = include_str!("../../tests/vault/bytes.vault");

    fn opened(text: &str, passwords: &[(&str, &str)]) -> Result<String, String> {
        let mut keyring = Keyring::default();
        for (label, password) in passwords {
            keyring.add(Password { label: (*label).to_owned(), bytes: Secret::new(password.as_bytes().to_vec()) });
        }
        let opened = keyring.open(&VaultText::parse(text).unwrap());
        opened.map(|text| text.expose().clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_password_of_the_label_opens_and_so_does_any_other() {
        for passwords in [&[("dev", "x"), ("prod", "pässword two")][..], &[("prod", "x"), ("dev", "pässword two")]] {
            assert_eq!(opened(PROD, passwords).unwrap(), "zwei ü");
        }
    }

    #[test]
    fn what_stays_closed_says_why() {
        assert_eq!(opened(PROD, &[]).unwrap_err(), "no vault password is given");
        assert_eq!(
            opened(PROD, &[("dev", "hunter2"), ("prod", "x")]).unwrap_err(),
            "no password opens this vault of the vault id `prod`, or it was changed; tried: `prod`, `dev`"
        );
        assert_eq!(opened(BYTES, &[("default", "hunter2")]).unwrap_err(), "what is encrypted in it is not UTF-8");
    }
}
