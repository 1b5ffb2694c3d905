//! Any expression has a value or says what is wrong, in bounded steps; none computes on a secret.
#![no_main]

use std::sync::LazyLock;

use housewright::jinja::{Expression, Template, Values, from_json, to_json};
use housewright::secret::SecretRef;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

static SCOPE: LazyLock<Values> = LazyLock::new(|| {
    let secret = SecretRef::Env("S".to_owned()).marker();
    let values = json!({ "a": "text", "n": 3, "l": [1, "b", null], "m": { "k": "v", "s": secret }, "s": secret });
    values.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), from_json(value))).collect()
});

fuzz_target!(|text: &str| {
    if let Ok(value) = Template::new(text).and_then(|template| template.value(&*SCOPE)) {
        let _ = to_json(&value);
    }
    if let Ok(expression) = Expression::new(text) {
        let _ = expression.truth(&*SCOPE);
        let _ = expression.value(&*SCOPE);
    }
});
