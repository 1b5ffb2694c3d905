//! Users, profiles and quotas: `users.xml` and `users.d/` (pure data).

use super::super::rule::Rule;
use super::{KB, reload, restart};

pub(super) const RULES: &[Rule] = &[
    reload(&["users", "quotas", "roles"], "users, quotas and roles are read again on a reload", KB).of_users(),
    restart(
        &["profiles"],
        "new sessions get the changed profile; tables that consume in the background keep the settings of the start",
        KB,
    )
    .of_users()
    .where_tables_consume(),
];
