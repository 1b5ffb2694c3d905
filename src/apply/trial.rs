//! Brings a backup back on one server: into a scratch table that is counted and dropped, or into its own table (edge).
//!
//! What is dropped is asked for first: a database that the trial did not make stays.

use std::time::Duration;

use crate::backup::{BackupRecord, Counted, Trial, Verdict};
use crate::clickhouse::{ClickHouse, ClickHouseError, Errand, Rows, Statement, is_yes};
use crate::event::chain;

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tried {
    /// What came back.
    pub back: Counted,
    /// What the table has now.
    pub live: Counted,
    /// Whether that is what it should be.
    pub verdict: Verdict,
}

/// How much of a backup is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is written about it and its base is read: no rows come back.
    Looked,
    /// Its rows come back and are counted.
    Counted,
}

/// One server, with what bounds the work on it.
pub struct Trier<'a> {
    /// The server.
    pub clickhouse: &'a dyn ClickHouse,
    /// How long one statement may take.
    pub limit: Duration,
    /// What the trial's statements are called there.
    pub id: &'a str,
}

impl Trier<'_> {
    /// Tries a backup; the counts where its rows came back.
    ///
    /// # Errors
    /// Says what the server refused, and where the scratch database is left behind.
    pub async fn attempt(&self, trial: &Trial, record: &BackupRecord, depth: Depth) -> Result<Option<Tried>, String> {
        let made = trial.make(&self.ask(&trial.ask_statement()).await?)?;
        let [database, rest @ ..] = &made;
        // A database of this name that is there already is somebody else's: nothing is dropped then.
        self.send(database, "make").await?;
        let tried = self.within(trial, rest, record, depth).await;
        let left = self
            .clear(trial)
            .await
            .map_err(|why| format!("the database `{}` is left behind: {why}; drop it by hand", trial.database()));
        match (tried, left) {
            (Ok(tried), Ok(())) => Ok(tried),
            (Ok(_), Err(why)) | (Err(why), Ok(())) => Err(why),
            (Err(why), Err(left)) => Err(format!("{why}; {left}")),
        }
    }

    async fn within(
        &self,
        trial: &Trial,
        make: &[Statement],
        record: &BackupRecord,
        depth: Depth,
    ) -> Result<Option<Tried>, String> {
        for (number, statement) in make.iter().enumerate() {
            self.send(statement, &format!("make-{number}")).await?;
        }
        if depth == Depth::Looked {
            return self.send(&trial.look(), "look").await.map(|()| None);
        }
        self.send(&trial.restore(), "restore").await?;
        let read = |rows: &Rows| Counted::read(rows).map_err(|error| chain(&error));
        let back = read(&self.ask(&trial.count_scratch()).await?)?;
        let live = read(&self.ask(&trial.count_live()).await?)?;
        Ok(Some(Tried { back, live, verdict: Verdict::of(back, live, record) }))
    }

    async fn clear(&self, trial: &Trial) -> Result<(), String> {
        if is_yes(&self.ask(&trial.ask_ours()).await?).is_ok() {
            self.send(&trial.drop(), "drop").await
        } else {
            Err("it is not marked as a scratch of ours".to_owned())
        }
    }

    /// Brings a backup back into its own table, which must be there and empty unless `more_rows` is permitted.
    ///
    /// # Errors
    /// Says why nothing was begun, or what the server refused.
    pub async fn restore_live(&self, trial: &Trial, more_rows: bool) -> Result<Counted, String> {
        match Trial::rows(&self.ask(&trial.ask_statement()).await?) {
            None => return Err("the table is not there: `housewright apply` makes it as the role wants it".to_owned()),
            Some(rows) if rows > 0 && !more_rows => {
                return Err(format!(
                    "the table has {rows} rows, and those of the backup would come beside them: `--allow rows-twice` permits it"
                ));
            }
            Some(_) => {}
        }
        self.send(&trial.restore_live(more_rows), "restore-live").await?;
        Counted::read(&self.ask(&trial.count_live()).await?).map_err(|error| chain(&error))
    }

    async fn ask(&self, question: &Statement) -> Result<Rows, String> {
        self.clickhouse.ask(question, &Trial::bounds(self.limit)).await.map_err(|error| chain(&error))
    }

    async fn send(&self, statement: &Statement, what: &str) -> Result<(), String> {
        let query_id = format!("{}-{what}", self.id);
        let errand = Errand { statement, query_id: &query_id, limit: self.limit };
        let lost =
            |error: &ClickHouseError| matches!(error, ClickHouseError::Timeout(_) | ClickHouseError::Unreachable(_));
        self.clickhouse.run(&errand).await.map_err(|error| {
            let behind = if lost(&error) {
                format!("; the server may go on with it as query `{query_id}`")
            } else {
                String::new()
            };
            format!("{}{behind}", chain(&error))
        })
    }
}
