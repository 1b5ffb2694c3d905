//! Which keys the Kubernetes Secret of an installation must have, and what stands for each until the pods have its value (pure).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::secret::{Secret, SecretRef, SecretStore, sha256_hex};

/// One key of the Secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SecretKey {
    /// The key, and the variable of the pods' environment.
    pub name: String,
    /// Of which secret, by its reference.
    pub of: String,
    /// What of it.
    pub form: KeyForm,
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyForm {
    /// The value, with `&`, `<` and `>` as XML has them: the server reads it as XML (`ConfigProcessor`).
    Value,
    /// The SHA-256 of the value, in hexadecimal.
    Sha256,
}

/// Texts that stand for secrets in rendered files; no byte of a secret is in one.
pub(super) struct Tokens {
    store: SecretStore,
    known: BTreeMap<String, (SecretRef, KeyForm)>,
}

/// Both ends of a token: no template has it, and no escape changes it.
const END: char = '\u{F8F4}';

impl Tokens {
    /// One for each secret.
    pub(super) fn of(references: impl IntoIterator<Item = SecretRef>) -> Self {
        let (mut store, mut known) = (SecretStore::default(), BTreeMap::new());
        for (number, reference) in references.into_iter().enumerate() {
            let token = format!("{END}{number}{END}");
            known.insert(sha256_hex(token.as_bytes()), (reference.clone(), KeyForm::Sha256));
            known.insert(token.clone(), (reference.clone(), KeyForm::Value));
            store.insert(reference, Secret::new(token));
        }
        Self { store, known }
    }

    /// What files are rendered with.
    pub(super) fn store(&self) -> &SecretStore {
        &self.store
    }

    /// The secret that a whole text stands for.
    pub(super) fn read(&self, text: &str) -> Option<(&SecretRef, KeyForm)> {
        self.known.get(text.trim()).map(|(reference, form)| (reference, *form))
    }

    /// Whether a secret stands anywhere in a text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        text.contains(END) || self.known.keys().any(|token| text.contains(token.as_str()))
    }
}

/// The name of the key for a secret at a place of the configuration: the variable's own where it has one, else the place's.
pub(super) fn name(reference: &SecretRef, form: KeyForm, place: &[&str]) -> String {
    let of_place = || place.iter().map(|part| plain(part)).collect::<Vec<_>>().join("_");
    let name = match reference {
        SecretRef::Env(name) => plain(name),
        SecretRef::File(_) | SecretRef::Exec(_) | SecretRef::Vault(_) => of_place(),
    };
    match form {
        KeyForm::Value => name,
        KeyForm::Sha256 => format!("{name}_SHA256"),
    }
}

/// As a variable of the environment may be called.
fn plain(text: &str) -> String {
    let text: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) { format!("_{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_called_by_its_variable_else_by_its_place() {
        let env = SecretRef::parse("env:MSK_PASSWORD").unwrap();
        assert_eq!(name(&env, KeyForm::Value, &["a"]), "MSK_PASSWORD");
        assert_eq!(name(&env, KeyForm::Sha256, &["a"]), "MSK_PASSWORD_SHA256");
        let file = SecretRef::parse("file:/run/x").unwrap();
        assert_eq!(
            name(&file, KeyForm::Value, &["named_collections", "msk-1", "pass.word"]),
            "NAMED_COLLECTIONS_MSK_1_PASS_WORD"
        );
        assert_eq!(name(&file, KeyForm::Value, &["1"]), "_1");
    }

    #[test]
    fn a_token_says_which_secret_and_in_which_form() {
        let [one, other] = ["env:A", "env:B"].map(|text| SecretRef::parse(text).unwrap());
        let tokens = Tokens::of([one.clone(), other.clone()]);
        let token = tokens.store().get(&other).unwrap().expose().clone();
        assert_eq!(tokens.read(&format!(" {token}\n")), Some((&other, KeyForm::Value)));
        assert_eq!(tokens.read(&sha256_hex(token.as_bytes())), Some((&other, KeyForm::Sha256)));
        assert!(tokens.read("x").is_none() && !tokens.is_in("x"));
        assert!(tokens.is_in(&format!("Bearer {token}")));
    }
}
