//! The inventory is Ansible's: `--list` and `--host` print what the real `ansible-inventory` prints.
//!
//! Each directory of `tests/ansible/cases` is an inventory. `project/` in it, where there is one, is the project's directory.

#[path = "support/python.rs"]
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use python::Ansible;

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> =
        fs::read_dir("tests/ansible/cases").unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

/// The arguments that both programs take: which inventory, and which project beside it.
fn sources(case: &Path) -> (String, Option<String>) {
    let inventory = case.join("inventory");
    let inventory = if inventory.exists() { inventory } else { case.to_owned() };
    let project = case.join("project");
    (inventory.display().to_string(), project.exists().then(|| project.display().to_string()))
}

fn ours(inventory: &str, project: Option<&str>, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
    command.args(["inventory", "-i", inventory]).args(args).env_remove("HOUSEWRIGHT_PROJECT");
    command.args(["--project", project.unwrap_or("tests/ansible")]);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn theirs(ansible: &mut Ansible, inventory: &str, project: Option<&str>, args: &[&str]) -> String {
    let mut all = vec!["-i", inventory];
    all.extend(args);
    if let Some(project) = project {
        all.extend(["--playbook-dir", project]);
    }
    let answer = ansible.inventory(&all);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    answer.stdout
}

/// Every case, so that one run tells of all that differ.
fn compare(args: &[&str]) {
    let mut ansible = Ansible::start();
    let cases = cases();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let (inventory, project) = sources(&case);
        let theirs = theirs(&mut ansible, &inventory, project.as_deref(), args);
        match ours(&inventory, project.as_deref(), args) {
            Ok(ours) if ours == theirs => {}
            Ok(ours) => wrong.push(format!("{}:\n{}", case.display(), difference(&theirs, &ours))),
            Err(why) => wrong.push(format!("{}:\n{why}", case.display())),
        }
    }
    assert!(wrong.is_empty(), "{} cases differ\n\n{}", wrong.len(), wrong.join("\n"));
}

fn difference(theirs: &str, ours: &str) -> String {
    similar::TextDiff::from_lines(theirs, ours).unified_diff().context_radius(2).header("theirs", "ours").to_string()
}

#[test]
fn list_is_ansibles_byte_for_byte() {
    compare(&["--list"]);
}
