//! A host of the lab: a writable layer over the base root, booted by systemd-nspawn in the host's own network namespace.
//! Invariant: the overlay is mounted in a mount namespace that ends with the host's process, so a host that has ended
//! has left no mount. edge

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::broker::Broker;
use super::cgroup;
use super::error::LabError;
use super::files::{self, failed};
use super::keys;
use super::network::enter_namespace;
use super::process::{self, Process, Task};
use super::spec::{LAB_GATEWAY, LAB_NAMESPACE, LabHost, LabSpec, Paths, namespace_of};
use super::state::{Journal, Lock};

/// Mounts the root and a place for systemd-nspawn's own locks, both of which end with the process, and runs systemd-nspawn.
/// Its exit status 133 is a host that reboots, see systemd-nspawn(1) at `--keep-unit`. A `wait` that a signal has cut short
/// is repeated.
const BOOT: &str = r#"mount -t overlay overlay -o "$1" "$2" && mkdir -p /run/systemd/nspawn &&
mount -t tmpfs -o size=1m,mode=755 tmpfs /run/systemd/nspawn || exit 1
shift 2
trap 'kill -TERM "$child"' TERM
code=133
while [ "$code" = 133 ]; do
    "$@" & child=$!
    wait "$child"; code=$?
    while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
done
exit "$code""#;

/// Writes what differs between hosts into the host's own layer.
pub(super) fn prepare(lock: &Lock, paths: &Paths<'_>, host: &LabHost) -> Result<(), LabError> {
    let root = paths.host(&host.name);
    for directory in ["upper/etc/ssh", "work", "root"] {
        files::directory(&root.join(directory))?;
    }
    // The layer's directories lie over those of the base root, with their modes: do not let the caller's umask in.
    for directory in ["upper", "upper/etc", "upper/etc/ssh"] {
        let path = root.join(directory);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
            .map_err(failed("set the mode of", &path))?;
    }
    keys::make_host_key(lock, paths, &host.name)?;
    let etc = root.join("upper/etc");
    let key = files::read(&paths.key().with_extension("pub"))?;
    files::write(&etc.join("ssh/lab_authorized_keys"), 0o644, &key)?;
    files::write(&etc.join("hostname"), 0o644, &format!("{}\n", host.name))?;
    files::write(&etc.join("hosts"), 0o644, &files::read(&paths.etc_hosts())?)?;
    files::write(&etc.join("machine-id"), 0o444, &format!("{}\n", files::random_hex(16)?))
}

/// Renders /etc/hosts, the same for all hosts and for the lab's shell.
pub(super) fn etc_hosts(spec: &LabSpec, broker: Broker) -> String {
    let mut text = format!(
        "127.0.0.1 localhost\n::1 localhost ip6-localhost\n{LAB_GATEWAY} driver\n{} broker\n",
        broker.address()
    );
    if let Some(second) = broker.second_address() {
        let _ = writeln!(text, "{second} broker2");
    }
    for host in &spec.hosts {
        let _ = writeln!(text, "{} {}", host.address, host.name);
    }
    text
}

/// Starts a host that was prepared.
pub(super) fn start(
    journal: &Journal,
    paths: &Paths<'_>,
    host: &LabHost,
    base: &Path,
    binds: &[String],
) -> Result<Process, LabError> {
    let directory = paths.host(&host.name);
    let (upper, work, root) = (directory.join("upper"), directory.join("work"), directory.join("root"));
    let layers = format!("lowerdir={},upperdir={},workdir={}", base.display(), upper.display(), work.display());
    let namespace = namespace_of(&host.name);
    let root = root.to_string_lossy();
    let argv = [
        "unshare",
        "--mount",
        "--propagation",
        "slave",
        "sh",
        "-c",
        BOOT,
        "boot",
        &layers,
        &root,
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--console=pipe",
        "--boot",
        &format!("--machine={namespace}"),
        &format!("--hostname={}", host.name),
        &format!("--directory={root}"),
        &format!("--network-namespace-path=/run/netns/{namespace}"),
    ];
    let argv: Vec<_> = argv.into_iter().map(str::to_owned).chain(binds.iter().cloned()).collect();
    process::start(journal, &host.name, Task::Host, &argv, &paths.log(&host.name), &cgroup::make(journal, &host.name)?)
}

/// Waits until every started host greets at its SSH port; all are waited for at once.
pub(super) fn wait_ready(
    paths: &Paths<'_>,
    hosts: &[(&LabHost, Process)],
    limit: Duration,
    progress: &dyn Fn(&str),
) -> Result<(), LabError> {
    let deadline = Instant::now() + limit;
    let mut waiting: BTreeMap<&str, _> =
        hosts.iter().map(|(host, process)| (host.name.as_str(), (*host, *process))).collect();
    let fault = |host: &str, what: String| {
        let log = files::last_lines(&paths.log(host), 6);
        LabError::HostFailed { host: host.to_owned(), what, log }
    };
    while !waiting.is_empty() {
        let ready = greeting_hosts(&waiting)?;
        for name in &ready {
            waiting.remove(name.as_str());
            progress(&format!("{name} answers SSH"));
        }
        if let Some((name, _)) = waiting.iter().find(|(_, (_, process))| !process.alive()) {
            return Err(fault(name, "ended while it was starting".to_owned()));
        }
        if Instant::now() > deadline
            && let Some((name, _)) = waiting.first_key_value()
        {
            return Err(fault(name, format!("did not answer SSH within {} s", limit.as_secs())));
        }
        if ready.is_empty() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    Ok(())
}

fn greeting_hosts(waiting: &BTreeMap<&str, (&LabHost, Process)>) -> Result<Vec<String>, LabError> {
    std::thread::scope(|scope| {
        let probes: Vec<_> = waiting
            .iter()
            .map(|(name, (host, _))| {
                scope.spawn(move || {
                    enter_namespace(LAB_NAMESPACE)?;
                    Ok(greets(IpAddr::V4(host.address)).then(|| (*name).to_owned()))
                })
            })
            .collect();
        let results =
            probes.into_iter().map(|probe| probe.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        Ok(results.collect::<Result<Vec<_>, LabError>>()?.into_iter().flatten().collect())
    })
}

const PROBE: Duration = Duration::from_secs(1);

fn greets(address: IpAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect_timeout(&SocketAddr::new(address, 22), PROBE) else { return false };
    let mut greeting = [0; 4];
    stream.set_read_timeout(Some(PROBE)).is_ok() && stream.read_exact(&mut greeting).is_ok() && &greeting == b"SSH-"
}

/// Whether something accepts connections there, seen from the calling thread's namespace.
pub(super) fn answers(address: IpAddr, port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::new(address, port), PROBE).is_ok()
}
