//! Reads one text file (edge): bounded in size, and what is no file is not waited for.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::inventory::{Node, yaml};
use crate::problem::{Problem, Source, Span, io_words};

/// The largest inventories are a few megabytes.
const MAX_BYTES: u64 = 16 << 20;

/// Reads a whole text file.
///
/// # Errors
/// One problem: it cannot be read, is too big, or is not UTF-8.
pub fn source(path: &Path) -> Result<Arc<Source>, Problem> {
    let name = path.display().to_string();
    let unreadable = |error: &std::io::Error| unread(path, io_words(error));
    // Before it is opened: to open a pipe is to wait for somebody who writes into it.
    let kind = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !kind.is_file() {
        return Err(unread(path, "it is not a file"));
    }
    let mut file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    file.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("`{name}` is larger than {} MB", MAX_BYTES >> 20);
        let problem = Problem::new("HW0102", message).at(&beginning(path));
        return Err(problem.hint("is it an inventory? one of 10,000 hosts has about one megabyte"));
    }
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{FEFF}') {
                text.remove(0);
            }
            Ok(Arc::new(Source { name, text }))
        }
        Err(error) => Err(not_utf8(name, error.as_bytes(), error.utf8_error().valid_up_to())),
    }
}

/// Says that a file or directory is not read, at its beginning.
pub(crate) fn unread(path: &Path, why: impl std::fmt::Display) -> Problem {
    Problem::new("HW0101", format!("cannot read `{}`: {why}", path.display())).at(&beginning(path))
}

/// A place for what has no text.
fn beginning(path: &Path) -> Span {
    Span::new(Arc::new(Source { name: path.display().to_string(), text: String::new() }), 0..0)
}

fn not_utf8(name: String, bytes: &[u8], at: usize) -> Problem {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let source = Arc::new(Source { name, text });
    let message = format!("not UTF-8: byte {at} is wrong");
    Problem::new("HW0103", message).at(&Span::new(source, at..at + 1)).hint("save the file as UTF-8")
}

/// Reads and parses one YAML file.
pub(crate) fn document(path: &Path, problems: &mut Vec<Problem>) -> Option<Node> {
    match source(path) {
        Ok(source) => yaml::read(&source, problems),
        Err(problem) => {
            problems.push(problem);
            None
        }
    }
}
