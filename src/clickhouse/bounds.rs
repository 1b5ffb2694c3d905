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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_server_is_told_to_change_nothing_and_one_row_more_shows_that_there_are_more() {
        let bounds = Bounds { rows: 2, bytes: 10, time: Duration::from_millis(10) };
        let told = bounds.settings();
        for part in ["&readonly=2", "&max_result_rows=3", "&max_execution_time=1"] {
            assert!(told.contains(part), "{told}");
        }
        let rows =
            |count: u32| Rows { columns: vec!["a".to_owned()], rows: (0..count).map(|n| vec![json!(n)]).collect() };
        assert_eq!(bounds.cut(rows(9)), rows(3));
        assert_eq!(bounds.cut(rows(1)), rows(1));
        let all = Bounds { rows: usize::MAX, ..bounds };
        assert_eq!(all.cut(rows(9)), rows(9));
    }
}
