//! What happened, for people and machines: diagnostics, bars, lines, JSON (edge).

pub mod diagnostic;
