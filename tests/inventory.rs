//! The inventories of the repository resolve, and what is wrong in one is said at its place.

use std::path::Path;

use housewright::fleet::{ConnectionDefaults, Fleet, load::load};
use housewright::problem::Problem;
use housewright::report::diagnostic::{Colour, render};

fn fleet(inventory: &str) -> (Fleet, Vec<Problem>) {
    let loaded = load(Path::new(inventory), Path::new("roles"), &ConnectionDefaults::default());
    loaded.unwrap_or_else(|problems| panic!("{}", render(&problems, Colour::Plain)))
}

#[test]
fn the_lab_resolves() {
    let (fleet, notes) = fleet("inventories/lab");
    assert_eq!(render(&notes, Colour::Plain), "");
    assert_eq!(fleet.network_namespace.as_deref(), Some("hwlab"));
    println!("{fleet:#?}");
}

#[test]
fn the_regions_resolve() {
    for region in ["inventories/us-east-1", "inventories/eu-central-1"] {
        let (fleet, notes) = fleet(region);
        assert_eq!(render(&notes, Colour::Plain), "");
        println!("{} {:#?}", fleet.hosts.len(), fleet.clusters);
    }
}
