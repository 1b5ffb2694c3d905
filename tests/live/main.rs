//! The live tier: the real program against real hosts, as root: `cargo test --features live --test live`.
//!
//! Each test has a lab fleet for itself, one after the other. Where the machine cannot run a lab, the tests fail.

#[cfg(feature = "python")]
#[path = "../support/python.rs"]
mod python;

mod desk;
mod effective;
mod fleet;

mod backups;
mod balance;
mod changes;
mod deaths;
mod fresh;
mod interruptions;
mod keys;
mod lab;
mod legs;
mod migrations;
mod over_http;
mod ownership;
mod refusals;
mod rejoin;
mod roll;
mod schema;
mod schema_faults;
mod statements;
mod storage;
mod the_way;
mod traffic;
mod verbs;
mod write_faults;
