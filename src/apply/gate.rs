//! Gates: waits, with a limit, until a server itself says that it is well (edge).

use std::time::Duration;

use super::{Run, batch, host};
use crate::clickhouse::{ClickHouseError, Rows, Statement, is_yes};
use crate::event::{Event, chain};
use crate::fleet::HostName;
use crate::observe::{ask_clickhouse, ask_flow, ask_keeper};
use crate::plan::{Gate, Step};
use crate::remote::{Batch, Command, RemotePath, UnitName};
use crate::resource::{
    self, ClickHouseFacts, FlowFacts, HealthFacts, MNTR, SERVER_LOG, SRVR, Server, ServerFacts, Spool, Srvr,
    running_queries, running_units,
};

/// The first pause between two looks; it doubles up to [`LONGEST_PAUSE`].
/// A restarted server answers after half a second, so a short one saves time on every host of a wave.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Between two looks at the queries that are waited for.
const QUERY_LOOK: Duration = Duration::from_millis(250);

/// Between two looks at a server that must stay well for a while.
const STABLE_LOOK: Duration = Duration::from_millis(500);

type Refusal = (String, Option<String>);

/// Reads what `systemctl show` printed and says which of the units do not run.
pub(super) fn units_running(units: &[UnitName], shown: &str) -> Result<(), String> {
    let running = running_units(shown);
    let missing: Vec<_> = units.iter().filter(|unit| !running.contains(*unit)).map(ToString::to_string).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("{} does not run", missing.join(", "))) }
}

/// Waits until a gate opens, or the run's limit for gates is over.
pub(super) async fn wait(host: &HostName, gate: &Gate, run: &Run<'_>) -> Result<(), Refusal> {
    let started = tokio::time::Instant::now();
    let mut pause = FIRST_PAUSE;
    let mut said = String::new();
    let window = if let Gate::Settled { window, .. } = gate { *window } else { Duration::ZERO };
    let mut well: Option<tokio::time::Instant> = None;
    loop {
        let because = match look(host, gate, run).await {
            Ok(()) => {
                let since = *well.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() >= window {
                    return Ok(());
                }
                tokio::time::sleep(window.saturating_sub(since.elapsed()).min(STABLE_LOOK)).await;
                continue;
            }
            Err(because) => because,
        };
        well = None;
        let limit = match gate {
            Gate::Drained { limit } | Gate::Asked { limit: Some(limit), .. } => *limit,
            Gate::Told { .. } => Duration::ZERO,
            _ => run.gate_timeout,
        };
        if started.elapsed() >= limit {
            let reason = format!("still shut after {} s: {because}", limit.as_secs());
            return Err((reason, Some(hint(host, gate))));
        }
        if because != said {
            let event = Event::GateWaiting { host: host.clone(), gate: gate.to_string(), because: because.clone() };
            run.sink.emit(event);
            said = because;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Looks once; the error says why the gate is shut.
pub(super) async fn look(host: &HostName, gate: &Gate, run: &Run<'_>) -> Result<(), String> {
    match gate {
        Gate::UnitsRunning { units } => {
            let open = run.open.get(host).ok_or("no connection to it")?;
            let look = Batch { commands: vec![Command::UnitState { units: units.clone() }] };
            let outputs = batch::read(&*open.session, &look).await.map_err(|error| chain(&error))?;
            let shown = outputs.first().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
            units_running(units, &shown.unwrap_or_default())
        }
        Gate::PeersServing { peers, .. } => {
            for peer in peers {
                serving(peer, run).await.map_err(|because| format!("`{peer}`: {because}"))?;
            }
            Ok(())
        }
        Gate::QuorumServing { members, needed } => quorum(members, *needed, run).await,
        Gate::KeeperServing => keeper(host, run).await,
        Gate::Answers => server(host, run).await.map(|_| ()),
        Gate::Serving => serving(host, run).await,
        Gate::Settled { delay_limit, known, .. } => health(host, run).await?.settled(delay_limit.as_secs(), known),
        Gate::Converged { members } => converged(host, members, run).await,
        Gate::Applied(applied) => {
            applied.missing_in(&server(host, run).await?).map_or(Ok(()), Err)?;
            if applied.members.is_empty() && applied.own.is_empty() {
                return Ok(());
            }
            health(host, run).await?.misses(applied).map_or(Ok(()), Err)
        }
        Gate::Drained { .. } => drained(host, run).await,
        Gate::Quiet { log } => says_nothing(host, log, None, run).await,
        Gate::Asked { query, .. } => is_yes(&rows(host, query, run).await?),
        Gate::Told { hosts, query, .. } => {
            for other in hosts {
                let answer = async { is_yes(&rows(other, query, run).await?) };
                answer.await.map_err(|because: String| format!("`{other}`: {because}"))?;
            }
            Ok(())
        }
        Gate::Consuming { tables } => {
            let flow = flow(host, run).await?;
            tables.iter().try_for_each(|(table, proof)| flow.consumes(table, *proof))
        }
        Gate::Objects { names } => {
            let live = facts(host, run).await?.1;
            match names.iter().find(|name| !live.contains(name)) {
                Some(name) => Err(format!("`{name}` is not there")),
                None => Ok(()),
            }
        }
    }
}

/// Whether an object is known to be there.
pub(super) async fn has_object(host: &HostName, name: &str, run: &Run<'_>) -> bool {
    facts(host, run).await.is_ok_and(|(_, objects)| objects.iter().any(|object| object == name))
}

/// Sends what waits, and looks whether something still does.
async fn drained(host: &HostName, run: &Run<'_>) -> Result<(), String> {
    let clickhouse = host::clickhouse(host, run).ok_or("no connection to it")?;
    let waiting = |flow: FlowFacts| flow.spooled.into_iter().filter(|(_, spool)| spool.files > 0).collect::<Vec<_>>();
    let spooled = waiting(flow(host, run).await?);
    if spooled.is_empty() {
        return Ok(());
    }
    for statement in spooled.iter().filter_map(|(table, _)| resource::flush(table)) {
        // Whether it helped is seen in the queue, and why not too.
        let _ = clickhouse.execute(&statement).await;
    }
    match waiting(flow(host, run).await?).first() {
        None => Ok(()),
        Some((table, Spool { files, complaint, .. })) => {
            let said = complaint.as_ref().map(|said| format!(": {said}")).unwrap_or_default();
            Err(format!("{table} has {files} files to send{said}"))
        }
    }
}

async fn flow(host: &HostName, run: &Run<'_>) -> Result<FlowFacts, String> {
    let clickhouse = host::clickhouse(host, run).ok_or("no connection to it")?;
    ask_flow(&*clickhouse).await.map_err(|error| chain(&error))
}

async fn quorum(members: &[HostName], needed: usize, run: &Run<'_>) -> Result<(), String> {
    let (mut serve, mut last) = (0, String::new());
    for member in members {
        match keeper(member, run).await {
            Ok(()) => serve += 1,
            Err(because) => last = format!(" (`{member}`: {because})"),
        }
    }
    if serve >= needed {
        Ok(())
    } else {
        Err(format!("{serve} of {} members serve, {needed} must{last}", members.len()))
    }
}

async fn keeper(host: &HostName, run: &Run<'_>) -> Result<(), String> {
    let open = run.open.get(host).ok_or("no connection to it")?;
    let port = open.keeper_port.ok_or("it is no coordination server")?;
    ask_keeper(&*open.session, port).await.serves()
}

async fn serving(host: &HostName, run: &Run<'_>) -> Result<(), String> {
    server(host, run).await?.serves()
}

/// Asks a server for its own state only: its objects are many.
async fn server(host: &HostName, run: &Run<'_>) -> Result<ServerFacts, String> {
    let rows = rows(host, &Server::statement(), run).await?;
    Server::parse(&rows).map_err(|error| chain(&error))
}

async fn health(host: &HostName, run: &Run<'_>) -> Result<HealthFacts, String> {
    let rows = rows(host, &HealthFacts::statement(), run).await?;
    HealthFacts::parse(&rows).map_err(|error| chain(&error))
}

/// Asks a host's ClickHouse, once more where the answer was lost: for questions, which may be asked twice.
pub(super) async fn rows(host: &HostName, statement: &Statement, run: &Run<'_>) -> Result<Rows, String> {
    let clickhouse = host::clickhouse(host, run).ok_or("no connection to it")?;
    let mut answer = clickhouse.execute(statement).await;
    if let Err(ClickHouseError::Unreachable(_)) = &answer {
        answer = clickhouse.execute(statement).await;
    }
    answer.map_err(|error| chain(&error))
}

/// Whether a member is in the quorum again: it follows or leads, the others serve, one of all leads, and it says that all the others
/// are as far as it is; this one is not far behind them.
async fn converged(host: &HostName, members: &[HostName], run: &Run<'_>) -> Result<(), String> {
    let own = told(host, run).await?;
    let mut leaders: Vec<&HostName> = own.facts().leads().then_some(host).into_iter().collect();
    let mut latest = None;
    for member in members {
        let other = told(member, run).await.map_err(|because| format!("`{member}`: {because}"))?;
        leaders.extend(other.facts().leads().then_some(member));
        latest = latest.max(other.zxid());
    }
    own.follows(latest)?;
    let leader = match leaders.as_slice() {
        _ if members.is_empty() => return Ok(()),
        [leader] => *leader,
        leaders => return Err(format!("{} of {} members say that they lead", leaders.len(), members.len() + 1)),
    };
    match resource::synced_followers(&asked(leader, MNTR, run).await?) {
        Some(synced) if synced < members.len() => {
            Err(format!("`{leader}` leads, and {synced} of {} followers are as far as it is", members.len()))
        }
        _ => Ok(()),
    }
}

async fn asked(host: &HostName, question: &[u8], run: &Run<'_>) -> Result<Vec<u8>, String> {
    let open = run.open.get(host).ok_or("no connection to it")?;
    let port = open.keeper_port.ok_or("it is no coordination server")?;
    open.session.ask(port, question).await.map_err(|error| chain(&error))
}

async fn told(host: &HostName, run: &Run<'_>) -> Result<Srvr, String> {
    let told = Srvr::read(&asked(host, SRVR, run).await?);
    told.facts().serves()?;
    Ok(told)
}

/// The time by a server's own clock: now, or of its start.
pub(super) async fn time(host: &HostName, column: &str, run: &Run<'_>) -> Result<String, String> {
    let answer = rows(host, &resource::ask_time(), run).await?;
    resource::time_of(&answer, column).ok_or_else(|| "it does not tell the time".to_owned())
}

/// Looks once: what a log has said it does not take back.
pub(super) async fn quiet(
    host: &HostName,
    log: &RemotePath,
    since: Option<&str>,
    run: &Run<'_>,
) -> Result<(), Refusal> {
    let hint = || Some(format!("look at its log on `{host}`: `sudo tail -n 50 {log}`"));
    says_nothing(host, log, since, run).await.map_err(|because| (because, hint()))
}

/// Whether a log has no fatal line since a time, else since the server's start. A server that has no such log says what it has to say
/// elsewhere.
async fn says_nothing(host: &HostName, log: &RemotePath, since: Option<&str>, run: &Run<'_>) -> Result<(), String> {
    let since = match since {
        Some(since) => since.to_owned(),
        None => time(host, "started", run).await?,
    };
    let open = run.open.get(host).ok_or("no connection to it")?;
    let batch = Batch { commands: vec![resource::read_end(log)] };
    let outputs = batch::read(&*open.session, &batch).await.map_err(|error| chain(&error))?;
    let end = outputs.first().filter(|output| output.succeeded());
    let end = end.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    resource::fatal_since(&end, &since).map_or(Ok(()), |line| Err(format!("since its restart it says: {line}")))
}

/// Waits until the queries have ended that run now; those that do not in time are told of, and cut.
pub(super) async fn queries(host: &HostName, step: &Step, limit: Duration, run: &Run<'_>) -> Result<(), Refusal> {
    let started = tokio::time::Instant::now();
    let mut said = None;
    loop {
        let ask = running_queries(started.elapsed());
        let left = rows(host, &ask, run).await.map_err(|because| (because, None))?;
        let (left, longest) =
            (left.number(0, "left").unwrap_or_default(), left.number(0, "longest").unwrap_or_default());
        if left == 0 {
            return Ok(());
        }
        let over = started.elapsed() >= limit;
        if over || said != Some(left) {
            let left_now = if left == 1 { "1 query".to_owned() } else { format!("{left} queries") };
            let fate = if over { "cut now" } else { "left" };
            let because = format!("{left_now} {fate}, the longest has run for {longest} s");
            run.sink.emit(Event::GateWaiting { host: host.clone(), gate: step.to_string(), because });
            said = Some(left);
        }
        if over {
            return Ok(());
        }
        tokio::time::sleep(QUERY_LOOK).await;
    }
}

async fn facts(host: &HostName, run: &Run<'_>) -> Result<(ServerFacts, Vec<String>), String> {
    let clickhouse = host::clickhouse(host, run).ok_or("no connection to it")?;
    match ask_clickhouse(&*clickhouse).await {
        ClickHouseFacts::Up { server, objects } => {
            Ok((*server, objects.iter().map(|object| object.name.to_string()).collect()))
        }
        ClickHouseFacts::Down { reason } => Err(reason),
        ClickHouseFacts::NotAsked => Err("it has no ClickHouse".to_owned()),
    }
}

fn hint(host: &HostName, gate: &Gate) -> String {
    match gate {
        Gate::PeersServing { .. } => "mend the other replica first: `housewright status`".to_owned(),
        Gate::Drained { .. } => "bring the data hosts up that do not take its rows: `housewright status`".to_owned(),
        Gate::Converged { .. } | Gate::KeeperServing => "`housewright status` shows the members".to_owned(),
        Gate::Asked { hint: Some(hint), .. } => hint.clone(),
        Gate::Asked { limit: Some(Duration::ZERO), .. } | Gate::Told { .. } => {
            "`housewright plan` shows what is there now".to_owned()
        }
        Gate::Asked { .. } => "what it asks is in the `gates` of its role's `role.yml`".to_owned(),
        Gate::QuorumServing { .. } => "mend the other members first: `housewright status`".to_owned(),
        _ => format!("look at its log on `{host}`: `sudo tail -n 50 {SERVER_LOG}`"),
    }
}
