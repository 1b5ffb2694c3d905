//! Housewright builds and runs ClickHouse fleets from an inventory.
//!
//! The modules stand in the order of the data:
//!
//! ```text
//!   inventories/<region>/   roles/ + templates/   EC2 instances
//!              \                  |                  /
//!               v                 v                 v
//!                   fleet::resolve          (pure)  -> Fleet          what the operator means
//!                   /                 \
//!       render (pure) -> Desired       observe (SSH, read-only) -> Observation
//!                   \                 /
//!                    plan::plan             (pure)  -> Plan           waves, steps, gates; holds
//!                         |  review, approve
//!                    apply::run             (SSH, ClickHouse)  -> Event...
//!                         |
//!                    report                 (edge)  -> terminal | JSON lines; exit code
//! ```
//!
//! Three laws: the executor makes no decisions; a no-op is the absence of a step; not acting is data (a hold).

#![forbid(unsafe_code)]
#![warn(clippy::pedantic)]
#![expect(clippy::doc_markdown, reason = "ClickHouse, ZooKeeper and known_hosts are names, not code")]
#![expect(clippy::match_same_arms, reason = "arms stand in the order in which they are thought")]
#![expect(clippy::needless_for_each, clippy::similar_names, reason = "short lines that read well")]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::print_stdout,
        clippy::print_stderr,
        clippy::dbg_macro,
        clippy::exit
    )
)]

// Vocabulary that every stage speaks (pure).
pub mod duration;
pub mod problem;
pub mod remote;
pub mod secret;
pub mod size;
pub mod vocabulary;

// What the operator wrote.
pub mod discovery;
pub mod inventory;
pub mod jinja;
pub mod role;

// What it means, and what should be there.
pub mod backup;
pub mod clickhouse;
pub mod fleet;
pub mod ground;
pub mod k8s;
pub mod migration;
pub mod project;
pub mod render;
pub mod reveal;
pub mod schema;

// What is there.
pub mod observe;
pub mod resource;
pub mod transport;

// What to do, and doing it.
pub mod apply;
pub mod balance;
pub mod leg;
pub mod plan;

// What happened.
pub mod event;
pub mod journal;
pub mod report;

// Places to try it.
pub mod lab;
pub mod sim;

pub mod cli;
