//! The journal of a run on the machine that runs Housewright: what was begun and what is done, one JSON object a line (edge).
//!
//! It is there for the next run: a host that vanishes half-way, a program that is killed. It holds no secret, because events
//! hold none, and only its user reads it. What a host owes is marked on the host itself; the journal only tells of it.

mod past;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Value, json};

use crate::discovery::time::utc;
use crate::event::{Event, Sink};

pub use past::{Begun, PastRun};

/// The version of the lines; a reader refuses a higher one.
pub const SCHEMA: u64 = 1;

/// More journals than this are not looked at by anybody; the oldest go.
const MOST_KEPT: usize = 500;

/// The directory of what Housewright keeps on this machine.
const STATE_DIR: &str = "HOUSEWRIGHT_STATE_DIR";

/// Names a run: when it began, and four digits that tell two of one second apart.
///
/// # Errors
/// The system gives no randomness.
pub fn new_run() -> io::Result<String> {
    let mut random = [0; 2];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let time: String = now().chars().filter(|character| !matches!(character, '-' | ':' | 'Z')).collect();
    Ok(format!("{time}-{:02x}{:02x}", random[0], random[1]))
}

/// Where journals are unless the operator says otherwise: `runs` in `HOUSEWRIGHT_STATE_DIR`, else in the user's state
/// directory (<https://specifications.freedesktop.org/basedir-spec/latest/>).
#[must_use]
pub fn directory() -> Option<PathBuf> {
    let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = path(STATE_DIR)
        .or_else(|| Some(path("XDG_STATE_HOME")?.join("housewright")))
        .or_else(|| Some(path("HOME")?.join(".local/state/housewright")));
    Some(state?.join("runs"))
}

fn now() -> String {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    utc(seconds)
}

/// The journal of a run that goes on; the file is locked for as long.
pub struct Journal {
    file: Mutex<File>,
    /// Where it is.
    pub path: PathBuf,
}

#[derive(Serialize)]
struct Line<'a, T> {
    at: String,
    #[serde(flatten)]
    what: &'a T,
}

impl Journal {
    /// Begins one.
    ///
    /// # Errors
    /// The directory or the file cannot be made.
    pub fn begin(directory: &Path, begun: &Begun) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let path = directory.join(&begun.run).with_extension("jsonl");
        for old in list(directory)?.iter().skip(MOST_KEPT) {
            let _ = fs::remove_file(old);
        }
        let file = OpenOptions::new().create_new(true).append(true).mode(0o600).open(&path)?;
        file.try_lock().map_err(io::Error::from)?;
        let journal = Self { file: Mutex::new(file), path };
        journal.write(&begun.line())?;
        journal.sync()?;
        Ok(journal)
    }

    /// Notes how the run ended.
    pub fn end(&self, exit: u8, more: &Value) {
        let mut line = json!({ "event": "run-finished", "exit": exit });
        if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
            line.extend(more.clone());
        }
        let _ = self.write(&line);
        let _ = self.sync();
    }

    fn write(&self, what: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_string(&Line { at: now(), what })?;
        line.push('\n');
        // One write: a line is there as a whole or not at all, unless the disk is full.
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
    }

    fn sync(&self) -> io::Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).sync_data()
    }
}

/// A journal that cannot be written any more stops no run: the hosts know what they owe.
impl Sink for Journal {
    fn emit(&self, event: Event) {
        let _ = self.write(&event);
        // A crash of this machine may cost a wave's lines, not more.
        if matches!(event, Event::WaveStarted { .. } | Event::WaveFinished { .. } | Event::HostFailed { .. }) {
            let _ = self.sync();
        }
    }
}

/// Reads a journal.
///
/// # Errors
/// It cannot be read, or is of a newer form.
pub fn read(path: &Path) -> io::Result<PastRun> {
    let text = fs::read_to_string(path)?;
    let goes_on = matches!(File::open(path)?.try_lock_shared(), Err(TryLockError::WouldBlock));
    PastRun::read(&text, goes_on).map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, reason))
}

/// The journals of a directory, the newest first.
///
/// # Errors
/// The directory is there and cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "jsonl"));
    paths.sort();
    paths.reverse();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::fleet::HostName;

    fn begun(run: &str) -> Begun {
        let hosts = BTreeMap::from([(HostName::new("data-1-a").unwrap(), 1)]);
        Begun { run: run.to_owned(), inventory: "/i".to_owned(), hosts, ..Begun::default() }
    }

    #[test]
    fn what_is_written_is_read_back_and_only_by_its_user() {
        let directory = tempfile::tempdir().unwrap();
        let runs = directory.path().join("a/runs");
        let run = new_run().unwrap();
        let journal = Journal::begin(&runs, &begun(&run)).unwrap();
        let host = || HostName::new("data-1-a").unwrap();
        journal.emit(Event::StepStarted { host: host(), step: "restart clickhouse-server".to_owned() });
        assert_eq!(fs::metadata(&journal.path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(list(&runs).unwrap(), std::slice::from_ref(&journal.path));
        let path = journal.path.clone();
        let past = read(&path).unwrap();
        assert!(past.goes_on);
        assert_eq!(past.under_way.get(&host()).map(String::as_str), Some("restart clickhouse-server"));
        journal.end(4, &json!({}));
        drop(journal);
        let past = read(&path).unwrap();
        assert_eq!((past.goes_on, past.exit), (false, Some(4)));
    }

    #[test]
    fn runs_are_listed_with_the_newest_first_and_a_run_has_one_journal() {
        let directory = tempfile::tempdir().unwrap();
        for run in ["20261122T100000-aaaa", "20261123T090000-0000"] {
            Journal::begin(directory.path(), &begun(run)).unwrap();
        }
        let names: Vec<_> =
            list(directory.path()).unwrap().into_iter().map(|path| path.file_stem().map(ToOwned::to_owned)).collect();
        assert_eq!(names, [Some("20261123T090000-0000".into()), Some("20261122T100000-aaaa".into())]);
        assert!(Journal::begin(directory.path(), &begun("20261123T090000-0000")).is_err());
        assert_eq!(list(&directory.path().join("none")).unwrap(), Vec::<PathBuf>::new());
    }
}
