//! Turns a batch into one remote command line and what goes to its stdin (pure).
//!
//! The only place that quotes. No content and no digest is in the command line, which every user of the host can see.
//! The script holds no newline, no backslash pair and no single quote of its own, so that every login shell passes it
//! on as it is; an argument with a single quote needs a POSIX login shell.

mod lock;
mod staged;
mod write;

use std::fmt::Write as _;

use bytes::Bytes;

use super::framing::Mark;
use crate::fleet::Privilege;
use crate::remote::{Batch, Command, RemotePath, TreeRead, UnitName};

pub use lock::{Claim, LOCKED, Taken, begun, lock, taken};
pub use write::STAGING;

/// The exit code of a [`Command::Write`] whose expectation does not hold.
pub const EXPECTATION_FAILED: u8 = 73;
/// The exit code of a [`Command::Write`] whose files arrived damaged.
pub const CONTENT_DAMAGED: u8 = 74;
/// The exit code of a [`Command::Write`] that failed after all checks: some of its files may be new already.
pub const PARTLY_WRITTEN: u8 = 76;

/// The exit code of a [`Command::Write`] whose configuration the host's own ClickHouse refuses: nothing was written.
pub const STAGED_REFUSED: u8 = 77;

/// What is sent to a host for one batch.
#[derive(Debug, Clone)]
pub struct Script {
    /// For the login shell.
    pub line: String,
    /// For the stdin of the process; it may hold secrets.
    pub stdin: Bytes,
}

/// Why a batch cannot be sent.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ShellError {
    /// Two archives do not fit through one stdin.
    #[error("it holds more than one write")]
    TwoWrites,
    /// No program takes such an argument.
    #[error("an argument holds a zero byte")]
    ZeroByte,
    /// A file's owner, group or name does not fit into an archive.
    #[error("the archive cannot be made: {0}")]
    Archive(String),
}

/// Linux takes at most 128 KiB per argument (`MAX_ARG_STRLEN`, <https://man7.org/linux/man-pages/man2/execve.2.html>);
/// a longer script goes ahead of the archive through stdin, which costs the shell one system call per byte.
const LONGEST_LINE: usize = 96 * 1024;

/// Writes a batch as one command line.
///
/// # Errors
/// Refuses a batch that breaks the rules of [`Batch`].
pub fn encode(batch: &Batch, privilege: Privilege, mark: &Mark) -> Result<Script, ShellError> {
    let mut script = prelude(mark);
    let mut stdin = None;
    for (index, command) in batch.commands.iter().enumerate() {
        if let Command::Write(set) = command {
            let write = write::encode(set, mark)?;
            if stdin.replace(write.stdin).is_some() {
                return Err(ShellError::TwoWrites);
            }
            script.push_str(&write.script);
        } else {
            script.push_str(&words(command));
        }
        let _ = write!(script, ";end_ {} $?;", index + 1);
    }
    if script.contains('\0') {
        return Err(ShellError::ZeroByte);
    }
    Ok(wrap(&script, privilege, mark, stdin.unwrap_or_default()))
}

/// A command that brings nothing along.
fn words(command: &Command) -> String {
    match command {
        Command::Run { argv } if argv.is_empty() => "as_ 127".to_owned(),
        // `exec` takes neither builtins, functions nor reserved words, and the subshell is the process that it needs.
        Command::Run { argv } => format!("(exec{} </dev/null)", quoted(argv)),
        Command::Ask { argv } => format!("ask_{}", quoted(argv)),
        Command::Work { argv, limit } => {
            format!("(exec timeout -k {GRACE} {}{} </dev/null)", limit.as_secs(), quoted(argv))
        }
        // Without names, tar refuses and `systemctl show` tells of something else.
        Command::Read { paths } if paths.is_empty() => ":".to_owned(),
        Command::UnitState { units } if units.is_empty() => ":".to_owned(),
        Command::Read { paths } => format!("read_{}", quoted(paths.iter().map(RemotePath::as_str))),
        Command::ReadTree(tree) => format!("tree_ {} {}{}", tree.most_files, tree.most_kib, globs(tree)),
        Command::UnitState { units } => {
            let units = quoted(units.iter().map(UnitName::as_str));
            format!("systemctl show -p {PROPERTIES} --no-pager --{units} </dev/null")
        }
        Command::Unit { unit, action } => {
            format!("unit_ {action}{}", quoted([unit.as_str()]))
        }
        Command::DaemonReload => "systemctl daemon-reload </dev/null".to_owned(),
        Command::Write(_) => String::new(),
    }
}

/// How long a question may take: one to a disk that does not answer any more never ends.
const QUESTION: u64 = 30;
/// How long a program that was told to end may take, before it is killed.
const GRACE: u64 = 5;

const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,UnitFileState,NeedDaemonReload";

fn wrap(script: &str, privilege: Privilege, mark: &Mark, stdin: Bytes) -> Script {
    let shell = match privilege {
        Privilege::Login => "exec sh -c",
        Privilege::Sudo => "exec sudo -n sh -c",
    };
    let line = format!("{shell} '{}'", script.replace('\'', r"'\''"));
    if line.len() <= LONGEST_LINE {
        return Script { line, stdin };
    }
    let end = &mark.right;
    let line = format!(
        "{shell} 's=;while IFS= read -r l&&[ \"$l\" != {end} ];do s=\"$s$l\n\";done;[ \"$l\" = {end} ]&&eval \"$s\"'"
    );
    let ahead = format!("{script}\n{end}\n");
    Script { line, stdin: [ahead.as_bytes(), &stdin].concat().into() }
}

/// The functions that the script's commands use, and the first mark.
///
/// `read_`: a path that does not exist is no failure, every other complaint of tar is. `--hard-dereference`, because
/// the second name of a file would come without its content. `tree_`: a pattern that nothing matches stays as it is.
/// `ask_`: a question that fails is an answer.
/// `unit_`: a unit that died often is not started any more until somebody resets it; whoever mended it wants it to start.
/// ClickHouse's programs say why they do not start in a log of their own, past the journal.
fn prelude(mark: &Mark) -> String {
    let Mark { left, right } = mark;
    format!(
        concat!(
            r#"LC_ALL=C;export LC_ALL;PATH="$PATH:/usr/sbin:/sbin";umask 022;"#,
            r#"mark_(){{ printf "%s%s %s %s\n" {left} {right} $1 $2;printf "%s%s %s %s\n" {left} {right} $1 $2 >&2; }};"#,
            r#"end_(){{ mark_ $1 $2;[ $2 = 0 ]||exit 0; }};"#,
            r#"as_(){{ return $1; }};"#,
            r#"read_(){{ {{ x=$(exec tar -cPf - --format=gnu --no-recursion --hard-dereference -- "$@" 2>&1 >&3 3>&- </dev/null); }} 3>&1;"#,
            r#"r=$?;if [ $r != 2 ];then [ -z "$x" ]||printf "%s\n" "$x" >&2;return $r;fi;"#,
            r#"n=$(printf "\nx");IFS=${{n%x}};set -f;r=0;for l in $x;do case $l in "#,
            r#"*": Cannot stat: No such file or directory"|"tar: Exiting with failure status due to previous errors");;"#,
            r#"*)r=2;printf "%s\n" "$l" >&2;;esac;done;unset IFS;set +f;return $r; }};"#,
            r#"tree_(){{ m=$1;k=$2;shift 2;n=$#;for p;do if [ -e "$p" ]||[ -L "$p" ];then set -- "$@" "$p";fi;done;shift $n;"#,
            r#"[ $# != 0 ]||return 0;[ $# -le $m ]||{{ echo "more than $m files" >&2;return 1; }};"#,
            r#"x=$(exec find "$@" -maxdepth 0 -size +"$k"k -printf "%p: larger than $k KiB" </dev/null)||return;"#,
            r#"[ -z "$x" ]||{{ printf "%s\n" "$x" >&2;return 1; }};read_ "$@"; }};"#,
            r#"ask_(){{ timeout -k {grace} {question} "$@" </dev/null;printf "\n%s\n" $?; }};"#,
            r#"unit_(){{ [ "$1" = enable ]||systemctl reset-failed "$2" </dev/null 2>/dev/null;b=$(date +%s);"#,
            r#"systemctl "$1" "$2" </dev/null&&return;r=$?;[ "$1" != enable ]||return $r;l=/var/log/$2/$2.err.log;"#,
            r#"[ -z "$(find "$l" -newermt "@$b" 2>/dev/null)" ]||tail -n 40 "$l" </dev/null >&2;"#,
            r#"journalctl -u "$2" -n 60 --no-pager -o cat </dev/null >&2;return $r; }};"#,
            "mark_ 0 0;"
        ),
        left = left,
        right = right,
        grace = GRACE,
        question = QUESTION
    )
}

/// A pattern of the inner shell for each directory and ending; `*` matches no name that begins with a dot.
fn globs(tree: &TreeRead) -> String {
    let mut text = String::new();
    for directory in &tree.directories {
        for ending in &tree.endings {
            text.push_str(&quoted([directory.as_str().trim_end_matches('/')]));
            text.push_str("/*");
            for character in ending.chars() {
                if character.is_ascii_alphabetic() {
                    let _ = write!(text, "[{}{}]", character.to_ascii_lowercase(), character.to_ascii_uppercase());
                } else {
                    quote(&mut text, character.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }
    text
}

/// The arguments for the inner shell, each with a space before it.
fn quoted<I: IntoIterator>(arguments: I) -> String
where
    I::Item: AsRef<str>,
{
    let mut text = String::new();
    for argument in arguments {
        text.push(' ');
        quote(&mut text, argument.as_ref());
    }
    text
}

/// Appends an argument so that a POSIX shell reads it back as it is.
fn quote(text: &mut String, argument: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+,".contains(&byte);
    if !argument.is_empty() && argument.bytes().all(plain) {
        text.push_str(argument);
        return;
    }
    text.push('"');
    for character in argument.chars() {
        if matches!(character, '"' | '\\' | '$' | '`') {
            text.push('\\');
        }
        text.push(character);
    }
    text.push('"');
}

#[cfg(test)]
mod tests;
