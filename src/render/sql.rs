//! SQL where an environment differs: a role's `*.sql.tera`, filled with its hosts' variables (pure).
//!
//! Objects are a role's and no host's, so all of its hosts must give one text; a string gets into it through a filter
//! that quotes it, or not at all.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use tera::{Context, Error, Kwargs, State, Tera, TeraResult, Value};

use super::template_error::{parsing, rendering};
use crate::clickhouse::{quote_name, quote_text};
use crate::fleet::{Host, HostName, RoleName};
use crate::problem::{Problem, Source, Span};
use crate::role::{Role, SchemaFile};

/// Two hosts of a role would have different objects.
pub const DIFFERS: &str = "HW0415";
/// A string is put in as it is.
pub const UNQUOTED: &str = "HW0416";

/// How the names of such files end.
pub const SUFFIX: &str = ".sql.tera";
/// Stands in the text where a string came in without quotes; no SQL has it.
const MARK: char = '\0';

/// Fills the templates of all roles; those of a role without hosts are left out, as nothing is made of them.
pub fn fill(roles: &mut BTreeMap<RoleName, Role>, hosts: &BTreeMap<HostName, Host>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, role) in roles {
        let hosts: Vec<&Host> = hosts.values().filter(|host| host.role == *name).collect();
        role.schema.retain_mut(|file| {
            if !file.source.name.ends_with(SUFFIX) {
                return true;
            }
            match filled(&file.source, &hosts) {
                Ok(Some(text)) => {
                    *file = SchemaFile {
                        source: Arc::new(Source { name: file.source.name.clone(), text }),
                        ..file.clone()
                    };
                    true
                }
                Ok(None) => false,
                Err(found) => {
                    problems
                        .extend(found.into_iter().filter(|problem| !problems.contains(problem)).collect::<Vec<_>>());
                    false
                }
            }
        });
    }
    problems
}

/// The text that all of these hosts give; nothing without hosts.
fn filled(source: &Arc<Source>, hosts: &[&Host]) -> Result<Option<String>, Vec<Problem>> {
    let sources = BTreeMap::from([(source.name.clone(), Arc::clone(source))]);
    let mut tera = engine();
    tera.add_raw_template(&source.name, &source.text).map_err(|error| parsing(&error, Some(source), &sources))?;
    let mut first: Option<(&Host, String)> = None;
    for host in hosts {
        let context =
            Context::from_serialize(&host.vars).map_err(|error| vec![rendering(&error, Some(source), &sources)])?;
        let text =
            tera.render(&source.name, &context).map_err(|error| vec![rendering(&error, Some(source), &sources)])?;
        if text.contains(MARK) {
            return Err(vec![unquoted(source)]);
        }
        match &first {
            None => first = Some((host, text)),
            Some((other, same)) if *same != text => return Err(vec![differs(source, other, host)]),
            Some(_) => {}
        }
    }
    Ok(first.map(|(_, text)| text))
}

fn engine() -> Tera {
    let mut tera = Tera::default();
    tera.autoescape_on([SUFFIX]);
    tera.set_escape_fn(|_, out: &mut dyn Write| write!(out, "{MARK}"));
    tera.register_filter("sql_text", sql_text);
    tera.register_filter("sql_name", sql_name);
    tera
}

/// `{{ region | sql_text }}`: a string literal.
fn sql_text(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    quoted(value, quote_text)
}

/// `{{ cluster | sql_name }}`: an identifier, in backticks.
fn sql_name(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    quoted(value, quote_name)
}

fn quoted(value: &Value, quote: fn(&str) -> String) -> TeraResult<Value> {
    match value.as_str() {
        Some(text) => Ok(Value::safe_string(&quote(text))),
        None if value.is_undefined() => Err(Error::message("this variable is not defined")),
        None => Err(Error::message("this is no string, which is what can be quoted")),
    }
}

fn at_start(source: &Arc<Source>, code: &'static str, message: String) -> Problem {
    Problem::new(code, message).at(&Span::new(Arc::clone(source), 0..0))
}

fn unquoted(source: &Arc<Source>) -> Problem {
    let message = "a string is put into the SQL without quotes".to_owned();
    at_start(source, UNQUOTED, message).hint("write `{{ value | sql_text }}`, or `{{ value | sql_name }}` for a name")
}

fn differs(source: &Arc<Source>, one: &Host, other: &Host) -> Problem {
    let message = format!("it gives one SQL on `{}` and another on `{}`", one.name, other.name);
    let hint =
        "a role's objects are the same on all of its hosts: use variables of the role, or a macro such as `{shard}`";
    at_start(source, DIFFERS, message).hint(hint)
}
