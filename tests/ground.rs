//! What real hosts answered, and what follows from it: each file of `tests/ground` is one system.
//!
//! `SYSTEM.yml` has the cases, `SYSTEM.answers.yml` what the system answered (written by
//! `HOUSEWRIGHT_BLESS=1 cargo test --features live --test ground`, as root, never by hand), `SYSTEM.txt` what follows (`HOUSEWRIGHT_BLESS=1 cargo test --test ground`).

#[path = "ground/cases.rs"]
mod cases;
#[cfg(feature = "live")]
#[path = "ground/real.rs"]
mod real;

use std::fs;
use std::path::{Path, PathBuf};

use cases::{Recorded, System, told};
use housewright::ground::{Answer, Answers};
use proptest::prelude::*;

/// The files of cases, without their suffix.
fn systems() -> Vec<PathBuf> {
    let entries = fs::read_dir("tests/ground").unwrap().map(|entry| entry.unwrap().path());
    let is_cases = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".yml") && !name.ends_with(".answers.yml")
    };
    let mut systems: Vec<_> = entries.filter(is_cases).collect();
    systems.sort();
    assert!(systems.len() > 1, "{systems:?}");
    systems
}

fn recorded(path: &Path) -> Recorded {
    serde_yaml::from_str(&fs::read_to_string(path.with_extension("answers.yml")).unwrap()).unwrap()
}

#[test]
fn what_real_hosts_answered_means_what_is_written_here() {
    for path in systems() {
        let (system, recorded) = (System::read(&path), recorded(&path));
        let mut text = String::new();
        for case in &system.cases {
            let (name, ground) = (&case.name, case.ground());
            let answers = recorded.get(name).unwrap_or_else(|| panic!("{path:?}: `{name}` was never captured"));
            for question in ground.questions() {
                let asked = answers.get(&question).is_some();
                assert!(asked, "{path:?}: `{name}`: {:?} was never asked there: capture anew", question.argv());
            }
            text += &format!("{name}\n{}\n", told(&ground.diff(answers)));
        }
        let expected = path.with_extension("txt");
        if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
            fs::write(&expected, &text).unwrap();
        }
        assert_eq!(fs::read_to_string(&expected).unwrap_or_default(), text, "{path:?}");
    }
}

/// Answers that are cut off, longer or of another status.
#[test]
fn no_answer_makes_it_panic_and_every_change_brings_work() {
    for path in systems() {
        let (system, recorded) = (System::read(&path), recorded(&path));
        for case in &system.cases {
            let (ground, real) = (case.ground(), recorded.get(&case.name).unwrap());
            let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) };
            proptest!(config, |(cut in 0_usize..400, ends in any::<bool>(), other in "\\PC{0,40}", status in any::<Option<u8>>())| {
                let bent: Answers = ground.questions().into_iter().map(|question| {
                    let said = real.get(&question).cloned().unwrap_or_default().stdout;
                    let mut stdout: String = said.chars().take(cut).chain(other.chars()).collect();
                    stdout.extend(said.chars().skip(cut).filter(|_| !ends));
                    (question, Answer { status, stdout })
                }).collect();
                for change in ground.diff(&bent).changes {
                    prop_assert!(!change.work.is_empty(), "{change} is never mended");
                }
            });
        }
    }
}
