//! Writes into manifests that files of others are ours now (edge).
//!
//! Each host is locked meanwhile. A write whose answer was lost is looked for on the host, and not done twice.

use std::collections::BTreeMap;

use futures_util::StreamExt;

use super::there::There;
use super::{batch, write};
use crate::event::chain;
use crate::fleet::HostName;
use crate::observe::Open;
use crate::remote::{Batch, Command};
use crate::resource::{Manifest, Takeover};
use crate::transport::{SessionError, advice};

/// A lost answer is looked for, and the write done again where the host has nothing of it; not for ever.
const MOST_TRIES: u32 = 4;

/// Why a host's files were not taken over, and what to do about it.
pub type Refusal = (String, Option<String>);

/// Takes the files over on every host, at most `at_once` of them at a time; each host's result.
pub async fn adopt(
    hosts: &BTreeMap<HostName, Takeover>,
    open: &BTreeMap<HostName, Open>,
    at_once: usize,
) -> BTreeMap<HostName, Result<(), Refusal>> {
    futures_util::stream::iter(hosts)
        .map(|(host, takeover)| async move {
            let result = match open.get(host) {
                Some(open) => on_host(host, takeover, open).await,
                None => Err(("no connection to it".to_owned(), None)),
            };
            (host.clone(), result)
        })
        .buffer_unordered(at_once.max(1))
        .collect()
        .await
}

async fn on_host(host: &HostName, takeover: &Takeover, open: &Open) -> Result<(), Refusal> {
    let failed = |error: SessionError| (chain(&error), advice::session(&error, host));
    let set = takeover.write().ok_or_else(|| ("its list of files cannot be named".to_owned(), None))?;
    let lock = open.session.lock().await.map_err(failed)?;
    let mut tries = 0;
    let answer = loop {
        tries += 1;
        match open.session.run(&Batch { commands: vec![Command::Write(set.clone())] }).await {
            Err(SessionError::Lost(_)) if tries < MOST_TRIES => {}
            answer => break answer.map_err(failed)?,
        }
        if is_written(takeover, open).await.map_err(failed)? {
            return Ok(());
        }
    };
    let output = answer.first().ok_or_else(|| ("no answer".to_owned(), None))?;
    // What was begun before an answer was lost may have come to its end meanwhile.
    if let Err(reason) = batch::succeeded(output)
        && !(tries > 1 && is_written(takeover, open).await.map_err(failed)?)
    {
        return Err((reason, Some(write::hint_of_write(output, host))));
    }
    drop(lock);
    Ok(())
}

async fn is_written(takeover: &Takeover, open: &Open) -> Result<bool, SessionError> {
    let look = Batch { commands: vec![Command::Read { paths: Manifest::path().into_iter().collect() }] };
    let answer = batch::read(&*open.session, &look).await?;
    let there = answer.first().and_then(|answer| There::read(answer).ok());
    let wanted = takeover.manifest().file();
    Ok(there.zip(wanted).is_some_and(|(there, file)| there.has_content(&file.path, Some(file.content.expose()))))
}
