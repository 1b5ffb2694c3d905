//! The role schema from SQL files to stages, problems and differences.

mod checks;
mod corpus;
mod differences;
mod drift;
mod dump;
mod fleet;
mod graph;
mod order;
mod reading;
