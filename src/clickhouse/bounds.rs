//! How much the answer to somebody's question may cost (pure).
//!
//! The server is told the same bounds that this side keeps to, so neither works for what nobody will see.

use std::time::Duration;

use super::Rows;

/// Bounds of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Rows that are taken.
    pub rows: usize,
    /// Bytes of the answer on the wire.
    pub bytes: usize,
    /// How long the server may work on it.
    pub time: Duration,
}

impl Bounds {
    /// One row more than is taken: it shows that there are more.
    fn asked(&self) -> usize {
        self.rows.saturating_add(1)
    }

    /// The settings that say so to the server, as the end of a URL's query. `readonly = 2` refuses whatever would change
    /// something and leaves the question its own `SETTINGS`; `break` ends at a whole block, and not with an error
    /// ([query complexity](https://clickhouse.com/docs/operations/settings/query-complexity)).
    pub(super) fn settings(&self) -> String {
        format!(
            "&readonly=2&max_result_rows={}&result_overflow_mode=break&max_execution_time={}&cancel_http_readonly_queries_on_client_close=1",
            self.asked(),
            self.time.as_secs().max(1)
        )
    }

    /// Leaves no more rows than were asked for.
    pub(super) fn cut(&self, mut rows: Rows) -> Rows {
        rows.rows.truncate(self.asked());
        rows
    }
}
