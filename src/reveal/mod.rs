//! The values of secrets: from the environment, files, commands and vaults (edge).
//!
//! Each is read once, those that take time side by side; no problem holds a value.

mod command;
mod digest_key;
mod password;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use digest_key::{DigestKeyError, Missing, digest_key};
pub use password::{Ask, Origin, PasswordSource, Passwords};

use crate::inventory::load::inventory_text;
use crate::inventory::{Documents, Inventory, vaulted};
use crate::problem::{Problem, Span, io_words};
use crate::secret::keyring::{Keyring, OpenError};
use crate::secret::{Held, Secret, SecretRef, SecretStore, Vaulted};

/// Commands that run at the same time; also the most threads that decrypt.
const MOST_AT_ONCE: usize = 8;

/// Opens the files that are vaulted as a whole; asks for passwords only where there is one.
pub fn open_files(documents: &mut Documents, passwords: &Passwords, problems: &mut Vec<Problem>) {
    let closed: Vec<_> = vaulted::closed(documents).collect();
    if closed.is_empty() {
        return;
    }
    let keyring = passwords.keyring();
    let vaults: Vec<_> = closed.iter().map(vaulted::Closed::vault).collect();
    let opened = side_by_side(&vaults, |vault| keyring.as_ref().ok().map(|keyring| keyring.open(&vault.text)));
    for (file, opened) in closed.into_iter().zip(opened) {
        match opened {
            Some(Ok(plain)) => {
                let path = PathBuf::from(&file.vault().span.source.name);
                file.open(&plain, |source, problems| inventory_text(&path, source, problems), problems);
            }
            Some(Err(error)) => {
                problems.push(stays_closed(&error, "this file").at(&file.vault().span));
                file.forget();
            }
            None => file.forget(),
        }
    }
    problems.extend(keyring.err());
}

/// Reads the values of secrets; the inventory tells what is held at the places of vaulted ones.
///
/// # Errors
/// Names each secret that cannot be read; never a value.
pub fn values(
    wanted: &BTreeSet<SecretRef>,
    inventory: &Inventory,
    passwords: &Passwords,
) -> Result<SecretStore, Vec<Problem>> {
    let (vaults, others): (Vec<&SecretRef>, Vec<&SecretRef>) =
        wanted.iter().partition(|reference| matches!(reference, SecretRef::Vault(_)));
    let (mut store, mut problems) = (SecretStore::default(), Vec::new());
    for (reference, value) in others.iter().zip(side_by_side(&others, |reference| elsewhere(reference))) {
        match value {
            Ok(value) => store.insert((*reference).clone(), Secret::new(value)),
            Err(what) => problems.push(what),
        }
    }
    if !vaults.is_empty() {
        let held = inventory.vaulted();
        let vaulted = vaults.into_iter().filter_map(|reference| match reference {
            SecretRef::Vault(vaulted) => Some(vaulted),
            SecretRef::Env(_) | SecretRef::File(_) | SecretRef::Exec(_) => None,
        });
        decrypt(&vaulted.collect::<Vec<_>>(), &held, passwords, &mut store, &mut problems);
    }
    if problems.is_empty() { Ok(store) } else { Err(problems) }
}

/// What is at each place: the reference's own, else the inventory's.
fn decrypt(
    wanted: &[&Vaulted],
    inventory: &BTreeMap<Vaulted, Span>,
    passwords: &Passwords,
    store: &mut SecretStore,
    problems: &mut Vec<Problem>,
) {
    let found: Vec<(&Vaulted, Option<&Span>)> = wanted
        .iter()
        .map(|vaulted| inventory.get_key_value(*vaulted).map_or((*vaulted, None), |(own, span)| (own, Some(span))))
        .collect();
    let closed = |vaulted: &Vaulted| matches!(vaulted.held(), Some(Held::Text(_)));
    let keyring = if found.iter().any(|(vaulted, _)| closed(vaulted)) { passwords.keyring() } else { Ok(&EMPTY) };
    let keyring = match keyring {
        Ok(keyring) => keyring,
        Err(problem) => return problems.push(problem),
    };
    let opened = side_by_side(&found, |(vaulted, _)| match vaulted.held()? {
        Held::Value(value) => Some(Ok(value.clone())),
        Held::Text(vault) => Some(keyring.open(vault)),
    });
    // A thousand values without a password are one problem.
    let mut without_password = Vec::new();
    for ((vaulted, span), opened) in found.into_iter().zip(opened) {
        let reference = SecretRef::Vault(vaulted.clone());
        let closed = |error: &OpenError| Problem {
            span: span.cloned(),
            ..stays_closed(error, &format!("secret `{reference}`"))
        };
        match opened {
            Some(Ok(value)) => store.insert(reference, value),
            Some(Err(error @ OpenError::NoPassword)) => without_password.push(closed(&error)),
            Some(Err(error)) => problems.push(closed(&error)),
            None => problems.push(Problem::new("HW0509", format!("secret `{reference}`: nothing is at this place"))),
        }
    }
    let others = without_password.len().saturating_sub(1);
    if let Some(mut problem) = without_password.into_iter().next() {
        if others > 0 {
            problem.message = format!("{} (and {others} more need one)", problem.message);
        }
        problems.push(problem);
    }
}

static EMPTY: Keyring = Keyring::new();

fn stays_closed(error: &OpenError, what: &str) -> Problem {
    let code = match error {
        OpenError::NoPassword => "HW0131",
        OpenError::Wrong { .. } => "HW0132",
        OpenError::Damaged(_) | OpenError::NotText => "HW0130",
    };
    let problem = Problem::new(code, format!("{what}: {error}"));
    match error {
        OpenError::NoPassword => problem.hint(
            "give it: `--vault-password-file FILE`, `--vault-id LABEL@FILE`, `--ask-vault-pass`, or ANSIBLE_VAULT_PASSWORD_FILE",
        ),
        OpenError::Wrong { label: Some(label), .. } => problem.hint(format!("name its password: `--vault-id {label}@FILE`")),
        OpenError::Wrong { .. } | OpenError::Damaged(_) | OpenError::NotText => problem,
    }
}

fn elsewhere(reference: &SecretRef) -> Result<String, Problem> {
    let said = |what: String| Problem::new("HW0509", format!("secret `{reference}`: {what}"));
    let value = match reference {
        SecretRef::Env(name) => std::env::var(name).map_err(|error| match error {
            std::env::VarError::NotPresent => {
                said("the environment variable is not set".to_owned()).hint(format!("export {name}=..."))
            }
            std::env::VarError::NotUnicode(_) => said("the environment variable is not UTF-8".to_owned()),
        })?,
        SecretRef::File(path) => {
            let file = fs::File::open(path);
            let unreadable = |error: io::Error| said(format!("cannot read the file: {}", io_words(&error)));
            let mut bytes = Vec::new();
            let mut file = file.map_err(unreadable)?.take(command::MOST_BYTES as u64 + 1);
            file.read_to_end(&mut bytes).map_err(unreadable)?;
            if bytes.len() > command::MOST_BYTES {
                return Err(said("the file is larger than 1 MB".to_owned()));
            }
            without_newline(String::from_utf8(bytes).map_err(|_| said("the file is not UTF-8".to_owned()))?)
        }
        SecretRef::Exec(line) => {
            let output = command::line(line).map_err(|error| said(error.to_string()))?;
            without_newline(String::from_utf8(output).map_err(|_| said("its output is not UTF-8".to_owned()))?)
        }
        SecretRef::Vault(_) => return Err(said("it is read from the inventory".to_owned())),
    };
    if value.is_empty() { Err(said("it is empty".to_owned())) } else { Ok(value) }
}

fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// Works on all items in a few threads; the answers are in the order of the items.
fn side_by_side<T: Sync, A: Send>(items: &[T], work: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let next = AtomicUsize::new(0);
    let answers: Mutex<Vec<(usize, A)>> = Mutex::new(Vec::with_capacity(items.len()));
    let one_by_one = || {
        while let Some((at, item)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, items.get(at)?)))
        {
            let answer = work(item);
            answers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, answer));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..items.len().min(MOST_AT_ONCE) {
            scope.spawn(one_by_one);
        }
        one_by_one();
    });
    let mut answers = answers.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
