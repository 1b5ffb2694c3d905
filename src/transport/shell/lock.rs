//! The script that holds a host's lock for as long as its stdin is open (pure).
//!
//! One process of the host stays: `cat`, which has inherited the locked file. The kernel releases the lock with it,
//! whatever ends it. The file tells who has the lock; only its owner can open it, so nobody else can hold it.

use super::{ShellError, quoted};
use crate::fleet::Privilege;
use crate::transport::framing::Mark;

/// The exit code of the script where somebody else holds the lock; none of a write's.
pub const LOCKED: u8 = 75;

/// Of what the holder says of himself, so much is shown.
const MOST_SAID: usize = 200;

/// Whom the lock is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Nobody: it must be free.
    Free,
    /// Also from the same holder: an earlier connection of the same run, which is gone, and whose host has not noticed yet.
    Again,
    /// Whoever has it: the operator says that it is gone for good.
    Anyone,
}

/// How long the process of an earlier connection may take to end, in seconds.
const LAST_WORDS: u32 = 10;

/// Writes the command line; the holder's name is data.
///
/// # Errors
/// Refuses a zero byte.
pub fn lock(file: &str, holder: &str, claim: Claim, privilege: Privilege, mark: &Mark) -> Result<String, ShellError> {
    let Mark { left, right } = mark;
    let (file, holder) = (quoted([file]), quoted([holder]));
    // The process that the file names is ended only where it really has the locked file open.
    let again = match claim {
        Claim::Free => String::new(),
        Claim::Again | Claim::Anyone => format!(
            concat!(
                r#"[ $r != {locked} ]||{{ l=;IFS= read -r l <{file};case "$l" in {holder}", since "*)p="${{l##* pid }}";"#,
                r#"case "$p" in ""|*[!0-9]*);;*)[ ! /proc/$p/fd/9 -ef{file} ]||kill $p;flock -w {last_words} -E {locked} 9;r=$?;;esac;;esac;}};"#,
            ),
            locked = LOCKED,
            file = file,
            holder = if claim == Claim::Again { holder.trim_start() } else { "*" },
            last_words = LAST_WORDS,
        ),
    };
    let script = format!(
        concat!(
            r#"LC_ALL=C;export LC_ALL;PATH="$PATH:/usr/sbin:/sbin";umask 077;printf "%s%s begun\n" {left} {right};exec 9>>{file}||exit;"#,
            r#"flock -n -E {locked} 9;r=$?;{again}"#,
            r#"[ $r != {locked} ]||{{ printf "%s%s locked\n" {left} {right};cat --{file};a=$(stat -c %Y --{file})&&"#,
            r#"printf "age %s\n" $(($(date +%s)-a));}};[ $r = 0 ]||exit $r;"#,
            r#"printf "%s, since %s, pid %s\n"{holder} "$(date -u +%Y-%m-%dT%H:%M:%SZ)" $$ >{file}||exit;"#,
            r#"printf "%s%s held\n" {left} {right};exec cat >/dev/null"#,
        ),
        file = file,
        locked = LOCKED,
        left = left,
        right = right,
        holder = holder,
        again = again,
    );
    if script.contains('\0') {
        return Err(ShellError::ZeroByte);
    }
    Ok(super::wrap(&script, privilege, mark, bytes::Bytes::new()).line)
}

/// What became of a try.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// The lock is ours.
    Held,
    /// The lock is somebody else's.
    Locked { holder: String },
}

/// Tells whether the script itself has spoken: what went wrong before that is of sudo or the login shell.
#[must_use]
pub fn begun(stdout: &[u8], mark: &Mark) -> bool {
    String::from_utf8_lossy(stdout).contains(&format!("{}{} ", mark.left, mark.right))
}

/// Reads the answer so far; nothing where it is not complete, which only the end of the process can change.
#[must_use]
pub fn taken(stdout: &[u8], mark: &Mark, ended: bool) -> Option<Taken> {
    let text = String::from_utf8_lossy(stdout);
    let (_, rest) = text.rsplit_once(&format!("{}{} ", mark.left, mark.right))?;
    let (word, said) = rest.split_once('\n')?;
    match word {
        "held" => Some(Taken::Held),
        "locked" if ended => {
            let age = said.lines().find_map(|line| line.strip_prefix("age ")?.trim().parse().ok());
            let said = said.lines().next().filter(|line| !line.starts_with("age ")).unwrap_or_default();
            let said: String = said.chars().filter(|character| !character.is_control()).take(MOST_SAID).collect();
            let holder = if said.is_empty() { "it has not said who it is yet".to_owned() } else { said };
            Some(Taken::Locked { holder: age.map_or(holder.clone(), |age| format!("{holder}, for {}", duration(age))) })
        }
        _ => None,
    }
}

/// Seconds as people say them.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}
