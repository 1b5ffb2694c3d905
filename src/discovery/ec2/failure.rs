//! Tells the SDK's errors apart by what a person can do about them (edge).

use std::error::Error;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};

use super::super::{DiscoveryError, Failure};
use super::Asked;

/// Error codes that EC2 and the SDK's login services use; see
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
const THROTTLED: [&str; 8] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "EC2ThrottledException",
    "TooManyRequestsException",
];
const EXPIRED: [&str; 5] =
    ["RequestExpired", "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "CredentialsExpired"];
const REFUSED: [&str; 8] = [
    "AuthFailure",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "MissingAuthenticationToken",
    "InvalidAccessKeyId",
    "Blocked",
];
const UNAUTHORISED: [&str; 3] = ["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"];
const FAILING: [&str; 5] = ["InternalError", "InternalFailure", "Unavailable", "ServiceUnavailable", "RequestTimeout"];

/// What became of a request of a region.
pub(super) fn of<E, R>(error: &SdkError<E, R>, asked: &Asked<'_>) -> DiscoveryError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let watch = &asked.watch;
    let endpoint = format!("`{}`", asked.endpoint);
    let why = causes(error);
    let (failure, source) = match error {
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or_default();
            let message = service.err().message().unwrap_or_default();
            (of_code(code, message, asked), None)
        }
        SdkError::TimeoutError(_) => (watch.end(asked.watch.waited()), None),
        _ if watch.pages() > 0 => (Failure::BrokenOff { pages: watch.pages() }, Some(why)),
        SdkError::DispatchFailure(dispatch) if dispatch.is_timeout() => (Failure::Unreachable { endpoint }, None),
        SdkError::DispatchFailure(_) if is_unnamed(&why) => (Failure::NoAddress { endpoint }, None),
        SdkError::DispatchFailure(_) => (Failure::Unreachable { endpoint }, Some(why)),
        SdkError::ResponseError(_) if is_cut(&why) => (Failure::BrokenOff { pages: 0 }, Some(why)),
        SdkError::ResponseError(_) => (Failure::NotUnderstood { endpoint }, Some(why)),
        _ => (Failure::Other { code: "not sent".to_owned(), message: why }, None),
    };
    let source = source.filter(|why| !why.is_empty()).map(Into::into);
    DiscoveryError { region: asked.query.region.clone(), failure, source }
}

fn of_code(code: &str, message: &str, asked: &Asked<'_>) -> Failure {
    let code = code.to_owned();
    match code.as_str() {
        "" => Failure::NotUnderstood { endpoint: format!("`{}`", asked.endpoint) },
        "OptInRequired" => Failure::UnknownRegion,
        known if THROTTLED.contains(&known) => Failure::Throttled { code, attempts: asked.watch.attempts() },
        known if EXPIRED.contains(&known) => Failure::Expired { code },
        known if REFUSED.contains(&known) => Failure::Refused { code },
        known if UNAUTHORISED.contains(&known) => Failure::NotAuthorised { action: asked.watch.action().to_owned() },
        known if FAILING.contains(&known) => Failure::Failing { code, attempts: asked.watch.attempts() },
        _ => Failure::Other { code, message: message.trim_end_matches('.').to_owned() },
    }
}

/// What became of the search for credentials, by what its providers say.
pub(super) fn of_credentials(why: &str) -> Failure {
    let code = |codes: &[&str]| codes.iter().find(|code| why.contains(**code)).map(|code| (*code).to_owned());
    if let Some(code) = code(&EXPIRED) {
        Failure::Expired { code }
    } else if let Some(code) = code(&UNAUTHORISED) {
        drop(code);
        Failure::NotAuthorised { action: "sts:AssumeRole".to_owned() }
    } else if let Some(code) = code(&REFUSED) {
        Failure::Refused { code }
    } else if why.to_lowercase().contains("expired") {
        Failure::Expired { code: "the login's own session".to_owned() }
    } else {
        Failure::NoCredentials
    }
}

/// The causes behind the SDK's own words, which only name the kind of failure.
fn causes(error: &dyn Error) -> String {
    error.source().map(crate::event::chain).unwrap_or_default()
}

/// The name of the endpoint has no address.
fn is_unnamed(why: &str) -> bool {
    ["dns error", "failed to lookup address"].iter().any(|words| why.contains(words))
}

/// The connection ended in the middle of an answer.
fn is_cut(why: &str) -> bool {
    ["end of file before message length reached", "unexpected end of file", "connection reset", "body"]
        .iter()
        .any(|words| why.to_lowercase().contains(words))
}
