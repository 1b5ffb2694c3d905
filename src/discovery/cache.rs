//! Keeps answers of EC2 in the user's cache directory (edge): readable by the user alone, and never trusted when damaged.
//!
//! An answer that is too old to be used still says what was there when all was well.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::guard::Accepted;
use super::source::digest;
use super::{DiscoverySource, Found, Instance};
use crate::problem::Problem;

/// A thousand instances are three megabytes.
const MAX_BYTES: u64 = 256 << 20;
/// The form of the files; another one is read as damaged.
const VERSION: u32 = 2;

/// Where answers are kept, and who asks.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    /// None: nothing is kept.
    directory: Option<PathBuf>,
    /// What of the environment chooses the account, such as the profile.
    account: String,
    /// A digest of the key that asks: an answer to another one is not used.
    caller: String,
}

/// What is kept for one file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    version: u32,
    regions: BTreeMap<String, Answer>,
    baselines: BTreeMap<String, Baseline>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Answer {
    written: u64,
    caller: String,
    query: String,
    instances: Vec<Instance>,
}

impl Cache {
    /// The cache of this process: `HOUSEWRIGHT_CACHE_DIR`, else `housewright` in the user's cache directory.
    #[must_use]
    pub fn from_environment() -> Self {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let directory = path("HOUSEWRIGHT_CACHE_DIR")
            .or_else(|| Some(path("XDG_CACHE_HOME")?.join("housewright")))
            .or_else(|| Some(path("HOME")?.join(".cache/housewright")));
        let names =
            ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "AWS_CONFIG_FILE"];
        let account = names.map(|name| format!("{name}={:?}", std::env::var_os(name))).join(" ");
        let caller = std::env::var("AWS_ACCESS_KEY_ID").map(|key| digest(&key)).unwrap_or_default();
        Self { directory, account, caller }
    }

    /// A cache in a directory of one's own.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        Self { directory: Some(directory.to_owned()), ..Self::default() }
    }

    /// Reads what is kept; a file that cannot be read is a note, and as if it were not there.
    pub(super) fn read(&self, source: &DiscoverySource, problems: &mut Vec<Problem>) -> Kept {
        let Some(path) = self.path(source) else {
            let message = "there is no cache directory: neither `HOME` nor `HOUSEWRIGHT_CACHE_DIR` is set";
            let hint = "without it, only a snapshot tells whether a fleet has shrunk";
            problems.push(Problem::note("HW0167", message).at(&source.span).hint(hint));
            return Kept::default();
        };
        match load(&path) {
            Ok(kept) => kept,
            Err(why) => {
                let message = format!("the cache `{}` is not used: {why}", path.display());
                let hint = "EC2 is asked anew, and there is nothing to compare the answer with but a snapshot";
                problems.push(Problem::note("HW0167", message).at(&source.span).hint(hint));
                Kept::default()
            }
        }
    }

    /// Keeps good answers, those of regions that were not asked beside them.
    pub(super) fn write(
        &self,
        source: &DiscoverySource,
        mut kept: Kept,
        answers: &BTreeMap<String, Vec<Instance>>,
        now: u64,
        problems: &mut Vec<Problem>,
    ) {
        let Some(path) = self.path(source) else { return };
        kept.version = VERSION;
        let query = source.query_digest();
        for (region, instances) in answers {
            let (caller, query, instances) = (self.caller.clone(), query.clone(), instances.clone());
            kept.regions.insert(region.clone(), Answer { written: now, caller, query, instances });
        }
        if let Err(error) = store(&path, &kept) {
            let message = format!("the cache `{}` cannot be written: {error}", path.display());
            let hint = "the next run asks EC2 again, and cannot tell whether the fleet has shrunk since";
            problems.push(Problem::note("HW0167", message).at(&source.span).hint(hint));
        }
    }

    /// What was found is in the snapshot now: from here on it is what the regions had, and nothing that was gone before.
    pub fn settle(&self, found: &[Found], now: u64) {
        for Found { source, hosts } in found {
            let Some(path) = self.path(source) else { continue };
            let Ok(mut kept) = load(&path) else { continue };
            for (region, baseline) in &mut kept.baselines {
                let ids = hosts.iter().filter(|host| host.region == *region).map(|host| host.instance.clone());
                let listed = Baseline::new(source, ids, now);
                *baseline = Baseline::after(Some(baseline), listed, true);
            }
            // A cache that cannot be written was told when the answer was to be kept.
            let _ = store(&path, &kept);
        }
    }

    /// An answer of a region that is good enough for the source.
    pub(super) fn fresh(&self, kept: &Kept, source: &DiscoverySource, region: &str, now: u64) -> Option<Vec<Instance>> {
        let answer = kept.regions.get(region)?;
        let age = now.checked_sub(answer.written)?;
        let good = age < source.cache_seconds? && answer.caller == self.caller && answer.query == source.query_digest();
        good.then(|| answer.instances.clone())
    }

    /// A file has one place, whatever it asks: a filter that was changed is no reason to forget what was there.
    fn path(&self, source: &DiscoverySource) -> Option<PathBuf> {
        let file = Path::new(source.file());
        let file = fs::canonicalize(Path::new(".").join(file)).unwrap_or_else(|_| file.to_owned());
        let key = digest(&format!("{} {:?} {}", file.display(), source.access, self.account));
        Some(self.directory.as_ref()?.join(format!("ec2-{key}.json")))
    }
}

impl Kept {
    /// What a region had when all was well, as far as this machine knows.
    pub(super) fn baseline(&self, region: &str) -> Option<Baseline> {
        self.baselines.get(region).cloned()
    }

    /// Makes the baselines, `before` these answers, those behind them.
    pub(super) fn follow(
        &mut self,
        source: &DiscoverySource,
        before: &BTreeMap<String, Baseline>,
        answers: &BTreeMap<String, Vec<Instance>>,
        accepted: &Accepted,
        now: u64,
    ) {
        for (region, instances) in answers {
            let answer = Baseline::new(source, instances.iter().map(|instance| instance.id.clone()), now);
            let baseline = Baseline::after(before.get(region), answer, accepted.shrink.contains(region));
            self.baselines.insert(region.clone(), baseline);
        }
    }
}

fn load(path: &Path) -> Result<Kept, String> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Kept::default()),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let kept: Kept = serde_json::from_str(&text).map_err(|error| format!("it is damaged: {error}"))?;
    if kept.version == VERSION { Ok(kept) } else { Err("another version of housewright wrote it".to_owned()) }
}

fn store(path: &Path, kept: &Kept) -> std::io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let text = serde_json::to_vec(kept).map_err(std::io::Error::other)?;
    replace(path, &text, 0o600)
}

/// Writes a file whole or not at all: beside it first, then in its place.
pub(super) fn replace(path: &Path, text: &[u8], mode: u32) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        // What an earlier process of this number left.
        let _ = fs::remove_file(&beside);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}
