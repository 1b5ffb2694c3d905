//! Reads an inventory directory or file from the disk (edge): bounded in file size, and every unreadable file is a problem.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{DiscoveryFile, Documents, Node, VarsFiles, Written, ini, yaml};
use crate::discovery::snapshot;
use crate::problem::{Problem, Source, Span, io_words};
use crate::secret::vault::VaultText;

/// The largest inventories are a few megabytes.
const MAX_BYTES: u64 = 16 << 20;
/// Directories in `group_vars/NAME/` and the like: deeper is a loop of links.
const MAX_DIRECTORIES: usize = 16;
/// How files of variables end; the first is read where a name has several.
const VARS: [&str; 3] = ["yml", "yaml", "json"];
/// Ansible does not read these from an inventory directory either.
const IGNORED: [&str; 11] = ["pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "orig", "cfg", "retry"];

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
        let groups = vars_directory(&directory.join("group_vars"), problems);
        let hosts = vars_directory(&directory.join("host_vars"), problems);
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

/// The directories that one is in, by their real paths: a link back to one of them would be read for ever.
struct Above<'a> {
    real: PathBuf,
    next: Option<&'a Above<'a>>,
    depth: usize,
}

impl Above<'_> {
    fn nothing() -> Self {
        Self { real: PathBuf::new(), next: None, depth: 0 }
    }

    /// The directory is entered, unless that leads in a circle or too deep: a problem.
    fn enter<'a>(&'a self, directory: &Path, problems: &mut Vec<Problem>) -> Option<Above<'a>> {
        // The empty path stands for the working directory, which has a name only in this form.
        let real = match fs::canonicalize(Path::new(".").join(directory)) {
            Ok(real) => real,
            Err(error) => {
                problems.push(unread(directory, io_words(&error)));
                return None;
            }
        };
        let mut above = std::iter::successors(Some(self), |above| above.next);
        if above.any(|above| above.real == real) {
            let problem = unread(directory, "its link leads back to a directory that it is in");
            problems.push(problem.hint("remove the link"));
            return None;
        }
        if self.depth >= MAX_DIRECTORIES {
            problems.push(unread(directory, "too many directories in each other"));
            return None;
        }
        Some(Above { real, next: Some(self), depth: self.depth + 1 })
    }
}

/// Reads a whole text file.
///
/// # Errors
/// One problem: it cannot be read, is too big, or is not UTF-8.
pub fn source(path: &Path) -> Result<Arc<Source>, Problem> {
    let name = path.display().to_string();
    let unreadable = |error: &std::io::Error| unread(path, io_words(error));
    // Before it is opened: to open a pipe is to wait for somebody who writes into it.
    let kind = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !kind.is_file() {
        return Err(unread(path, "it is not a file"));
    }
    let mut file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    file.by_ref().take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("`{name}` is larger than {} MB", MAX_BYTES >> 20);
        let problem = Problem::new("HW0102", message).at(&beginning(path));
        return Err(problem.hint("is it an inventory? one of 10,000 hosts has about one megabyte"));
    }
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.starts_with('\u{FEFF}') {
                text.remove(0);
            }
            Ok(Arc::new(Source { name, text }))
        }
        Err(error) => Err(not_utf8(name, error.as_bytes(), error.utf8_error().valid_up_to())),
    }
}

/// Says that a file or directory is not read, at its beginning.
pub(crate) fn unread(path: &Path, why: impl std::fmt::Display) -> Problem {
    Problem::new("HW0101", format!("cannot read `{}`: {why}", path.display())).at(&beginning(path))
}

/// A place for what has no text.
fn beginning(path: &Path) -> Span {
    Span::new(Arc::new(Source { name: path.display().to_string(), text: String::new() }), 0..0)
}

fn not_utf8(name: String, bytes: &[u8], at: usize) -> Problem {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let source = Arc::new(Source { name, text });
    let message = format!("not UTF-8: byte {at} is wrong");
    Problem::new("HW0103", message).at(&Span::new(source, at..at + 1)).hint("save the file as UTF-8")
}

/// Reads and parses one YAML file.
pub(crate) fn document(path: &Path, problems: &mut Vec<Problem>) -> Option<Node> {
    match source(path) {
        Ok(source) => yaml::read(&source, problems),
        Err(problem) => {
            problems.push(problem);
            None
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

/// `NAME`, a file or a directory, before `NAME.yml`, `NAME.yaml`, `NAME.json`: only the first is read, as Ansible does.
fn vars_directory(directory: &Path, problems: &mut Vec<Problem>) -> Vec<(String, Node)> {
    if !directory.exists() {
        return Vec::new();
    }
    if !directory.is_dir() {
        let message = format!("`{}` is not read: it is no directory", directory.display());
        problems.push(Problem::note("HW0115", message));
        return Vec::new();
    }
    let mut found: Vec<(String, usize, PathBuf)> = Vec::new();
    for path in entries(directory, problems) {
        let rank = extension(&path).and_then(|extension| VARS.iter().position(|known| *known == extension));
        let name = if rank.is_some() { path.file_stem() } else { path.file_name() };
        let name = name.unwrap_or_default().to_string_lossy().into_owned();
        if rank.is_some() || path.is_dir() || wanted(&path) {
            found.push((name, rank.map_or(0, |rank| rank + 1), path));
        }
    }
    found.sort();
    let mut documents: Vec<(String, Node)> = Vec::new();
    let mut taken: Option<(String, PathBuf)> = None;
    for (name, _, path) in found {
        if let Some((_, first)) = taken.as_ref().filter(|(taken, _)| *taken == name) {
            let message = format!("`{}` is not read: `{}` comes before it", path.display(), first.display());
            problems.push(Problem::note("HW0115", message).hint("put both into one"));
            continue;
        }
        let files = if path.is_dir() { tree(&path, &Above::nothing(), problems) } else { vec![path.clone()] };
        documents.extend(files.iter().filter_map(|file| Some((name.clone(), document(file, problems)?))));
        taken = Some((name, path));
    }
    documents
}

/// The files of variables in a directory and in those in it, in order of name; a directory with a `.` in its name is left out.
fn tree(directory: &Path, above: &Above<'_>, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let Some(here) = above.enter(directory, problems) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries(directory, problems) {
        match (path.is_dir(), extension(&path)) {
            (true, None) => files.extend(tree(&path, &here, problems)),
            (false, None) => files.push(path),
            (false, Some(extension)) if VARS.contains(&extension) => files.push(path),
            _ => {}
        }
    }
    files
}

/// What is in a directory, in order of name, without hidden files and editors' backups.
pub(crate) fn entries(directory: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let read = fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> = read.unwrap_or_else(|error: std::io::Error| {
        problems.push(unread(directory, io_words(&error)));
        Vec::new()
    });
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !name.ends_with('~')
    });
    paths.sort();
    paths
}

fn wanted(path: &Path) -> bool {
    extension(path).is_none_or(|extension| !IGNORED.contains(&extension))
}

fn extension(path: &Path) -> Option<&str> {
    path.extension().and_then(|extension| extension.to_str())
}
