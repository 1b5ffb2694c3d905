//! What a person or a machine sees: the plan, events as they happen, the recap (edge).

mod adoption;
mod around;
mod asked;
mod bars;
pub mod diagnostic;
mod drift;
pub mod github;
mod graph;
pub mod hosts;
pub mod inventory;
mod json;
mod lines;
mod markdown;
mod plan;
mod ran;
mod recap;
mod schema_drift;
mod status;
pub mod style;
mod table;
mod verify;

pub use adoption::{adopted, adoption};
pub use asked::{Asking, Separated};
pub use bars::Bars;
pub use drift::drift;
pub use graph::{mermaid, svg};
pub use json::{EVENT_SCHEMA, JsonLines, event_line};
pub use lines::Lines;
pub use markdown::markdown;
pub use plan::{Diffs, plan};
pub use ran::{ran, ran_data};
pub use recap::recap;
pub use schema_drift::schema_drift;
pub use status::{facts, status, status_data};
pub use verify::verify;
