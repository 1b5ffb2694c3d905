//! What a role's servers stand on, as `role.yml` says it (pure): packages, users, kernel settings, commands.
//!
//! Texts may hold `{{ variables }}`, which are filled in for each host.

use std::time::Duration;

use crate::fleet::RoleName;
use crate::ground::When;
use crate::inventory::Node;
use crate::inventory::fields::Fields;
use crate::problem::Span;
use crate::remote::UnitName;
use crate::vocabulary::{COMMAND, KERNEL_FILE, PACKAGE, SYSTEM_USER};

use super::parse::{CODES, texts};

/// All of it, in the order in which it stands; an included role's comes first, and a role's own wins on the same name.
#[derive(Debug, Clone, Default)]
pub struct GroundSpec {
    /// Packages.
    pub packages: Vec<PackageSpec>,
    /// Users.
    pub users: Vec<UserSpec>,
    /// Kernel settings.
    pub sysctl: Vec<SysctlSpec>,
    /// Files below /sys.
    pub kernel_files: Vec<KernelFileSpec>,
    /// What becomes of swap.
    pub swap: Option<WordSpec>,
    /// What becomes of the clock.
    pub clock: Option<WordSpec>,
    /// The host's own name.
    pub hostname: Option<WordSpec>,
    /// Commands with a guard.
    pub commands: Vec<CommandSpec>,
}

/// A package that the role wants.
#[derive(Debug, Clone)]
pub struct PackageSpec {
    /// As the package manager calls it.
    pub name: String,
    /// Its version; an empty text is none.
    pub version: String,
    /// Whether the package manager is told to leave it as it is.
    pub hold: bool,
    /// The server that it brings.
    pub unit: Option<UnitName>,
    /// Before the files, or behind.
    pub when: When,
    /// Variables of which one must be set.
    pub only_with: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

/// A user that the role wants.
#[derive(Debug, Clone)]
pub struct UserSpec {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: Option<u32>,
    /// Its own group.
    pub group: Option<String>,
    /// Groups besides.
    pub groups: Vec<String>,
    /// Its home directory.
    pub home: Option<String>,
    /// Its login shell.
    pub shell: Option<String>,
    /// Variables of which one must be set.
    pub only_with: Vec<String>,
}

/// A kernel setting that the role wants.
#[derive(Debug, Clone)]
pub struct SysctlSpec {
    /// Its name.
    pub key: String,
    /// Its value; an empty text leaves it as it is.
    pub value: String,
    /// Where it stands.
    pub span: Span,
}

/// A file below /sys that the role wants to have a value.
#[derive(Debug, Clone)]
pub struct KernelFileSpec {
    /// Which; may hold `*`.
    pub path: String,
    /// Its value; an empty text leaves it as it is.
    pub value: String,
    /// A kernel without it is as wanted too.
    pub optional: bool,
    /// Where it stands.
    pub span: Span,
}

/// One word; an empty text leaves things as they are.
#[derive(Debug, Clone)]
pub struct WordSpec {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A command that the role wants to have been run.
#[derive(Debug, Clone)]
pub struct CommandSpec {
    /// What people call it.
    pub name: String,
    /// The program and its arguments.
    pub run: Vec<String>,
    /// What says, by exiting with 0, that it need not be run.
    pub unless: Vec<String>,
    /// What it leaves behind.
    pub creates: Option<String>,
    /// How long it may take.
    pub limit: Duration,
    /// Before the files, or behind.
    pub when: When,
    /// The unit that has to be started anew for it to count.
    pub unit: Option<UnitName>,
    /// Variables of which one must be set.
    pub only_with: Vec<String>,
    /// Where it stands.
    pub span: Span,
}

impl GroundSpec {
    /// Lays another role's over this.
    pub fn extend(&mut self, over: &Self) {
        lay(&mut self.packages, &over.packages, |package| &package.name);
        lay(&mut self.users, &over.users, |user| &user.name);
        lay(&mut self.sysctl, &over.sysctl, |setting| &setting.key);
        lay(&mut self.kernel_files, &over.kernel_files, |file| &file.path);
        for (word, over) in
            [(&mut self.swap, &over.swap), (&mut self.clock, &over.clock), (&mut self.hostname, &over.hostname)]
        {
            *word = over.clone().or(word.take());
        }
        lay(&mut self.commands, &over.commands, |command| &command.name);
    }
}

fn lay<T: Clone>(all: &mut Vec<T>, over: &[T], name: impl Fn(&T) -> &String) {
    for item in over {
        match all.iter_mut().find(|known| name(known) == name(item)) {
            Some(known) => *known = item.clone(),
            None => all.push(item.clone()),
        }
    }
}

/// Reads the keys of `role.yml`.
pub(super) fn read(role: &RoleName, fields: &mut Fields<'_, '_>) -> GroundSpec {
    GroundSpec {
        packages: packages(role, fields),
        users: users(role, fields),
        sysctl: sysctl(fields),
        kernel_files: kernel_files(role, fields),
        swap: word("swap", fields),
        clock: word("clock", fields),
        hostname: word("hostname", fields),
        commands: commands(role, fields),
    }
}

fn packages(role: &RoleName, fields: &mut Fields<'_, '_>) -> Vec<PackageSpec> {
    let mut packages = Vec::new();
    for item in fields.items("packages") {
        let what = format!("a package of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &PACKAGE, CODES, fields.problems()) else { continue };
        let Some(name) = entry.text("name") else { continue };
        let (version, unit) = (entry.text("version").unwrap_or_default(), entry.parsed("unit", UnitName::new));
        packages.push(PackageSpec {
            hold: entry.flag("hold").unwrap_or(!version.is_empty()),
            when: when(&entry, if unit.is_some() { When::BehindFiles } else { When::BeforeFiles }),
            only_with: texts(&entry, "only_with"),
            span: item.span.clone(),
            name,
            version,
            unit,
        });
    }
    packages
}

fn users(role: &RoleName, fields: &mut Fields<'_, '_>) -> Vec<UserSpec> {
    let mut users = Vec::new();
    for item in fields.items("users") {
        let what = format!("a user of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &SYSTEM_USER, CODES, fields.problems()) else { continue };
        let Some(name) = entry.text("name") else { continue };
        users.push(UserSpec {
            name,
            uid: entry.get("uid").and_then(Node::whole).and_then(|uid| u32::try_from(uid).ok()),
            group: entry.text("group"),
            groups: texts(&entry, "groups"),
            home: entry.text("home"),
            shell: entry.text("shell"),
            only_with: texts(&entry, "only_with"),
        });
    }
    users
}

fn sysctl(fields: &mut Fields<'_, '_>) -> Vec<SysctlSpec> {
    let entries = fields.get("sysctl").and_then(Node::entries).unwrap_or_default();
    let spec = |entry: &crate::inventory::Entry| {
        let value = entry.value.scalar_text()?;
        Some(SysctlSpec { key: entry.key.clone(), value, span: entry.key_span.clone() })
    };
    entries.iter().filter_map(spec).collect()
}

fn kernel_files(role: &RoleName, fields: &mut Fields<'_, '_>) -> Vec<KernelFileSpec> {
    let mut files = Vec::new();
    for item in fields.items("kernel_files") {
        let what = format!("a kernel file of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &KERNEL_FILE, CODES, fields.problems()) else { continue };
        let value = entry.get("value").and_then(Node::scalar_text);
        let (Some(path), Some(value)) = (entry.get("path").and_then(Node::scalar_text), value) else { continue };
        let optional = entry.flag("optional").unwrap_or(false);
        files.push(KernelFileSpec { path, value, optional, span: item.span.clone() });
    }
    files
}

fn word(key: &str, fields: &Fields<'_, '_>) -> Option<WordSpec> {
    let node = fields.get(key)?;
    Some(WordSpec { text: node.scalar_text()?, span: node.span.clone() })
}

fn commands(role: &RoleName, fields: &mut Fields<'_, '_>) -> Vec<CommandSpec> {
    let mut commands = Vec::new();
    for item in fields.items("commands") {
        let what = format!("a command of role `{role}`");
        let Some(mut entry) = Fields::of(item, what, &COMMAND, CODES, fields.problems()) else { continue };
        let (name, run) = (entry.text("name"), texts(&entry, "run"));
        let (unless, creates) = (texts(&entry, "unless"), entry.text("creates"));
        let Some(name) = name.filter(|_| !run.is_empty()) else { continue };
        if unless.is_empty() == creates.is_none() {
            let why = "needs one of `unless` and `creates`, and not both: what says that it need not be run again?";
            fields.wrong(&name, item, why);
            continue;
        }
        commands.push(CommandSpec {
            limit: Duration::from_secs(entry.get("timeout").and_then(Node::whole).unwrap_or(USUAL)),
            when: when(&entry, When::BehindFiles),
            unit: entry.parsed("unit", UnitName::new),
            only_with: texts(&entry, "only_with"),
            span: item.span.clone(),
            name,
            run,
            unless,
            creates,
        });
    }
    commands
}

/// Seconds.
const USUAL: u64 = 60;

fn when(entry: &Fields<'_, '_>, usual: When) -> When {
    match entry.get("when").and_then(Node::text) {
        Some("before_files") => When::BeforeFiles,
        Some("behind_files") => When::BehindFiles,
        _ => usual,
    }
}
