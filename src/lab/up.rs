//! Brings the lab up: caches, network, hosts, broker. Invariant: it either ends with a whole lab or leaves a journal with
//! which the next `up` or `down` removes everything. edge

use std::time::{Duration, Instant};

use super::broker::{self, Broker};
use super::clickhouse::{self, Source};
use super::command::require;
use super::down::{down, sweep};
use super::error::LabError;
use super::network::{self, Member};
use super::process::{Process, Task};
use super::spec::{Image, LabHost, LabSpec, Paths, namespace_of};
use super::state::{Entry, Journal, Lock, State, boot_id};
use super::sysctl;
use super::{Lab, base, files, host, keys};

/// Brings the lab up, or does nothing if it is up; a host of it that has ended is started again as it was.
///
/// # Errors
///
/// Names the step that failed; what it made is removed by the next `up` or `down`.
pub fn up(spec: &LabSpec, progress: &dyn Fn(&str)) -> Result<Lab, LabError> {
    let begun = Instant::now();
    spec.check()?;
    if !rustix::process::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    require(&[])?;
    let paths = Paths(&spec.state_dir);
    let lock = Lock::take(&spec.state_dir)?;
    let state = State::read(&paths)?;
    if state.complete() && state.spec() != Some(spec) {
        return Err(LabError::Different(spec.state_dir.clone()));
    }
    if let (true, Some((_, broker))) = (state.complete(), state.choice()) {
        return resume(&lock, &paths, spec, &state, broker, progress);
    }
    if state.spec().is_some() {
        progress("removing what an interrupted lab left");
        sweep(&lock, &paths, &state, progress)?;
    }
    let journal = Journal::open(&paths)?;
    journal.add(&Entry::Begin { boot: boot_id(), spec: spec.clone() })?;
    let source = Source::choose(spec.clickhouse.as_deref(), &spec.cache_dir)?;
    let broker = Broker::choose(spec.broker, &spec.cache_dir)?;
    journal.add(&Entry::Choice { clickhouse: source.describe(), broker })?;
    fill_cache(&lock, &journal, spec, &source, progress)?;
    progress(&format!("ClickHouse {}", source.describe()));
    sysctl::raise_instances(&journal, spec.hosts.len(), progress)?;
    keys::make(&lock, &paths)?;
    files::write(&paths.etc_hosts(), 0o644, &host::etc_hosts(spec, broker))?;
    files::directory(&paths.log(""))?;
    let members = members(spec, broker);
    std::thread::scope(|scope| {
        let network = scope.spawn(|| network::make(&lock, &journal, &spec.state_dir, &members));
        let prepared = in_parallel(&spec.hosts, |host| host::prepare(&lock, &paths, host)).map(drop);
        network.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).and(prepared)
    })?;
    keys::publish(&paths, spec)?;
    progress(&format!("network namespace `{}` with {} members", super::LAB_NAMESPACE, members.len()));
    let all: Vec<_> = spec.hosts.iter().collect();
    boot(&lock, &journal, &paths, spec, &source, &all, Some(broker), progress)?;
    journal.add(&Entry::Complete)?;
    progress(&format!("{} hosts up in {:.1} s", spec.hosts.len(), begun.elapsed().as_secs_f32()));
    Ok(Lab::of(spec, broker))
}

/// Gets what a lab is made of, so that [`up`] only boots; a lab that is up has it.
///
/// # Errors
///
/// Names what could not be had.
pub fn fetch(spec: &LabSpec, progress: &dyn Fn(&str)) -> Result<(), LabError> {
    if !rustix::process::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    require(&[])?;
    let paths = Paths(&spec.state_dir);
    let lock = Lock::take(&spec.state_dir)?;
    let state = State::read(&paths)?;
    if state.complete() {
        progress("a lab is up");
        return Ok(());
    }
    sweep(&lock, &paths, &state, progress)?;
    let journal = Journal::open(&paths)?;
    journal.add(&Entry::Begin { boot: boot_id(), spec: spec.clone() })?;
    let source = Source::choose(spec.clickhouse.as_deref(), &spec.cache_dir)?;
    fill_cache(&lock, &journal, spec, &source, progress)?;
    drop(lock);
    down(&spec.state_dir, &|_| {})?;
    progress(&format!("all that a lab needs is in {}", spec.cache_dir.display()));
    Ok(())
}

/// The lab is whole, or some of its hosts have ended.
fn resume(
    lock: &Lock,
    paths: &Paths<'_>,
    spec: &LabSpec,
    state: &State,
    broker: Broker,
    progress: &dyn Fn(&str),
) -> Result<Lab, LabError> {
    let alive = state.alive();
    let is_alive = |name: &str, task| alive.iter().any(|(other, kind, _)| *other == name && *kind == task);
    let ended: Vec<_> = spec.hosts.iter().filter(|host| !is_alive(&host.name, Task::Host)).collect();
    let restart_broker = (!is_alive("broker", Task::Broker)).then_some(broker);
    if ended.is_empty() && restart_broker.is_none() {
        progress("the lab is up");
        return Ok(Lab::of(spec, broker));
    }
    let journal = Journal::open(paths)?;
    let source = Source::choose(spec.clickhouse.as_deref(), &spec.cache_dir)?;
    fill_cache(lock, &journal, spec, &source, progress)?;
    boot(lock, &journal, paths, spec, &source, &ended, restart_broker, progress)?;
    Ok(Lab::of(spec, broker))
}

/// Starts hosts, and the broker while they boot, and waits for all.
#[expect(clippy::too_many_arguments, reason = "one call site each for a new and a resumed lab")]
fn boot(
    lock: &Lock,
    journal: &Journal,
    paths: &Paths<'_>,
    spec: &LabSpec,
    source: &Source,
    hosts: &[&LabHost],
    broker: Option<Broker>,
    progress: &dyn Fn(&str),
) -> Result<(), LabError> {
    let base = base::path(&spec.cache_dir, spec.image);
    let repository = base::repository(&spec.cache_dir, spec.image);
    let binds: Vec<String> = std::iter::once(source.bind())
        .chain(repository.map(|path| format!("--bind-ro={}:/opt/repository", path.display())))
        .collect();
    let started: Vec<(&LabHost, Process)> = hosts
        .iter()
        .map(|host| host::start(journal, paths, host, &base, &binds).map(|process| (*host, process)))
        .collect::<Result<_, _>>()?;
    if let Some(broker) = broker {
        let client = broker::client(lock, &spec.cache_dir)?;
        broker::start(broker, journal, spec, &client)?;
        progress(match broker {
            Broker::Mock => {
                "brokers: librdkafka's mock clusters, at broker:9092 and broker2:9092 of each ingestion host"
            }
            Broker::Tansu => "broker: Tansu, at broker:9092",
        });
    }
    let limit = Duration::from_secs(60 + 2 * u64::try_from(hosts.len()).unwrap_or_default());
    host::wait_ready(paths, &started, limit, progress)
}

/// Makes whatever the cache does not hold yet, all at once.
fn fill_cache(
    lock: &Lock,
    journal: &Journal,
    spec: &LabSpec,
    source: &Source,
    progress: &dyn Fn(&str),
) -> Result<(), LabError> {
    // Held until the cache is whole: a second lab's directory may share it.
    let _filling = Lock::take(&spec.cache_dir)?;
    let client = broker::client(lock, &spec.cache_dir)?;
    let (want_base, want_client) = (!base::path(&spec.cache_dir, spec.image).exists(), !client.exists());
    let want_clickhouse = match source {
        Source::Pinned(target) if source.missing() => Some(target),
        _ => None,
    };
    if want_clickhouse.is_some() {
        require(&[("gcc", "gcc")])?;
    }
    if want_base && spec.image == Image::Fresh {
        require(&[("gpg", "gnupg"), ("dpkg-deb", "dpkg")])?;
    }
    if want_clickhouse.is_some() || want_client {
        super::command::run(lock, "python3", &["-m", "pip", "--version"])
            .map_err(|_| LabError::ToolsMissing(vec![("pip", "python3-pip")]))?;
    }
    for (wanted, what) in [
        (want_base, "building the base root with Debian's packages: once, about a minute"),
        (want_clickhouse.is_some(), "fetching the pinned ClickHouse: once, about 15 s"),
        (want_client, "fetching the Kafka client: once"),
    ] {
        if wanted {
            progress(what);
        }
    }
    std::thread::scope(|scope| {
        let base = scope.spawn(|| if want_base { base::make(journal, &spec.cache_dir, spec.image) } else { Ok(()) });
        let server = scope.spawn(|| want_clickhouse.map_or(Ok(()), |target| clickhouse::make(lock, journal, target)));
        let client = scope.spawn(|| if want_client { broker::make_client(journal, &client) } else { Ok(()) });
        [base, server, client]
            .into_iter()
            .try_for_each(|step| step.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn members(spec: &LabSpec, broker: Broker) -> Vec<Member> {
    let hosts = spec.hosts.iter().map(|host| Member { namespace: namespace_of(&host.name), address: host.address });
    let own = (broker == Broker::Tansu).then(|| Member { namespace: broker.namespace(), address: broker.address() });
    hosts.chain(own).collect()
}

/// Does work for every item, on a few threads; the first error wins.
fn in_parallel<T: Sync>(items: &[T], work: impl Fn(&T) -> Result<(), LabError> + Sync) -> Result<(), LabError> {
    const THREADS: usize = 4;
    let share = items.len().div_ceil(THREADS).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = items.chunks(share).map(|part| scope.spawn(|| part.iter().try_for_each(&work))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
