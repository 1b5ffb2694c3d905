//! Why instances could not be listed, told apart by what to do about it (pure).

use crate::problem::{Problem, Span};
use crate::report::hosts::count;

/// A query that failed: nothing of its answer is used.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the instances of `{region}`: {failure}")]
pub struct DiscoveryError {
    /// The region that was asked.
    pub region: String,
    /// What happened.
    pub failure: Failure,
    /// What the SDK says, where that tells more.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What happened to a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The standard chain ended without any.
    #[error("there are no AWS credentials")]
    NoCredentials,
    /// They were right once.
    #[error("the AWS credentials have expired ({code})")]
    Expired {
        /// The API's name for it.
        code: String,
    },
    /// AWS does not know them.
    #[error("AWS does not accept the credentials ({code})")]
    Refused {
        /// The API's name for it.
        code: String,
    },
    /// They are right and may not do this.
    #[error("the credentials may not do `{action}`")]
    NotAuthorised {
        /// Such as `ec2:DescribeInstances`.
        action: String,
    },
    /// EC2 wants fewer requests, to the last attempt.
    #[error("EC2 throttles the requests (`{code}`) after {attempts} attempts")]
    Throttled {
        /// The API's name for it.
        code: String,
        /// How often the request was sent.
        attempts: u32,
    },
    /// EC2 does not know the region, or not for this account.
    #[error("there is no such region, or it is not enabled for the account")]
    UnknownRegion,
    /// The name of the region's endpoint resolves to nothing.
    #[error("{endpoint} has no address: is there such a region, and is there a network?")]
    NoAddress {
        /// Who was to be asked.
        endpoint: String,
    },
    /// No connection, or none that gives an answer.
    #[error("{endpoint} does not answer")]
    Unreachable {
        /// Who was asked.
        endpoint: String,
    },
    /// Too slow.
    #[error("no whole answer within {seconds} s; {} came", count(*pages, "page"))]
    TimedOut {
        /// How long it was waited for.
        seconds: u64,
        /// How much came.
        pages: usize,
    },
    /// An earlier page came, this one did not.
    #[error("the answer breaks off: {} came, the next did not", count(*pages, "page"))]
    BrokenOff {
        /// How much came.
        pages: usize,
    },
    /// It is no answer of EC2's.
    #[error("{endpoint} gives an answer that is not understood")]
    NotUnderstood {
        /// Who was asked.
        endpoint: String,
    },
    /// EC2 itself is not well, to the last attempt.
    #[error("EC2 itself fails (`{code}`) after {attempts} attempts")]
    Failing {
        /// The API's name for it.
        code: String,
        /// How often the request was sent.
        attempts: u32,
    },
    /// EC2 says no for another reason.
    #[error("EC2 refuses the request: {message} ({code})")]
    Other {
        /// The API's name for it.
        code: String,
        /// What it says.
        message: String,
    },
}

impl Failure {
    /// The stable code of the problem.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoCredentials => "HW0152",
            Self::Expired { .. } => "HW0153",
            Self::Refused { .. } => "HW0154",
            Self::NotAuthorised { .. } => "HW0155",
            Self::Throttled { .. } => "HW0156",
            Self::UnknownRegion | Self::NoAddress { .. } => "HW0157",
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::BrokenOff { .. }
            | Self::NotUnderstood { .. }
            | Self::Failing { .. } => "HW0158",
            Self::Other { .. } => "HW0159",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoCredentials => {
                "log in (`aws sso login`), or set `AWS_PROFILE`; `aws sts get-caller-identity` shows who you are. `--offline` reads the snapshot instead"
            }
            Self::Expired { .. } => {
                "log in again: `aws sso login`, or new session credentials. `--offline` reads the snapshot instead"
            }
            Self::Refused { .. } => {
                "are key and secret of one another, and is this machine's clock right? `aws sts get-caller-identity` shows who you are"
            }
            Self::NotAuthorised { .. } => {
                "allow `ec2:DescribeInstances` and `ec2:DescribeInstanceTypes` to the role: docs/inventory.md has the policy"
            }
            Self::Throttled { .. } => {
                "somebody sends many requests in this account and region: try again later, or `cache: true` in the file"
            }
            Self::UnknownRegion | Self::NoAddress { .. } => {
                "`aws ec2 describe-regions --all-regions` lists them; correct `regions`"
            }
            Self::Unreachable { .. } => {
                "is the network up, and do a proxy, `endpoint_url` and `AWS_ENDPOINT_URL` fit? `--offline` reads the snapshot instead"
            }
            Self::TimedOut { .. } | Self::BrokenOff { .. } | Self::Failing { .. } => {
                "nothing of the answer is used; try again. `--offline` reads the snapshot instead"
            }
            Self::NotUnderstood { .. } => {
                "is it EC2 that answers there? Look for a proxy or a login page in between, and at `endpoint_url` and `AWS_ENDPOINT_URL`"
            }
            Self::Other { .. } => "correct `filters` and the other keys of the file that go to EC2",
        }
    }

    /// The same for every region, since it is about who asks.
    fn is_about_access(&self) -> bool {
        matches!(self, Self::NoCredentials | Self::Expired { .. } | Self::Refused { .. })
    }
}

/// Turns the failures of one file into problems; what is the same for several regions is told once.
#[must_use]
pub fn problems(failed: &[(DiscoveryError, Span)]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut told: Vec<&Failure> = Vec::new();
    for (error, span) in failed {
        let failure = &error.failure;
        if told.contains(&failure) {
            continue;
        }
        let alike = |other: &&(DiscoveryError, Span)| failure.is_about_access() && other.0.failure == *failure;
        let mut regions: Vec<String> =
            failed.iter().filter(alike).map(|(other, _)| format!("`{}`", other.region)).collect();
        if failure.is_about_access() {
            told.push(failure);
        } else {
            regions = vec![format!("`{}`", error.region)];
        }
        let cause = error.source.as_deref().map(|source| crate::event::chain(source)).filter(|text| !text.is_empty());
        let cause = cause.map(|text| format!(": {text}")).unwrap_or_default();
        let message = format!("cannot list the instances of {}: {failure}{cause}", regions.join(", "));
        problems.push(Problem::new(failure.code(), message).at(span).hint(failure.hint()));
    }
    problems
}
