//! What should be on each host: templates and variables become [`Desired`] (pure; `load` reads the templates).

mod content;
mod desired;

pub use content::Content;
pub use desired::{Desired, DesiredDirectory, DesiredFile, DesiredUnit};
