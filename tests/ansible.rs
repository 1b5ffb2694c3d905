//! The inventory is Ansible's: `--list` and `--host` print what the real `ansible-inventory` prints.
//!
//! Each directory of `tests/ansible/cases` is an inventory. `project/` in it, where there is one, is the project's directory.

#[path = "ansible/generated.rs"]
mod generated;
#[path = "support/python.rs"]
mod python;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
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

/// `HOUSEWRIGHT_CASES` says how many.
#[test]
fn generated_inventories_are_listed_as_by_ansible() {
    let cases = std::env::var("HOUSEWRIGHT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let ansible = std::cell::RefCell::new(Ansible::start());
    let bytes = proptest::collection::vec(any::<u8>(), 0..400);
    let result = runner.run(&bytes, |bytes| {
        let directory = tempfile::tempdir().unwrap();
        generated::write(directory.path(), &mut generated::Choices::new(&bytes));
        let (inventory, project) = sources(directory.path());
        let theirs = theirs(&mut ansible.borrow_mut(), &inventory, project.as_deref(), &["--list"]);
        let ours = ours(&inventory, project.as_deref(), &["--list"]);
        if ours.as_ref() != Ok(&theirs) {
            let why = ours.map_or_else(|why| why, |ours| difference(&theirs, &ours));
            return Err(TestCaseError::fail(why));
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, bytes)) => {
            let kept = tempfile::tempdir().unwrap().keep();
            generated::write(&kept, &mut generated::Choices::new(&bytes));
            panic!("{} differs:\n{why}", kept.display());
        }
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}
