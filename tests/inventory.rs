//! The inventory of the repository resolves, and what is wrong in one is said at its place.

use std::path::Path;

use housewright::fleet::{ConnectionDefaults, load::load};
use housewright::report::diagnostic::{Colour, render};

#[test]
fn the_lab_resolves() {
    let loaded = load(Path::new("inventories/lab"), Path::new("roles"), &ConnectionDefaults::default());
    let (fleet, notes) = loaded.unwrap_or_else(|problems| panic!("{}", render(&problems, Colour::Plain)));
    assert_eq!(render(&notes, Colour::Plain), "");
    assert_eq!(fleet.network_namespace.as_deref(), Some("hwlab"));
    println!("{fleet:#?}");
}
