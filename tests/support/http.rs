//! A small HTTP server that answers as it is told, as ClickHouse would.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// What to answer to a statement.
pub enum Reply {
    /// Status, further header lines, body.
    Say(u16, &'static str, String),
    /// Hangs up in the middle.
    HangUp,
    Silence,
}

/// What the server says to a body.
type Answer = Arc<dyn Fn(&str) -> Reply + Send + Sync>;

pub struct Stub {
    pub port: u16,
    pub connections: Arc<AtomicUsize>,
    /// Head and body of each request.
    pub requests: Arc<Mutex<Vec<(String, String)>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stub {
    pub async fn start(answer: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let answer: Answer = Arc::new(answer);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::<AtomicUsize>::default();
        let requests = Arc::<Mutex<Vec<(String, String)>>>::default();
        let (counted, seen) = (Arc::clone(&connections), Arc::clone(&requests));
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&seen)));
            }
        });
        Self { port, connections, requests, task }
    }
}

async fn serve(stream: tokio::net::TcpStream, answer: Answer, seen: Arc<Mutex<Vec<(String, String)>>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            (stream.read_line(&mut head).await.ok()? > 0).then_some(())?;
        }
        let length = head.to_lowercase().split_once("content-length: ")?.1.lines().next()?.trim().parse().ok()?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        let body = String::from_utf8(body).ok()?;
        seen.lock().unwrap().push((head, body.clone()));
        match answer(&body) {
            Reply::Say(status, headers, text) => {
                let reply = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{text}", text.len());
                stream.write_all(reply.as_bytes()).await.ok()?;
            }
            Reply::HangUp => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"meta\"").await.ok()?;
                return None;
            }
            Reply::Silence => std::future::pending().await,
        }
    }
}
