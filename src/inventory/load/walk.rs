//! Walks directories (edge): in order of name, never in a circle, never a whole disk.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::text::unread;
use crate::problem::{Problem, io_words};

/// Directories in `group_vars/NAME/` and the like: no inventory has more in each other.
const MAX_DIRECTORIES: usize = 16;
/// More directories than an inventory has; a link may lead to a whole disk.
const MAX_TREE: usize = 10_000;
/// Ansible does not read these from an inventory directory either.
const IGNORED: [&str; 11] = ["pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "orig", "cfg", "retry"];

/// The directories that one is in, by their real paths: a link back to one of them would be read for ever.
pub(super) struct Above<'a> {
    real: PathBuf,
    next: Option<&'a Above<'a>>,
    depth: usize,
    /// How many were entered in all.
    entered: Rc<Cell<usize>>,
}

impl Above<'_> {
    pub(super) fn nothing() -> Self {
        Self { real: PathBuf::new(), next: None, depth: 0, entered: Rc::default() }
    }

    /// The directory is entered, unless that leads in a circle or too deep: a problem.
    pub(super) fn enter<'a>(&'a self, directory: &Path, problems: &mut Vec<Problem>) -> Option<Above<'a>> {
        // The empty path stands for the working directory, which has a name only in this form.
        let real = match fs::canonicalize(Path::new(".").join(directory)) {
            Ok(real) => real,
            Err(error) => {
                problems.push(unread(directory, io_words(&error)));
                return None;
            }
        };
        let mut above = std::iter::successors(Some(self), |above| above.next);
        if above.any(|above| above.real == real) {
            let problem = unread(directory, "its link leads back to a directory that it is in");
            problems.push(problem.hint("remove the link"));
            return None;
        }
        if self.depth >= MAX_DIRECTORIES {
            problems.push(unread(directory, "too many directories in each other"));
            return None;
        }
        let entered = self.entered.get() + 1;
        self.entered.set(entered);
        if entered > MAX_TREE {
            if entered == MAX_TREE + 1 {
                let problem = unread(directory, format!("there are over {MAX_TREE} directories"));
                problems.push(problem.hint("does a link lead out of the inventory?"));
            }
            return None;
        }
        Some(Above { real, next: Some(self), depth: self.depth + 1, entered: Rc::clone(&self.entered) })
    }
}

/// What is in a directory, in order of name, without hidden files and editors' backups.
pub(crate) fn entries(directory: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let read = fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = read.unwrap_or_else(|error: std::io::Error| {
        problems.push(unread(directory, io_words(&error)));
        Vec::new()
    });
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !name.ends_with('~')
    });
    paths.sort();
    paths
}

pub(super) fn wanted(path: &Path) -> bool {
    extension(path).is_none_or(|extension| !IGNORED.contains(&extension))
}

pub(super) fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
}
