//! The host's own ClickHouse reads its configuration as it will be, before the first file is renamed (pure).
//!
//! What it refuses is not written. It touches neither data nor logs: the merge is the server's own
//! (`extract-from-config`), and users are read by a `clickhouse local` with nothing but them, in a directory that goes
//! with the check. A tree that is refused already says nothing about the change, and one that takes values from
//! elsewhere is only merged: the server's environment is not ours.

use std::fmt::Write as _;

use super::quoted;
use crate::remote::RemotePath;

/// A binary that answers later answers never; such a check counts as passed.
const PATIENCE_SECONDS: u32 = 30;

/// As much of the server's message as is told.
const MOST_SAID: u32 = 600;

/// The functions that [`call`] uses.
///
/// `ask_` reads one tree; its message is in `x`. `clickhouse local` knows neither own prefixes of settings nor
/// constraints that replace, whatever its configuration says (measured on 25.8): these complaints are its own.
pub(super) fn functions(staging: &str) -> String {
    let mut text = String::new();
    let _ = write!(
        text,
        concat!(
            r#"run_(){{ x=$(cd "$t";timeout {patience} "$c" "$@" 2>&1 </dev/null >/dev/null);r=$?;[ $r != 124 ]||r=0;"#,
            r#"case $x in *DB::Exception*)[ $r != 0 ]||r=1;;esac;return $r; }};"#,
            r#"ask_(){{ run_ extract-from-config --config-file "$1/config.xml" --key logger --try||return;"#,
            r#"[ -f "$1/users.xml" ]||return 0;run_ extract-from-config --config-file "$1/users.xml" --key profiles --try||return;"#,
            r#"if grep -rqs -e from_env -e from_zk -e incl= "$1/users.xml" "$1/users.d";then return 0;fi;"#,
            r#"rm -rf -- "$t/data";printf "<clickhouse><users_config>%s</users_config></clickhouse>" "$1/users.xml" >"$t/check.xml";"#,
            r#"run_ local --config-file "$t/check.xml" --path "$t/data" -q "SELECT 1"&&return 0;"#,
            r#"case $x in *"changeable_in_readonly for"*)return 0;;*"Unknown setting"*);;*)return $r;;esac;"#,
            r#"for p in $(timeout {patience} "$c" extract-from-config --config-file "$1/config.xml" --key custom_settings_prefixes --try 2>/dev/null </dev/null|tr , " ");"#,
            r#"do case $x in *"Unknown setting "?"$p"*)return 0;;esac;done;return $r; }};"#,
            r#"staged_(){{ c=$(command -v clickhouse)||return 0;[ -f "$1/config.xml" ]||return 0;"#,
            r#"t=$(mktemp -d -p /run housewright.XXXXXX 2>/dev/null||mktemp -d)||return 0;check_ "$@";r=$?;rm -rf -- "$t" </dev/null;return $r; }};"#,
            r#"check_(){{ for n in config.xml users.xml config.d conf.d users.d;do if [ -e "$1/$n" ];then cp -rL -- "$1/$n" "$t/" </dev/null||return 0;fi;done;"#,
            r#"g=$1;shift;for f;do rm -f -- "$t/$f" </dev/null||return 0;done;set -- "$g";"#,
            r#"for n in . config.d conf.d users.d;do for f in "$1/$n"/{staging}/*;do if [ -f "$f" ];then mkdir -p -- "$t/$n"&&cp -- "$f" "$t/$n/" </dev/null||return 0;fi;done;done;"#,
            r#"ask_ "$t"&&return 0;k_=$r;y=$x;if ! ask_ "$1";then return 0;fi;"#,
            r#"[ -n "$y" ]||y="it ended with $k_";y=${{y%%Stack trace*}};"#,
            r#"printf "clickhouse refuses the configuration as it would be: %.{most}s\n" "$y"|sed "s,$t,$1,g" >&2;return 1; }};"#,
        ),
        patience = PATIENCE_SECONDS,
        staging = staging,
        most = MOST_SAID,
    );
    text
}

/// Checks the tree below a directory together with what is unpacked in it, and without what is going to be removed.
pub(super) fn call(root: &RemotePath, removals: &[RemotePath]) -> String {
    let below = format!("{root}/");
    let gone = removals.iter().filter_map(|path| path.as_str().strip_prefix(&below));
    format!("staged_{}", quoted([root.as_str()].into_iter().chain(gone)))
}
