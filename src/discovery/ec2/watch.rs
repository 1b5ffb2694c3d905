//! Watches the attempts of a region's requests (edge): counts them, and tells the person what is waited for.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_ec2::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::BoxError;
use tokio::time::Instant;

use super::super::Failure;
use super::Ec2;

/// What is known of the requests of one region so far.
#[derive(Debug, Clone)]
pub(super) struct Watch(Arc<State>);

#[derive(Debug)]
struct State {
    region: String,
    say: fn(&str),
    patience: Duration,
    /// Attempts of the request that is under way.
    attempts: AtomicU32,
    pages: AtomicUsize,
    /// Whether the last answer was one whole document.
    whole: AtomicBool,
    request: Mutex<Request>,
}

#[derive(Debug)]
struct Request {
    action: &'static str,
    began: Instant,
    told: Instant,
}

impl Watch {
    pub(super) fn new(region: &str, ec2: &Ec2) -> Self {
        let now = Instant::now();
        Self(Arc::new(State {
            region: region.to_owned(),
            say: ec2.say,
            patience: ec2.limits.patience,
            attempts: AtomicU32::new(0),
            pages: AtomicUsize::new(0),
            whole: AtomicBool::new(false),
            request: Mutex::new(Request { action: "ec2:DescribeInstances", began: now, told: now }),
        }))
    }

    /// A request begins.
    pub(super) fn begins(&self, action: &'static str) {
        let now = Instant::now();
        *self.request() = Request { action, began: now, told: now };
        self.0.attempts.store(0, Ordering::Relaxed);
        self.0.pages.store(0, Ordering::Relaxed);
    }

    /// A page came.
    pub(super) fn page(&self) {
        let now = Instant::now();
        let mut request = self.request();
        (request.began, request.told) = (now, now);
        self.0.attempts.store(0, Ordering::Relaxed);
        self.0.pages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pages(&self) -> usize {
        self.0.pages.load(Ordering::Relaxed)
    }

    pub(super) fn is_whole(&self) -> bool {
        self.0.whole.load(Ordering::Relaxed)
    }

    pub(super) fn attempts(&self) -> u32 {
        self.0.attempts.load(Ordering::Relaxed)
    }

    pub(super) fn action(&self) -> &'static str {
        self.request().action
    }

    /// For how many seconds the page under way has been waited for.
    pub(super) fn waited(&self) -> u64 {
        self.request().began.elapsed().as_secs()
    }

    /// The time is over.
    pub(super) fn end(&self, seconds: u64) -> Failure {
        Failure::TimedOut { seconds, pages: self.pages() }
    }

    fn request(&self) -> std::sync::MutexGuard<'_, Request> {
        self.0.request.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn failed(&self, why: &str) {
        let mut request = self.request();
        if request.told.elapsed() < self.0.patience {
            return;
        }
        request.told = Instant::now();
        let (region, attempts) = (&self.0.region, self.attempts());
        (self.0.say)(&format!("EC2 in {region}: {why}; attempt {attempts}, still trying"));
    }
}

impl Intercept for Watch {
    fn name(&self) -> &'static str {
        "Watch"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _settings: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.attempts.fetch_add(1, Ordering::Relaxed);
        let body = context.response().and_then(|response| response.body().bytes());
        self.0.whole.store(body.is_some_and(is_whole), Ordering::Relaxed);
        if context.output_or_error().is_some_and(|outcome| outcome.is_err()) {
            let status = context.response().map(|response| response.status().as_u16());
            // 503 is EC2's way to ask for fewer requests.
            self.failed(match status {
                Some(503) => "it throttles the requests",
                Some(_) => "it answers with an error",
                None => "no answer yet",
            });
        }
        Ok(())
    }
}

/// One well-formed document with an answer's root.
fn is_whole(body: &[u8]) -> bool {
    let document = std::str::from_utf8(body).ok().and_then(|text| roxmltree::Document::parse(text).ok());
    document.is_some_and(|document| document.root_element().tag_name().name().ends_with("Response"))
}
