//! Reads an inventory directory or file from the disk (edge): bounded in file size, and every unreadable file is a problem.

mod text;
mod vars;
mod walk;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

pub use text::source;
pub(crate) use text::{document, unread};
pub(crate) use walk::entries;
use walk::{Above, extension, wanted};

use super::{DiscoveryFile, Documents, VarsFiles, Written, ini, yaml};
use crate::discovery::snapshot;
use crate::problem::{Problem, Source, Span};
use crate::secret::vault::VaultText;

/// Reads inventory files and directories in Ansible's order, with the `group_vars/` and `host_vars/` beside each and those
/// of the project, which are stronger.
///
/// Problems of all files are added to `problems`.
#[must_use]
pub fn read(sources: &[&Path], project: Option<&Path>, problems: &mut Vec<Problem>) -> Documents {
    let mut documents = Documents::default();
    let mut directories: Vec<&Path> = Vec::new();
    for path in sources {
        if path.is_dir() {
            inventory_directory(path, &Above::nothing(), &mut documents, problems);
            directories.push(path);
        } else {
            inventory_file(path, &mut documents, problems);
            directories.extend(path.parent());
        }
    }
    let mut seen = Vec::new();
    for directory in directories.into_iter().chain(project) {
        // The empty path stands for the working directory, which has a name only in this form.
        let same = fs::canonicalize(Path::new(".").join(directory)).ok();
        if same.as_ref().is_some_and(|same| seen.contains(same)) {
            continue;
        }
        seen.extend(same);
        let groups = vars::directory(&directory.join("group_vars"), problems);
        let hosts = vars::directory(&directory.join("host_vars"), problems);
        documents.vars.push(VarsFiles { groups, hosts });
    }
    documents
}

/// Every file in it and in the directories in it, in order of name.
fn inventory_directory(directory: &Path, above: &Above<'_>, documents: &mut Documents, problems: &mut Vec<Problem>) {
    let Some(here) = above.enter(directory, problems) else { return };
    let paths = entries(directory, problems);
    let discovers = paths.iter().any(|path| is_discovery(path));
    for path in paths.into_iter().filter(|path| wanted(path)) {
        let name = path.file_name().unwrap_or_default();
        if ["group_vars", "host_vars", "vars_plugins"].iter().any(|other| name == *other) {
            continue;
        }
        // The snapshot of what the discovery files find: those hosts are there already.
        if name == snapshot::FILE {
            let left = if discovers { None } else { left_behind(&path) };
            if discovers || left.is_some() {
                problems.extend(left);
                continue;
            }
        }
        if path.is_dir() {
            inventory_directory(&path, &here, documents, problems);
        } else {
            inventory_file(&path, documents, problems);
        }
    }
}

fn inventory_file(path: &Path, documents: &mut Documents, problems: &mut Vec<Problem>) {
    let source = match source(path) {
        Ok(source) => source,
        Err(problem) => return problems.push(problem),
    };
    if is_discovery(path) {
        let position = documents.inventories.len();
        let node = yaml::read(&source, problems);
        return documents.discovery.extend(node.map(|node| DiscoveryFile { node, position }));
    }
    documents.inventories.extend(inventory_text(path, &source, problems));
}

/// Reads an inventory file's text, whichever form it has; a vaulted one stays closed.
pub(crate) fn inventory_text(path: &Path, source: &Arc<Source>, problems: &mut Vec<Problem>) -> Option<Written> {
    if VaultText::is_vaulted(&source.text) {
        return yaml::read(source, problems).map(Written::Yaml);
    }
    match written(path, source) {
        Ok(Form::Yaml) => yaml::read(source, problems).map(Written::Yaml),
        Ok(Form::Ini) => ini::read(source, problems).map(Written::Ini),
        Err(problem) => {
            problems.push(*problem);
            None
        }
    }
}

fn is_discovery(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["aws_ec2.yml", "aws_ec2.yaml"].iter().any(|suffix| name.ends_with(suffix))
}

/// A snapshot without the discovery files that it is of: nobody would ever see what has become of its hosts.
fn left_behind(path: &Path) -> Option<Problem> {
    let source = source(path).ok()?;
    let head = snapshot::Head::read(&source.text)?;
    let files: Vec<String> = head.of.iter().map(|of| format!("`{}`", of.file)).collect();
    let place = Span::new(Arc::clone(&source), 0..source.text.lines().next().map_or(0, str::len));
    let message = format!("this is the snapshot of a file that is not there: {}", files.join(", "));
    let hint = "remove it, or bring the file back; hosts that are to stay go into a file of another name";
    Some(Problem::new("HW0165", message).at(&place).hint(hint))
}

enum Form {
    Yaml,
    Ini,
}

/// By the ending of the name, as Ansible does: YAML has its own or none, INI has any; what is no mapping falls to INI.
fn written(path: &Path, source: &Arc<Source>) -> Result<Form, Box<Problem>> {
    let refuse = |message: &str, hint: &str| {
        let place = Span::new(Arc::clone(source), 0..source.text.lines().next().map_or(0, str::len));
        Err(Box::new(Problem::new("HW0114", message).at(&place).hint(hint)))
    };
    let is_mapping = || yaml::read(source, &mut Vec::new()).is_some_and(|node| node.entries().is_some());
    let mut lines = source.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let first = lines.next().unwrap_or_default();
    if source.text.starts_with("#!") && executable(path) && !is_mapping() {
        let hint = "write what it prints into a file: `./NAME --list > hosts.json`";
        return refuse("a program as an inventory: nothing of an inventory is run", hint);
    }
    let header = first.starts_with('[');
    if VaultText::is_vaulted(&source.text) {
        return Ok(Form::Yaml);
    }
    Ok(match extension(path) {
        Some("toml") => {
            let hint = "write it as YAML: `ansible-inventory --list --yaml` prints it so";
            return refuse("TOML inventories are not read", hint);
        }
        Some("yml" | "yaml" | "json") if header && !is_mapping() => Form::Ini,
        Some("yml" | "yaml" | "json") => Form::Yaml,
        None if is_mapping() || (!header && yaml_begins(first)) => Form::Yaml,
        Some(_) if yaml_begins(first) => Form::Yaml,
        _ => Form::Ini,
    })
}

/// `---`, `{` or `name:` alone say so.
fn yaml_begins(line: &str) -> bool {
    line.starts_with("---") || line.starts_with('{') || (line.ends_with(':') && !line.contains(char::is_whitespace))
}

fn executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}
