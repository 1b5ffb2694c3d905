//! Finds the files of `group_vars/` and `host_vars/` (edge): of several with one name the first, as Ansible does.

use std::path::{Path, PathBuf};

use super::text::document;
use super::walk::{Above, entries, extension, wanted};
use crate::inventory::Node;
use crate::problem::Problem;

/// How files of variables end; the first is read where a name has several.
const VARS: [&str; 3] = ["yml", "yaml", "json"];

/// `NAME`, a file or a directory, before `NAME.yml`, `NAME.yaml`, `NAME.json`: only the first is read, as Ansible does.
pub(super) fn directory(directory: &Path, problems: &mut Vec<Problem>) -> Vec<(String, Node)> {
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
    let (mut documents, above): (Vec<(String, Node)>, _) = (Vec::new(), Above::nothing());
    let mut taken: Option<(String, PathBuf)> = None;
    for (name, _, path) in found {
        if let Some((_, first)) = taken.as_ref().filter(|(taken, _)| *taken == name) {
            let message = format!("`{}` is not read: `{}` comes before it", path.display(), first.display());
            problems.push(Problem::note("HW0115", message).hint("put both into one"));
            continue;
        }
        let files = if path.is_dir() { tree(&path, &above, problems) } else { vec![path.clone()] };
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
