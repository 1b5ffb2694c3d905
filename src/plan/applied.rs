//! What a server must tell once it has taken the rendered files: their macros and clusters (pure).

use crate::clickhouse::config::{ConfigDirectory, ConfigKeys};
use crate::render::Desired;
use crate::resource::Applied;

/// Reads the macros and the clusters' sizes out of the files that ClickHouse merges.
pub(super) fn expected(desired: &Desired) -> Applied {
    let mut applied = Applied::default();
    for (path, file) in &desired.files {
        if ConfigDirectory::of(path.as_str()) != Some(ConfigDirectory::Config) {
            continue;
        }
        // Never the real text: what is expected stands in the plan, in events and in logs.
        for entry in ConfigKeys::from_xml(file.content.shown()).unwrap_or_default().entries {
            // `replica` is a macro here, and elsewhere an element of a list: `replica[1]`.
            let parts: Vec<_> = entry.path.split('/').map(|part| part.split('[').next().unwrap_or(part)).collect();
            match parts.as_slice() {
                // A macro with a secret is not compared: the server tells its value, the plan must not.
                ["macros", name] if !name.starts_with('@') && !entry.shown().contains('‹') => {
                    applied.macros.insert((*name).to_owned(), entry.shown().to_owned());
                }
                ["remote_servers", cluster, .., "host"] => {
                    *applied.clusters.entry((*cluster).to_owned()).or_default() += 1;
                }
                _ => {}
            }
        }
    }
    applied
}
