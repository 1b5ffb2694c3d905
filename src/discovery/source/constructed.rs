//! `compose`, `groups`, `keyed_groups`: variables and groups by expressions, as Ansible's `constructed` has them (pure).

use std::sync::Arc;

use crate::inventory::Node;
use crate::inventory::fields::{Codes, Fields};
use crate::jinja;
use crate::problem::{Problem, Span};

/// What becomes of an instance's facts.
#[derive(Debug, Clone, Default)]
pub struct Constructed {
    /// Variables by expression, in the order in which they are written.
    pub compose: Vec<(String, Expression)>,
    /// Groups by condition.
    pub groups: Vec<(String, Expression)>,
    /// Groups by value.
    pub keyed_groups: Vec<KeyedGroup>,
    /// Whether an expression that fails is an error; otherwise it gives nothing.
    pub strict: bool,
    /// Whether a keyed group without a prefix begins with its separator.
    pub leading_separator: bool,
}

/// A Jinja expression, without its braces.
#[derive(Debug, Clone)]
pub struct Expression {
    /// As it was written.
    pub text: String,
    /// Where.
    pub span: Span,
    /// What it says.
    pub parsed: Arc<jinja::Expression>,
}

/// A text that may hold `{{ }}`.
#[derive(Debug, Clone)]
pub struct Template {
    /// As it was written.
    pub text: String,
    /// What it says; a text without `{{ }}` is itself.
    pub parsed: Option<Arc<jinja::Template>>,
}

/// Groups that are named after a value: `prefix`, `separator`, value.
#[derive(Debug, Clone)]
pub struct KeyedGroup {
    /// Whose value; a list makes several groups, a mapping one for each key.
    pub key: Expression,
    /// Before the separator.
    pub prefix: String,
    /// `_` where the file says nothing.
    pub separator: String,
    /// The group that these are in; it may hold `{{ }}`.
    pub parent_group: Option<Template>,
    /// What an empty value is taken for.
    pub default_value: Option<String>,
    /// Whether the group of an empty value of a mapping ends with the separator.
    pub trailing_separator: bool,
}

impl Constructed {
    pub(super) fn read(codes: Codes, fields: &mut Fields<'_, '_>) -> Self {
        Self {
            compose: named("compose", fields),
            groups: named("groups", fields),
            keyed_groups: keyed_groups(codes, fields),
            strict: fields.flag("strict").unwrap_or(false),
            leading_separator: fields.flag("leading_separator").unwrap_or(true),
        }
    }
}

/// An expression that cannot be read is a problem even without `strict`: it would fail for every instance.
fn expression(key: &str, node: &Node, fields: &mut Fields<'_, '_>) -> Option<Expression> {
    let text = node.scalar_text().or_else(|| node.flag().map(|flag| flag.to_string()));
    let Some(text) = text else {
        fields.wrong(key, node, &format!("takes an expression, such as `tags.Role`, not {}", node.describe()));
        return None;
    };
    let parsed = jinja::Expression::new(&text).map_err(|wrong| unread(&text, &wrong, node, fields)).ok()?;
    Some(Expression { text, span: node.span.clone(), parsed: Arc::new(parsed) })
}

fn template(key: &str, node: &Node, fields: &mut Fields<'_, '_>) -> Option<Template> {
    let text = fields.text(key)?;
    if !jinja::Template::is_in(&text) {
        return Some(Template { text, parsed: None });
    }
    let parsed = jinja::Template::new(&text).map_err(|wrong| unread(&text, &wrong, node, fields)).ok()?;
    Some(Template { text, parsed: Some(Arc::new(parsed)) })
}

fn unread(text: &str, wrong: &jinja::Wrong, node: &Node, fields: &mut Fields<'_, '_>) {
    let mut problem = Problem::new("HW0160", format!("`{text}`: {}", wrong.message)).at(&node.span);
    problem.hint.clone_from(&wrong.hint);
    fields.report(problem);
}

fn named(key: &str, fields: &mut Fields<'_, '_>) -> Vec<(String, Expression)> {
    let Some(node) = fields.get(key) else { return Vec::new() };
    let Some(entries) = node.entries() else {
        fields.wrong(key, node, &format!("must be a mapping, not {}", node.describe()));
        return Vec::new();
    };
    entries.iter().filter_map(|entry| Some((entry.key.clone(), expression(key, &entry.value, fields)?))).collect()
}

fn keyed_groups(codes: Codes, fields: &mut Fields<'_, '_>) -> Vec<KeyedGroup> {
    let known = ["key", "prefix", "separator", "parent_group", "default_value", "trailing_separator"];
    let mut groups = Vec::new();
    for item in fields.items("keyed_groups") {
        let Some(mut entry) = Fields::open(item, "a keyed group", &known, codes, fields.problems()) else { continue };
        let Some(node) = entry.required("key") else { continue };
        let Some(key) = expression("key", node, &mut entry) else { continue };
        let (default_value, trailing) = (entry.text("default_value"), entry.flag("trailing_separator"));
        if let (Some(_), Some(_), Some(node)) = (&default_value, trailing, entry.get("trailing_separator")) {
            entry.wrong("trailing_separator", node, "does not go together with `default_value`");
        }
        let parent = entry.get("parent_group");
        groups.push(KeyedGroup {
            key,
            prefix: entry.text("prefix").unwrap_or_default(),
            separator: entry.text("separator").unwrap_or_else(|| "_".to_owned()),
            parent_group: parent.and_then(|node| template("parent_group", node, &mut entry)),
            default_value,
            trailing_separator: trailing.unwrap_or(true),
        });
    }
    groups
}
