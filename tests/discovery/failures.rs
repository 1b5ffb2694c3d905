//! Answers that are none, and answers that would make a fleet shrink.

use std::fs;

use housewright::discovery::{Cache, Failure, Instance, write};
use insta::assert_snapshot;

use crate::cloud::{Cloud, NOW, Run, data, run};
use crate::{SOURCE, one_region, two_regions, written};

fn fleet(size: usize) -> Vec<Instance> {
    let one =
        |n: usize| data(&format!("i-{n:02}"), &format!("10.0.0.{n}"), &format!("data-{n}"), "1", &format!("r{n}"));
    (1..=size).map(one).collect()
}

#[tokio::test]
async fn every_kind_of_failure_has_its_own_text() {
    let endpoint = || "`ec2.us-east-1.amazonaws.com`".to_owned();
    let code = |code: &str| code.to_owned();
    let mut said = String::new();
    for failure in [
        Failure::NoCredentials,
        Failure::Expired { code: code("RequestExpired") },
        Failure::Refused { code: code("AuthFailure") },
        Failure::NotAuthorised { action: code("ec2:DescribeInstances") },
        Failure::Throttled { code: code("RequestLimitExceeded"), attempts: 8 },
        Failure::UnknownRegion,
        Failure::NoAddress { endpoint: endpoint() },
        Failure::Unreachable { endpoint: endpoint() },
        Failure::TimedOut { seconds: 180, pages: 2 },
        Failure::BrokenOff { pages: 2 },
        Failure::NotUnderstood { endpoint: endpoint() },
        Failure::Failing { code: code("Unavailable"), attempts: 8 },
        Failure::Other { code: code("InvalidParameterValue"), message: code("The filter 'x' is invalid") },
    ] {
        let cloud = Cloud::default().fails("us-east-1", failure).region("eu-central-1", fleet(2));
        let text = run(&two_regions()).said(&cloud).await;
        let lines = text.lines().filter(|line| line.starts_with("error") || line.contains("= help"));
        said += &(lines.map(str::trim_start).collect::<Vec<_>>().join("\n") + "\n");
    }
    assert_snapshot!(said, @"
    error[HW0152]: cannot list the instances of `us-east-1`: there are no AWS credentials
    = help: log in (`aws sso login`), or set `AWS_PROFILE`; `aws sts get-caller-identity` shows who you are. `--offline` reads the snapshot instead
    error[HW0153]: cannot list the instances of `us-east-1`: the AWS credentials have expired (RequestExpired)
    = help: log in again: `aws sso login`, or new session credentials. `--offline` reads the snapshot instead
    error[HW0154]: cannot list the instances of `us-east-1`: AWS does not accept the credentials (AuthFailure)
    = help: are key and secret of one another, and is this machine's clock right? `aws sts get-caller-identity` shows who you are
    error[HW0155]: cannot list the instances of `us-east-1`: the credentials may not do `ec2:DescribeInstances`
    = help: allow `ec2:DescribeInstances` and `ec2:DescribeInstanceTypes` to the role: docs/inventory.md has the policy
    error[HW0156]: cannot list the instances of `us-east-1`: EC2 throttles the requests (`RequestLimitExceeded`) after 8 attempts
    = help: somebody sends many requests in this account and region: try again later, or `cache: true` in the file
    error[HW0157]: cannot list the instances of `us-east-1`: there is no such region, or it is not enabled for the account
    = help: `aws ec2 describe-regions --all-regions` lists them; correct `regions`
    error[HW0157]: cannot list the instances of `us-east-1`: `ec2.us-east-1.amazonaws.com` has no address: is there such a region, and is there a network?
    = help: `aws ec2 describe-regions --all-regions` lists them; correct `regions`
    error[HW0158]: cannot list the instances of `us-east-1`: `ec2.us-east-1.amazonaws.com` does not answer
    = help: is the network up, and do a proxy, `endpoint_url` and `AWS_ENDPOINT_URL` fit? `--offline` reads the snapshot instead
    error[HW0158]: cannot list the instances of `us-east-1`: no whole answer within 180 s; 2 pages came
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    error[HW0158]: cannot list the instances of `us-east-1`: the answer breaks off: 2 pages came, the next did not
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    error[HW0158]: cannot list the instances of `us-east-1`: `ec2.us-east-1.amazonaws.com` gives an answer that is not understood
    = help: is it EC2 that answers there? Look for a proxy or a login page in between, and at `endpoint_url` and `AWS_ENDPOINT_URL`
    error[HW0158]: cannot list the instances of `us-east-1`: EC2 itself fails (`Unavailable`) after 8 attempts
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    error[HW0159]: cannot list the instances of `us-east-1`: EC2 refuses the request: The filter 'x' is invalid (InvalidParameterValue)
    = help: correct `filters` and the other keys of the file that go to EC2
    ");
}

#[tokio::test]
async fn what_is_wrong_with_who_asks_is_told_once_and_every_region_that_fails_is_told() {
    let expired = || Failure::Expired { code: "ExpiredToken".to_owned() };
    let cloud = Cloud::default().fails("us-east-1", expired()).fails("eu-central-1", expired());
    assert_snapshot!(run(&two_regions()).said(&cloud).await, @"
    error[HW0153]: cannot list the instances of `us-east-1`, `eu-central-1`: the AWS credentials have expired (ExpiredToken)
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [us-east-1, eu-central-1]
      |           ^^^^^^^^^
      |
      = help: log in again: `aws sso login`, or new session credentials. `--offline` reads the snapshot instead
    ");
    let broken = Failure::BrokenOff { pages: 1 };
    let cloud = Cloud::default().fails("us-east-1", broken).region("eu-central-1", []);
    assert_snapshot!(run(&two_regions()).said(&cloud).await, @"
    error[HW0158]: cannot list the instances of `us-east-1`: the answer breaks off: 1 page came, the next did not
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [us-east-1, eu-central-1]
      |           ^^^^^^^^^
      |
      = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead

    error[HW0150]: no instance of `eu-central-1` answers to `tag:Fleet=posthog`
     --> fleet.aws_ec2.yml:2:22
      |
    2 | regions: [us-east-1, eu-central-1]
      |                      ^^^^^^^^^^^^
      |
      = help: do the filters fit the instances' tags? If it is meant so, `--accept empty:eu-central-1`
    ");
}

#[tokio::test]
async fn an_empty_region_is_refused_until_it_is_accepted_by_name() {
    let cloud = Cloud::default().region("us-east-1", []).region("eu-central-1", fleet(2));
    let written = two_regions();
    assert_snapshot!(run(&written).said(&cloud).await, @"
    error[HW0150]: no instance of `us-east-1` answers to `tag:Fleet=posthog`
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [us-east-1, eu-central-1]
      |           ^^^^^^^^^
      |
      = help: do the filters fit the instances' tags? If it is meant so, `--accept empty:us-east-1`
    ");
    let accepted = |accept| Run { accept, ..run(&written) };
    accepted(&["empty:eu-central-1"]).resolve(&cloud).await.unwrap_err();
    accepted(&["shrink:us-east-1"]).resolve(&cloud).await.unwrap_err();
    let loaded = accepted(&["empty:us-east-1"]).resolve(&cloud).await.unwrap();
    assert_eq!(loaded.fleet.hosts.len(), 2);
}

#[tokio::test]
async fn a_shrink_is_refused_until_it_is_accepted_by_name() {
    let written = one_region();
    let with = |size: usize| Cloud::default().region("eu-central-1", fleet(size));
    run(&written).resolve(&with(10)).await.unwrap();
    run(&written).resolve(&with(8)).await.unwrap();
    assert_snapshot!(run(&written).said(&with(6)).await, @"
    error[HW0151]: `eu-central-1` had 10 instances (at 2026-11-22T12:00:00Z) and has 6: 40 % of them are gone, more than `max_shrink: 20%` allows; gone: i-07, i-08, i-09, i-10
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [eu-central-1]
      |           ^^^^^^^^^^^^
      |
      = help: were they ended on purpose? Then `--accept shrink:eu-central-1`, once
    ");
    assert_snapshot!(run(&written).said(&with(0)).await, @"
    error[HW0150]: no instance of `eu-central-1` answers to `tag:Fleet=posthog`; there were 10 (at 2026-11-22T12:00:00Z)
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [eu-central-1]
      |           ^^^^^^^^^^^^
      |
      = help: do the filters fit the instances' tags? If it is meant so, `--accept empty:eu-central-1`
    ");
    run(&written).resolve(&with(6)).await.expect_err("a refused answer is no last good one");
    let accepted = Run { accept: &["shrink:eu-central-1"], ..run(&written) };
    accepted.resolve(&with(6)).await.unwrap();
    run(&written).resolve(&with(6)).await.unwrap();
}

#[tokio::test]
async fn the_share_that_may_go_is_the_files() {
    let with = |size: usize| Cloud::default().region("eu-central-1", fleet(size));
    for (share, fits, too_few) in [("0%", 10, 9), ("50%", 5, 4), ("33 %", 7, 6)] {
        let source = format!("{}max_shrink: {share}\n", SOURCE.replace("us-east-1, ", ""));
        let written = written().file("fleet.aws_ec2.yml", source);
        run(&written).resolve(&with(10)).await.unwrap();
        run(&written).resolve(&with(too_few)).await.unwrap_err();
        run(&written).resolve(&with(fits)).await.unwrap();
    }
}

#[tokio::test]
async fn a_changed_filter_does_not_switch_the_guard_off() {
    let with = |size: usize| Cloud::default().region("eu-central-1", fleet(size));
    for snapshot in [true, false] {
        let written = one_region();
        let (_, found) = run(&written).read(&with(10)).await;
        if snapshot {
            write(&found, NOW).unwrap();
            fs::remove_dir_all(written.path().join(".cache")).unwrap();
        }
        let written = written.file("fleet.aws_ec2.yml", SOURCE.replace("us-east-1, ", "").replace("posthog", "other"));
        let said = run(&written).said(&with(1)).await;
        assert!(said.contains("HW0151") && said.contains("--accept shrink:eu-central-1"), "{said}");
        assert!(said.contains("asked for other instances then"), "{said}");
        run(&written).resolve(&with(9)).await.unwrap();
    }
}

#[tokio::test]
async fn small_losses_add_up() {
    let with = |size: usize| Cloud::default().region("eu-central-1", fleet(size));
    for snapshot in [true, false] {
        let written = one_region();
        let (_, found) = run(&written).read(&with(20)).await;
        if snapshot {
            write(&found, NOW).unwrap();
        }
        run(&written).resolve(&with(16)).await.unwrap();
        run(&written).resolve(&with(15)).await.unwrap_err();
        run(&written).resolve(&with(16)).await.unwrap();
        let accepted = Run { accept: &["shrink:eu-central-1"], ..run(&written) };
        accepted.resolve(&with(15)).await.unwrap();
        run(&written).resolve(&with(12)).await.unwrap();
        run(&written).resolve(&with(11)).await.unwrap_err();
        // It grows with every answer.
        run(&written).resolve(&with(30)).await.unwrap();
        run(&written).resolve(&with(23)).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_snapshot_that_is_written_anew_is_what_holds() {
    let with = |size: usize| Cloud::default().region("eu-central-1", fleet(size));
    let written = one_region();
    let (_, found) = run(&written).read(&with(20)).await;
    write(&found, NOW).unwrap();
    let (_, found) = run(&written).read(&with(16)).await;
    run(&written).resolve(&with(15)).await.unwrap_err();
    write(&found, NOW + 1).unwrap();
    run(&written).resolve(&with(13)).await.unwrap();
    run(&written).resolve(&with(12)).await.unwrap_err();
}

#[tokio::test]
async fn others_in_the_place_of_those_that_are_gone_do_not_hide_it() {
    let first = |from: usize| fleet(from + 8).into_iter().skip(from);
    let with = |from: usize| Cloud::default().region("eu-central-1", first(from));
    for snapshot in [true, false] {
        let written = one_region();
        let (_, found) = run(&written).read(&with(0)).await;
        if snapshot {
            write(&found, NOW).unwrap();
            fs::remove_dir_all(written.path().join(".cache")).unwrap();
        }
        let said = run(&written).said(&with(7)).await;
        assert!(said.contains("and has 8: 87 % of them are gone"), "{said}");
        run(&written).resolve(&with(1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_snapshot_that_says_the_same_ends_what_came_and_went() {
    let with = |size: usize| Cloud::default().region("eu-central-1", fleet(size));
    let written = one_region();
    let (_, found) = run(&written).read(&with(8)).await;
    write(&found, NOW).unwrap();
    run(&written).resolve(&with(10)).await.unwrap();
    let (_, found) = run(&written).read(&with(8)).await;
    run(&written).resolve(&with(7)).await.expect_err("3 of 10 are gone");
    write(&found, NOW + 1).unwrap();
    Cache::in_directory(&written.path().join(".cache")).settle(&found, NOW + 1);
    run(&written).resolve(&with(7)).await.expect("1 of 8 is gone");
}

#[tokio::test]
async fn a_region_that_nobody_asks_is_not_accepted() {
    let cloud = Cloud::default().region("us-east-1", fleet(1)).region("eu-central-1", []);
    let written = two_regions();
    let with = |accept| Run { accept, ..run(&written) };
    assert_snapshot!(with(&["empty:eu-centrl-1", "shrink:ap-south-1", "empty:eu-central-1"]).said(&cloud).await, @"
    error[HW0169]: `--accept empty:eu-centrl-1` names a region that no discovery file asks
     |
     = help: did you mean `eu-central-1`?

    error[HW0169]: `--accept shrink:ap-south-1` names a region that no discovery file asks
     |
     = help: these are asked: us-east-1, eu-central-1
    ");
    assert_eq!(cloud.asked(), 0);
    let offline = with(&["shrink:us-eats-1"]);
    assert!(offline.shown(offline.offline().await).contains("did you mean `us-east-1`?"));
    let written = crate::written().hosts("all: { hosts: { a: { hostClusterRole: small } } }");
    assert_snapshot!(Run { accept: &["shrink:us-east-1"], ..run(&written) }.said(&cloud).await, @"
    error[HW0169]: `--accept shrink:us-east-1`, and there is no discovery file
     |
     = help: leave it out: hosts are written by hand here
    ");
}
