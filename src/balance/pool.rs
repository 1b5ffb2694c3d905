//! Disks that volumes put together, and how full each is (pure).

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Layout, WHOLE};

/// Disks that parts can go between, directly or through another of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Pool {
    /// Its disks, by name.
    pub disks: Vec<PoolDisk>,
    /// How far the fullest is from the emptiest, of [`WHOLE`].
    pub spread: u64,
}

/// A disk of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolDisk {
    /// Its name.
    pub name: String,
    /// Its size.
    pub total: u64,
    /// What is not free.
    pub used: u64,
    /// The share that is not free, of [`WHOLE`].
    pub fullness: u64,
}

impl Pool {
    pub(super) fn new(mut disks: Vec<PoolDisk>) -> Self {
        disks.sort_by(|a, b| a.name.cmp(&b.name));
        let fullness = || disks.iter().map(|disk| disk.fullness);
        let spread = fullness().max().unwrap_or(0).saturating_sub(fullness().min().unwrap_or(0));
        Self { disks, spread }
    }
}

impl PoolDisk {
    pub(super) fn new(name: &str, total: u64, used: u64) -> Self {
        Self { name: name.to_owned(), total, used, fullness: fullness(used, total) }
    }
}

/// The share of a disk that is used, of [`WHOLE`].
pub(super) fn fullness(used: u64, total: u64) -> u64 {
    let share = u128::from(used) * u128::from(WHOLE) / u128::from(total.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// The disks of each volume that can be compared, where there are several.
pub(super) fn volumes(layout: &Layout) -> Vec<(&str, Vec<&str>)> {
    let fit = |name: &&str| layout.disks.get(*name).is_some_and(|disk| disk.unfit.is_none() && disk.total > 0);
    let volumes = layout.volumes.iter().map(|volume| {
        let disks: BTreeSet<&str> = volume.disks.iter().map(String::as_str).filter(fit).collect();
        (volume.policy.as_str(), disks.into_iter().collect::<Vec<_>>())
    });
    volumes.filter(|(_, disks)| disks.len() > 1).collect()
}

/// The sets of disks that volumes join, one volume after another.
pub(super) fn joined<'a>(volumes: &[(&'a str, Vec<&'a str>)]) -> Vec<BTreeSet<&'a str>> {
    let mut pools: Vec<BTreeSet<&str>> = Vec::new();
    for (_, disks) in volumes {
        let mut pool: BTreeSet<&str> = disks.iter().copied().collect();
        pools.retain(|other| {
            let apart = other.is_disjoint(&pool);
            if !apart {
                pool.extend(other);
            }
            apart
        });
        pools.push(pool);
    }
    pools.sort();
    pools
}
