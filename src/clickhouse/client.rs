//! ClickHouse over HTTP, on any stream (edge).
//!
//! The user and the password are headers, the statement is the body; neither is in an error. A kept connection is used
//! again only while the server surely still holds it, so that no statement is ever sent twice.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::answer::{Head, understand};
use super::{Bounds, ClickHouse, ClickHouseError, Endpoint, Errand, Rows, Statement};

/// A way for bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens streams to one ClickHouse.
#[async_trait]
pub trait Opener: Send + Sync {
    /// Opens a new stream.
    ///
    /// # Errors
    /// Says why nothing answers.
    async fn open(&self) -> io::Result<Box<dyn Stream>>;
}

/// How long a connection is kept for the next statement, then closed. A server that stops waits for idle ones up to its
/// `keep_alive_timeout`, 30 seconds by default: ours must not be what a restart waits for.
const KEPT: Duration = Duration::from_millis(500);

/// The server looks at the time between blocks of rows, and its complaint is worth more than none.
const LATE: Duration = Duration::from_secs(5);

/// An errand has no answer but its end; a mutation ends when its rows are rewritten on this replica
/// ([mutations](https://clickhouse.com/docs/sql-reference/statements/alter#synchronicity-of-alter-queries)).
const ERRAND: &str = "/?default_format=Null&wait_end_of_query=1&mutations_sync=1&query_id=";
/// What an errand answers all the same, such as a format that it names itself.
const ERRAND_BYTES: usize = 1 << 20;

const QUERY: &str = "/?default_format=JSONCompact&output_format_json_quote_64bit_integers=0&wait_end_of_query=1";

/// One ClickHouse server behind an [`Opener`].
pub struct HttpClickHouse {
    opener: Arc<dyn Opener>,
    endpoint: Endpoint,
    /// What the header `Host` says.
    authority: HeaderValue,
    timeout: Duration,
    idle: Arc<Mutex<Option<Idle>>>,
}

/// A connection that is kept, and since when.
type Idle = (Instant, SendRequest<Full<Bytes>>);

impl HttpClickHouse {
    /// Speaks over streams that somebody else opens.
    #[must_use]
    pub fn over(opener: Arc<dyn Opener>, endpoint: &Endpoint, timeout: Duration) -> Self {
        let authority = HeaderValue::from_static("localhost");
        Self { opener, endpoint: endpoint.clone(), authority, timeout, idle: Arc::default() }
    }

    /// Says whom it speaks to: what stands before a server may look at it. What is no name of a host is not said.
    #[must_use]
    pub fn named(self, authority: &str) -> Self {
        match HeaderValue::from_str(authority) {
            Ok(authority) => Self { authority, ..self },
            Err(_) => self,
        }
    }

    /// Speaks over TCP to the endpoint's port of a host.
    #[must_use]
    pub fn direct(host: impl Into<String>, endpoint: &Endpoint, timeout: Duration) -> Self {
        Self::over(Arc::new(Direct(host.into(), endpoint.http_port)), endpoint, timeout)
    }

    /// Runs a statement that is to be there for long, over a connection of its own, with settings of its own in the URL; the
    /// connection is closed when nobody waits any more.
    ///
    /// # Errors
    /// As [`ClickHouse::execute`]; there is no time-out.
    pub async fn stay(&self, statement: &Statement, query: &str) -> Result<(), ClickHouseError> {
        let stream = self.opener.open().await.map_err(|error| not_opened(&error))?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let request = self.request(statement, query)?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            let head = head(&response);
            let body = Limited::new(response.into_body(), ERRAND_BYTES).collect().await;
            let body = body.map_err(|error| cut_off(error, ERRAND_BYTES))?.to_bytes();
            understand(&head, &body, self.endpoint.password.as_ref()).map(|_| ())
        };
        tokio::pin!(answer);
        // Not in a task of its own: that would live on.
        tokio::select! {
            answer = &mut answer => answer,
            _ = connection => answer.await,
        }
    }

    async fn exchange(&self, statement: &Statement, query: &str, most: usize) -> Result<Rows, ClickHouseError> {
        let mut sender = self.sender().await?;
        let response = sender.send_request(self.request(statement, query)?).await.map_err(broken)?;
        let head = head(&response);
        let body = Limited::new(response.into_body(), most).collect().await.map_err(|error| cut_off(error, most))?;
        let body = body.to_bytes();
        self.keep(sender);
        understand(&head, &body, self.endpoint.password.as_ref())
    }

    fn keep(&self, sender: SendRequest<Full<Bytes>>) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), sender));
        let idle = Arc::clone(&self.idle);
        tokio::spawn(async move {
            tokio::time::sleep(KEPT).await;
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            // Another statement may have used it since, and left it for the timer of its own.
            idle.take_if(|(since, _)| since.elapsed() >= KEPT);
        });
    }

    async fn sender(&self) -> Result<SendRequest<Full<Bytes>>, ClickHouseError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((since, mut sender)) = idle
            && since.elapsed() < KEPT
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = self.opener.open().await.map_err(|error| not_opened(&error))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
        tokio::spawn(async move {
            // Its end shows at the sender.
            let _ = connection.await;
        });
        Ok(sender)
    }

    fn request(&self, statement: &Statement, query: &str) -> Result<Request<Full<Bytes>>, ClickHouseError> {
        let unfit = |what: &str| ClickHouseError::Garbled(format!("{what} does not fit into an HTTP header"));
        let header = |what, text: &str| HeaderValue::from_bytes(text.as_bytes()).map_err(|_| unfit(what));
        let body = Full::new(Bytes::copy_from_slice(statement.text().as_bytes()));
        let mut request = Request::post(query).body(body).map_err(|_| unfit("the request"))?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.authority.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert("x-clickhouse-user", header("the user", &self.endpoint.user)?);
        if let Some(password) = &self.endpoint.password {
            let mut key = header("the password", password.expose())?;
            key.set_sensitive(true);
            headers.insert("x-clickhouse-key", key);
        }
        Ok(request)
    }
}

#[async_trait]
impl ClickHouse for HttpClickHouse {
    async fn execute(&self, statement: &Statement) -> Result<Rows, ClickHouseError> {
        let exchange = tokio::time::timeout(self.timeout, self.exchange(statement, QUERY, usize::MAX)).await;
        exchange.unwrap_or(Err(ClickHouseError::Timeout(self.timeout)))
    }

    async fn run(&self, errand: &Errand<'_>) -> Result<(), ClickHouseError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if !errand.query_id.bytes().all(plain) {
            return Err(ClickHouseError::Garbled(format!("`{}` is no name for a query", errand.query_id)));
        }
        let query = format!("{ERRAND}{}", errand.query_id);
        let exchange = self.exchange(errand.statement, &query, ERRAND_BYTES);
        let answer = tokio::time::timeout(errand.limit, exchange).await;
        answer.unwrap_or(Err(ClickHouseError::Timeout(errand.limit))).map(|_| ())
    }

    async fn ask(&self, question: &Statement, bounds: &Bounds) -> Result<Rows, ClickHouseError> {
        let query = format!("{QUERY}{}", bounds.settings());
        let exchange = self.exchange(question, &query, bounds.bytes);
        let answer = tokio::time::timeout(bounds.time.saturating_add(LATE), exchange).await;
        answer.unwrap_or(Err(ClickHouseError::Timeout(bounds.time))).map(|rows| bounds.cut(rows))
    }
}

fn head<B>(response: &Response<B>) -> Head {
    let code = response.headers().get("x-clickhouse-exception-code");
    Head {
        status: response.status().as_u16(),
        exception: code.and_then(|code| code.to_str().ok()).and_then(|code| code.trim().parse().ok()),
    }
}

/// Only a refused connection proves that nothing listens.
fn not_opened(error: &io::Error) -> ClickHouseError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ClickHouseError::Refused(error.to_string()),
        _ => ClickHouseError::Unreachable(error.to_string()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(error: hyper::Error) -> ClickHouseError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    ClickHouseError::Unreachable(format!("{error}{cause}"))
}

/// An answer that is too long, or a connection that broke.
fn cut_off(error: Box<dyn std::error::Error + Send + Sync>, most: usize) -> ClickHouseError {
    match error.downcast::<hyper::Error>() {
        Ok(error) => broken(*error),
        Err(error) if error.is::<LengthLimitError>() => ClickHouseError::TooLong(most),
        Err(error) => ClickHouseError::Unreachable(error.to_string()),
    }
}

/// A TCP port of a host.
struct Direct(String, u16);

#[async_trait]
impl Opener for Direct {
    async fn open(&self) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((self.0.as_str(), self.1)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
