//! How long an inventory takes from its files to the fleet, and how much memory: `resolve INVENTORY ROLES`.
//!
//! One process for each measurement, so that the peak of memory is this one's; `run` does five of them.

use std::path::Path;
use std::time::Instant;

use housewright::fleet::ConnectionDefaults;
use housewright::fleet::load::read;
use housewright::problem::Severity;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [inventory, roles] = arguments.as_slice() else {
        // `cargo bench` without arguments runs every benchmark: this one has nothing to measure then.
        println!("resolve: name an inventory and the roles, or use benches/inventory/run");
        return;
    };
    let started = Instant::now();
    let read = read(Path::new(inventory), Path::new(roles));
    let after_reading = started.elapsed();
    let resolved = read.resolve_all(&ConnectionDefaults::default());
    let all = started.elapsed();
    let problems: Vec<_> = resolved.problems.iter().filter(|problem| problem.severity == Severity::Problem).collect();
    assert!(problems.is_empty() && resolved.is_whole, "{problems:#?}");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    println!(
        "{} hosts, {} clusters: read {} ms, resolved {} ms, together {} ms, peak {peak}",
        resolved.fleet.hosts.len(),
        resolved.fleet.clusters.len(),
        after_reading.as_millis(),
        (all - after_reading).as_millis(),
        all.as_millis(),
    );
}
