//! Ansible Vault, formats 1.1 and 1.2: reads the text and decrypts it (pure).
//!
//! Nothing is decrypted before its HMAC was checked, and no error holds a byte of plaintext or password.
//! (<https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html#ansible-vault-payload-format-1-1-1-2>)

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hmac, pbkdf2};

use super::Secret;

/// What every vaulted text begins with.
pub const HEADER: &str = "$ANSIBLE_VAULT";

const CIPHER: &str = "AES256";
const VERSIONS: [&str; 2] = ["1.1", "1.2"];
/// Fixed by the format.
const ROUNDS: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);
const KEY: usize = 32;
const BLOCK: usize = 16;

/// A vaulted text, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultText {
    text: String,
    label: Option<String>,
    salt: Vec<u8>,
    tag: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// Why a text is not decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Another kind of text.
    #[error("it does not begin with `{HEADER}`")]
    NotVault,
    /// A format that is not known.
    #[error("its format `{0}` is not known: 1.1 and 1.2 are")]
    Version(String),
    /// A cipher that is not known.
    #[error("its cipher `{0}` is not known: {CIPHER} is")]
    Cipher(String),
    /// It is not whole.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// The HMAC is that of another password or of another text.
    #[error("the password is wrong, or the text was changed")]
    Wrong,
}

impl VaultText {
    /// Tells whether a text wants to be a vaulted one.
    #[must_use]
    pub fn is_vaulted(text: &str) -> bool {
        text.starts_with(HEADER)
    }

    /// Takes a text apart: the header `$ANSIBLE_VAULT;VERSION;CIPHER[;LABEL]`, then hexadecimal digits.
    ///
    /// # Errors
    /// Says what about it is not as the format has it.
    pub fn parse(text: &str) -> Result<Self, VaultError> {
        let (header, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut parts = header.split(';').map(str::trim);
        if parts.next() != Some(HEADER) {
            return Err(VaultError::NotVault);
        }
        let version = parts.next().unwrap_or_default();
        if !VERSIONS.contains(&version) {
            return Err(VaultError::Version(brief(version)));
        }
        let cipher = parts.next().unwrap_or_default();
        if cipher != CIPHER {
            return Err(VaultError::Cipher(brief(cipher)));
        }
        let label = parts.next().filter(|label| !label.is_empty()).map(brief);
        let body: Vec<u8> = body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let body = unhex(&body).ok_or(VaultError::Damaged("what follows the first line is not hexadecimal"))?;
        let mut parts = body.splitn(3, |byte| *byte == b'\n').map(unhex);
        let mut part = || parts.next().flatten().ok_or(VaultError::Damaged("salt, HMAC or data are not whole"));
        let (salt, tag, ciphertext) = (part()?, part()?, part()?);
        if ciphertext.is_empty() || ciphertext.len() % BLOCK != 0 {
            return Err(VaultError::Damaged("the end of the data is missing"));
        }
        Ok(Self { text: text.to_owned(), label, salt, tag, ciphertext })
    }

    /// The whole text as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The vault id that it was encrypted for; a hint only, nothing protects it.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Decrypts it; takes some milliseconds, which is what makes passwords hard to guess.
    ///
    /// # Errors
    /// Refuses a wrong password and a text that was changed, which cannot be told apart.
    pub fn decrypt(&self, password: &Secret<Vec<u8>>) -> Result<Secret<Vec<u8>>, VaultError> {
        let mut derived = [0; 2 * KEY + BLOCK];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &self.salt, password.expose(), &mut derived);
        let (key, rest) = derived.split_at(KEY);
        let (hmac_key, iv) = rest.split_at(KEY);
        let hmac_key = hmac::Key::new(hmac::HMAC_SHA256, hmac_key);
        hmac::verify(&hmac_key, &self.ciphertext, &self.tag).map_err(|_| VaultError::Wrong)?;
        let failed = |_| VaultError::Damaged("it cannot be decrypted");
        let iv: [u8; BLOCK] = iv.try_into().map_err(|_| VaultError::Damaged("it cannot be decrypted"))?;
        let key = UnboundCipherKey::new(&AES_256, key).and_then(DecryptingKey::ctr).map_err(failed)?;
        let mut data = self.ciphertext.clone();
        let plain = key.decrypt(&mut data, DecryptionContext::Iv128(FixedLength::from(iv))).map_err(failed)?;
        unpadded(plain).map(|plain| Secret::new(plain.to_vec())).ok_or(VaultError::Damaged("its padding is wrong"))
    }
}

/// A word of the header for a message.
fn brief(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(64).collect()
}

fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

/// Without the padding of PKCS #7: as many bytes as each of them says.
fn unpadded(plain: &[u8]) -> Option<&[u8]> {
    let last = *plain.last()?;
    let (text, padding) = plain.split_at(plain.len().checked_sub(usize::from(last))?);
    let right = (1..=BLOCK).contains(&padding.len()) && padding.iter().all(|byte| *byte == last);
    right.then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Encrypted by `ansible-vault` of ansible-core 2.19 with the password `hunter2`.
    const DEFAULT: &str = include_str!("../../tests/vault/default.vault");
    const BLOCK_LONG: &str = include_str!("../../tests/vault/block.vault");
    const EMPTY: &str = include_str!("../../tests/vault/empty.vault");
    /// With the label `prod` and the password `pässword two`.
    const PROD: &str = include_str!("../../tests/vault/prod.vault");

    fn decrypted(text: &str, password: &str) -> Result<String, VaultError> {
        let plain = VaultText::parse(text)?.decrypt(&Secret::new(password.as_bytes().to_vec()))?;
        Ok(String::from_utf8_lossy(plain.expose()).into_owned())
    }

    #[test]
    fn what_ansible_encrypted_is_decrypted() {
        assert_eq!(decrypted(DEFAULT, "hunter2").unwrap(), "plaintext of the vault");
        assert_eq!(decrypted(BLOCK_LONG, "hunter2").unwrap(), "0123456789abcdef");
        assert_eq!(decrypted(EMPTY, "hunter2").unwrap(), "");
        assert_eq!(decrypted(PROD, "pässword two").unwrap(), "zwei ü");
        assert_eq!(VaultText::parse(PROD).unwrap().label(), Some("prod"));
        assert_eq!(VaultText::parse(DEFAULT).unwrap().label(), None);
        assert_eq!(decrypted(&DEFAULT.replace('\n', "\r\n"), "hunter2").unwrap(), "plaintext of the vault");
    }

    #[test]
    fn a_wrong_password_and_a_changed_text_are_refused() {
        assert_eq!(decrypted(DEFAULT, "hunter3"), Err(VaultError::Wrong));
        assert_eq!(decrypted(DEFAULT, ""), Err(VaultError::Wrong));
        let end = DEFAULT.trim_end();
        let changed = format!("{}{}", &end[..end.len() - 1], if end.ends_with('5') { '6' } else { '5' });
        assert_eq!(decrypted(&changed, "hunter2"), Err(VaultError::Wrong));
    }

    #[test]
    fn each_kind_of_damage_has_its_words() {
        let (header, body) = DEFAULT.split_once('\n').unwrap();
        for (text, said) in [
            ("", "it does not begin with `$ANSIBLE_VAULT`"),
            ("hunter2", "it does not begin with `$ANSIBLE_VAULT`"),
            ("$ANSIBLE_VAULT", "its format `` is not known: 1.1 and 1.2 are"),
            ("$ANSIBLE_VAULT;1.0;AES\nab", "its format `1.0` is not known: 1.1 and 1.2 are"),
            ("$ANSIBLE_VAULT;1.1;AES\nab", "its cipher `AES` is not known: AES256 is"),
            (header, "it is damaged: salt, HMAC or data are not whole"),
            (&format!("{header}\nxyz"), "it is damaged: what follows the first line is not hexadecimal"),
            (&format!("{header}\n{}", &body[..161]), "it is damaged: salt, HMAC or data are not whole"),
            (DEFAULT.trim_end().get(..DEFAULT.len() - 5).unwrap(), "it is damaged: the end of the data is missing"),
        ] {
            assert_eq!(VaultText::parse(text).unwrap_err().to_string(), said, "{text}");
        }
    }

    #[test]
    fn padding_is_checked() {
        assert_eq!(unpadded(&[7, 7, 2, 2]), Some(&[7, 7][..]));
        for wrong in [&[][..], &[0], &[5, 5, 5], &[1, 2], &[17; 32]] {
            assert_eq!(unpadded(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(?s)(\\$ANSIBLE_VAULT;1.1;AES256\n)?([0-9a-f\n]{0,200}|.{0,60})") {
            let _ = VaultText::parse(&text);
        }
    }
}
