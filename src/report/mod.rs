//! What a person or a machine sees: the plan, events as they happen, the recap (edge).

mod bars;
pub mod diagnostic;
pub mod github;
pub mod hosts;
pub mod inventory;
mod json;
mod lines;
mod markdown;
mod plan;
mod recap;
mod status;
pub mod style;

pub use bars::Bars;
pub use json::{EVENT_SCHEMA, JsonLines, event_line};
pub use lines::Lines;
pub use markdown::markdown;
pub use plan::{Diffs, plan};
pub use recap::recap;
pub use status::{facts, status};
