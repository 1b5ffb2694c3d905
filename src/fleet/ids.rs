//! Names of the fleet's things, valid by construction (pure).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{name}` is not a {kind} name: {rule}")]
pub struct NameError {
    name: String,
    kind: &'static str,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $rule:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// Takes a valid name.
            ///
            /// # Errors
            /// Says the rule that the text breaks.
            pub fn new(name: impl Into<String>) -> Result<Self, NameError> {
                let name = name.into();
                let allowed: fn(&str) -> bool = $allowed;
                if name.is_empty() || name.len() > 253 || !allowed(&name) {
                    return Err(NameError { name, kind: $kind, rule: $rule });
                }
                Ok(Self(name))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;
            fn try_from(name: String) -> Result<Self, NameError> {
                Self::new(name)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }
    };
}

name!(
    /// A host as the inventory names it.
    HostName, "host", "letters, digits, `.`, `-`, `_`, `:`, `+` and `@`, beginning with a letter, a digit, `_` or `:`",
    |name| !name.starts_with(['-', '.', '+', '@']) && name.chars().all(|c| c.is_alphanumeric() || ".-_:+@".contains(c))
);
name!(
    /// A role: the name of its directory under `roles/`.
    RoleName, "role", "lowercase letters, digits, `-` and `_`",
    |name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
);
name!(
    /// An entry of `remote_servers`; it becomes an XML element, so it keeps to XML's simple names.
    ClusterName, "cluster", "a letter or `_`, then letters, digits, `_`, `-`",
    |name| name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
);
