//! Where vault passwords come from: files, scripts, the terminal (edge); nobody is asked before a vault is to be opened.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use super::command;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::secret::keyring::{Keyring, Password};
use crate::secret::vault::VaultText;

/// The label of a password that has none, as Ansible names it.
const DEFAULT: &str = "default";
/// Passwords are short.
const MOST_BYTES: u64 = 64 << 10;
/// A script may ask a person.
const MOST_TIME: Duration = Duration::from_mins(5);

/// Where one vault password comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordSource {
    /// The vault id, where one is named.
    pub label: Option<String>,
    /// The place.
    pub origin: Origin,
}

/// The place of a vault password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file that holds it; an executable one is run and prints it.
    File(PathBuf),
    /// The person at the terminal.
    Prompt,
}

impl PasswordSource {
    /// Reads `LABEL@SOURCE` or `SOURCE`; `prompt` as source is the terminal.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (label, source) = match text.split_once('@') {
            Some((label, source)) => (Some(label.to_owned()).filter(|label| !label.is_empty()), source),
            None => (None, text),
        };
        let origin = match source {
            "prompt" | "prompt_ask_vault_pass" => Origin::Prompt,
            path => Origin::File(expanded(path)),
        };
        Self { label, origin }
    }

    /// A file of the label `default`.
    #[must_use]
    pub fn file(path: &str) -> Self {
        Self { label: None, origin: Origin::File(expanded(path)) }
    }
}

fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(path),
    }
}

/// Whether somebody is asked for a password where no source is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// On a terminal, yes.
    IfTerminal,
    /// No.
    Never,
}

/// The vault passwords of a run; they are read when the first vault is to be opened.
#[derive(Debug)]
pub struct Passwords {
    sources: Vec<PasswordSource>,
    ask: Ask,
    keyring: OnceLock<Result<Keyring, Problem>>,
}

impl Passwords {
    /// Takes the sources in the order in which they are tried.
    #[must_use]
    pub fn new(sources: Vec<PasswordSource>, ask: Ask) -> Self {
        Self { sources, ask, keyring: OnceLock::new() }
    }

    /// The passwords.
    ///
    /// # Errors
    /// Names the source that gives none.
    pub fn keyring(&self) -> Result<&Keyring, Problem> {
        self.keyring.get_or_init(|| self.read()).as_ref().map_err(Clone::clone)
    }

    fn read(&self) -> Result<Keyring, Problem> {
        let mut keyring = Keyring::default();
        for source in &self.sources {
            let label = source.label.clone().unwrap_or_else(|| DEFAULT.to_owned());
            let bytes = match &source.origin {
                Origin::File(path) => file(path, source.label.as_deref(), &keyring)?,
                Origin::Prompt => prompt(source.label.as_deref())?,
            };
            keyring.add(Password { label, bytes });
        }
        if self.sources.is_empty()
            && self.ask == Ask::IfTerminal
            && io::stdin().is_terminal()
            && io::stderr().is_terminal()
        {
            keyring.add(Password { label: DEFAULT.to_owned(), bytes: prompt(None)? });
        }
        Ok(keyring)
    }
}

fn no_password(path: &Path, what: impl std::fmt::Display) -> Problem {
    Problem::new("HW0133", format!("vault password file `{}`: {what}", path.display()))
}

/// The file's or script's text without the white space around it, as Ansible takes it.
fn file(path: &Path, label: Option<&str>, keyring: &Keyring) -> Result<Secret<Vec<u8>>, Problem> {
    let about = fs::metadata(path).map_err(|error| no_password(path, format!("cannot read it: {error}")))?;
    if about.is_dir() {
        return Err(no_password(path, "it is a directory"));
    }
    let text = if about.permissions().mode() & 0o111 != 0 { script(path, label)? } else { written(path, keyring)? };
    if text.is_empty() { Err(no_password(path, "it gives no password")) } else { Ok(Secret::new(text)) }
}

fn written(path: &Path, keyring: &Keyring) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| no_password(path, format!("cannot read it: {error}")))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(no_password(path, format!("it is larger than {} kB", MOST_BYTES >> 10)));
    }
    let text = bytes.trim_ascii().to_vec();
    match std::str::from_utf8(&text).ok().filter(|text| VaultText::is_vaulted(text)) {
        // It may itself be vaulted, with a password that was named before it.
        Some(text) => {
            let vault = VaultText::parse(text).map_err(|error| no_password(path, error))?;
            let plain = keyring.open(&vault).map_err(|error| no_password(path, error))?;
            Ok(plain.expose().trim_matches(['\r', '\n']).as_bytes().to_vec())
        }
        None => Ok(text),
    }
}

/// Runs a password script; one called `...-client` is told the vault id that is wanted.
fn script(path: &Path, label: Option<&str>) -> Result<Vec<u8>, Problem> {
    let program = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut command = Command::new(&program);
    let is_client = path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("-client"));
    if let (true, Some(label)) = (is_client, label) {
        command.args(["--vault-id", label]);
    }
    // It may talk to the person: what it says on standard error is seen, and what is typed reaches it.
    command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    let output = command::run(command, &path.display().to_string(), MOST_TIME).map_err(|failure| {
        let problem = no_password(path, &failure);
        match failure {
            command::Failure::Start(..) => problem.hint("if it is no script, take its executable bit away"),
            _ => problem,
        }
    })?;
    let newline = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    let start = output.iter().position(newline).unwrap_or(output.len());
    let end = output.iter().rposition(newline).map_or(start, |at| at + 1);
    Ok(output.get(start..end).unwrap_or_default().to_vec())
}

/// Asks on the terminal itself, whatever standard input is.
fn prompt(label: Option<&str>) -> Result<Secret<Vec<u8>>, Problem> {
    let question = label.map_or("Vault password: ".to_owned(), |label| format!("Vault password ({label}): "));
    let unasked = |what: String| Problem::new("HW0133", format!("vault password: {what}"));
    let text = rpassword::prompt_password(question).map_err(|error| {
        unasked(format!("nobody can be asked: {error}")).hint("name a file: `--vault-password-file FILE`")
    })?;
    match text.trim() {
        "" => Err(unasked("nothing was typed".to_owned())),
        text => Ok(Secret::new(text.as_bytes().to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_written_as_ansible_takes_them() {
        let file = |path: &str| Origin::File(PathBuf::from(path));
        for (text, label, origin) in [
            ("prod@/run/p", Some("prod"), file("/run/p")),
            ("/run/p", None, file("/run/p")),
            ("@/run/p", None, file("/run/p")),
            ("prod@a@b", Some("prod"), file("a@b")),
            ("prod@prompt", Some("prod"), Origin::Prompt),
            ("prompt", None, Origin::Prompt),
        ] {
            assert_eq!(
                PasswordSource::parse(text),
                PasswordSource { label: label.map(str::to_owned), origin },
                "{text}"
            );
        }
    }

    fn keyring_of(paths: &[(&str, &str, u32)]) -> Result<usize, String> {
        let directory = tempfile::tempdir().unwrap();
        let sources = paths.iter().map(|(name, text, mode)| {
            let path = directory.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
            PasswordSource { label: Some("prod".to_owned()), origin: Origin::File(path) }
        });
        let passwords = Passwords::new(sources.collect(), Ask::Never);
        let vault = VaultText::parse(include_str!("../../tests/vault/prod.vault")).unwrap();
        let shorter = |text: String| text.replace(&directory.path().display().to_string(), "");
        let keyring = passwords.keyring().map_err(|problem| shorter(problem.message))?;
        keyring.open(&vault).map(|text| text.expose().chars().count()).map_err(|error| error.to_string())
    }

    #[test]
    fn files_and_scripts_give_passwords() {
        assert_eq!(keyring_of(&[("p", " pässword two \r\n", 0o600)]), Ok(6));
        assert_eq!(keyring_of(&[("wrong", "x", 0o600), ("p", "pässword two", 0o600)]), Ok(6));
        assert_eq!(keyring_of(&[("p.sh", "#!/bin/sh\necho 'pässword two'\n", 0o700)]), Ok(6));
        let client = "#!/bin/sh\n[ \"$1 $2\" = '--vault-id prod' ] && echo 'pässword two'\n";
        assert_eq!(keyring_of(&[("my-client.sh", client, 0o700)]), Ok(6));
        assert!(
            keyring_of(&[("other.sh", client, 0o700)]).unwrap_err().contains("the command failed (exit status: 1)")
        );
    }

    #[test]
    fn what_gives_no_password_says_why() {
        assert_eq!(keyring_of(&[("p", "\n", 0o600)]).unwrap_err(), "vault password file `/p`: it gives no password");
        assert_eq!(
            keyring_of(&[("p", &"x".repeat(70_000), 0o600)]).unwrap_err(),
            "vault password file `/p`: it is larger than 64 kB"
        );
        assert!(keyring_of(&[("p", "no script", 0o700)]).unwrap_err().contains("cannot run"));
        let nowhere = Passwords::new(vec![PasswordSource::file("/no/such")], Ask::Never);
        assert!(nowhere.keyring().unwrap_err().message.starts_with("vault password file `/no/such`: cannot read it"));
        assert!(
            Passwords::new(vec![PasswordSource::file("/")], Ask::Never)
                .keyring()
                .unwrap_err()
                .message
                .contains("directory")
        );
    }
}
