//! What a person or a machine sees: the plan, events as they happen, the recap (edge).

mod bars;
pub mod diagnostic;
pub mod hosts;
pub mod inventory;
mod json;
mod lines;
mod plan;
mod recap;
mod status;
pub mod style;

pub use bars::Bars;
pub use json::JsonLines;
pub use lines::Lines;
pub use plan::{Diffs, plan};
pub use recap::recap;
pub use status::{facts, status};
