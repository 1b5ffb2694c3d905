//! Answers that are kept for a while.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use insta::assert_snapshot;

use crate::cloud::{Cloud, NOW, Run, data, run};
use crate::written::Written;
use crate::{SOURCE, one_region, written};

fn keeping() -> Written {
    let source = SOURCE.replace("us-east-1, ", "") + "cache: true\ncache_timeout: 300\n";
    written().file("fleet.aws_ec2.yml", source)
}

fn cloud() -> Cloud {
    Cloud::default().region("eu-central-1", [data("i-1", "10.0.0.1", "data-1", "1", "a")])
}

fn kept(written: &Written) -> PathBuf {
    let mut files = fs::read_dir(written.path().join(".cache")).unwrap();
    files.next().unwrap().unwrap().path()
}

#[tokio::test]
async fn a_kept_answer_is_used_while_it_is_new() {
    let (written, cloud) = (keeping(), cloud());
    for (later, asked) in [(0, 1), (299, 1), (300, 2), (599, 2)] {
        let loaded = Run { now: NOW + later, ..run(&written) }.resolve(&cloud).await.unwrap();
        assert_eq!((loaded.fleet.hosts.len(), cloud.asked()), (1, asked), "{later} s later");
    }
    Run { now: NOW + 600, anew: true, ..run(&written) }.resolve(&cloud).await.unwrap();
    assert_eq!(cloud.asked(), 3, "`--refresh` asks");
    Run { now: NOW - 1, ..run(&written) }.resolve(&cloud).await.unwrap();
    assert_eq!(cloud.asked(), 4, "an answer of the future is not used");
}

#[tokio::test]
async fn a_kept_answer_is_not_used_for_another_query() {
    let (written, cloud) = (keeping(), cloud());
    run(&written).resolve(&cloud).await.unwrap();
    let other = fs::read_to_string(written.path().join("fleet.aws_ec2.yml")).unwrap().replace("posthog", "other");
    let written = written.file("fleet.aws_ec2.yml", other);
    run(&written).resolve(&cloud).await.unwrap();
    assert_eq!(cloud.asked(), 2);
    run(&written).resolve(&cloud).await.unwrap();
    assert_eq!(cloud.asked(), 2);
}

#[tokio::test]
async fn without_cache_every_run_asks() {
    let (written, cloud) = (one_region(), cloud());
    run(&written).resolve(&cloud).await.unwrap();
    run(&written).resolve(&cloud).await.unwrap();
    assert_eq!(cloud.asked(), 2);
}

#[tokio::test]
async fn a_kept_answer_is_the_users_alone() {
    let written = keeping();
    run(&written).resolve(&cloud()).await.unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(kept(&written)), 0o600);
    assert_eq!(mode(written.path().join(".cache")), 0o700);
}

#[tokio::test]
async fn a_damaged_answer_is_a_note_and_is_asked_anew() {
    let (written, cloud) = (keeping(), cloud());
    run(&written).resolve(&cloud).await.unwrap();
    let path = kept(&written);
    let whole = fs::read_to_string(&path).unwrap();
    for damaged in ["", "{", &whole[..whole.len() / 2], &whole.replace("\"version\":2", "\"version\":1")] {
        fs::write(&path, damaged).unwrap();
        let before = cloud.asked();
        let loaded = run(&written).resolve(&cloud).await.unwrap();
        assert_eq!(cloud.asked(), before + 1);
        assert_eq!(loaded.notes.iter().filter(|note| note.code == "HW0167").count(), 1, "{damaged}");
        assert_eq!(fs::read_to_string(&path).unwrap(), whole, "it is mended");
    }
    fs::write(&path, "[]").unwrap();
    let said = run(&written).said(&cloud).await.replace(path.file_name().unwrap().to_str().unwrap(), "ec2-....json");
    assert_snapshot!(said, @"
    note[HW0167]: the cache `.cache/ec2-....json` is not used: it is damaged: invalid length 0, expected struct Kept with 3 elements at line 1 column 2
     --> fleet.aws_ec2.yml:1:1
      |
    1 | plugin: amazon.aws.aws_ec2
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: EC2 is asked anew, and there is nothing to compare the answer with but a snapshot
    ");
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_a_note() {
    let (written, cloud) = (keeping(), cloud());
    fs::write(written.path().join(".cache"), "a file").unwrap();
    let loaded = run(&written).resolve(&cloud).await.unwrap();
    assert!(loaded.notes.iter().any(|note| note.code == "HW0167"));
}
