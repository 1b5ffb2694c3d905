//! What a server must tell once it has taken the rendered files: their macros and clusters (pure).

use crate::clickhouse::config::{ConfigDirectory, ConfigKeys, MASK};
use crate::render::Desired;
use crate::resource::Applied;

/// Reads the macros and the clusters' sizes out of the files that ClickHouse merges.
pub(super) fn expected(desired: &Desired) -> Applied {
    let mut applied = Applied::default();
    for (path, file) in &desired.files {
        if ConfigDirectory::of(path.as_str()) != Some(ConfigDirectory::Config) {
            continue;
        }
        let text = std::str::from_utf8(file.content.bytes().expose()).unwrap_or_default();
        for entry in ConfigKeys::from_xml(text).unwrap_or_default().entries {
            // `replica` is a macro here, and elsewhere an element of a list: `replica[1]`.
            let parts: Vec<_> = entry.path.split('/').map(|part| part.split('[').next().unwrap_or(part)).collect();
            match parts.as_slice() {
                // A value that looks like a secret stands in no plan, so that it cannot be compared.
                ["macros", name] if !name.starts_with('@') && entry.shown() != MASK => {
                    applied.macros.insert((*name).to_owned(), entry.shown().to_owned());
                }
                ["remote_servers", cluster, .., "host"] => {
                    *applied.clusters.entry((*cluster).to_owned()).or_default() += 1
                }
                _ => {}
            }
        }
    }
    applied
}
