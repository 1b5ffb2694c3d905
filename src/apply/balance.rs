//! Makes the disks of one server even, part by part (edge).
//!
//! Which part goes next is not decided here: the planner is asked anew with what the server says then, so that nothing is
//! moved that has changed meanwhile. One move at a time runs on a server, whoever begins it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::balance::{Aim, Course, DISKS, Layout, Move, PARTS, Pool, VOLUMES, Why, next, pools, read, statement};
use crate::clickhouse::{ClickHouse, ClickHouseError, Errand, Statement};
use crate::event::{Event, Sink, chain};
use crate::fleet::HostName;
use crate::migration::recording;

/// What a move is called: a server refuses a second one of that name while the first runs, also where the host's own timer
/// began it.
pub const QUERY_ID: &str = "housewright-balance";

/// Between two looks at a move whose answer was lost.
const PAUSE: Duration = Duration::from_secs(5);
/// So many moves in a row that the server refuses for no fault of the part show that the others would be refused as well.
const MOST_REFUSALS: usize = 3;
/// What a move takes beside its bytes; the server, not this, keeps to the rate.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// A disk may be this much slower than the rate that is asked for.
const SLOWER: u64 = 4;

/// `QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING`.
const ALREADY_RUNS: i32 = 216;
/// `UNKNOWN_TABLE`, `UNKNOWN_DATABASE`, `NO_SUCH_DATA_PART`, `PART_IS_TEMPORARILY_LOCKED`, and `UNKNOWN_DISK` for a part that
/// is there already: it was merged, dropped or taken meanwhile, and the next look shows what is there instead.
const GONE: [i32; 5] = [60, 81, 232, 384, 479];

/// How a server's disks are made even.
pub struct Balance<'a> {
    /// How even.
    pub aim: Aim,
    /// Bytes that are moved in a second.
    pub rate: u64,
    /// Set when the operator wants an end: no further move is begun.
    pub stop: &'a AtomicBool,
    /// Who is told.
    pub sink: &'a dyn Sink,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Balanced {
    /// What went, in order.
    pub moved: Vec<Move>,
    /// What did not go, and why.
    pub left: Vec<(Move, String)>,
    /// How full the disks were when it was looked at last.
    pub after: Vec<Pool>,
    /// Why nothing more was moved.
    pub end: BalanceEnd,
}

/// Why a run ended on a server.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum BalanceEnd {
    /// There is nothing more to do.
    Done(Why),
    /// The operator wanted it.
    Interrupted,
    /// Somebody else moves parts there.
    Held(String),
    /// The server does not answer, or refuses.
    Failed(String),
}

/// Asks a server for its disks and what lies on them.
///
/// # Errors
/// It does not answer, or not so.
pub async fn ask_layout(clickhouse: &dyn ClickHouse) -> Result<Layout, ClickHouseError> {
    let disks = clickhouse.execute(&Statement::new(DISKS)).await?;
    let volumes = clickhouse.execute(&Statement::new(VOLUMES)).await?;
    let parts = clickhouse.execute(&Statement::new(PARTS)).await?;
    read(&disks, &volumes, &parts)
}

/// What one try to move a part came to.
enum Tried {
    Moved,
    Gone(String),
    Refused(String),
    End(BalanceEnd),
}

/// Moves parts until the planner has no more, or somebody wants an end.
pub async fn balance(host: &HostName, clickhouse: &dyn ClickHouse, run: &Balance<'_>) -> Balanced {
    let mut course = Course::default();
    let mut done = Balanced { moved: Vec::new(), left: Vec::new(), after: Vec::new(), end: BalanceEnd::Interrupted };
    let mut refusals = 0;
    loop {
        let layout = match ask_layout(clickhouse).await {
            Ok(layout) => layout,
            Err(error) => {
                done.end = BalanceEnd::Failed(chain(&error));
                return done;
            }
        };
        done.after = pools(&layout);
        if run.stop.load(Ordering::Relaxed) {
            return done;
        }
        let step = match next(&layout, &run.aim, &course) {
            Ok(step) => step,
            Err(why) => {
                done.end = BalanceEnd::Done(why);
                return done;
            }
        };
        let words = words(&step);
        run.sink.emit(Event::StepStarted { host: host.clone(), step: words.clone() });
        match tried(host, clickhouse, &step, run).await {
            Tried::Moved => {
                refusals = 0;
                course.note(&step, step.bytes);
                run.sink.emit(Event::StepFinished { host: host.clone(), step: words });
                done.moved.push(step);
            }
            Tried::Gone(why) => {
                course.note(&step, 0);
                done.left.push((step, why));
            }
            Tried::Refused(why) => {
                refusals += 1;
                course.note(&step, 0);
                done.left.push((step, why.clone()));
                if refusals >= MOST_REFUSALS {
                    done.end = BalanceEnd::Failed(why);
                    return done;
                }
            }
            Tried::End(end) => {
                done.end = end;
                return done;
            }
        }
    }
}

fn words(step: &Move) -> String {
    let part = &step.part;
    let size = crate::size::words(step.bytes);
    format!("move {}.{} {}, {size}, {} -> {}", part.database, part.table, part.part, step.from, step.to)
}

async fn tried(host: &HostName, clickhouse: &dyn ClickHouse, step: &Move, run: &Balance<'_>) -> Tried {
    let statement = statement(step, run.rate);
    let limit = Duration::from_secs(step.bytes / run.rate.max(1) * SLOWER).saturating_add(LONGEST_WAIT);
    let lost = match clickhouse.run(&Errand { statement: &statement, query_id: QUERY_ID, limit }).await {
        Ok(()) => return Tried::Moved,
        Err(ClickHouseError::Exception { code: ALREADY_RUNS, .. }) => {
            return Tried::End(BalanceEnd::Held("another run moves a part there".to_owned()));
        }
        Err(error @ ClickHouseError::Exception { code, .. }) if GONE.contains(&code) => {
            return Tried::Gone(chain(&error));
        }
        Err(error @ ClickHouseError::Exception { .. }) => return Tried::Refused(chain(&error)),
        Err(error) => chain(&error),
    };
    run.sink.emit(Event::AnswerLost { host: host.clone(), step: words(step), reason: lost });
    match ended(clickhouse, step, run).await {
        Ok(tried) => tried,
        Err(error) => Tried::End(BalanceEnd::Failed(chain(&error))),
    }
}

/// The server goes on with a move whose asker is gone: waits for its end, and looks where the part is.
async fn ended(clickhouse: &dyn ClickHouse, step: &Move, run: &Balance<'_>) -> Result<Tried, ClickHouseError> {
    while clickhouse.execute(&recording::ask_runs(QUERY_ID)).await?.number(0, "runs") != Some(0) {
        if run.stop.load(Ordering::Relaxed) {
            return Ok(Tried::End(BalanceEnd::Interrupted));
        }
        tokio::time::sleep(PAUSE).await;
    }
    let layout = ask_layout(clickhouse).await?;
    let part = layout.parts.iter().find(|part| part.name == step.part);
    Ok(match part {
        Some(part) if part.disk == step.to => Tried::Moved,
        Some(_) => Tried::Gone("it is where it was; the answer was lost".to_owned()),
        None => Tried::Gone("it is gone; the answer was lost".to_owned()),
    })
}
