//! A configuration tree for the tests: its files as text, and what Housewright makes of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::{error, fs};

use bytes::Bytes;
use housewright::clickhouse::config::effective::{Effective, EffectiveError, Sources, Tree, Unknown};
use housewright::secret::Secret;

/// What stands for the tree's own directory in its texts.
const HERE: &str = "{here}";

/// Files by path below the tree's directory, `config.xml` among them, and environment variables.
#[derive(Debug, Clone, Default)]
pub struct Written {
    pub files: BTreeMap<String, String>,
    pub environment: BTreeMap<String, String>,
}

impl Written {
    /// Reads a folder of `tests/effective/trees`.
    pub fn load(folder: &Path) -> Self {
        let mut written = Self::default();
        let mut left = vec![folder.to_path_buf()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(&directory).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    left.push(path);
                } else if name == "environment" {
                    let text = fs::read_to_string(&path).unwrap();
                    written.environment = text
                        .lines()
                        .map(|line| line.split_once('=').unwrap())
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect();
                } else if !name.starts_with("expected.") {
                    written.files.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        written
    }

    /// The files' texts as they are below a directory.
    pub fn at(&self, directory: &str) -> BTreeMap<String, String> {
        let text = |text: &String| text.replace(HERE, directory);
        self.files.iter().map(|(name, written)| (format!("{directory}/{name}"), text(written))).collect()
    }

    /// The path of the main file.
    pub fn main(&self, directory: &str) -> String {
        let main = self.files.keys().find(|name| name.starts_with("config.") && !name.contains('/')).unwrap();
        format!("{directory}/{main}")
    }

    /// What Housewright makes of it.
    pub fn effective(&self, directory: &str) -> Result<Effective, EffectiveError> {
        let main = self.main(directory);
        let files: BTreeMap<_, _> =
            self.at(directory).into_iter().map(|(path, text)| (path, Secret::new(Bytes::from(text)))).collect();
        let variable = |(name, value): (&String, &String)| (name.clone(), Secret::new(value.clone()));
        let sources = Sources {
            main: &main,
            files: files.iter().map(|(path, text)| (path.as_str(), text)).collect(),
            environment: self.environment.iter().map(variable).collect(),
            unknown: Unknown::Absent,
        };
        sources.effective()
    }

    /// The same as one text: what the server would keep in `preprocessed_configs/`, or the error.
    pub fn answer(&self, directory: &str) -> Result<String, String> {
        match self.effective(directory) {
            Ok(made) => Ok(made.tree.preprocessed().expose().clone()),
            Err(error) => Err(chain(&error)),
        }
    }
}

/// The server's XML in the same form as Housewright's.
pub fn canonical(xml: &str) -> String {
    Tree::from_xml(xml).unwrap().whole().expose().clone()
}

fn chain(error: &dyn error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
