//! Where a server writes what goes wrong, by its own configuration (pure).

use crate::clickhouse::config::{ConfigDirectory, ConfigKeys};
use crate::remote::RemotePath;
use crate::render::Desired;
use crate::resource::SERVER_LOG;

/// `logger/errorlog` of the files that are rendered, the last one as the server merges them; else where its packages have it.
pub(super) fn of(desired: &Desired) -> Option<RemotePath> {
    let files =
        desired.files.iter().filter(|(path, _)| ConfigDirectory::of(path.as_str()) == Some(ConfigDirectory::Config));
    let written = files.filter_map(|(_, file)| {
        let entries = ConfigKeys::from_xml(file.content.shown()).ok()?.entries;
        entries.iter().find(|entry| entry.path == "logger/errorlog").map(|entry| entry.shown().trim().to_owned())
    });
    RemotePath::new(written.last().unwrap_or_else(|| SERVER_LOG.to_owned())).ok()
}
