//! Authentication by keys (edge).
//!
//! At most five keys are offered, because sshd ends the connection after six (`MaxAuthTries`); private keys of files
//! first, else the agent's, else the usual files of the user.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use russh::MethodKind;
use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Certificate, PrivateKeyWithHashAlg};
use tokio::net::UnixStream;

use super::SshTransport;
use super::algorithms::rsa_hash;
use super::connect::{Client, Target};
use super::keys::{Identity, PASSPHRASE};
use crate::transport::ConnectError;

const MOST_KEYS: usize = 5;
const USUAL_FILES: [&str; 3] = [".ssh/id_ed25519", ".ssh/id_ecdsa", ".ssh/id_rsa"];

type Agent = AgentClient<UnixStream>;

/// What to offer: a key of a file, or one that the agent holds.
enum Offer {
    File(Identity),
    Agent(Box<AgentIdentity>),
}

impl SshTransport {
    /// Offers one key after the other until the host takes one.
    pub(super) async fn authenticate(
        &self,
        handle: &mut Handle<Client>,
        target: &Target<'_>,
        ended: &OnceLock<String>,
    ) -> Result<(), ConnectError> {
        let mut agent = None;
        let offers = self.offers(target, &mut agent).await?;
        let refused = |reason: String| ConnectError::Authentication {
            address: target.address.to_owned(),
            user: target.user.to_owned(),
            reason,
        };
        let count = offers.len();
        let mut trouble = None;
        for offer in offers {
            let result = match attempt(handle, target.user, offer, &mut agent).await {
                Ok(result) => result,
                // An agent may hold a key and decline to sign with it; the next key may do.
                Err(reason) if !handle.is_closed() => {
                    trouble = Some(reason);
                    continue;
                }
                Err(reason) => return Err(refused(ended.get().cloned().unwrap_or(reason))),
            };
            match result {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure { partial_success: true, .. } => {
                    return Err(refused("it took the key and asks for a second proof".to_owned()));
                }
                AuthResult::Failure { remaining_methods, .. } => {
                    if !remaining_methods.contains(&MethodKind::PublicKey) {
                        let reason = ended.get().cloned();
                        return Err(refused(reason.unwrap_or_else(|| "it takes no more keys".to_owned())));
                    }
                }
            }
        }
        Err(refused(match count {
            _ if trouble.is_some() => trouble.unwrap_or_default(),
            0 => "there is no key to offer (no identity file, no agent, none in `~/.ssh`)".to_owned(),
            1 => "it did not take the one key offered".to_owned(),
            _ => format!("it took none of the {count} keys offered"),
        }))
    }

    async fn offers(&self, target: &Target<'_>, agent: &mut Option<Agent>) -> Result<Vec<Offer>, ConnectError> {
        let files = &target.settings.identity_files;
        let mut offers = Vec::new();
        if files.is_empty() {
            if let Some(socket) = &self.options.agent {
                // Stale sockets are common; what cannot be asked has no keys.
                if let Ok((client, identities)) = ask(socket).await {
                    *agent = Some(client);
                    offers.extend(identities.into_iter().map(Box::new).map(Offer::Agent));
                }
            }
            if offers.is_empty() {
                // Nobody named these, so one that cannot be used matters only where no other can.
                let mut trouble = None;
                for path in self.usual_files() {
                    match self.offer(&path, agent).await {
                        Ok(offer) => offers.push(offer),
                        Err(error) => trouble = Some(error),
                    }
                }
                if let (true, Some(error)) = (offers.is_empty(), trouble) {
                    return Err(error);
                }
            }
        }
        for path in files.iter().take(MOST_KEYS) {
            offers.push(self.offer(path, agent).await?);
        }
        offers.truncate(MOST_KEYS);
        Ok(offers)
    }

    /// A file's key; the agent's own copy of it where the file has a passphrase.
    async fn offer(&self, path: &Path, agent: &mut Option<Agent>) -> Result<Offer, ConnectError> {
        match self.keys.load(&self.expanded(path))? {
            Identity::Locked { path, public } => {
                let locked = || ConnectError::Key { path: path.display().to_string(), reason: PASSPHRASE.to_owned() };
                let socket = self.options.agent.as_ref().ok_or_else(locked)?;
                let (client, identities) = ask(socket).await.map_err(|_| locked())?;
                *agent = Some(client);
                let is_it = |identity: &AgentIdentity| *plain(identity) == *public.key_data();
                identities.into_iter().find(is_it).map(Box::new).map(Offer::Agent).ok_or_else(locked)
            }
            identity @ Identity::File { .. } => Ok(Offer::File(identity)),
        }
    }

    fn usual_files(&self) -> Vec<PathBuf> {
        let Some(home) = &self.options.home else { return Vec::new() };
        USUAL_FILES.iter().map(|name| home.join(name)).filter(|path| path.exists()).collect()
    }

    /// `~/` is the home directory.
    fn expanded(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), &self.options.home) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        }
    }
}

fn plain(identity: &AgentIdentity) -> &russh::keys::ssh_key::public::KeyData {
    match identity {
        AgentIdentity::PublicKey { key, .. } => key.key_data(),
        AgentIdentity::Certificate { certificate, .. } => certificate.public_key(),
    }
}

async fn ask(socket: &Path) -> Result<(Agent, Vec<AgentIdentity>), russh::keys::Error> {
    let mut agent = AgentClient::connect_uds(socket).await?;
    let identities = agent.request_identities().await?;
    Ok((agent, identities))
}

async fn attempt(
    handle: &mut Handle<Client>,
    user: &str,
    offer: Offer,
    agent: &mut Option<Agent>,
) -> Result<AuthResult, String> {
    let text = |error: russh::Error| error.to_string();
    match (offer, agent) {
        (Offer::File(Identity::File { key, certificate }), _) => {
            if let Some(certificate) = certificate {
                let result =
                    handle.authenticate_openssh_cert(user, Arc::clone(&key), Certificate::clone(&certificate)).await;
                if let Ok(AuthResult::Success) = result {
                    return Ok(AuthResult::Success);
                }
            }
            let hash = rsa_hash(handle, &key.algorithm()).await.map_err(text)?;
            handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await.map_err(text)
        }
        (Offer::Agent(identity), Some(agent)) => {
            let result = match *identity {
                AgentIdentity::PublicKey { key, .. } => {
                    let hash = rsa_hash(handle, &key.algorithm()).await.map_err(text)?;
                    handle.authenticate_publickey_with(user, key, hash, agent).await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    let hash = rsa_hash(handle, &certificate.algorithm()).await.map_err(text)?;
                    handle.authenticate_certificate_with(user, certificate, hash, agent).await
                }
            };
            result.map_err(|error| format!("the agent did not sign: {error}"))
        }
        (Offer::File(Identity::Locked { .. }) | Offer::Agent(_), _) => Err(PASSPHRASE.to_owned()),
    }
}
