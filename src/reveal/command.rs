//! Runs a command for what it prints (edge): without a shell, for a bounded time, up to a bounded size.

use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::secret::look;

/// Tools that ask a service over the network need a second or two.
const MOST_TIME: Duration = Duration::from_secs(30);
/// Secrets are short; a whole file of them is no megabyte.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// How often it is asked whether a command has ended that closed its output.
const PAUSE: Duration = Duration::from_millis(5);

/// Why a command gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    Words,
    Start(String, io::Error),
    Read(io::Error),
    Time(Duration),
    Size,
    Exit { status: String, said: Option<String> },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words => f.write_str("the command has an open quotation mark"),
            Self::Start(program, error) => write!(f, "cannot run `{program}`: {error}"),
            Self::Read(error) => write!(f, "cannot read the command's output: {error}"),
            Self::Time(limit) => write!(f, "the command was stopped: it took more than {} s", limit.as_secs()),
            Self::Size => write!(f, "the command was stopped: it printed more than {} MB", MOST_BYTES >> 20),
            Self::Exit { status, said: None } => write!(f, "the command failed ({status})"),
            Self::Exit { status, said: Some(said) } => write!(f, "the command failed ({status}): {said}"),
        }
    }
}

/// Runs a line of words; nothing is on its standard input.
pub(super) fn line(line: &str) -> Result<Vec<u8>, Failure> {
    let words = crate::fleet::words(line).ok_or(Failure::Words)?;
    let (program, arguments) = words.split_first().ok_or(Failure::Words)?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::piped());
    run(command, program, limit())
}

/// `HOUSEWRIGHT_EXEC_TIMEOUT`, in seconds, for tools that take longer.
fn limit() -> Duration {
    let seconds = std::env::var("HOUSEWRIGHT_EXEC_TIMEOUT").ok().and_then(|text| text.parse().ok());
    seconds.filter(|seconds| *seconds > 0).map_or(MOST_TIME, Duration::from_secs)
}

/// Runs a command to its end and gives what it printed on standard output.
pub(super) fn run(mut command: Command, program: &str, limit: Duration) -> Result<Vec<u8>, Failure> {
    let end = Instant::now() + limit;
    let mut child =
        command.stdout(Stdio::piped()).spawn().map_err(|error| Failure::Start(program.to_owned(), error))?;
    let output = bytes(child.stdout.take());
    let errors = bytes(child.stderr.take());
    let result = finish(&mut child, &output, &errors, end, limit);
    if result.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    result
}

type Bytes = Receiver<io::Result<Vec<u8>>>;

fn finish(
    child: &mut Child,
    output: &Bytes,
    errors: &Bytes,
    end: Instant,
    limit: Duration,
) -> Result<Vec<u8>, Failure> {
    let left = || end.saturating_duration_since(Instant::now());
    let output = output.recv_timeout(left()).map_err(|_| Failure::Time(limit))?.map_err(Failure::Read)?;
    if output.len() > MOST_BYTES {
        return Err(Failure::Size);
    }
    let status = loop {
        match child.try_wait().map_err(Failure::Read)? {
            Some(status) => break status,
            None if left().is_zero() => return Err(Failure::Time(limit)),
            None => thread::sleep(PAUSE),
        }
    };
    if status.success() {
        return Ok(output);
    }
    let errors = errors.recv_timeout(left()).unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_default();
    Err(Failure::Exit { status: status.to_string(), said: last_line(&errors, &output) })
}

/// Reads in a thread of its own, up to a byte more than is allowed.
fn bytes(pipe: Option<impl Read + Send + 'static>) -> Bytes {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = match pipe {
            Some(pipe) => pipe.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map(drop),
            None => Ok(()),
        };
        let _ = sender.send(read.map(|()| bytes));
    });
    receiver
}

/// The last line of an error's text, up to where it looks like a secret or repeats what was printed.
fn last_line(errors: &[u8], output: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(errors);
    let line: String = text.lines().map(str::trim).rfind(|line| !line.is_empty())?.chars().take(200).collect();
    let printed = String::from_utf8_lossy(output);
    let repeats = printed.split_whitespace().any(|word| word.len() > 3 && line.contains(word));
    if repeats || look::is_secret_value(&line) {
        return None;
    }
    match look::written_secret(&line) {
        Some(at) => Some(format!("{}***", line.get(..at)?)),
        None => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, limit: Duration) -> String {
        let mut command = Command::new("sh");
        command.args(["-c", text]).stdin(Stdio::null()).stderr(Stdio::piped());
        match run(command, "sh", limit) {
            Ok(output) => String::from_utf8_lossy(&output).into_owned(),
            Err(failure) => failure.to_string(),
        }
    }

    #[test]
    fn a_command_gives_what_it_prints_or_says_why_not() {
        let limit = Duration::from_secs(20);
        assert_eq!(said("printf 'a b\n'; echo no >&2", limit), "a b\n");
        assert_eq!(
            said("echo one >&2; echo no such entry >&2; exit 3", limit),
            "the command failed (exit status: 3): no such entry"
        );
        assert_eq!(said("exit 3", limit), "the command failed (exit status: 3)");
        assert_eq!(said("echo token: hunter2 >&2; exit 1", limit), "the command failed (exit status: 1)");
        assert_eq!(
            said("echo hunter2; echo cannot store hunter2 >&2; exit 1", limit),
            "the command failed (exit status: 1)"
        );
        assert_eq!(said("yes", limit), "the command was stopped: it printed more than 1 MB");
    }

    #[test]
    fn a_command_that_does_not_end_is_stopped() {
        for text in ["sleep 15", "exec >&-; sleep 15", "sleep 15 & echo a"] {
            let started = Instant::now();
            assert_eq!(said(text, Duration::from_secs(1)), "the command was stopped: it took more than 1 s");
            assert!(started.elapsed() < Duration::from_secs(10), "{text}");
        }
    }

    #[test]
    fn no_shell_reads_the_line() {
        assert_eq!(line("printf '%s|' 'a b' $HOME `id` \"c\"").unwrap(), b"a b|$HOME|`id`|c|");
        assert_eq!(
            line("no-such-command-here a").unwrap_err().to_string(),
            "cannot run `no-such-command-here`: No such file or directory (os error 2)"
        );
        assert_eq!(line("echo 'a").unwrap_err().to_string(), "the command has an open quotation mark");
    }
}
