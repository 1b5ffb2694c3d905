//! What a host's servers stand on: a role's words filled in with the host's variables (pure).

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tera::{Context, Tera};

use super::context::describe;
use super::press::is_wanted;
use super::template_error::{parsing, rendering};
use super::{Content, DesiredFile};
use crate::fleet::Host;
use crate::ground::disks::{RAID_VOLUMES, Volumes, read_volumes};
use crate::ground::{
    Clock, CommandWant, Ground, Guard, Kept, Kernel, KernelFileWant, PackageWant, Swap, SysctlWant, UserWant,
};
use crate::problem::{Problem, Source, Span};
use crate::remote::RemotePath;
use crate::role::{CommandSpec, GroundSpec, PackageSpec, Role, WordSpec};
use crate::secret::MARKER_START;

/// A word of a role would hold a secret.
pub const SECRET_WORD: &str = "HW0520";
/// A word of a role is none that is known there.
pub const UNKNOWN_WORD: &str = "HW0521";

/// Fills in what a role wants of a host.
pub(super) fn ground(role: &Role, host: &Host) -> Result<Ground, Vec<Problem>> {
    let spec = &role.ground;
    let mut problems = Vec::new();
    let mut ground = Ground { disks: disks(host), ..Ground::default() };
    let words = Words { host, role, context: OnceCell::new() };
    let mut keep = |filled: Result<(), Vec<Problem>>| problems.extend(filled.err().into_iter().flatten());
    for package in spec.packages.iter().filter(|package| is_wanted(&package.only_with, host)) {
        keep(self::package(package, &words).map(|package| ground.packages.push(package)));
    }
    for user in spec.users.iter().filter(|user| is_wanted(&user.only_with, host)) {
        ground.users.push(UserWant {
            name: user.name.clone(),
            uid: user.uid,
            group: user.group.clone(),
            groups: user.groups.clone(),
            home: user.home.clone(),
            shell: user.shell.clone(),
        });
    }
    keep(kernel(spec, &words).map(|kernel| ground.kernel = kernel));
    keep(words.word(spec.hostname.as_ref()).map(|name| ground.hostname = name.map(|(name, _)| name)));
    for command in spec.commands.iter().filter(|command| is_wanted(&command.only_with, host)) {
        keep(self::command(command, &words).map(|command| ground.commands.push(command)));
    }
    if problems.is_empty() { Ok(ground) } else { Err(problems) }
}

/// What cannot be read is a problem of the inventory, and none here.
fn disks(host: &Host) -> Option<Volumes> {
    let wanted = host.vars.get(RAID_VOLUMES).filter(|value| !value.is_null()).map(read_volumes)?.ok()?;
    Some(Volumes { host: host.name.to_string(), wanted })
}

fn kernel(spec: &GroundSpec, words: &Words<'_>) -> Result<Kernel, Vec<Problem>> {
    let mut kernel = Kernel::default();
    for setting in &spec.sysctl {
        let value = words.fill(&setting.value, &setting.span)?;
        kernel.sysctl.extend((!value.is_empty()).then(|| SysctlWant::new(&setting.key, &value)));
    }
    for file in &spec.kernel_files {
        let value = words.fill(&file.value, &file.span)?;
        kernel.files.extend((!value.is_empty()).then(|| KernelFileWant::new(&file.path, &value, file.optional)));
    }
    kernel.swap = match words.word(spec.swap.as_ref())? {
        None => Swap::LeftAlone,
        // YAML's own `off`.
        Some((word, _)) if word == "off" || word == "false" => Swap::Off,
        Some((word, span)) => return Err(unknown("swap", &word, "off", span)),
    };
    kernel.clock = match words.word(spec.clock.as_ref())? {
        None => Clock::LeftAlone,
        Some((word, _)) if word == "synced" => Clock::Synced,
        Some((word, span)) => return Err(unknown("clock", &word, "synced", span)),
    };
    Ok(kernel)
}

fn unknown(key: &str, word: &str, known: &str, span: &Span) -> Vec<Problem> {
    let message = format!("`{key}` cannot be `{word}`: it is `{known}`, or empty to leave it as it is");
    vec![Problem::new(UNKNOWN_WORD, message).at(span)]
}

fn package(spec: &PackageSpec, words: &Words<'_>) -> Result<PackageWant, Vec<Problem>> {
    let version = Some(words.fill(&spec.version, &spec.span)?).filter(|version| !version.is_empty());
    let hold = spec.hold && version.is_some();
    Ok(PackageWant { name: spec.name.clone(), version, hold, unit: spec.unit.clone(), when: spec.when })
}

fn command(spec: &CommandSpec, words: &Words<'_>) -> Result<CommandWant, Vec<Problem>> {
    let all = |argv: &[String]| argv.iter().map(|word| words.fill(word, &spec.span)).collect::<Result<Vec<_>, _>>();
    let guard = match &spec.creates {
        Some(path) => Guard::Creates(words.fill(path, &spec.span)?),
        None => Guard::Unless(all(&spec.unless)?),
    };
    let (name, run) = (spec.name.clone(), all(&spec.run)?);
    Ok(CommandWant { name, run, guard, limit: spec.limit, when: spec.when, unit: spec.unit.clone() })
}

/// Fills a host's variables into words.
struct Words<'a> {
    host: &'a Host,
    role: &'a Role,
    /// Made where the first word needs it.
    context: OnceCell<Context>,
}

impl Words<'_> {
    fn all(&self) -> Context {
        let mut context = Context::from_serialize(&self.host.vars).unwrap_or_default();
        context.insert("host", &describe(self.host, self.role.host_cluster_role.as_deref()));
        context
    }

    /// Fills in one that stands alone; nothing where it is empty.
    fn word<'b>(&self, spec: Option<&'b WordSpec>) -> Result<Option<(String, &'b Span)>, Vec<Problem>> {
        let Some(WordSpec { text, span }) = spec else { return Ok(None) };
        Ok(Some((self.fill(text, span)?.trim().to_owned(), span)).filter(|(word, _)| !word.is_empty()))
    }

    /// Fills in one; a secret is refused, for everybody on the host can read what a program was started with.
    fn fill(&self, text: &str, span: &Span) -> Result<String, Vec<Problem>> {
        if !text.contains("{{") && !text.contains("{%") {
            return Ok(text.to_owned());
        }
        let name = "a word of a role";
        let source = Arc::new(Source { name: name.to_owned(), text: text.to_owned() });
        let sources = BTreeMap::from([(name.to_owned(), Arc::clone(&source))]);
        let told = |problem: Problem| Problem { span: Some(span.clone()), ..problem };
        let mut tera = Tera::default();
        tera.add_raw_template(name, text)
            .map_err(|error| parsing(&error, Some(&source), &sources).into_iter().map(told).collect::<Vec<_>>())?;
        let context = self.context.get_or_init(|| self.all());
        let filled =
            tera.render(name, context).map_err(|error| vec![told(rendering(&error, Some(&source), &sources))])?;
        if filled.contains(MARKER_START) {
            let message = format!("a word of role `{}` would hold a secret", self.host.role);
            let hint = "write it into a file by a template, and name the file";
            return Err(vec![Problem::new(SECRET_WORD, message).at(span).hint(hint)]);
        }
        Ok(filled)
    }
}

/// The files that keep what the kernel is told.
pub(super) fn kept(ground: &Ground) -> impl Iterator<Item = (RemotePath, DesiredFile)> {
    ground.kernel.kept().into_iter().filter_map(|Kept { path, key, text }| {
        let path = RemotePath::new(path).ok()?;
        let header =
            format!("# Managed by Housewright from `{key}` of the host's role: changes made here are overwritten.\n");
        let owner = "root".to_owned();
        Some((
            path,
            DesiredFile {
                content: Content::plain(header + &text),
                group: owner.clone(),
                owner,
                mode: 0o644,
                unit: None,
                early: false,
                over_package: false,
            },
        ))
    })
}
