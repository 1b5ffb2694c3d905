//! EC2 itself, as far as a test can have it: a server that answers as EC2 does, and moto's.

mod faults;
mod fleet;
#[path = "../support/http.rs"]
mod http;
mod moto;
mod program;
#[path = "../support/python.rs"]
mod python;
mod server;
