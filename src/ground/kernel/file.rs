//! Files below /sys that have a value, such as transparent huge pages; a file of ours writes them again at the next boot (pure).

use std::collections::BTreeSet;

use serde::Serialize;

use super::super::{Answers, Findings, GroundChange, Question, Refusal, When, Work};
use super::Kept;
use super::sysctl::spaced;

/// A file of the kernel's that a role wants to have a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelFileWant {
    /// Which; `*` stands for all of a kind.
    pub path: String,
    /// Its value.
    pub value: String,
    /// A kernel without it is as wanted too.
    pub optional: bool,
}

/// What systemd writes at boot (<https://man7.org/linux/man-pages/man5/tmpfiles.d.5.html>).
const TMPFILES: &str = "/etc/tmpfiles.d/housewright.conf";

/// Prints pattern, file and value of each; the shell expands the patterns and reads nothing else of them.
const READ: &str = "IFS=; for pattern; do for file in $pattern; do [ -f \"$file\" ] && \
                    printf '%s\\t%s\\t%s\\n' \"$pattern\" \"$file\" \"$(cat \"$file\" 2>/dev/null)\"; done; done; true";

/// Writes the value into each file of the pattern.
const WRITE: &str = "IFS=; for file in $1; do printf %s \"$2\" > \"$file\" || exit 1; done";

impl KernelFileWant {
    /// A file with its value brought to one form.
    #[must_use]
    pub fn new(path: &str, value: &str, optional: bool) -> Self {
        Self { path: path.to_owned(), value: spaced(value), optional }
    }
}

/// One question for all.
fn ask(files: &[KernelFileWant]) -> Question {
    Question::new(["sh", "-c", READ, "housewright"].into_iter().chain(files.iter().map(|file| file.path.as_str())))
}

/// What tells of files.
pub(super) fn questions(files: &[KernelFileWant]) -> Option<Question> {
    (!files.is_empty()).then(|| ask(files))
}

/// The file that keeps the values, where there are any.
///
/// `w` passes over what is not there, and `-` keeps a container's boot whole, whose /sys cannot be written.
pub(super) fn kept(files: &[KernelFileWant]) -> Option<Kept> {
    let plain = |text: &str| text.replace('\\', "\\\\").replace('%', "%%");
    let text = files.iter().map(|file| format!("w- {} - - - - {}\n", plain(&file.path), plain(&file.value)));
    (!files.is_empty()).then(|| Kept { path: TMPFILES, key: "kernel_files", text: text.collect() })
}

/// Of a choice such as `always [madvise] never` the chosen word, else all of it.
fn chosen(text: &str) -> String {
    let in_brackets = |word: &str| Some(word.strip_prefix('[')?.strip_suffix(']')?.to_owned());
    text.split_whitespace().find_map(in_brackets).unwrap_or_else(|| spaced(text))
}

/// The words of a choice; none where it is no choice.
fn choice(text: &str) -> BTreeSet<&str> {
    let words: BTreeSet<_> = text.split_whitespace().map(|word| word.trim_matches(['[', ']'])).collect();
    if text.contains('[') { words } else { BTreeSet::new() }
}

/// Finds files that have another value.
pub(super) fn diff(files: &[KernelFileWant], answers: &Answers, findings: &mut Findings) {
    if files.is_empty() {
        return;
    }
    let said = answers.text(&ask(files));
    for file in files {
        findings.take(one(file, said));
    }
}

fn one(file: &KernelFileWant, said: Option<&str>) -> Result<Option<GroundChange>, Refusal> {
    let KernelFileWant { path, value, optional } = file;
    let refusal = |reason: String| Refusal { what: format!("set `{path}` to `{value}`"), reason, hint: None };
    let said = said.ok_or_else(|| refusal("the host did not tell how it is".to_owned()))?;
    let values: Vec<&str> = said.lines().filter_map(|line| value_of(line, path)).collect();
    if values.is_empty() {
        let reason = "the kernel that runs there does not have it";
        return if *optional { Ok(None) } else { Err(refusal(reason.to_owned())) };
    }
    let is: BTreeSet<String> = values.iter().map(|text| chosen(text)).collect();
    if is.iter().all(|is| is == value) {
        return Ok(None);
    }
    if let Some(words) =
        values.iter().map(|text| choice(text)).find(|words| !words.is_empty() && !words.contains(value.as_str()))
    {
        let words = words.into_iter().collect::<Vec<_>>().join(", ");
        return Err(refusal(format!("the kernel that runs there knows {words}")));
    }
    Ok(Some(GroundChange {
        is: Some(is.into_iter().collect::<Vec<_>>().join(", ")),
        should: value.clone(),
        work: vec![Work::quick(format!("set {path}"), ["sh", "-c", WRITE, "housewright", path, value])],
        ..GroundChange::new("kernel file", path, When::BehindFiles)
    }))
}

/// The value in a line, where it is a file's of the pattern.
fn value_of<'a>(line: &'a str, pattern: &str) -> Option<&'a str> {
    let (_file, value) = line.strip_prefix(pattern)?.strip_prefix('\t')?.split_once('\t')?;
    Some(value)
}
