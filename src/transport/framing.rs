//! Splits a batch's two streams into one output per command (pure).
//!
//! After each command the remote shell prints a line with an unguessable mark on both streams. Everything between two
//! marks is the command's own, byte for byte. The mark never stands in the script as a whole, so that a command which
//! prints command lines (`ps`, the journal after `sudo`) cannot print it.

use std::ops::Range;

use bytes::Bytes;

use crate::remote::{Output, Status};

/// The unguessable text of one batch, in the two halves that the script holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The first half.
    pub left: String,
    /// The second half.
    pub right: String,
}

impl Mark {
    /// Makes a mark of random bytes.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        let text = format!("{:032x}", u128::from_be_bytes(random));
        let (left, right) = text.split_at(16);
        Self { left: left.to_owned(), right: right.to_owned() }
    }

    fn whole(&self) -> Vec<u8> {
        [self.left.as_bytes(), self.right.as_bytes()].concat()
    }
}

/// How the remote process as a whole ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Exited(u32),
    /// A signal ended it.
    Signalled(String),
    /// The connection was gone before it told.
    Unknown,
}

/// Why the streams cannot be split.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum FrameError {
    /// The script did not even begin.
    #[error("the script did not begin")]
    NotBegun,
    /// The connection ended before this command did.
    #[error("command {0} did not end")]
    Unfinished(usize),
    /// A mark is not followed by what the script prints.
    #[error("a mark is damaged after command {0}")]
    Damaged(usize),
}

/// Splits what arrived; both streams may begin with anything that the login shell printed.
///
/// # Errors
/// Says where the framing breaks off, unless a signal explains it.
pub fn split(stdout: &Bytes, stderr: &Bytes, mark: &Mark, count: usize, end: &End) -> Result<Vec<Output>, FrameError> {
    let whole = mark.whole();
    let (mut out, mut err) = (Frames::new(stdout, &whole), Frames::new(stderr, &whole));
    if out.next(0)?.is_none() || err.next(0)?.is_none() {
        return Err(FrameError::NotBegun);
    }
    let mut outputs = Vec::with_capacity(count);
    for index in 1..=count {
        let (status, stdout, stderr) = match (out.next(index)?, err.next(index)?) {
            (Some((text, status)), Some((noise, _))) => (status, stdout.slice(text), stderr.slice(noise)),
            (text, noise) => {
                let status = killed_by(end).ok_or(FrameError::Unfinished(index))?;
                let text = text.map_or_else(|| out.rest(), |(text, _)| text);
                let noise = noise.map_or_else(|| err.rest(), |(noise, _)| noise);
                (status, stdout.slice(text), stderr.slice(noise))
            }
        };
        let went_well = status == Status::Exited(0);
        outputs.push(Output { status, stdout, stderr });
        if !went_well {
            break;
        }
    }
    outputs.resize_with(count, || Output { status: Status::NotRun, stdout: Bytes::new(), stderr: Bytes::new() });
    Ok(outputs)
}

/// What ended the process from outside, where something did.
fn killed_by(end: &End) -> Option<Status> {
    match end {
        End::Signalled(name) => Some(Status::Signalled(name.clone())),
        End::Exited(code) => match status_of(u8::try_from(*code).ok()?) {
            signalled @ Status::Signalled(_) => Some(signalled),
            Status::Exited(_) | Status::NotRun => None,
        },
        End::Unknown => None,
    }
}

/// Reads one stream mark by mark.
struct Frames<'a> {
    bytes: &'a [u8],
    mark: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    fn new(bytes: &'a [u8], mark: &'a [u8]) -> Self {
        Self { bytes, mark, at: 0 }
    }

    /// The text before the next mark, and the status in it; nothing where no mark comes any more.
    fn next(&mut self, index: usize) -> Result<Option<(Range<usize>, Status)>, FrameError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let Some(found) = find(rest, self.mark) else { return Ok(None) };
        let text = self.at..self.at + found;
        let tail = rest.get(found + self.mark.len()..).unwrap_or_default();
        let Some(length) = tail.iter().take(32).position(|byte| *byte == b'\n') else {
            return if tail.len() < 32 { Ok(None) } else { Err(FrameError::Damaged(index)) };
        };
        let status = parse(tail.get(..length).unwrap_or_default(), index).ok_or(FrameError::Damaged(index))?;
        self.at = text.end + self.mark.len() + length + 1;
        Ok(Some((text, status)))
    }

    fn rest(&self) -> Range<usize> {
        self.at.min(self.bytes.len())..self.bytes.len()
    }
}

fn parse(line: &[u8], index: usize) -> Option<Status> {
    let line = std::str::from_utf8(line).ok()?;
    let (number, code) = line.strip_prefix(' ')?.split_once(' ')?;
    (number.parse() == Ok(index)).then_some(())?;
    Some(status_of(code.parse().ok()?))
}

/// Where `needle` (not empty) begins.
fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(step) = haystack.get(from..)?.iter().position(|byte| *byte == first) {
        if haystack.get(from + step..)?.starts_with(needle) {
            return Some(from + step);
        }
        from += step + 1;
    }
    None
}

/// A shell tells a signal as 128 and its number.
fn status_of(code: u8) -> Status {
    match code.checked_sub(128).and_then(|number| SIGNALS.get(usize::from(number))) {
        Some(name) if !name.is_empty() => Status::Signalled((*name).to_owned()),
        _ => Status::Exited(code),
    }
}

/// By number, as on Linux (<https://man7.org/linux/man-pages/man7/signal.7.html>).
const SIGNALS: [&str; 32] = [
    "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
    "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH",
    "IO", "PWR", "SYS",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(mark: &Mark, index: usize, code: u8) -> Vec<u8> {
        format!("{}{} {index} {code}\n", mark.left, mark.right).into_bytes()
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_split_exactly(
            random in any::<[u8; 16]>(),
            banner in any::<Vec<u8>>(),
            texts in proptest::collection::vec((any::<Vec<u8>>(), any::<Vec<u8>>()), 0..6),
            halves in any::<bool>(),
        ) {
            let mark = Mark::new(random);
            let look_alike = if halves { mark.left.clone() } else { format!("{}x", mark.left) };
            let (mut out, mut err) = (banner, Vec::new());
            out.extend(frame(&mark, 0, 0));
            err.extend(frame(&mark, 0, 0));
            let mut texts = texts;
            for (index, (text, noise)) in texts.iter_mut().enumerate() {
                text.extend(look_alike.as_bytes());
                text.push(b'.');
                out.extend(&*text);
                err.extend(&*noise);
                out.extend(frame(&mark, index + 1, 0));
                err.extend(frame(&mark, index + 1, 0));
            }
            let outputs = split(&out.into(), &err.into(), &mark, texts.len(), &End::Exited(0)).unwrap();
            for (output, (text, noise)) in outputs.iter().zip(&texts) {
                prop_assert_eq!(&output.stdout[..], &text[..]);
                prop_assert_eq!(&output.stderr[..], &noise[..]);
                prop_assert!(output.succeeded());
            }
        }

        #[test]
        fn a_truncated_answer_is_never_taken_for_whole(cut in 1_usize..60) {
            let mark = Mark::new([7; 16]);
            let mut out = frame(&mark, 0, 0);
            out.extend(b"text");
            out.extend(frame(&mark, 1, 0));
            let err = [frame(&mark, 0, 0), frame(&mark, 1, 0)].concat();
            out.truncate(out.len().saturating_sub(cut));
            prop_assert!(split(&out.into(), &err.into(), &mark, 1, &End::Unknown).is_err());
        }
    }

    #[test]
    fn a_signal_ends_the_unfinished_command_and_what_came_is_kept() {
        let mark = Mark::new([1; 16]);
        let out = [frame(&mark, 0, 0), b"half".to_vec()].concat();
        let outputs =
            split(&out.into(), &frame(&mark, 0, 0).into(), &mark, 2, &End::Signalled("KILL".to_owned())).unwrap();
        assert_eq!(outputs[0].status, Status::Signalled("KILL".to_owned()));
        assert_eq!(outputs[0].stdout, "half");
        assert_eq!(outputs[1].status, Status::NotRun);
    }

    #[test]
    fn codes_above_the_signals_stay_codes() {
        assert_eq!(status_of(137), Status::Signalled("KILL".to_owned()));
        assert_eq!(status_of(255), Status::Exited(255));
        assert_eq!(status_of(128), Status::Exited(128));
    }
}
