//! An operator's desk: a copy of the project that a test may change, and the program run in it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::fleet::eventually;

const HOUSEWRIGHT: &str = env!("CARGO_BIN_EXE_housewright");

/// A copy of the project, and the options that all of its runs have.
pub struct Desk {
    directory: PathBuf,
    started: Instant,
    /// How long a gate may stay shut, in seconds.
    patience: &'static str,
}

/// What a run of the program answered.
#[derive(Debug)]
pub struct Run {
    /// Nothing where a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Both streams.
    pub fn text(&self) -> String {
        format!("{}{}", self.err, self.out)
    }

    /// What the test's own output has of it: plans and events as JSON fill pages.
    fn shown(&self) -> String {
        if self.out.starts_with('{') { self.err.clone() } else { self.text() }
    }

    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "\n{}", self.text());
        self
    }

    /// Each of the words is said somewhere.
    #[track_caller]
    pub fn says<const N: usize>(&self, words: [&str; N]) -> &Self {
        for word in words {
            assert!(self.text().contains(word), "`{word}` is not in:\n{}", self.text());
        }
        self
    }

    #[track_caller]
    pub fn never_says<const N: usize>(&self, words: [&str; N]) -> &Self {
        for word in words {
            assert!(!self.text().contains(word), "`{word}` is in:\n{}", self.text());
        }
        self
    }

    /// One line says all of this, and the next one is a hint with that.
    #[track_caller]
    pub fn explains<const N: usize>(&self, words: [&str; N], hint: &str) -> &Self {
        let lines: Vec<_> = self.err.lines().collect();
        let found = lines.iter().position(|line| words.iter().all(|word| line.contains(word)));
        let found = found.unwrap_or_else(|| panic!("no line has all of {words:?} in:\n{}", self.text()));
        let next = lines.get(found + 1).copied().unwrap_or_default();
        assert!(
            next.contains("hint:") && next.contains(hint),
            "no hint with `{hint}` after {words:?}:\n{}",
            self.text()
        );
        self
    }
}

impl Desk {
    /// Copies what is in the repository.
    pub fn new(directory: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { directory: root.to_owned(), started: Instant::now(), patience: "20" }.copy(directory)
    }

    /// The desk of another operator, with the same project.
    pub fn copy(&self, directory: &Path) -> Self {
        for part in ["inventories", "roles", "templates"] {
            copy(&self.path(part), &directory.join(part));
        }
        Self { directory: directory.to_owned(), ..*self }
    }

    /// Gates may stay shut as long as a consumer group takes to notice the dead: the broker gives out no partition before.
    pub fn be_patient(&mut self) {
        self.patience = "100";
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.directory.join(below)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        println!("{:6.1} s  housewright {}", self.started.elapsed().as_secs_f32(), arguments.join(" "));
        let mut command = Command::new(HOUSEWRIGHT);
        command.args(arguments).current_dir(&self.directory).env_remove("HOUSEWRIGHT_LAB_DIR");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let run = Run { code: output.status.code(), out, err };
        println!("{:6.1} s  it exits with {:?}\n{}", self.started.elapsed().as_secs_f32(), run.code, run.shown());
        run
    }

    pub fn plan(&self, options: &[&str]) -> Run {
        self.run(&[&["plan", "-i", "inventories/lab", "--detailed-exitcode"], options].concat())
    }

    pub fn apply(&self, options: &[&str]) -> Run {
        self.run(&[&["apply", "-i", "inventories/lab", "--yes", "--gate-timeout", self.patience], options].concat())
    }

    /// Applies until the hosts are as desired, and proves it with a plan.
    #[track_caller]
    pub fn converges(&self) {
        self.apply(&[]).exits(0);
        self.plan(&[]).exits(0).says(["nothing to do"]);
    }

    /// Waits until every host serves, by the program's own word.
    #[track_caller]
    pub fn serves_everywhere(&self) {
        eventually("every host serves", || self.run(&["status", "-i", "inventories/lab"]), |run| run.code == Some(0));
    }

    /// Starts an apply in the background.
    pub fn start_apply(&self, options: &[&str]) -> Running {
        let arguments =
            [&["apply", "-i", "inventories/lab", "--yes", "--gate-timeout", self.patience], options].concat();
        self.start(&arguments)
    }

    /// Starts the program in the background.
    pub fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        let (sender, lines) = mpsc::channel();
        let err = child.stderr.take().expect("stderr");
        std::thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut stdout = child.stdout.take().expect("stdout");
        let out = std::thread::spawn(move || {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).expect("stdout");
            String::from_utf8_lossy(&text).into_owned()
        });
        Running { child, lines, err: String::new(), out, fleet: self.started }
    }

    /// Adds text to a file of the project.
    pub fn append(&self, below: &str, text: &str) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        let mut file = File::options().create(true).append(true).open(path).expect("a file of the project");
        file.write_all(text.as_bytes()).expect("it takes the text");
    }

    /// Changes a file of the project.
    #[track_caller]
    pub fn edit(&self, below: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(below)).expect("a file of the project");
        assert!(text.contains(from), "`{from}` is not in {below}");
        std::fs::write(self.path(below), text.replace(from, to)).expect("it takes the text");
    }

    /// Changes one macro of every server, which costs a reload.
    pub fn set_macro(&self, value: &str) {
        let vars = "inventories/lab/group_vars/clickhouse.yml";
        std::fs::write(self.path(vars), format!("clickhouse_macros: {{live: {value}}}\n")).expect("it takes the text");
    }
}

/// An apply in the background.
pub struct Running {
    child: Child,
    lines: mpsc::Receiver<String>,
    err: String,
    out: JoinHandle<String>,
    /// When the fleet was begun.
    fleet: Instant,
}

impl Running {
    /// Waits for a line.
    #[track_caller]
    pub fn wait_for(&mut self, word: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let line = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("it never said `{word}`:\n{}", self.err));
            self.err += &format!("{line}\n");
            if line.contains(word) {
                return;
            }
        }
    }

    /// Waits for the run's end, until then.
    pub fn ends_before(&mut self, moment: Instant) -> bool {
        while self.child.try_wait().expect("a child").is_none() {
            if Instant::now() >= moment {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().expect("kill").success());
    }

    pub fn end(mut self) -> Run {
        let status = self.child.wait().expect("it ends");
        let out = self.out.join().expect("stdout");
        self.err.extend(self.lines.iter().map(|line| line + "\n"));
        let run = Run { code: status.code(), out, err: self.err };
        println!(
            "{:6.1} s  in the background it exits with {:?}\n{}",
            self.fleet.elapsed().as_secs_f32(),
            run.code,
            run.shown()
        );
        run
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("the project") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
