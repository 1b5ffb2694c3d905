//! The `ClickHouse` that the lab's hosts find at /usr/bin/clickhouse: the given binary, an installed one, or the pinned one.
//! Invariant: the pinned library is used only after its digest was checked. edge
//!
//! The pinned one is the server inside the Python wheel `chdb` 3.7.2 (25.8.2.1-lts): its library exports `ClickHouse`'s own
//! `main`. No later release of the wheel does. It has no Keeper.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::base::digest;
use super::command::{build, find, run};
use super::error::LabError;
use super::files;
use super::state::{Journal, Lock};

const WHEEL: &str = "chdb==3.7.2";
const LAUNCHER: &str = include_str!("files/launch.c");
const LIBRARY: &str = "chdb/_chdb.abi3.so";
#[cfg(target_arch = "x86_64")]
const LIBRARY_SHA256: &str = "a9589a16d78072e1f7a903a944d43388fe4c6413dfdef88dbfe9915c98591918";
#[cfg(not(target_arch = "x86_64"))]
const LIBRARY_SHA256: &str = "20b4b39ddf4f88dd4aacb3be8e72c7faaf7caf0c0da93ea5fb3494e6ef35bed0";

/// Where `ClickHouse` comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A whole `clickhouse` binary.
    Binary(PathBuf),
    /// The directory of the pinned library and its launcher.
    Pinned(PathBuf),
}

impl Source {
    pub(super) fn choose(given: Option<&Path>, cache_dir: &Path) -> Result<Self, LabError> {
        if let Some(binary) = given {
            let binary = binary.canonicalize().map_err(files::failed("find", binary))?;
            return Ok(Self::Binary(binary));
        }
        let installed = find("clickhouse").and_then(|binary| binary.canonicalize().ok());
        Ok(installed.map_or_else(
            || Self::Pinned(cache_dir.join(format!("clickhouse-{}", digest(&[WHEEL, LIBRARY_SHA256, LAUNCHER])))),
            Self::Binary,
        ))
    }

    /// Whether it still has to be made.
    pub(super) fn missing(&self) -> bool {
        matches!(self, Self::Pinned(directory) if !directory.exists())
    }

    /// The read-only bind mount that puts it at /opt/clickhouse/clickhouse, to which /usr/bin/clickhouse points.
    pub(super) fn bind(&self) -> String {
        match self {
            Self::Binary(binary) => format!("--bind-ro={}:/opt/clickhouse/clickhouse", binary.display()),
            Self::Pinned(directory) => format!("--bind-ro={}:/opt/clickhouse", directory.display()),
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Binary(binary) => binary.display().to_string(),
            Self::Pinned(_) => format!("25.8.2.1 (from the wheel {WHEEL})"),
        }
    }
}

/// The command that runs the lab's `ClickHouse` on this machine itself, where it is installed or in the cache.
#[must_use]
pub fn local_clickhouse(cache_dir: &Path) -> Option<Command> {
    let source = Source::choose(None, cache_dir).ok().filter(|source| !source.missing())?;
    Some(match source {
        Source::Binary(binary) => Command::new(binary),
        Source::Pinned(directory) => {
            let mut command = Command::new(directory.join("clickhouse"));
            command.env("CLICKHOUSE_SO", directory.join(LIBRARY)).env("CLICKHOUSE_WATCHDOG_ENABLE", "0");
            command
        }
    })
}

/// Fetches the wheel, checks its library, and compiles the launcher.
pub(super) fn make(lock: &Lock, journal: &Journal, target: &Path) -> Result<(), LabError> {
    let building = target.with_extension("building");
    files::remove(&building)?;
    let root = building.to_string_lossy();
    let log = target.with_extension("log");
    let argv = ["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"];
    build(journal, "clickhouse", &[&argv[..], &["--target", &root, WHEEL]].concat(), &log)?;
    let library = building.join(LIBRARY);
    let found = run(lock, "sha256sum", &[&library.to_string_lossy()])?;
    let found = found.split_whitespace().next().unwrap_or_default().to_owned();
    if found != LIBRARY_SHA256 {
        return Err(LabError::Digest { path: library, expected: LIBRARY_SHA256, found });
    }
    let source = building.join("launch.c");
    files::write(&source, 0o644, LAUNCHER)?;
    let binary = building.join("clickhouse");
    let (source, binary) = (source.to_string_lossy(), binary.to_string_lossy());
    run(lock, "gcc", &["-O1", "-rdynamic", "-o", &binary, &source, "-ldl"])?;
    files::rename(&building, target)
}
