//! Questions and work of what servers stand on, in roots of real distributions: the work is run, and nothing differs behind it.
//!
//! The cases are those of `tests/ground`; `HOUSEWRIGHT_BLESS=1` writes down what was answered. Each case has a root, a network
//! and a name of its own, which end with the process that holds them. The roots are made once, below the lab's cache.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use housewright::ground::{Answer, Answers, Ground, Question};

use super::cases::{Case, Recorded, System, told};

const CACHE: &str = "/var/cache/housewright-lab";
/// No case takes longer, package managers included.
const LONGEST: &str = "300";

/// A root of its own over others, held by a process.
struct Root {
    holder: Child,
    root: PathBuf,
    _directory: tempfile::TempDir,
}

impl Root {
    /// `lower` as in `mount -t overlay`; `upper` keeps what is changed.
    fn hold(lower: &str, upper: Option<&Path>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| {
            let path = directory.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let (root, work) = (at("root"), upper.map_or_else(|| at("work"), |upper| upper.with_extension("work")));
        let upper = upper.map_or_else(|| at("upper"), Path::to_owned);
        for directory in [&upper, &work] {
            fs::create_dir_all(directory).unwrap();
        }
        let script = format!(
            "set -e; mount --make-rprivate /; mount -t overlay overlay -o lowerdir={lower},upperdir={},workdir={} {r}; \
             mount -t proc proc {r}/proc; mount -t sysfs -o ro sysfs {r}/sys; mount --rbind /dev {r}/dev; \
             rm -f {r}/etc/resolv.conf; cp /etc/resolv.conf {r}/etc/resolv.conf; echo held; exec sleep {LONGEST}",
            upper.display(),
            work.display(),
            r = root.display(),
        );
        // What prepares a root fetches packages.
        let spaces: &[&str] = if lower.contains(':') { &["-m", "-u", "-n"] } else { &["-m", "-u"] };
        let mut holder = Command::new("unshare")
            .args(spaces)
            .args(["sh", "-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self { holder, root, _directory: directory }
    }

    fn run<W: AsRef<std::ffi::OsStr>>(&self, argv: impl IntoIterator<Item = W>) -> Output {
        let pid = self.holder.id().to_string();
        Command::new("nsenter")
            .args(["-t", &pid, "-m", "-u", "-n", "timeout", "-k", "5", LONGEST, "chroot"])
            .arg(&self.root)
            .args(["env", "-i", "LC_ALL=C.UTF-8", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
            .args(argv)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn script(&self, text: &str) {
        let output = self.run(["sh", "-ec", text]);
        assert!(output.status.success(), "{text}\n{}", complaint(&output));
    }

    /// As [`housewright::remote::Command::Ask`] does it.
    fn ask(&self, ground: &Ground) -> Answers {
        let answer = |question: Question| {
            let output = self.run(question.argv());
            let status = output.status.code().and_then(|code| u8::try_from(code).ok());
            let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
            (question, Answer { status: status.filter(|code| *code < 124 || *code == 127), stdout })
        };
        ground.questions().into_iter().map(answer).collect()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// The root of a distribution's release.
fn base(suite: &str) -> String {
    let path = format!("{CACHE}/ground-{suite}");
    if !Path::new(&path).exists() {
        let building = format!("{path}.building");
        drop(fs::remove_dir_all(&building));
        fs::create_dir_all(CACHE).unwrap();
        let include = "--include=procps,systemd,passwd,mount";
        let made = Command::new("mmdebstrap")
            .args(["--variant=apt", "--mode=root", "--quiet", include, suite, &building])
            .status();
        assert!(made.unwrap().success(), "no root of {suite}");
        fs::rename(building, &path).unwrap();
    }
    path
}

fn try_all(system: &str) {
    let path = PathBuf::from(format!("tests/ground/{system}.yml"));
    let system = System::read(&path);
    let base = base(&system.suite);
    let prepared = tempfile::tempdir().unwrap();
    let upper = prepared.path().join("upper");
    Root::hold(&base, Some(&upper)).script(&system.prepared);
    let lower = format!("{}:{base}", upper.display());
    let mut recorded = Recorded::new();
    let mut wrong = Vec::new();
    for case in &system.cases {
        let root = Root::hold(&lower, None);
        if let Err(error) = one(case, &root, &mut recorded) {
            wrong.push(format!("{}: {error}", case.name));
        }
    }
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        fs::write(path.with_extension("answers.yml"), serde_yaml::to_string(&recorded).unwrap()).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn one(case: &Case, root: &Root, recorded: &mut Recorded) -> Result<(), String> {
    let ground = case.ground();
    root.script(&case.given);
    let answers = root.ask(&ground);
    let found = ground.diff(&answers);
    recorded.insert(case.name.clone(), answers);
    if case.not_run.is_some() {
        return Ok(());
    }
    for work in found.changes.iter().flat_map(|change| &change.work) {
        let output = root.run(&work.argv);
        if !output.status.success() {
            return Err(format!("{}: {:?}\n{}", work.what, work.argv, complaint(&output)));
        }
    }
    let then = ground.diff(&root.ask(&ground));
    if then.changes.is_empty() && then.refusals == found.refusals {
        return Ok(());
    }
    Err(format!("it still differs:\n{}", told(&then)))
}

#[test]
fn debian_12_is_as_wanted_behind_the_work() {
    try_all("debian-12");
}

#[test]
fn debian_13_is_as_wanted_behind_the_work() {
    try_all("debian-13");
}

#[test]
fn rpm_and_dnf_are_as_wanted_behind_the_work() {
    try_all("rpm");
}
