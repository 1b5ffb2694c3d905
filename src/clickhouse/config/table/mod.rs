//! Which configuration keys a running server takes, and which need a restart (pure data).
//!
//! Within a theme the first rule that fits decides, so a narrower key stands before a wider one; no first-level key is
//! in two themes. A key that no rule names costs a restart.

mod clusters;
mod limits;
mod logs;
mod network;
mod queues;
mod security;
mod server;
mod storage;
mod users;

use super::disruption::{ConfigDirectory, Disruption};
use super::rule::{Audience, Rule, When};

/// The version whose behaviour the table describes; its `config.xml` and `system.server_settings` are covered.
pub const VERSION: &str = "25.8";

/// The server's reload callback, and what it reads at the start only.
const SERVER: &str = "https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.1-lts/programs/server/Server.cpp";
/// What each key is for.
const CONFIG_XML: &str = "https://github.com/ClickHouse/ClickHouse/blob/v25.8.2.1-lts/programs/server/config.xml";
/// The server's own table of which settings it takes without a restart.
pub(super) const SETTINGS: &str = "https://clickhouse.com/docs/operations/system-tables/server_settings";
const KB: &str = "https://kb.altinity.com/altinity-kb-setup-and-maintenance/altinity-kb-server-config-files/";

/// The rules of each theme.
const THEMES: [&[Rule]; 9] = [
    clusters::RULES,
    network::RULES,
    storage::RULES,
    queues::RULES,
    security::RULES,
    logs::RULES,
    limits::RULES,
    server::RULES,
    users::RULES,
];

/// The table: every rule, in the order in which they are asked.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    THEMES.into_iter().flatten()
}

const fn rule(keys: &'static [&'static str], disruption: Disruption, reason: &'static str, link: &'static str) -> Rule {
    Rule {
        directory: ConfigDirectory::Config,
        keys,
        when: When::Always,
        disruption,
        audience: Audience::AllHosts,
        reason,
        link,
    }
}

/// Keys that change nothing by themselves.
const fn none(keys: &'static [&'static str], reason: &'static str, link: &'static str) -> Rule {
    rule(keys, Disruption::None, reason, link)
}

/// Keys that `SYSTEM RELOAD CONFIG` takes.
const fn reload(keys: &'static [&'static str], reason: &'static str, link: &'static str) -> Rule {
    rule(keys, Disruption::Reload, reason, link)
}

/// Keys that tables take when they are attached.
const fn reattach(keys: &'static [&'static str], reason: &'static str, link: &'static str) -> Rule {
    rule(keys, Disruption::Reattach, reason, link)
}

/// Keys that are taken at the start.
const fn restart(keys: &'static [&'static str], reason: &'static str, link: &'static str) -> Rule {
    rule(keys, Disruption::Restart, reason, link)
}

impl Rule {
    /// Only for some changes.
    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// Only a reload where no table consumes in the background.
    const fn where_tables_consume(self) -> Self {
        Self { audience: Audience::Consumers, ..self }
    }

    /// Whether it only repeats the server's own table, so that a host which has that table knows better.
    #[must_use]
    pub fn repeats_the_server(&self) -> bool {
        self.link == SETTINGS
    }

    /// About users, profiles and quotas.
    const fn of_users(self) -> Self {
        Self { directory: ConfigDirectory::Users, ..self }
    }
}
