//! Commands that take a host out of traffic and bring it back (pure): read strictly, for one that is misread leaves a host
//! without traffic, or takes it down with traffic on it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::host::word;
use crate::duration::whole_seconds;
use crate::vocabulary::LONGEST_HOOK;

/// The variable that names them.
pub const TRAFFIC_HOOKS: &str = "traffic_hooks";

const USUAL: Duration = Duration::from_mins(1);

/// What is run around a restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrafficHooks {
    /// Before anything of the host goes away.
    pub drain: Vec<Hook>,
    /// When it is well again.
    pub restore: Vec<Hook>,
}

/// One command, with its arguments; no shell reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// On which machine.
    #[serde(rename = "where")]
    pub place: Place,
    /// How long it may take.
    #[serde(rename = "timeout_seconds", with = "whole_seconds")]
    pub limit: Duration,
}

/// The machine that runs a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// The host itself, as root where the connection becomes root.
    Host,
    /// The machine that runs Housewright, as the user who runs it.
    Here,
}

impl TrafficHooks {
    /// Reads the variable's value.
    ///
    /// # Errors
    /// Says what is wrong: nothing of it is guessed.
    pub fn read(value: &Value) -> Result<Self, String> {
        let map = mapping(value, "", &["drain", "restore"])?;
        let list = |key: &str| match map.get(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| Hook::read(item, key)).collect(),
            Some(_) => Err(format!("`{key}` must be a list")),
        };
        let hooks = Self { drain: list("drain")?, restore: list("restore")? };
        match (hooks.drain.is_empty(), hooks.restore.is_empty()) {
            (false, true) => Err("has `drain`, and no `restore`: nothing would bring the host back".to_owned()),
            (true, false) => Err("has `restore`, and no `drain`: nothing takes the host out".to_owned()),
            _ => Ok(hooks),
        }
    }

    /// Whether the host has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drain.is_empty()
    }
}

impl Hook {
    fn read(value: &Value, of: &str) -> Result<Self, String> {
        let of = format!("an item of `{of}`: ");
        let map = mapping(value, &of, &["run", "where", "timeout"])?;
        let Some(Value::Array(words)) = map.get("run") else {
            return Err(format!("{of}`run` must be a list: the program, then its arguments"));
        };
        let run: Vec<String> = words.iter().map(|word| text(word, &of)).collect::<Result<_, _>>()?;
        match run.first() {
            // `timeout`, under which it runs on a host, would take it for an option of its own.
            Some(program) if program.contains(char::is_whitespace) => {
                return Err(format!("{of}`{program}` is several words, and each must be an item of `run` of its own"));
            }
            Some(program) if !program.is_empty() && !program.starts_with('-') => {}
            _ => return Err(format!("{of}`run` must begin with a program")),
        }
        let place = match map.get("where") {
            None | Some(Value::Null) => Place::Host,
            Some(Value::String(place)) if place == "host" => Place::Host,
            Some(Value::String(place)) if place == "here" => Place::Here,
            Some(_) => return Err(format!("{of}`where` must be `host` or `here`")),
        };
        let limit = match map.get("timeout") {
            None | Some(Value::Null) => USUAL,
            Some(seconds) => {
                let seconds = seconds.as_u64().filter(|seconds| (1..=LONGEST_HOOK).contains(seconds));
                Duration::from_secs(seconds.ok_or_else(|| format!("{of}`timeout` must be from 1 to {LONGEST_HOOK}"))?)
            }
        };
        Ok(Self { run, place, limit })
    }
}

/// As a person would type it.
impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.run.iter().map(|text| word(text)).collect();
        write!(f, "`{}`{}", words.join(" "), if self.place == Place::Here { " here" } else { "" })
    }
}

fn mapping<'v>(value: &'v Value, of: &str, keys: &[&str]) -> Result<&'v Map<String, Value>, String> {
    let map = value.as_object().ok_or_else(|| format!("{of}must be a mapping with {}", keys.join(", ")))?;
    match map.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("{of}`{key}` is no key of it, these are: {}", keys.join(", "))),
        None => Ok(map),
    }
}

fn text(value: &Value, of: &str) -> Result<String, String> {
    match value {
        Value::String(text) if text.contains('\0') => Err(format!("{of}a word holds a zero byte")),
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("{of}each word of `run` must be a text or a number")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_is_words_a_machine_and_a_limit() {
        let hooks = json!({
            "drain": [{ "run": ["aws", "elbv2", "deregister-targets", "Id=i 1", 3], "where": "here", "timeout": 9 }],
            "restore": [{ "run": ["rm", "-f", "/run/drain"] }],
        });
        let hooks = TrafficHooks::read(&hooks).unwrap();
        assert_eq!(hooks.drain[0].to_string(), "`aws elbv2 deregister-targets 'Id=i 1' 3` here");
        assert_eq!((hooks.drain[0].place, hooks.drain[0].limit), (Place::Here, Duration::from_secs(9)));
        assert_eq!(hooks.restore[0].to_string(), "`rm -f /run/drain`");
        assert_eq!((hooks.restore[0].place, hooks.restore[0].limit), (Place::Host, USUAL));
        assert_eq!(TrafficHooks::read(&json!({})).unwrap(), TrafficHooks::default());
    }

    #[test]
    fn nothing_is_guessed() {
        let both = |item: Value| json!({ "drain": [item.clone()], "restore": [item] });
        let wrong = [
            json!([]),
            json!({ "before": [] }),
            json!({ "drain": { "run": ["a"] } }),
            json!({ "drain": [{ "run": ["a"] }] }),
            json!({ "restore": [{ "run": ["a"] }] }),
            both(json!("touch /run/drain")),
            both(json!({ "run": "touch /run/drain" })),
            both(json!({ "run": [] })),
            both(json!({ "run": [""] })),
            both(json!({ "run": ["-k"] })),
            both(json!({ "run": ["touch /run/drain"] })),
            both(json!({ "run": ["a", null] })),
            both(json!({ "run": ["a", "b\0c"] })),
            both(json!({ "run": ["a"], "where": "there" })),
            both(json!({ "run": ["a"], "timeout": 0 })),
            both(json!({ "run": ["a"], "timeout": "1" })),
            both(json!({ "run": ["a"], "timeout": 241 })),
            both(json!({ "run": ["a"], "shell": true })),
        ];
        for value in wrong {
            assert!(TrafficHooks::read(&value).is_err(), "{value}");
        }
    }
}
