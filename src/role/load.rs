//! Reads `roles/<role>/role.yml`, and the SQL files below its `schema/` and `migrations/`, from the disk (edge).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Role, SchemaFile, merge, parse};
use crate::fleet::RoleName;
use crate::inventory::load::{document, entries, source, unread};
use crate::problem::Problem;

/// Directories below one of SQL files: deeper is a loop of links.
const MAX_DIRECTORIES: usize = 16;

/// The roles of a directory.
#[derive(Debug, Default)]
pub struct Roles {
    /// Those that hosts can have, by name.
    pub roles: BTreeMap<RoleName, Role>,
    /// Whether no other role is written there that could not be read.
    pub all: bool,
}

/// Reads a directory of roles and merges included roles; problems of all files are added to `problems`.
#[must_use]
pub fn read(directory: &Path, problems: &mut Vec<Problem>) -> Roles {
    let (mut documents, mut broken) = (BTreeMap::new(), BTreeSet::new());
    let before = problems.len();
    let paths = entries(directory, problems);
    let mut all = problems.len() == before;
    for path in paths.into_iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = match RoleName::new(name) {
            Ok(name) => name,
            Err(error) => {
                problems.push(Problem::new("HW0211", error.to_string()));
                all = false;
                continue;
            }
        };
        let file = path.join("role.yml");
        if !file.exists() {
            let message = format!("`{}` has no `role.yml`", path.display());
            problems.push(Problem::new("HW0201", message).hint("a role's directory begins with its `role.yml`"));
            broken.insert(name);
            continue;
        }
        let sql = ["schema", "migrations"].map(|part| sql_of(&name, &path.join(part), problems));
        match document(&file, problems).and_then(|root| parse(name.clone(), &root, sql, problems)) {
            Some(role) => drop(documents.insert(name, role)),
            None => drop(broken.insert(name)),
        }
    }
    let roles = merge(&documents, &broken, problems);
    let chosen = documents.values().filter(|document| document.host_cluster_role.is_some());
    let all = all && broken.is_empty() && chosen.count() == roles.len();
    Roles { roles, all }
}

fn sql_of(role: &RoleName, directory: &Path, problems: &mut Vec<Problem>) -> Vec<SchemaFile> {
    if !directory.is_dir() {
        return Vec::new();
    }
    let mut paths = Vec::new();
    sql_files(directory, MAX_DIRECTORIES, &mut paths, problems);
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        match source(&path) {
            Ok(source) => files.push(SchemaFile { role: role.clone(), source }),
            Err(problem) => problems.push(problem),
        }
    }
    files
}

fn sql_files(directory: &Path, depth: usize, found: &mut Vec<PathBuf>, problems: &mut Vec<Problem>) {
    if depth == 0 {
        return problems.push(unread(directory, "too many directories in each other"));
    }
    for path in entries(directory, problems) {
        if path.is_dir() {
            sql_files(&path, depth - 1, found, problems);
        } else if [".sql", ".sql.tera"].iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.push(path);
        }
    }
}
