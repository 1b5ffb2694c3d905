//! The configurations that a host's servers make of its rendered files, on top of a base (pure).

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::{Content, Desired};
use crate::clickhouse::config::effective::{Doubt, EffectiveError, Note, Sources, is_part};
use crate::remote::RemotePath;
use crate::secret::Secret;
use crate::secret::look::HIDDEN;

/// Names of configurations: of the server, of its users, of a Keeper.
const STEMS: [&str; 3] = ["config", "users", "keeper_config"];
/// What a server finds of a configuration by its path.
const MAIN_ENDINGS: [&str; 3] = ["xml", "yaml", "yml"];
/// Merged beside every configuration.
const SHARED: &str = "conf.d";

/// One configuration.
#[derive(Debug, Clone)]
pub struct EffectiveFile {
    /// The path of its main file.
    pub path: String,
    /// As XML for people: values that look like secrets are masked, references to secrets are not.
    pub xml: String,
    /// What a server would read otherwise than it looks.
    pub notes: Vec<Note>,
}

/// Merges a host's configurations; `base` are the files that lie beside the rendered ones, by their path in the
/// configuration's directory (`config.xml`, `config.d/a.xml`).
///
/// # Errors
/// For each configuration that its server would refuse, or that cannot be merged here.
#[must_use]
pub fn effective(desired: &Desired, base: &BTreeMap<String, Bytes>) -> Vec<Result<EffectiveFile, EffectiveError>> {
    let rendered: BTreeMap<&RemotePath, &Content> =
        desired.files.iter().map(|(path, file)| (path, &file.content)).collect();
    let roots: BTreeSet<RemotePath> = rendered.keys().filter_map(|path| root(path)).collect();
    roots.iter().flat_map(|root| of_root(root, &rendered, base)).collect()
}

fn of_root(
    root: &RemotePath,
    rendered: &BTreeMap<&RemotePath, &Content>,
    base: &BTreeMap<String, Bytes>,
) -> Vec<Result<EffectiveFile, EffectiveError>> {
    let below = |name: &str| format!("{}/{name}", root.as_str().trim_end_matches('/'));
    let mut texts: BTreeMap<String, Secret<Bytes>> =
        base.iter().map(|(name, text)| (below(name), Secret::new(text.clone()))).collect();
    // The texts for people: a configuration of placeholders has the same form.
    let shown = |content: &Content| Secret::new(Bytes::copy_from_slice(content.shown().as_bytes()));
    texts.extend(rendered.iter().map(|(path, content)| (path.as_str().to_owned(), shown(content))));
    let references: BTreeSet<String> = rendered
        .values()
        .flat_map(|content| content.values().map(|(secret, _)| format!("‹{secret}›")))
        .chain([HIDDEN.to_owned()])
        .collect();
    let mut made = Vec::new();
    for stem in STEMS {
        let mains = MAIN_ENDINGS.map(|ending| below(&format!("{stem}.{ending}")));
        let main = mains.iter().find(|main| texts.contains_key(*main)).unwrap_or(&mains[0]);
        // Of a host that has no Keeper nothing is named after one; what is in `conf.d` alone makes no configuration.
        let own = |path: &str| path == main || (is_part(main, path) && !path.starts_with(&below(SHARED)));
        if !rendered.keys().any(|path| own(path.as_str())) {
            continue;
        }
        let empty = Secret::new(Bytes::from_static(b"<clickhouse/>"));
        let mut files: BTreeMap<&str, _> = texts.iter().map(|(path, text)| (path.as_str(), text)).collect();
        files.entry(main).or_insert(&empty);
        made.push(Sources { main, files, ..Sources::default() }.effective().map(|effective| EffectiveFile {
            path: main.clone(),
            xml: effective.tree.masked(&references),
            notes: effective.notes.into_iter().filter(misread).collect(),
        }));
    }
    made
}

/// Whether a note is about the files themselves, and not about what is known on the host only.
fn misread(note: &Note) -> bool {
    match note.doubt {
        Doubt::OtherRoot(_) | Doubt::RootInYaml(_) => true,
        Doubt::NoInclude(_) | Doubt::NoVariable(_) | Doubt::NoIncludeFrom(_) => false,
    }
}

/// The directory of the configuration that a file is part of.
fn root(path: &RemotePath) -> Option<RemotePath> {
    let directory = path.parent();
    let stem = directory.file_name().strip_suffix(".d");
    if stem.is_some_and(|stem| STEMS.contains(&stem)) {
        return Some(directory.parent());
    }
    let (stem, ending) = path.file_name().rsplit_once('.')?;
    (STEMS.contains(&stem) && MAIN_ENDINGS.contains(&ending)).then_some(directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::chain;
    use crate::render::DesiredFile;
    use crate::render::escape::Escape;
    use crate::secret::{SecretRef, SecretStore};

    fn desired(files: &[(&str, &str)]) -> Desired {
        let mut store = SecretStore::default();
        store.insert(SecretRef::Env("S".to_owned()), Secret::new("hunter2".to_owned()));
        let file = |text: &str| DesiredFile {
            content: Content::reveal(text, &store, Escape::Xml).unwrap(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            mode: 0o644,
            unit: None,
            early: false,
            over_package: false,
        };
        let files = files.iter().map(|(path, text)| (RemotePath::new(*path).unwrap(), file(text)));
        Desired { files: files.collect(), ..Desired::default() }
    }

    fn shown(desired: &Desired, base: &[(&str, &str)]) -> Vec<String> {
        let base = base.iter().map(|(name, text)| ((*name).to_owned(), Bytes::from((*text).to_owned()))).collect();
        let line = |made: Result<EffectiveFile, EffectiveError>| match made {
            Ok(file) => {
                let lines: String = file.xml.lines().map(str::trim).collect();
                let notes = file.notes.iter().map(ToString::to_string);
                [format!("{} {lines}", file.path)].into_iter().chain(notes).collect::<Vec<_>>().join(" ")
            }
            Err(error) => chain(&error),
        };
        effective(desired, &base).into_iter().map(line).collect()
    }

    #[test]
    fn each_configuration_is_merged_on_top_of_its_base() {
        let secret = SecretRef::Env("S".to_owned()).marker();
        let desired = desired(&[
            ("/etc/ch/config.d/a.xml", &format!("<clickhouse><a>1</a><password>{secret}</password></clickhouse>")),
            ("/etc/ch/users.d/u.xml", "<clickhouse><users><x remove='1'/></users></clickhouse>"),
            ("/etc/systemd/system/a.service", "[Unit]"),
        ]);
        let base = [
            ("config.xml", "<clickhouse><a>0</a><secret>hunter3</secret></clickhouse>"),
            ("users.xml", "<yandex><users><x/><y/></users></yandex>"),
            ("conf.d/z.yaml", "clickhouse: { b: 2 }"),
        ];
        assert_eq!(
            shown(&desired, &base),
            [
                "/etc/ch/config.xml <clickhouse><a>1</a><secret>‹secret›</secret><clickhouse><b>2</b></clickhouse>\
                 <password>‹env:S›</password></clickhouse> /etc/ch/conf.d/z.yaml:1: `clickhouse`: the server reads nothing \
                 below `clickhouse:`: a YAML file has its keys without a root",
                "/etc/ch/users.xml <yandex><users><y/></users><clickhouse><b>2</b></clickhouse></yandex> \
                 /etc/ch/conf.d/z.yaml:1: `clickhouse`: the server reads nothing below `clickhouse:`: a YAML file has its \
                 keys without a root",
            ]
        );
        let broken = [("config.d/b.xml", "<clickhouse><a></clickhouse>")];
        let answers = shown(&desired, &broken);
        assert_eq!(
            answers[0],
            "cannot read `/etc/ch/config.d/b.xml`: `a` is closed as `clickhouse` (line 1, column 16)"
        );
        assert_eq!(answers[1], "/etc/ch/users.xml <clickhouse><users/></clickhouse>");
    }
}
