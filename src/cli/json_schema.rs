//! `housewright json-schema`: the JSON Schemas of what people write, for their editors (edge).

use std::path::PathBuf;

use serde_json::{Value, json};

use super::error::{Answer, CommandError, Exit};
use super::{Form, Global, output};
use crate::problem::near_name;
use crate::vocabulary::{DocumentKind, json_schema};

/// Options of `json-schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Kind of document; without it, the kinds are listed
    #[arg(value_name = "KIND")]
    kind: Option<String>,
    /// Write every schema as DIR/KIND.schema.json
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    write: Option<PathBuf>,
}

pub(super) fn run(global: &Global, options: &Options) -> Answer {
    if let Some(directory) = &options.write {
        for kind in DocumentKind::ALL {
            output::write_file(&directory.join(file_name(kind)), &text(kind))?;
        }
        return Ok(Exit::Success);
    }
    match &options.kind {
        Some(name) => output::result(&text(named(name)?)),
        None if global.output == Form::Text => output::result(&list()),
        None => output::data(global.output, &kinds()),
    }
    Ok(Exit::Success)
}

fn named(name: &str) -> Result<DocumentKind, CommandError> {
    let names = DocumentKind::ALL.map(DocumentKind::name);
    DocumentKind::named(name).ok_or_else(|| {
        let hint = near_name(name, names).unwrap_or_else(|| format!("the kinds are {}", names.join(", ")));
        CommandError::hinted(format!("no kind of document is called `{name}`"), hint)
    })
}

fn file_name(kind: DocumentKind) -> String {
    format!("{}.schema.json", kind.name())
}

fn text(kind: DocumentKind) -> String {
    format!("{:#}\n", json_schema(kind))
}

fn list() -> String {
    DocumentKind::ALL.map(|kind| format!("{:<10} {}\n", kind.name(), kind.files())).concat()
}

fn kinds() -> Value {
    DocumentKind::ALL.map(|kind| json!({ "kind": kind.name(), "files": kind.files() })).into_iter().collect()
}
