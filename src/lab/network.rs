//! The lab's network: a bridge in the namespace `hwlab`, and one namespace with one interface per host. Invariant: nothing
//! is added to the machine's own network namespace, and a namespace of another maker is never touched. edge

use std::fmt::Write as _;
use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::command::run;
use super::error::LabError;
use super::files;
use super::spec::{LAB_GATEWAY, LAB_NAMESPACE};
use super::state::{Entry, Journal, Lock};

const DIRECTORY: &str = "/run/netns";

/// A namespace with an address on the lab's bridge.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) namespace: String,
    pub(super) address: Ipv4Addr,
}

/// Moves the calling thread, and the processes that it starts from now on, into a named network namespace.
///
/// Threads that exist already stay where they are: call it before an async runtime is made.
///
/// # Errors
///
/// If there is no such namespace, or the caller is not root.
pub fn enter_namespace(name: &str) -> Result<(), LabError> {
    let failed = |source| LabError::EnterNamespace { name: name.to_owned(), source };
    let file = File::open(path_of(name)).map_err(failed)?;
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).map_err(|error| failed(error.into()))
}

/// Runs a closure on a thread of its own inside a namespace.
pub(super) fn inside<T: Send>(
    namespace: &str,
    work: impl FnOnce() -> Result<T, LabError> + Send,
) -> Result<T, LabError> {
    let result = std::thread::scope(|scope| {
        scope
            .spawn(|| {
                enter_namespace(namespace)?;
                work()
            })
            .join()
    });
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

pub(super) fn exists(name: &str) -> bool {
    path_of(name).exists()
}

fn path_of(name: &str) -> PathBuf {
    Path::new(DIRECTORY).join(name)
}

/// Makes the bridge and a namespace for every member.
pub(super) fn make(lock: &Lock, journal: &Journal, work: &Path, members: &[Member]) -> Result<(), LabError> {
    let names = || std::iter::once(LAB_NAMESPACE).chain(members.iter().map(|member| member.namespace.as_str()));
    if let Some(foreign) = names().find(|name| exists(name)) {
        return Err(LabError::ForeignNamespace(foreign.to_owned()));
    }
    if !is_mount_point(DIRECTORY) {
        journal.add(&Entry::NamespaceDirectory)?;
    }
    let mut all = String::new();
    for name in names() {
        journal.add(&Entry::Namespace(name.to_owned()))?;
        let _ = writeln!(all, "netns add {name}");
    }
    let mut bridge =
        format!("link add br0 type bridge\naddress add {LAB_GATEWAY}/16 dev br0\nlink set br0 up\nlink set lo up\n");
    for (number, Member { namespace, .. }) in members.iter().enumerate() {
        let _ = writeln!(all, "link add eth0 netns {namespace} type veth peer name v{number} netns {LAB_NAMESPACE}");
        let _ = writeln!(bridge, "link set v{number} master br0 up");
    }
    batch(lock, work, None, &all)?;
    batch(lock, work, Some(LAB_NAMESPACE), &bridge)?;
    for Member { namespace, address } in members {
        let own = format!("link set lo up\naddress add {address}/16 dev eth0\nlink set eth0 up\n");
        batch(lock, work, Some(namespace), &own)?;
    }
    Ok(())
}

/// Removes a namespace and with it every interface in it.
pub(super) fn remove(lock: &Lock, name: &str) -> Result<(), LabError> {
    if exists(name) { run(lock, "ip", &["netns", "delete", name]).map(drop) } else { Ok(()) }
}

/// Takes away the mount point of named namespaces that `make` was the first to need, if nobody else uses it now.
pub(super) fn remove_directory(lock: &Lock) -> Result<(), LabError> {
    let empty = std::fs::read_dir(DIRECTORY).is_ok_and(|mut entries| entries.next().is_none());
    if empty && is_mount_point(DIRECTORY) { run(lock, "umount", &[DIRECTORY]).map(drop) } else { Ok(()) }
}

fn batch(lock: &Lock, work: &Path, namespace: Option<&str>, lines: &str) -> Result<(), LabError> {
    let file = work.join(format!("ip-{}", namespace.unwrap_or("all")));
    files::write(&file, 0o644, lines)?;
    let path = file.to_string_lossy();
    match namespace {
        Some(namespace) => run(lock, "ip", &["-n", namespace, "-batch", &path])?,
        None => run(lock, "ip", &["-batch", &path])?,
    };
    files::remove(&file)
}

fn is_mount_point(path: &str) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(path))
}
