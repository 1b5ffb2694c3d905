//! The tables as JSON Schemas for editors (pure): draft 2020-12, each complete in itself.
//!
//! Editors read YAML 1.2, where `yes` is a text: a flag takes its words too. A variable may be an expression.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::discovery::{EC2_FILE, EC2_NOT_READ};
use super::document::DocumentKind;
use super::inventory::GROUP;
use super::role::ROLE;
use super::shape::{Choice, Defined, Key, Need, Others, Record, Shape};
use super::variables::VARIABLES;

/// Where values stand: variables may be written as `{{ expressions }}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Variable,
    Fixed,
}

/// The schema of one kind of document.
#[must_use]
pub fn json_schema(kind: DocumentKind) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("Housewright: {}", kind.files()),
        "description": kind.about(),
    });
    let body = match kind {
        DocumentKind::Inventory => json!({
            "type": ["object", "null"],
            "additionalProperties": reference("group"),
            "$defs": { "group": group(), "variables": variables(), "expression": expression() },
        }),
        DocumentKind::Vars => {
            let mut body = variables();
            add(&mut body, json!({ "$defs": { "expression": expression() } }));
            body
        }
        DocumentKind::Role => {
            let mut body = record(&ROLE, Place::Fixed);
            add(&mut body, json!({ "$defs": { "variables": variables(), "expression": expression() } }));
            body
        }
        DocumentKind::AwsEc2 => {
            let mut body = record(&EC2_FILE, Place::Fixed);
            if let Some(Value::Object(properties)) = body.get_mut("properties") {
                properties.extend(EC2_NOT_READ.keys.iter().map(not_read));
            }
            body
        }
    };
    let said: Vec<String> = ["title", "description"].map(str::to_owned).into();
    add(&mut schema, without(body, &said));
    schema
}

fn add(to: &mut Value, more: Value) {
    if let (Value::Object(to), Value::Object(more)) = (to, more) {
        to.extend(more);
    }
}

fn without(mut value: Value, names: &[String]) -> Value {
    if let Value::Object(map) = &mut value {
        map.retain(|name, _| !names.contains(name));
    }
    value
}

/// A key that editors need not mark as a mistake.
fn not_read(key: &Key) -> (String, Value) {
    (key.name.to_owned(), json!({ "description": format!("Not read: {}.", key.about) }))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn group() -> Value {
    let mut group = record(&GROUP, Place::Fixed);
    add(&mut group, json!({ "type": ["object", "null"] }));
    group
}

fn variables() -> Value {
    let keys = VARIABLES.iter().flat_map(|section| section.record.keys);
    let properties: Map<String, Value> =
        keys.map(|key| (key.name.to_owned(), described(key, Place::Variable))).collect();
    json!({
        "title": "variables",
        "description": DocumentKind::Vars.about(),
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": true,
    })
}

fn expression() -> Value {
    json!({
        "description": "An expression of Jinja, which is resolved before the value is checked.",
        "type": "string",
        "pattern": r"\{\{|\{%",
    })
}

fn record(record: &Record, place: Place) -> Value {
    let properties: Map<String, Value> =
        record.keys.iter().map(|key| (key.name.to_owned(), described(key, place))).collect();
    let required: Vec<&str> = record.keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect();
    let mut schema = json!({
        "title": record.title,
        "description": record.about,
        "type": "object",
        "properties": properties,
        "additionalProperties": record.others == Others::Allowed,
    });
    if !required.is_empty() {
        add(&mut schema, json!({ "required": required }));
    }
    schema
}

/// What a key's value may be, and what it means. Within a cluster only Housewright's own readers look at values.
fn described(key: &Key, place: Place) -> Value {
    let inner = shape(&key.shape, place);
    // A variable without a value is one that is not set.
    let absent = json!({ "type": "null" });
    let mut schema = match (place, &key.shape) {
        (Place::Fixed, _) | (_, Shape::Any) => inner,
        (Place::Variable, Shape::Text) => json!({ "anyOf": [inner, absent] }),
        (Place::Variable, _) => json!({ "anyOf": [inner, reference("expression"), absent] }),
    };
    let words = choices(&key.shape).iter().fold(String::new(), |mut words, choice| {
        let _ = write!(
            words,
            "
- `{}`: {}",
            choice.word, choice.about
        );
        words
    });
    // A reference to a record keeps the record's own words beside the key's.
    add(&mut schema, json!({ "description": format!("{}{words}", key.about) }));
    if let Some(value) = key.default {
        add(&mut schema, json!({ "default": literal(value) }));
    }
    if !key.examples.is_empty() {
        add(&mut schema, json!({ "examples": key.examples.iter().map(|text| literal(text)).collect::<Vec<_>>() }));
    }
    schema
}

fn choices(shape: &Shape) -> &'static [Choice] {
    match shape {
        Shape::Choice(choices) => choices,
        _ => &[],
    }
}

/// JSON where it is JSON, else text.
fn literal(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn shape(of: &Shape, place: Place) -> Value {
    match of {
        Shape::Any => json!({}),
        Shape::Text => json!({ "type": ["string", "number"], "minLength": 1 }),
        Shape::Flag => {
            let words = r"^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|YES|[Nn]o|NO|[Oo]n|ON|[Oo]ff|OFF)$";
            json!({ "type": ["boolean", "string"], "pattern": words })
        }
        Shape::Whole(from, to) => json!({
            "type": ["integer", "string"], "minimum": from, "maximum": to, "pattern": "^[0-9]+$",
        }),
        Shape::Port => shape(&Shape::Whole(1, 65535), place),
        Shape::Choice(choices) => json!({ "enum": choices.iter().map(|choice| choice.word).collect::<Vec<_>>() }),
        Shape::Ruled(_, pattern, _) => json!({ "type": ["string", "number"], "pattern": pattern }),
        Shape::Mode => json!({ "type": "string", "pattern": "^[0-7]{3,4}$" }),
        Shape::Secret => {
            let text = json!({ "type": "string", "pattern": "^(env|file|exec):." });
            json!({ "anyOf": [text, {
                "type": "object", "properties": { "from_secret": text }, "required": ["from_secret"],
                "additionalProperties": false,
            }] })
        }
        Shape::List(item) => json!({ "type": "array", "items": shape(item, place) }),
        Shape::OneOrList(item) => {
            let item = shape(item, place);
            json!({ "anyOf": [item, { "type": "array", "items": item }] })
        }
        Shape::Map(value) => {
            let value = shape(value, place);
            let free = value == json!({});
            json!({ "type": "object", "additionalProperties": if free { json!(true) } else { value } })
        }
        Shape::Record(of) => record(of, place),
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(|of| shape(of, place)).collect::<Vec<_>>() }),
        Shape::Defined(Defined::Group) => reference("group"),
        Shape::Defined(Defined::Variables) => reference("variables"),
    }
}
