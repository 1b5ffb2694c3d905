//! A simulated server that loses its session with the coordination, or lags behind its replicas (edge).
//!
//! As on 25.8: ALTER, CREATE and DROP of a replicated table end with KEEPER_EXCEPTION, whether they took hold or not; what is
//! read-only takes no ALTER; and one whose metadata is older than its replicas' refuses to alter it.

use super::SimServer;
use super::objects::names;
use super::server::exception;
use crate::clickhouse::{ClickHouseError, Statement};
use crate::schema::ObjectName;

/// A session that is lost in the middle of statements about replicated tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLoss {
    /// So many of them end so.
    pub statements: u32,
    /// They took hold all the same.
    pub done: bool,
}

impl SimServer {
    /// Whether this statement meets the loss of the session; says whether it is done all the same.
    pub(super) fn loses_its_session(&mut self, statement: &Statement) -> Option<bool> {
        let loss = self.session_loss.as_mut().filter(|loss| loss.statements > 0)?;
        let text = statement.text();
        let begins = |word: &str| text.starts_with(word);
        let is_replicated = text.contains("Replicated")
            || self.objects.iter().any(|object| object.engine.starts_with("Replicated") && names(text, &object.name));
        let looks = text.contains("FROM system.zookeeper");
        if !(looks || is_replicated && (begins("ALTER") || begins("CREATE") || begins("DROP"))) {
            return None;
        }
        loss.statements -= 1;
        Some(loss.done)
    }

    /// Why a replicated table cannot be altered here and now.
    pub(super) fn cannot_alter(&self, table: &ObjectName) -> Result<(), ClickHouseError> {
        let is_replicated =
            |object: &&crate::schema::ObservedObject| object.name == *table && object.engine.starts_with("Replicated");
        if !self.objects.iter().any(|object| is_replicated(&object)) {
            return Ok(());
        }
        if self.readonly() > 0 {
            return Err(exception(242, "TABLE_IS_READ_ONLY", "Table is in readonly mode"));
        }
        if self.behind.iter().any(|(_, statement)| names(statement.text(), table)) {
            let text = "Metadata on replica is not up to date with common metadata in Zookeeper";
            return Err(exception(517, "CANNOT_ASSIGN_ALTER", text));
        }
        Ok(())
    }
}

pub(super) fn connection_loss() -> ClickHouseError {
    exception(999, "KEEPER_EXCEPTION", "Coordination error: Connection loss")
}
