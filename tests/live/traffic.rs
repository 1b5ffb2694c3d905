//! Traffic on the lab while a run goes on: a writer through Kafka, a reader over both shards, and eyes on the data hosts.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::fleet::{DATA, Fleet, address_of, each, eventually};

const ROWS: u64 = 40;
const READ: &str = "SELECT uniqExact(distinct_id) FROM events";
/// The distinct events of the writer, as they are stored: Kafka delivers at least once.
const STORED: &str = "SELECT DISTINCT toString(uuid) AS uuid, event, properties, toString(timestamp) AS at, distinct_id \
                      FROM events WHERE event = 'roll'";

/// A writer, a reader and a watch, from now until [`Traffic::end`].
pub struct Traffic {
    stop: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    writer: JoinHandle<()>,
    reader: JoinHandle<Reads>,
    watch: Watch,
}

/// What the reader saw.
#[derive(Debug, Default)]
pub struct Reads {
    pub answered: usize,
    /// A host did not take the connection, and the next one answered, as behind a load balancer.
    pub passed_on: usize,
    /// A replica went away between the question and the first row, and the next host answered.
    pub cut: Vec<Failed>,
    pub failed: Vec<Failed>,
}

/// `ABORTED`, `NETWORK_ERROR`: a server stops between a peer's ping and the data of its question, in a moment for which it has
/// no setting, and who asked does not ask another replica (`TCPHandler::receivePacketsExpectDataConcurrentWithExecutor` of
/// [25.8](https://github.com/ClickHouse/ClickHouse/blob/25.8/src/Server/TCPHandler.cpp)).
const CUT: [&str; 2] = ["Code: 236.", "Code: 210."];
/// That moment is met about once in a hundred restarts under load; more than these in one test is our doing.
const MOST_CUT: usize = 3;

impl Reads {
    /// Every read was answered by one host or the next.
    #[track_caller]
    pub fn none_failed(&self) {
        assert!(self.failed.is_empty(), "{self}: {:#?}", self.failed);
        assert!(self.cut.len() <= MOST_CUT, "{self}: {:#?}", self.cut);
    }
}

/// A read that nobody answered, or that somebody answered with an error: when, and what came.
pub type Failed = (Duration, String);

/// What the watch saw of the data hosts.
#[derive(Debug, Default)]
pub struct Seen {
    pub looks: usize,
    /// Who was ever away.
    pub away: [bool; 4],
    /// The moments when both replicas of a shard were.
    pub both: Vec<(Duration, [bool; 4])>,
}

impl Traffic {
    /// Starts all three, and waits until rows arrive.
    pub fn start(fleet: &Fleet) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU64::new(0));
        let started = Instant::now();
        let writer = spawn(&stop, {
            let written = Arc::clone(&written);
            move |stop| write(stop, &written)
        });
        eventually("the writer's rows can be read", || fleet.sql(DATA[0], READ), |count| count != "0");
        let reader = spawn(&stop, move |stop| read(stop, started));
        Self { stop, written, writer, reader, watch: Watch::start() }
    }

    /// Stops all three; every row that was written is there, once its consumers and replicas have caught up: by number and by
    /// checksum. Both replicas of a shard hold the same.
    #[track_caller]
    pub fn end(self, fleet: &Fleet) -> (Reads, Seen) {
        self.stop.store(true, Ordering::Relaxed);
        let (reads, seen) = (self.reader.join().expect("the reader"), self.watch.end());
        self.writer.join().expect("the writer");
        let written = self.written.load(Ordering::Relaxed);
        let sum = |rows: &str| {
            format!("SELECT count(), sum(cityHash64(uuid, event, properties, at, distinct_id)) FROM ({rows})")
        };
        let all = fleet.sql(DATA[0], &sum(&produced(written)));
        eventually(
            "no row is lost",
            || DATA.map(|host| fleet.sql(host, &sum(STORED))),
            |sums| sums.iter().all(|sum| *sum == all),
        );
        let own =
            "SELECT uniqExact(uuid), groupBitXor(cityHash64(uuid)) FROM (SELECT DISTINCT uuid FROM sharded_events)";
        eventually(
            "both replicas of a shard hold the same rows",
            || DATA.map(|host| fleet.sql(host, own)),
            |own| own[0] == own[1] && own[2] == own[3],
        );
        let stored = fleet.sql(DATA[0], "SELECT count() FROM events WHERE event = 'roll'");
        println!(
            "{written} rows written, {stored} stored, distinct ones and their checksum: {}",
            all.replace('\t', ", ")
        );
        println!("{reads}; {} looks at the data hosts", seen.looks);
        (reads, seen)
    }
}

/// The writer's rows, made anew by a server's own functions.
fn produced(written: u64) -> String {
    format!(
        "SELECT concat('00000000-0000-4000-8000-', leftPad(lower(hex(number)), 12, '0')) AS uuid, 'roll' AS event, \
         concat('{{\"n\":', toString(number * number), '}}') AS properties, '2026-02-01 00:00:00.000000' AS at, \
         concat('w', toString(number)) AS distinct_id FROM numbers({written})"
    )
}

impl fmt::Display for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} reads answered ({} by the next host, {} of them asked again), {} failed",
            self.answered,
            self.passed_on + self.cut.len(),
            self.cut.len(),
            self.failed.len()
        )
    }
}

fn spawn<T: Send + 'static>(
    stop: &Arc<AtomicBool>,
    work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
) -> JoinHandle<T> {
    let stop = Arc::clone(stop);
    std::thread::spawn(move || work(&stop))
}

fn row(n: u64) -> String {
    format!(
        "{{\"uuid\":\"00000000-0000-4000-8000-{n:012x}\",\"event\":\"roll\",\"properties\":\"{{\\\"n\\\":{}}}\",\"timestamp\":\"2026-02-01 00:00:00.000000\",\"team_id\":1,\"distinct_id\":\"w{n}\",\"created_at\":\"2026-02-01 00:00:00.000000\"}}\n",
        n * n
    )
}

/// Writes numbered rows to the topic `events`, a batch at a time; a batch counts when the broker has acknowledged it.
fn write(stop: &AtomicBool, written: &AtomicU64) {
    while !stop.load(Ordering::Relaxed) {
        let first = written.load(Ordering::Relaxed);
        let mut child = Command::new(env!("CARGO_BIN_EXE_housewright"))
            .args(["lab", "produce", "events", "--host", "ingestion-events-1"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let rows: String = (first..first + ROWS).map(row).collect();
        child.stdin.take().expect("stdin").write_all(rows.as_bytes()).expect("it reads the rows");
        assert!(child.wait().expect("it ends").success(), "the broker does not take rows");
        written.store(first + ROWS, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// Reads both shards through one data host after the other.
fn read(stop: &AtomicBool, started: Instant) -> Reads {
    housewright::lab::enter_namespace("hwlab").expect("the lab's network");
    let mut reads = Reads::default();
    for turn in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let (mut said, mut cut) = ("no host takes the connection".to_owned(), None);
        let answer = (0..DATA.len()).find_map(|next| match ask(DATA[(turn + next) % DATA.len()], READ) {
            Answer::Rows => Some((next, Ok(()))),
            Answer::Error(error) if cut.is_none() && CUT.iter().any(|code| error.contains(code)) => {
                cut = Some((started.elapsed(), error));
                None
            }
            Answer::Error(error) => Some((next, Err(error))),
            Answer::NotTaken(error) => {
                said = format!("{said}; {error}");
                None
            }
        });
        match (answer, cut) {
            (Some((_, Ok(()))), Some(cut)) => {
                reads.answered += 1;
                reads.cut.push(cut);
            }
            (Some((next, Ok(()))), None) => {
                reads.answered += 1;
                reads.passed_on += usize::from(next > 0);
            }
            (Some((_, Err(error))), _) => reads.failed.push((started.elapsed(), error)),
            (None, _) => reads.failed.push((started.elapsed(), said)),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    reads
}

enum Answer {
    Rows,
    /// Not a byte of an answer came, or the bare 503 of a server that is stopping: it never began with the question, and a
    /// load balancer asks the next one.
    NotTaken(String),
    Error(String),
}

fn ask(host: &str, statement: &str) -> Answer {
    let mut answer = Vec::new();
    match exchange(host, statement, &mut answer) {
        _ if answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200") => {
            let text = String::from_utf8_lossy(&answer);
            let body = text.split_once("\r\n\r\n").map(|(_, body)| body.trim()).unwrap_or_default();
            if body.parse::<u64>().is_ok() { Answer::Rows } else { Answer::Error(format!("{host}: {body}")) }
        }
        Err(error) if answer.is_empty() && error.kind() != ErrorKind::WouldBlock => {
            Answer::NotTaken(format!("{host}: {error}"))
        }
        Ok(()) if answer.is_empty() => Answer::NotTaken(format!("{host}: closed")),
        _ if is_bare_503(&answer) => Answer::NotTaken(format!("{host}: 503")),
        other => Answer::Error(format!("{host}: {other:?}: {}", String::from_utf8_lossy(&answer))),
    }
}

fn is_bare_503(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let refused = text.starts_with("HTTP/1.0 503") || text.starts_with("HTTP/1.1 503");
    refused && text.split_once("\r\n\r\n").is_some_and(|(_, body)| body.trim().is_empty())
}

fn exchange(host: &str, statement: &str, answer: &mut Vec<u8>) -> io::Result<()> {
    let address = SocketAddr::from((address_of(host), 8123));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_millis(500))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n{statement}", statement.len())?;
    stream.read_to_end(answer)?;
    Ok(())
}

/// Looks at all data hosts, again and again, whether they answer.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Watch {
    pub fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = spawn(&stop, watch);
        Self { stop, thread }
    }

    pub fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the watch")
    }
}

fn watch(stop: &AtomicBool) -> Seen {
    housewright::lab::enter_namespace("hwlab").expect("the lab's network");
    let (mut seen, started) = (Seen::default(), Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let serves = DATA.map(|host| answers(address_of(host)));
        seen.looks += 1;
        for (away, serves) in seen.away.iter_mut().zip(serves) {
            *away |= !serves;
        }
        if !(serves[0] || serves[1]) || !(serves[2] || serves[3]) {
            seen.both.push((started.elapsed(), serves));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    seen
}

fn answers(address: [u8; 4]) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((address, 8123)), Duration::from_millis(500))?;
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(b"GET /ping HTTP/1.0\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok::<_, io::Error>(text.ends_with("Ok.\n"))
    };
    ask().unwrap_or(false)
}

/// How often each host's server was started since its boot.
#[track_caller]
pub fn starts<const N: usize>(fleet: &Fleet, hosts: &[&'static str; N]) -> [usize; N] {
    let count = "journalctl -q -b -u clickhouse-server -o cat | grep -c '^Started ' || true";
    let counts = each(hosts, |host| fleet.on(host, count).parse().expect("a number"));
    counts.try_into().expect("one number per host")
}

/// No table that consumes is left detached, and each of them consumes.
#[track_caller]
pub fn nothing_is_detached<const N: usize>(fleet: &Fleet, hosts: &[&'static str; N]) {
    for host in hosts {
        assert_eq!(fleet.sql(host, "SELECT groupArray(table) FROM system.detached_tables"), "[]", "{host}");
    }
}
