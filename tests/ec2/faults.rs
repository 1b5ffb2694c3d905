//! Each thing that goes wrong between here and EC2 has its own text, and no part of an answer is used.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::program::Program;
use crate::server::{Fault, When, region};

async fn fails(when: When, fault: Fault) -> String {
    let server = region(12, when, fault).await;
    Program::new(server.port).fails().await
}

const THROTTLED: Fault = Fault::Error(503, "RequestLimitExceeded", "Request limit exceeded.");

#[tokio::test]
async fn throttling_that_ends_is_waited_for() {
    let server = region(12, When::First(2), THROTTLED).await;
    let said = Program::new(server.port).with("AWS_MAX_ATTEMPTS", "5").run(&["inventory", "--list"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.out.matches("\"instance_id\"").count(), 12, "{said:?}");
}

#[tokio::test]
async fn throttling_that_does_not_end_is_an_error() {
    let server = region(12, When::Always, THROTTLED).await;
    let program = Program::new(server.port).with("AWS_MAX_ATTEMPTS", "3");
    assert_snapshot!(program.fails().await, @"
    error[HW0156]: cannot list the instances of `eu-west-1`: EC2 throttles the requests (`RequestLimitExceeded`) after 3 attempts
    --> clickhouse.aws_ec2.yml:2:11
    = help: somebody sends many requests in this account and region: try again later, or `cache: true` in the file
    ");
    assert_eq!(server.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn long_throttling_is_told_while_it_lasts() {
    let server = region(12, When::Always, THROTTLED).await;
    let said = Program::new(server.port).with("AWS_MAX_ATTEMPTS", "6").run(&["inventory"]).await;
    assert!(said.err.contains("EC2 in eu-west-1: it throttles the requests; attempt "), "{said:?}");
}

#[tokio::test]
async fn credentials_that_expired_are_told() {
    for (status, code) in [(400, "RequestExpired"), (400, "ExpiredToken"), (403, "ExpiredTokenException")] {
        let said = fails(When::Always, Fault::Error(status, code, "The token has expired")).await;
        assert!(said.contains("HW0153") && said.contains(code), "{said}");
    }
    assert_snapshot!(fails(When::Always, Fault::Error(400, "RequestExpired", "Request has expired.")).await, @"
    error[HW0153]: cannot list the instances of `eu-west-1`: the AWS credentials have expired (RequestExpired)
    --> clickhouse.aws_ec2.yml:2:11
    = help: log in again: `aws sso login`, or new session credentials. `--offline` reads the snapshot instead
    ");
}

#[tokio::test]
async fn credentials_that_are_not_accepted_are_told() {
    let fault = Fault::Error(401, "AuthFailure", "AWS was not able to validate the provided access credentials");
    assert_snapshot!(fails(When::Always, fault).await, @"
    error[HW0154]: cannot list the instances of `eu-west-1`: AWS does not accept the credentials (AuthFailure)
    --> clickhouse.aws_ec2.yml:2:11
    = help: are key and secret of one another, and is this machine's clock right? `aws sts get-caller-identity` shows who you are
    ");
}

#[tokio::test]
async fn credentials_that_may_not_do_it_are_told_with_what_they_lack() {
    let fault = || Fault::Error(403, "UnauthorizedOperation", "You are not authorized. Encoded message: aaaa");
    assert_snapshot!(fails(When::Always, fault()).await, @"
    error[HW0155]: cannot list the instances of `eu-west-1`: the credentials may not do `ec2:DescribeInstances`
    --> clickhouse.aws_ec2.yml:2:11
    = help: allow `ec2:DescribeInstances` and `ec2:DescribeInstanceTypes` to the role: docs/inventory.md has the policy
    ");
    assert_snapshot!(fails(When::Action("DescribeInstanceTypes"), fault()).await, @"
    error[HW0155]: cannot list the instances of `eu-west-1`: the credentials may not do `ec2:DescribeInstanceTypes`
    --> clickhouse.aws_ec2.yml:2:11
    = help: allow `ec2:DescribeInstances` and `ec2:DescribeInstanceTypes` to the role: docs/inventory.md has the policy
    ");
}

#[tokio::test]
async fn no_credentials_at_all_are_told() {
    let server = region(12, When::Never, Fault::Silence).await;
    let program = Program::new(server.port).with("AWS_ACCESS_KEY_ID", "").with("AWS_SECRET_ACCESS_KEY", "");
    assert_snapshot!(program.fails().await, @"
    error[HW0152]: cannot list the instances of `eu-west-1`: there are no AWS credentials
    --> clickhouse.aws_ec2.yml:2:11
    = help: log in (`aws sso login`), or set `AWS_PROFILE`; `aws sts get-caller-identity` shows who you are. `--offline` reads the snapshot instead
    ");
    assert_eq!(server.connections.load(Ordering::SeqCst), 0, "EC2 is not asked");
    let program = program.file("clickhouse.aws_ec2.yml", &(crate::program::SOURCE.to_owned() + "profile: nobody\n"));
    assert_snapshot!(program.fails().await, @"
    error[HW0152]: cannot list the instances of `eu-west-1`: there are no AWS credentials: the profile `nobody` gives none
    --> clickhouse.aws_ec2.yml:2:11
    = help: log in (`aws sso login`), or set `AWS_PROFILE`; `aws sts get-caller-identity` shows who you are. `--offline` reads the snapshot instead
    ");
}

#[tokio::test]
async fn metadata_that_nobody_serves_does_not_keep_anyone_waiting() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(accepted) = silent.accept().await {
            held.push(accepted);
        }
    });
    let program = Program::new(9)
        .with("AWS_ACCESS_KEY_ID", "")
        .with("AWS_SECRET_ACCESS_KEY", "")
        .with("AWS_EC2_METADATA_DISABLED", "")
        .with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &format!("http://{address}"));
    let began = Instant::now();
    let said = program.fails().await;
    assert!(said.contains("HW0152"), "{said}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_region_that_is_not_enabled_is_told() {
    let fault = Fault::Error(401, "OptInRequired", "You are not subscribed to this service.");
    assert_snapshot!(fails(When::Always, fault).await, @"
    error[HW0157]: cannot list the instances of `eu-west-1`: there is no such region, or it is not enabled for the account
    --> clickhouse.aws_ec2.yml:2:11
    = help: `aws ec2 describe-regions --all-regions` lists them; correct `regions`
    ");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_used() {
    assert_snapshot!(fails(When::Page(3), Fault::HangUp).await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: the answer breaks off: 2 pages came, the next did not: error reading a body from connection: end of file before message length reached
    --> clickhouse.aws_ec2.yml:2:11
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    ");
    assert_snapshot!(fails(When::Page(1), Fault::HangUp).await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: the answer breaks off: 0 pages came, the next did not: error reading a body from connection: end of file before message length reached
    --> clickhouse.aws_ec2.yml:2:11
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    ");
}

#[tokio::test]
async fn a_later_page_that_fails_is_told_as_what_it_is() {
    let said = fails(When::Page(3), Fault::Error(400, "RequestExpired", "Request has expired.")).await;
    assert!(said.contains("HW0153"), "{said}");
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_ends() {
    let server = region(12, When::Always, Fault::Silence).await;
    let program = Program::new(server.port).with("HOUSEWRIGHT_EC2_TIMEOUT", "2");
    let began = Instant::now();
    assert_snapshot!(program.fails().await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: no whole answer within 2 s; 0 pages came
    --> clickhouse.aws_ec2.yml:2:11
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    ");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let server = region(12, When::Page(2), Fault::Silence).await;
    let program = Program::new(server.port).with("HOUSEWRIGHT_EC2_TIMEOUT", "2");
    assert_snapshot!(program.fails().await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: no whole answer within 2 s; 1 page came
    --> clickhouse.aws_ec2.yml:2:11
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    ");
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_told() {
    let server = region(12, When::Never, Fault::Silence).await;
    let program = Program::new(server.port);
    drop(server);
    assert_snapshot!(program.fails().await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: `http://127.0.0.1:PORT` does not answer: io error: client error (Connect): tcp connect error: Connection refused (os error 111)
    --> clickhouse.aws_ec2.yml:2:11
    = help: is the network up, and do a proxy, `endpoint_url` and `AWS_ENDPOINT_URL` fit? `--offline` reads the snapshot instead
    ");
}

#[tokio::test]
async fn an_answer_that_is_none_of_ec2s_is_told() {
    assert_snapshot!(fails(When::Always, Fault::Text(200, "<html><body>Please log in</body></html>")).await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: `http://127.0.0.1:PORT` gives an answer that is not understood
    --> clickhouse.aws_ec2.yml:2:11
    = help: is it EC2 that answers there? Look for a proxy or a login page in between, and at `endpoint_url` and `AWS_ENDPOINT_URL`
    ");
    let cut = "<DescribeInstancesResponse><reservationSet><item><reservationId>r-1</reservationId>";
    let said = fails(When::Always, Fault::Text(200, cut)).await;
    assert!(said.contains("HW0158") && said.contains("is not understood"), "{said}");
    let said = fails(When::Page(2), Fault::Text(200, cut)).await;
    assert!(said.contains("HW0158") && said.contains("breaks off: 1 page came"), "{said}");
    let said = fails(When::Always, Fault::Text(403, "<html>a proxy</html>")).await;
    assert!(said.contains("HW0158"), "{said}");
}

#[tokio::test]
async fn ec2_that_is_not_well_is_told() {
    let fault = Fault::Error(500, "InternalError", "An internal error has occurred");
    assert_snapshot!(fails(When::Always, fault).await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: EC2 itself fails (`InternalError`) after 2 attempts
    --> clickhouse.aws_ec2.yml:2:11
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    ");
}

#[tokio::test]
async fn a_filter_that_ec2_does_not_know_is_told_in_its_words() {
    let fault = Fault::Error(400, "InvalidParameterValue", "The filter 'tagg:x' is invalid");
    assert_snapshot!(fails(When::Always, fault).await, @"
    error[HW0159]: cannot list the instances of `eu-west-1`: EC2 refuses the request: The filter 'tagg:x' is invalid (InvalidParameterValue)
    --> clickhouse.aws_ec2.yml:2:11
    = help: correct `filters` and the other keys of the file that go to EC2
    ");
}

#[tokio::test]
async fn pages_without_an_end_are_refused() {
    let server = crate::http::Stub::start(|_| {
        let text =
            "<DescribeInstancesResponse><reservationSet/><nextToken>again</nextToken></DescribeInstancesResponse>";
        crate::http::Reply::Say(200, "Content-Type: text/xml\r\n", text.to_owned())
    })
    .await;
    assert_snapshot!(Program::new(server.port).fails().await, @"
    error[HW0158]: cannot list the instances of `eu-west-1`: the answer breaks off: 2 pages came, the next did not
    --> clickhouse.aws_ec2.yml:2:11
    = help: nothing of the answer is used; try again. `--offline` reads the snapshot instead
    ");
}
