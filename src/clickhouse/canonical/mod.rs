//! One form for texts that mean the same to the server (pure).
//!
//! Two forms: the exact one leaves out what never means anything; the loose one also evens out what the server writes
//! otherwise than it was given, and says nothing of a text where it could be wrong.

mod aliases;
mod data_type;
mod expression;

pub use data_type::canonical_type;
pub use expression::{exact_words, loose_words};
