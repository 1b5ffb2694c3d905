//! Short commands, and the programs that the lab needs. Invariant: every command holds the lab's lock while it runs, and
//! a failed one gives its whole command line and the end of its standard error. edge

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::LabError;
use super::files;
use super::process::{self, Task};
use super::state::{Journal, Lock};

/// Program and the Debian package that holds it, for every lab.
const ALWAYS: [(&str, &str); 7] = [
    ("systemd-nspawn", "systemd-container"),
    ("ip", "iproute2"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("python3", "python3"),
    ("unshare", "util-linux"),
    ("setsid", "util-linux"),
];

/// Finds a program on PATH, and in the directories that a root shell may lack.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// Checks the programs for every lab and those for the given extra steps.
pub(super) fn require(extra: &[(&'static str, &'static str)]) -> Result<(), LabError> {
    let missing: Vec<_> = ALWAYS.iter().chain(extra).filter(|(tool, _)| find(tool).is_none()).copied().collect();
    if missing.is_empty() { Ok(()) } else { Err(LabError::ToolsMissing(missing)) }
}

/// Runs a short command to its end and returns its standard output.
pub(super) fn run(lock: &Lock, program: &str, args: &[&str]) -> Result<String, LabError> {
    let line = || format!("{program} {}", args.join(" "));
    let started = |source| LabError::Start { command: line(), source };
    let held = lock.file.try_clone().map_err(started)?;
    let output = Command::new(find(program).unwrap_or_else(|| program.into()))
        .args(args)
        .current_dir("/")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::from(held))
        .output()
        .map_err(started)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = files::tail(&String::from_utf8_lossy(&output.stderr), 6);
    Err(LabError::Command { command: line(), status: output.status.to_string(), stderr })
}

/// Runs a long step to its end as a recorded process in its own process and mount namespaces: if this command is killed,
/// the next one ends the step and everything that it started.
pub(super) fn build(journal: &Journal, name: &str, argv: &[&str], log: &Path) -> Result<(), LabError> {
    if let Some(directory) = log.parent() {
        files::directory(directory)?;
    }
    let status = log.with_extension("status");
    files::remove(&status)?;
    // The status is written by the inside: the outer process is not always our child to wait for.
    let script = r#"status=$1; shift; "$@"; echo $? > "$status""#;
    let mut all =
        vec!["unshare", "--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let status_text = status.to_string_lossy();
    all.extend(["sh", "-c", script, "build", &status_text]);
    all.extend(argv);
    let all: Vec<_> = all.into_iter().map(str::to_owned).collect();
    let process = process::start(journal, name, Task::Build, &all, log, &[])?;
    while process.alive() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let code = std::fs::read_to_string(&status).unwrap_or_else(|_| "no status".to_owned());
    if code.trim() == "0" {
        return Ok(());
    }
    let stderr = files::last_lines(log, 8);
    Err(LabError::Command { command: argv.join(" "), status: format!("exit status {}", code.trim()), stderr })
}
