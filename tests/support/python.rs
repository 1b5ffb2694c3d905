//! The Python with ansible-core and moto that `scripts/setup` makes, and a server of `ansible-inventory` in it.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// The interpreter: `HOUSEWRIGHT_ANSIBLE_PYTHON`, else the one that `scripts/setup` made.
pub fn interpreter() -> PathBuf {
    let named = std::env::var_os("HOUSEWRIGHT_ANSIBLE_PYTHON").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let path = named.or_else(|| Some(cache?.join("housewright/python/bin/python"))).unwrap_or_default();
    assert!(
        path.is_file(),
        "no Python with ansible-core and moto at {}: run scripts/test, it makes one",
        path.display()
    );
    path
}

/// Answers as `ansible-inventory` would.
pub struct Ansible {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

pub struct Answer {
    pub code: i64,
    pub stdout: String,
    pub stderr: String,
}

impl Ansible {
    pub fn start() -> Self {
        Self::script("tests/ansible/serve.py")
    }

    /// A script that answers one JSON document a line.
    pub fn script(path: &str) -> Self {
        let mut command = Command::new(interpreter());
        command.arg(path).stdin(Stdio::piped()).stdout(Stdio::piped());
        // The person's own configuration must not decide.
        command
            .env("ANSIBLE_CONFIG", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ansible/ansible.cfg"))
            .env("ANSIBLE_NOCOLOR", "1")
            .env("PYTHONUTF8", "1");
        let mut process = command.spawn().expect("the interpreter runs");
        let (requests, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, requests, answers: BufReader::new(answers) }
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    pub fn inventory(&mut self, args: &[&str]) -> Answer {
        let answer = self.ask(&json!({ "args": args }));
        let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        Answer { code: answer["code"].as_i64().unwrap(), stdout: text("stdout"), stderr: text("stderr") }
    }
}

impl Drop for Ansible {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
