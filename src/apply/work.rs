//! Programs that change what a host's servers stand on (edge).
//!
//! One whose answer was lost is not run again: it may still be at it, and the next run looks what became of it.

use super::{Run, batch};
use crate::event::chain;
use crate::fleet::HostName;
use crate::ground::Work;
use crate::remote::{Batch, Command, Status};
use crate::transport::advice;

/// What `timeout` of coreutils exits with where it ended the program
/// (<https://www.gnu.org/software/coreutils/manual/html_node/timeout-invocation.html>).
pub(super) const TIMED_OUT: u8 = 124;

/// Runs one.
pub(super) async fn run(host: &HostName, work: &Work, run: &Run<'_>) -> Result<(), (String, Option<String>)> {
    let open = run.open.get(host).ok_or_else(|| ("no connection".to_owned(), None))?;
    let commands = vec![Command::Work { argv: work.argv.clone(), limit: work.limit }];
    let answers = open.session.run(&Batch { commands }).await;
    let answers = answers.map_err(|error| (chain(&error), advice::session(&error, host)))?;
    let output = answers.into_iter().next().ok_or_else(|| ("no answer".to_owned(), None))?;
    if output.status == Status::Exited(TIMED_OUT) {
        return Err((format!("it was ended: it took more than {} s", work.limit.as_secs()), None));
    }
    batch::succeeded(&output).map_err(|reason| (reason, None))
}
