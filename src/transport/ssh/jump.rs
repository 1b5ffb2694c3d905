//! Jump hosts: one connection each, shared by all hosts behind it (edge).
//!
//! sshd begins to drop logins in progress at ten (`MaxStartups 10:30:100`), so at most eight hosts are connected to
//! through one jump host at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::SshTransport;
use super::connect::{Link, Target};
use crate::fleet::JumpHost;
use crate::transport::ConnectError;

const AT_A_TIME: usize = 8;
/// All hosts that wait for a jump host share its failure; a later try gets a new one.
const FAILURE_HOLDS: Duration = Duration::from_secs(10);

/// The jump hosts of a run, and the keys that each is entered with.
#[derive(Default)]
pub(super) struct Jumps(Mutex<BTreeMap<Entry, Arc<Jump>>>);

type Entry = (JumpHost, Vec<PathBuf>);

impl std::fmt::Debug for Jumps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Jumps")
    }
}

struct Jump {
    turns: Semaphore,
    state: tokio::sync::Mutex<State>,
}

enum State {
    New,
    Up(Arc<Link>),
    Down(Instant, ConnectError),
}

impl SshTransport {
    /// Connects through a jump host.
    pub(super) async fn through(&self, jump: &JumpHost, target: &Target<'_>) -> Result<Link, ConnectError> {
        let shared = self.jumps.get(jump, &target.settings.identity_files);
        let failed = |source| ConnectError::Jump { jump: jump.address.clone(), source: Box::new(source) };
        let _turn = shared.turns.acquire().await;
        let via = self.enter(&shared, jump, target).await.map_err(failed)?;
        self.over(via, target).await
    }

    async fn enter(&self, shared: &Jump, jump: &JumpHost, target: &Target<'_>) -> Result<Arc<Link>, ConnectError> {
        let mut state = shared.state.lock().await;
        match &*state {
            State::Up(link) if !link.handle.is_closed() => return Ok(Arc::clone(link)),
            State::Down(since, error) if since.elapsed() < FAILURE_HOLDS => return Err(error.clone()),
            State::New | State::Up(_) | State::Down(..) => {}
        }
        let entry = Target { address: &jump.address, port: jump.port, user: &jump.user, settings: target.settings };
        match self.directly(&entry).await {
            Ok(link) => {
                let link = Arc::new(link);
                *state = State::Up(Arc::clone(&link));
                Ok(link)
            }
            Err(error) => {
                *state = State::Down(Instant::now(), error.clone());
                Err(error)
            }
        }
    }
}

impl Jumps {
    fn get(&self, jump: &JumpHost, identities: &[PathBuf]) -> Arc<Jump> {
        let key = (jump.clone(), identities.to_vec());
        let mut jumps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Jump { turns: Semaphore::new(AT_A_TIME), state: tokio::sync::Mutex::new(State::New) });
        Arc::clone(jumps.entry(key).or_insert_with(new))
    }
}
