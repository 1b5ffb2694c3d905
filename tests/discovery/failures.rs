//! Answers that are none, and answers that would make a fleet shrink.

use housewright::discovery::{Failure, Instance};
use insta::assert_snapshot;

use crate::cloud::{Cloud, data, run};
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
    let accepted = |accept| crate::cloud::Run { accept, ..run(&written) };
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
    error[HW0151]: `eu-central-1` had 8 instances (at 2026-11-22T12:00:00Z) and has 6: 25 % fewer, more than `max_shrink: 20%` allows; gone: i-07, i-08
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [eu-central-1]
      |           ^^^^^^^^^^^^
      |
      = help: were they ended on purpose? Then `--accept shrink:eu-central-1`, once
    ");
    assert_snapshot!(run(&written).said(&with(0)).await, @"
    error[HW0150]: no instance of `eu-central-1` answers to `tag:Fleet=posthog`; there were 8 (at 2026-11-22T12:00:00Z)
     --> fleet.aws_ec2.yml:2:11
      |
    2 | regions: [eu-central-1]
      |           ^^^^^^^^^^^^
      |
      = help: do the filters fit the instances' tags? If it is meant so, `--accept empty:eu-central-1`
    ");
    run(&written).resolve(&with(6)).await.expect_err("a refused answer is no last good one");
    let accepted = crate::cloud::Run { accept: &["shrink:eu-central-1"], ..run(&written) };
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
async fn another_query_is_not_compared() {
    let with = |size: usize| Cloud::default().region("eu-central-1", fleet(size));
    let written = one_region();
    run(&written).resolve(&with(10)).await.unwrap();
    let narrower = SOURCE.replace("us-east-1, ", "").replace("posthog", "other");
    let written = written.file("fleet.aws_ec2.yml", narrower);
    run(&written).resolve(&with(1)).await.unwrap();
}
