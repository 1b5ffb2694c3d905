//! The options that name vault passwords; they are Ansible's, and so are its environment variables (edge).

use crate::reveal::{Ask, Origin, PasswordSource, Passwords};

/// Options that name vault passwords.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Options {
    /// File with the password of vaulted values, an executable one is run and prints it; ANSIBLE_VAULT_PASSWORD_FILE is
    /// tried too
    #[arg(long, global = true, visible_alias = "vault-pass-file", value_name = "FILE")]
    vault_password_file: Vec<String>,
    /// Password of a vault id: a file, an executable, or `prompt`; ANSIBLE_VAULT_IDENTITY_LIST is tried too
    #[arg(long, global = true, value_name = "LABEL@SOURCE")]
    vault_id: Vec<String>,
    /// Ask on the terminal for the password of vaulted values
    #[arg(short = 'J', long, global = true, visible_alias = "ask-vault-password")]
    ask_vault_pass: bool,
}

impl Options {
    /// The passwords in Ansible's order; without any, the person is asked where that is allowed.
    pub(super) fn passwords(&self, ask: Ask) -> Passwords {
        let environment = |name: &str| std::env::var(name).unwrap_or_default();
        let (listed, file) = (environment("ANSIBLE_VAULT_IDENTITY_LIST"), environment("ANSIBLE_VAULT_PASSWORD_FILE"));
        let identities = listed.split(',').map(str::trim).chain(self.vault_id.iter().map(String::as_str));
        let files = self.vault_password_file.iter().chain([&file]);
        let named = |text: &&str| !text.is_empty();
        let mut sources: Vec<PasswordSource> = identities.filter(named).map(PasswordSource::parse).collect();
        sources.extend(files.map(String::as_str).filter(named).map(PasswordSource::file));
        sources.extend(self.ask_vault_pass.then_some(PasswordSource { label: None, origin: Origin::Prompt }));
        Passwords::new(sources, ask)
    }
}
