//! The program with an inventory of its own, and an environment that holds nothing of this machine's.

use std::path::PathBuf;
use std::process::Command;

/// A file that finds stateless hosts.
pub const SOURCE: &str = "plugin: amazon.aws.aws_ec2
regions: [eu-west-1]
hostnames: ['tag:Name']
placement_tags: { role: Role }
";

pub struct Program {
    pub directory: tempfile::TempDir,
    endpoint: String,
    environment: Vec<(String, String)>,
}

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Program {
    pub fn new(port: u16) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("clickhouse.aws_ec2.yml"), SOURCE).unwrap();
        Self { directory, endpoint: format!("http://127.0.0.1:{port}"), environment: Vec::new() }
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// A setting of the environment; an empty one is taken away.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Runs a verb on the inventory.
    pub async fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
        let nowhere = self.path("none");
        command.env_clear().args(arguments).arg("-i").arg(self.directory.path()).args(["--project", "."]);
        command.env("HOME", &nowhere).env("HOUSEWRIGHT_CACHE_DIR", self.path(".cache"));
        command.env("AWS_CONFIG_FILE", &nowhere).env("AWS_SHARED_CREDENTIALS_FILE", &nowhere);
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", &self.endpoint);
        command.env("AWS_ACCESS_KEY_ID", "AKIATEST").env("AWS_SECRET_ACCESS_KEY", "secret");
        command.env("HOUSEWRIGHT_EC2_PAGE", "5").env("AWS_MAX_ATTEMPTS", "2");
        for (name, value) in &self.environment {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            let text = text.replace(&format!("{}/", self.directory.path().display()), "");
            text.replace(&self.endpoint, "http://127.0.0.1:PORT")
        };
        Said { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// What `inventory` says went wrong, with its hint.
    pub async fn fails(&self) -> String {
        let said = self.run(&["inventory"]).await;
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
        let told = |line: &&str| line.contains("error[") || line.contains("= help") || line.contains("-->");
        said.err.lines().filter(told).map(str::trim_start).collect::<Vec<_>>().join("\n")
    }
}
