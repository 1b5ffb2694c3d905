//! How runs go through the fleet where no option says so (pure).

use serde_json::Value;

/// The variable that says it, of the group `all`.
pub const ROLLOUT: &str = "rollout";

/// What the inventory says, as options would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutDefaults {
    /// `--serial`.
    pub serial: Vec<String>,
    /// `--canary`, as a number.
    pub canary: Option<usize>,
    /// `--max-unavailable`.
    pub max_unavailable: Option<String>,
    /// `--max-failures`.
    pub max_failures: Option<usize>,
}

impl RolloutDefaults {
    /// Reads it; its shape is the vocabulary's to judge.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let number = |key: &str| value.get(key).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
        let serial = match value.get("serial") {
            Some(Value::Array(items)) => items.iter().filter_map(text).collect(),
            Some(one) => text(one).into_iter().collect(),
            None => Vec::new(),
        };
        Self {
            serial,
            canary: number("canary"),
            max_unavailable: value.get("max_unavailable").and_then(text),
            max_failures: number("max_failures"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_amount_or_a_list_of_them() {
        let read = |value| RolloutDefaults::read(&value);
        let all = read(json!({ "serial": [1, "20%"], "canary": 2, "max_unavailable": "25%", "max_failures": 0 }));
        assert_eq!(all.serial, ["1", "20%"]);
        assert_eq!((all.canary, all.max_unavailable.as_deref(), all.max_failures), (Some(2), Some("25%"), Some(0)));
        assert_eq!(read(json!({ "serial": 3 })).serial, ["3"]);
        assert_eq!(read(json!({})), RolloutDefaults::default());
    }
}
