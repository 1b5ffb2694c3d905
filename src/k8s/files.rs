//! The files of an installation's pods, rendered from the same templates as those of other hosts (pure).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::key::{KeyForm, SecretKey, Tokens};
use super::{Installation, xml};
use crate::clickhouse::config::ConfigDirectory;
use crate::fleet::{Fleet, Host, HostName};
use crate::problem::Problem;
use crate::remote::RemotePath;
use crate::render::{self, Desired, Templates};
use crate::secret::SecretRef;

/// What pods are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// By the operator's name of a file: `config.d/macros.xml`.
    pub texts: BTreeMap<String, String>,
    /// Variables of the environment that are no secrets.
    pub plain: BTreeMap<String, String>,
    /// Variables that the Secret gives, by name.
    pub keys: BTreeMap<String, SecretKey>,
    /// Files of the role that no server reads, and that pods do not get.
    pub left_out: BTreeSet<String>,
}

/// The variable whose values a server finds in its environment.
const ENVIRONMENT: &str = "clickhouse_environment";
/// Files for it, and what makes systemd read them: pods get it otherwise.
const OF_SYSTEMD: [&str; 2] = ["/etc/systemd/", "/etc/clickhouse-server/housewright.env"];

/// Stands for the generation until all files are there.
const PLACE: &str = "\u{F8F5}";

/// Everything of all pods.
pub(super) struct Rendered {
    desired: BTreeMap<HostName, Desired>,
    tokens: Tokens,
}

impl Rendered {
    pub(super) fn new(fleet: &Fleet, templates: &Templates) -> Result<Self, Vec<Problem>> {
        let tokens = Tokens::of(render::secrets_of_pods(fleet));
        let is_pod = |host: &Host| host.vars.get(super::VARIABLE).is_some();
        let desired = render::render_where(fleet, templates, tokens.store(), &is_pod)?;
        Ok(Self { desired, tokens })
    }

    /// What all pods of an installation get alike.
    pub(super) fn of(&mut self, installation: &Installation<'_>) -> Result<Files, Vec<Problem>> {
        let mut first: Option<(&Host, Files)> = None;
        for host in installation.clusters.values().flat_map(|cluster| cluster.hosts.values()) {
            let files = self.of_host(host).map_err(|(path, why)| {
                let message = format!("`{path}` cannot be given to host `{}`, a pod: {why}", host.name);
                let hint = "a pod takes a secret from its environment, in the place of a whole element";
                vec![Problem::new("HW0607", message).hint(hint)]
            })?;
            match &first {
                None => first = Some((host, files)),
                Some((other, known)) if *known != files => {
                    let path = differing(known, &files);
                    let message = format!(
                        "`{path}` is another file for host `{}` than for `{}` of the same installation `{}`",
                        host.name, other.name, installation.name
                    );
                    let hint = "the operator gives all pods of an installation the same: give roles installations of their own";
                    return Err(vec![Problem::new("HW0608", message).hint(hint)]);
                }
                Some(_) => {}
            }
        }
        Ok(first.map(|(_, files)| files).unwrap_or_default())
    }

    fn of_host(&self, host: &Host) -> Result<Files, (String, String)> {
        let mut files = Files::default();
        let mut keys = xml::Keys::new();
        let desired = self.desired.get(&host.name);
        let generation = desired.and_then(|desired| desired.generation.as_deref());
        for (path, file) in desired.into_iter().flat_map(|desired| &desired.files) {
            let failed = |why: String| (path.to_string(), why);
            let Some(name) = operators_name(path) else {
                if !OF_SYSTEMD.iter().any(|start| path.as_str().starts_with(start)) {
                    files.left_out.insert(path.to_string());
                }
                continue;
            };
            let text = std::str::from_utf8(file.content.bytes().expose()).map_err(|error| failed(error.to_string()))?;
            if path.file_name().rsplit('.').next() != Some("xml") {
                return Err(failed("only XML is written anew for pods".to_owned()));
            }
            // It is of what the host's own files would be: the pods have one of what they get.
            let text = generation.map_or_else(|| text.to_owned(), |generation| text.replace(generation, PLACE));
            if let Some(text) = xml::for_pods(&text, &self.tokens, &mut keys).map_err(failed)? {
                files.texts.insert(name, text);
            }
        }
        stamp(&mut files.texts);
        let failed = |why: String| (ENVIRONMENT.to_owned(), why);
        for (name, value) in host.vars.get(ENVIRONMENT).and_then(Value::as_object).into_iter().flatten() {
            let Some(text) = scalar(value) else { return Err(failed(format!("`{name}` is no text"))) };
            let reference = SecretRef::in_text(&text).next();
            match reference {
                None => drop(files.plain.insert(name.clone(), text)),
                Some(reference) if reference.marker() == text => {
                    let key = (reference, KeyForm::Value);
                    if keys.get(name).is_some_and(|known| *known != key) {
                        return Err(failed(format!("`{name}` would be two keys of the Secret")));
                    }
                    keys.insert(name.clone(), key);
                }
                Some(_) => return Err(failed(format!("a secret stands in the middle of `{name}`"))),
            }
        }
        if let Some(name) = keys.keys().find(|name| files.plain.contains_key(*name)) {
            return Err(failed(format!("`{name}` is a key of the Secret, and a plain text")));
        }
        let key = |(name, (reference, form)): (String, (SecretRef, KeyForm))| {
            (name.clone(), SecretKey { name, of: reference.to_string(), form })
        };
        files.keys = keys.into_iter().map(key).collect();
        Ok(files)
    }
}

/// Puts the generation of the pods' files into them.
fn stamp(files: &mut BTreeMap<String, String>) {
    let all: Vec<&str> = files.iter().flat_map(|(name, text)| [name.as_str(), text]).collect();
    // No name and no text of XML holds such a byte.
    let generation = render::generation_of(all.join("\0").as_bytes());
    for text in files.values_mut().filter(|text| text.contains(PLACE)) {
        *text = text.replace(PLACE, &generation);
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// `config.d/NAME` goes to all pods, `users.d/NAME` too:
/// <https://github.com/Altinity/clickhouse-operator/blob/0.25.6/docs/chi-examples/05-settings-05-files-nested.yaml>.
fn operators_name(path: &RemotePath) -> Option<String> {
    ConfigDirectory::of(path.as_str())?;
    let parent = path.parent();
    let directory = parent.file_name();
    matches!(directory, "config.d" | "users.d").then(|| format!("{directory}/{}", path.file_name()))
}

/// The first thing that is not alike.
fn differing(one: &Files, other: &Files) -> String {
    let names: BTreeSet<&String> = one.texts.keys().chain(other.texts.keys()).collect();
    let differs = names.into_iter().find(|name| one.texts.get(*name) != other.texts.get(*name));
    differs.map_or_else(|| ENVIRONMENT.to_owned(), Clone::clone)
}
