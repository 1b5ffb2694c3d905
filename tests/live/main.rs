//! The live tier: the real program against real hosts, as root: `cargo test --features live --test live`.
//!
//! Each test has a lab fleet for itself, one after the other. Where the machine cannot run a lab, the tests fail.

mod desk;
mod effective;
mod fleet;

mod changes;
mod deaths;
mod interruptions;
mod keys;
mod lab;
mod legs;
mod migrations;
mod ownership;
mod refusals;
mod roll;
mod schema;
mod schema_faults;
mod statements;
mod the_way;
mod traffic;
mod verbs;
mod write_faults;
