//! Which versions of ClickHouse may follow each other (pure).

use super::super::{Need, Refusal};
use super::PackageWant;

/// ClickHouse is compatible with itself for a year: a replica reads what one of a year ago wrote, and not more
/// (<https://clickhouse.com/docs/operations/update>).
const MOST_MONTHS: i64 = 12;

/// What a change of version needs to be allowed.
pub(super) fn need(package: &PackageWant, is: &str, wanted: &str) -> Result<Option<Need>, Refusal> {
    if !package.name.starts_with("clickhouse-") {
        return Ok(None);
    }
    if let (Some(from), Some(to)) = (month(is), month(wanted))
        && (to - from).abs() > MOST_MONTHS
    {
        return Err(Refusal {
            what: format!("install {} {wanted}", package.name),
            reason: format!("{is} is there, and versions more than a year apart do not read each other's data"),
            hint: Some("go by a version between the two, on all hosts, before this one".to_owned()),
        });
    }
    Ok((numbers(wanted) < numbers(is)).then_some(Need::Downgrade))
}

/// All of a version's numbers, in their order.
fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// `25.8.3.66` is of August 2025.
fn month(version: &str) -> Option<i64> {
    let mut numbers = version.split('.').map(str::parse::<i64>);
    let (year, month) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some(year * 12 + month)
}
