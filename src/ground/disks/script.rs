//! The few shell scripts that steps are made of (pure): constant texts, to which everything that varies is an argument.

use std::time::Duration;

use crate::ground::Work;

/// Looks at each device before `--` once more, in the process that then runs what is behind it. `mdadm` and `mkfs.xfs` look too;
/// `mkfs.ext4` without a terminal does not.
const BLANK: &str = r#"bad() { echo "$d: $1" >&2; exit 1; }
while [ "$1" != -- ]; do d=$1; shift
b=$(readlink -e -- "$d") && [ -b "$b" ] || bad "no such device"
for p in /sys/class/block/"${b##*/}"/*/partition; do [ ! -e "$p" ] || bad "it has partitions"; done
for h in /sys/class/block/"${b##*/}"/holders/*; do [ ! -e "$h" ] || bad "${h##*/} is on it"; done
! grep -q "^$b " /proc/self/mounts /proc/swaps || bad "it is mounted or swapped to"
s=$(wipefs --no-act --noheadings -- "$b") || bad "it cannot be read"
[ -z "$s" ] || bad "it carries $s"
done; shift; exec "$@""#;

/// The same for a device that may carry something: it, and what is on it, is used by nobody.
const UNUSED: &str = r#"bad() { echo "$d: $1" >&2; exit 1; }
d=$1; b=$(readlink -e -- "$d") && [ -b "$b" ] || bad "no such device"; k=${b##*/}; parts=
for p in /sys/class/block/"$k"/*/partition; do [ -e "$p" ] || continue; p=${p%/partition}; parts="$parts ${p##*/}"; done
for n in $parts "$k"; do
for h in /sys/class/block/"$n"/holders/*; do [ ! -e "$h" ] || bad "${h##*/} is on it"; done
! grep -q "^/dev/$n " /proc/self/mounts /proc/swaps || bad "it is mounted or swapped to"
done
for n in $parts "$k"; do wipefs --all "/dev/$n" || exit 1; done"#;

/// Writes a file that is either old or new, never half.
const WRITE: &str =
    r#"umask 022; mkdir -p "${1%/*}" && printf '%s' "$2" >"$1.housewright" && mv -f "$1.housewright" "$1""#;

fn shell<'a>(script: &'a str, words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    ["sh", "-c", script, "housewright"].into_iter().chain(words).map(str::to_owned).collect()
}

/// Runs a program that destroys what is on devices, if nothing is on them.
pub(super) fn on_blank(what: String, devices: &[String], argv: &[String]) -> Work {
    let words = devices.iter().map(String::as_str).chain(["--"]).chain(argv.iter().map(String::as_str));
    Work { what, argv: shell(BLANK, words), limit: Duration::from_mins(1) }
}

/// Takes what a device carries off it.
pub(super) fn wipe(what: String, device: &str) -> Work {
    Work { what, argv: shell(UNUSED, [device]), limit: Duration::from_mins(1) }
}

/// Writes a file of root's that all may read.
pub(super) fn write(path: &str, content: &str) -> Work {
    Work { what: format!("write {path}"), argv: shell(WRITE, [path, content]), limit: Duration::from_mins(1) }
}
