//! An inventory written for one test, resolved with the repository's roles.

use std::path::{Path, PathBuf};

use housewright::fleet::load::{Loaded, load};
use housewright::fleet::{ConnectionDefaults, Fleet};
use housewright::problem::Problem;
use housewright::report::diagnostic::{Colour, render};

/// Begins an inventory.
pub fn written() -> Written {
    Written { directory: tempfile::tempdir().unwrap(), roles: PathBuf::from("roles") }
}

pub struct Written {
    directory: tempfile::TempDir,
    roles: PathBuf,
}

#[allow(dead_code, reason = "each test crate uses its own part")]
impl Written {
    pub fn hosts(self, text: &str) -> Self {
        self.file("hosts.yml", text)
    }

    pub fn group_vars(self, name: &str, text: &str) -> Self {
        self.file(&format!("group_vars/{name}"), text)
    }

    /// Writes a file of the inventory, or of its own `roles/` beside it.
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let own_roles = path.starts_with("roles/");
        let path = if own_roles { self.directory.path().join(path) } else { self.path().join(path) };
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Takes `roles/` of this inventory instead of the repository's.
    pub fn own_roles(mut self) -> Self {
        self.roles = self.directory.path().join("roles");
        self
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("inventory")
    }

    pub fn load(&self) -> Result<Loaded, Vec<Problem>> {
        let defaults = ConnectionDefaults { home: Some(Path::new("/home/me").to_owned()), ..Default::default() };
        load(&self.path(), &self.roles, &defaults)
    }

    pub fn fleet(self) -> Fleet {
        match self.load() {
            Ok(loaded) => loaded.fleet,
            Err(problems) => panic!("{}", self.shown(&problems)),
        }
    }

    /// What the operator sees: problems and notes.
    pub fn said(self) -> String {
        match self.load() {
            Ok(loaded) => self.shown(&loaded.notes),
            Err(problems) => self.shown(&problems),
        }
    }

    pub fn shown(&self, problems: &[Problem]) -> String {
        let directory = self.directory.path().display();
        let text = render(problems, Colour::Plain).replace(&format!("{directory}/inventory/"), "");
        text.replace(&format!("{directory}/"), "")
    }
}
