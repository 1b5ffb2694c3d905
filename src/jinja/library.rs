//! The filters, tests, methods and functions that an expression can name, and what each may do with a secret (pure).

use std::sync::LazyLock;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};

use super::budget::{MAX_TEXT, is_secret, too_much};
use super::evaluate::{Run, computes};
use super::filters::{self, Call};
use super::syntax::{Arguments, Expr, Node, Part};
use super::values::{describe, is_map, items};
use super::wrong::{Kind, Wrong, reason};
use crate::problem::near_name;

/// minijinja's own filters and tests, without loaders.
pub(super) static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_debug(false);
    environment
});

/// Filters that are taken from minijinja as they are.
const BORROWED_FILTERS: [&str; 11] =
    ["abs", "batch", "capitalize", "dictsort", "format", "indent", "lower", "slice", "title", "trim", "upper"];
/// Tests that are taken from minijinja as they are.
const BORROWED_TESTS: [&str; 9] =
    ["divisibleby", "even", "float", "integer", "iterable", "lower", "odd", "sameas", "upper"];
/// Functions.
const FUNCTIONS: [&str; 2] = ["dict", "range"];
/// Methods of texts, lists and mappings.
const METHODS: [&str; 30] = [
    "capitalize",
    "count",
    "endswith",
    "find",
    "format",
    "get",
    "isalnum",
    "isalpha",
    "isascii",
    "isdigit",
    "islower",
    "isnumeric",
    "isspace",
    "isupper",
    "items",
    "join",
    "keys",
    "lower",
    "lstrip",
    "replace",
    "rfind",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "title",
    "upper",
    "values",
    "index",
];

/// What Ansible has and an inventory's meaning may not depend on, with the nearest way to write it.
const ELSEWHERE: [(&[&str], &str); 9] = [
    (
        &["lookup", "query", "q"],
        "the meaning of an inventory may not depend on hidden input: for a secret write `{ from_secret: env:NAME }` or `{ from_secret: file:PATH }`, else write the value itself",
    ),
    (
        &["fileglob", "realpath", "expandvars", "expanduser"],
        "the meaning of an inventory may not depend on files and the environment: write the value itself",
    ),
    (
        &["exists", "file", "directory", "link", "is_file", "is_dir", "is_link", "mount"],
        "the meaning of an inventory may not depend on files: write a variable that says it",
    ),
    (&["random", "shuffle"], "equal input must give an equal plan: write the order or the number itself"),
    (&["now", "strftime", "to_datetime"], "the meaning of an inventory may not depend on the time"),
    (
        &["password_hash", "vault", "unvault", "encrypt"],
        "secrets are not computed on: keep the result as a secret of its own, `{ from_secret: file:PATH }`",
    ),
    (
        &[
            "ipaddr",
            "ipv4",
            "ipv6",
            "ansible.utils.ipaddr",
            "ansible.utils.ipv4",
            "ansible.utils.ipsubnet",
            "nthhost",
            "ansible.utils.nthhost",
        ],
        "addresses are not computed: write the network as a variable of its own, or take it apart with `split('.')`",
    ),
    (&["json_query", "community.general.json_query"], "write it with `map(attribute=...)`, `selectattr` and `list`"),
    (&["namespace", "cycler", "joiner", "lipsum", "undef", "omit"], "write the value with `if`, `for` and `default`"),
];

/// Names that Ansible gives to plays and not to inventories.
pub(super) fn why_not(name: &str) -> Option<&'static str> {
    let facts = "facts are asked from the hosts when Ansible runs: write the value into the inventory";
    let play =
        "it belongs to Ansible's plays: an inventory has `groups`, `group_names`, `hostvars`, `inventory_hostname`";
    match name {
        "omit" => Some("leave the variable away, or write `default('')`"),
        "ansible_facts" | "ansible_local" | "ansible_env" => Some(facts),
        "play_hosts" | "role_path" | "role_name" | "playbook_dir" | "item" | "vars" | "environment" => Some(play),
        _ if [
            "ansible_play_",
            "ansible_role_",
            "ansible_loop",
            "ansible_run_",
            "ansible_version",
            "ansible_check_mode",
        ]
        .iter()
        .any(|start| name.starts_with(start)) =>
        {
            Some(play)
        }
        _ if [
            "ansible_default_ipv",
            "ansible_distribution",
            "ansible_os_",
            "ansible_all_ipv",
            "ansible_processor",
            "ansible_mem",
            "ansible_date_time",
            "ansible_fqdn",
            "ansible_hostname",
            "ansible_nodename",
            "ansible_kernel",
            "ansible_architecture",
            "ansible_devices",
            "ansible_mounts",
            "ansible_interfaces",
            "ansible_eth",
            "ansible_system",
            "ansible_pkg_mgr",
            "ansible_service_mgr",
            "ansible_domain",
            "ansible_lsb",
        ]
        .iter()
        .any(|start| name.starts_with(start)) =>
        {
            Some(facts)
        }
        _ => None,
    }
}

/// Every filter and test by name, in order.
pub(super) fn vocabulary() -> (Vec<&'static str>, Vec<&'static str>) {
    let mut names: Vec<&str> = filters::FILTERS.iter().map(|(name, ..)| *name).chain(BORROWED_FILTERS).collect();
    let mut tests: Vec<&str> = filters::tests::TESTS.iter().map(|(name, ..)| *name).chain(BORROWED_TESTS).collect();
    names.sort_unstable();
    tests.sort_unstable();
    (names, tests)
}

/// Refuses what a text names and nobody has, before anything is evaluated.
pub(super) fn known_in(parts: &[Part]) -> Result<(), Wrong> {
    parts.iter().try_for_each(|part| match part {
        Part::Text(_) => Ok(()),
        Part::Emit(node) | Part::Set { value: node, .. } => known(node),
        Part::If { condition, then, otherwise } => {
            known(condition)?;
            known_in(then)?;
            known_in(otherwise)
        }
        Part::For { items, condition, body, otherwise, .. } => {
            known(items)?;
            condition.as_ref().map_or(Ok(()), known)?;
            known_in(body)?;
            known_in(otherwise)
        }
    })
}

/// Refuses what an expression names and nobody has.
pub(super) fn known(node: &Node) -> Result<(), Wrong> {
    let all =
        |args: &Arguments| args.positional.iter().chain(args.named.iter().map(|(_, node)| node)).try_for_each(known);
    match &node.expr {
        Expr::Name(_) | Expr::Constant(_) => Ok(()),
        Expr::List(nodes) => nodes.iter().try_for_each(known),
        Expr::Map(nodes) => nodes.iter().try_for_each(|(key, value)| known(key).and_then(|()| known(value))),
        Expr::Attribute(node, _) | Expr::Not(node) | Expr::Negative(node) => known(node),
        Expr::Item(left, right) | Expr::And(left, right) | Expr::Or(left, right) | Expr::Binary(_, left, right) => {
            known(left)?;
            known(right)
        }
        Expr::Slice(object, bounds) => {
            known(object)?;
            bounds.iter().flatten().try_for_each(|node| known(node))
        }
        Expr::Compare(first, others) => {
            known(first)?;
            others.iter().try_for_each(|(_, node)| known(node))
        }
        Expr::If { condition, then, otherwise } => {
            known(condition)?;
            known(then)?;
            otherwise.as_ref().map_or(Ok(()), |node| known(node))
        }
        Expr::Filter { name, input, args } => {
            input.as_ref().map_or(Ok(()), |node| known(node))?;
            all(args)?;
            there("filter", name, &vocabulary().0).map_err(|wrong| wrong.at(node.span.clone()))
        }
        Expr::Test { name, input, args } => {
            known(input)?;
            all(args)?;
            there("test", name, &vocabulary().1).map_err(|wrong| wrong.at(node.span.clone()))
        }
        Expr::Method { object, name, args } => {
            known(object)?;
            all(args)?;
            there("method", name, &METHODS).map_err(|wrong| wrong.at(node.span.clone()))
        }
        Expr::Function { name, args } => {
            all(args)?;
            there("function", name, &FUNCTIONS).map_err(|wrong| wrong.at(node.span.clone()))
        }
    }
}

fn there(what: &str, name: &str, known: &[&str]) -> Result<(), Wrong> {
    if known.contains(&name) {
        return Ok(());
    }
    if let Some((_, hint)) = ELSEWHERE.iter().find(|(names, _)| names.contains(&name)) {
        return Err(
            Wrong::new(Kind::Unsupported, 0..0, format!("the {what} `{name}` is not read in an inventory")).hint(*hint)
        );
    }
    let mut wrong = Wrong::new(Kind::Unknown, 0..0, format!("there is no {what} `{name}`"));
    wrong.hint = near_name(name, known.iter().copied())
        .or_else(|| Some("docs/inventory.md lists the filters and tests that there are".to_owned()));
    Err(wrong)
}

/// What a filter or test may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// It only moves values; secrets go through it.
    Anything,
    /// It looks at lists and mappings and never at what is in them; a text that is a secret is refused.
    Containers,
    /// It computes; nothing that it is given may be or hold a secret.
    NoSecrets,
}

/// Refuses what is missing, and the secrets that a filter or test would compute on.
fn admit(run: &Run<'_>, what: &str, takes: Takes, values: &[Value]) -> Result<(), Wrong> {
    for value in values {
        let contents = match takes {
            Takes::NoSecrets => run.budget.contents(value)?,
            Takes::Containers | Takes::Anything => run.budget.contents_at_hand(value)?,
        };
        if let Some(wrong) = reason(value).cloned().or(contents.missing.filter(|_| takes == Takes::NoSecrets)) {
            return Err(wrong);
        }
        if takes == Takes::NoSecrets && contents.secret || takes == Takes::Containers && is_secret(value) {
            return Err(computes(what));
        }
    }
    Ok(())
}

/// Applies a filter; `values` starts with what stands before it.
pub(super) fn filter(
    run: &mut Run<'_>,
    name: &str,
    values: Vec<Value>,
    named: Vec<(String, Value)>,
) -> Result<Value, Wrong> {
    run.budget.spend(1)?;
    let what = format!("the filter `{name}`");
    let in_names: Vec<Value> = named.iter().map(|(_, value)| value.clone()).collect();
    if let Some((_, takes, apply)) = filters::FILTERS.iter().find(|(known, ..)| *known == name) {
        // `default` and `mandatory` are there for what is missing.
        let first = usize::from(matches!(name, "default" | "d" | "mandatory"));
        admit(run, &what, *takes, values.get(first..).unwrap_or_default())?;
        admit(run, &what, *takes, &in_names)?;
        let mut call = Call::new(run, name, values, named);
        let value = apply(&mut call)?;
        call.all_used()?;
        return if *takes == Takes::NoSecrets { computed(run, &what, value) } else { made(run, value) };
    }
    there("filter", name, &vocabulary().0)?;
    admit(run, &what, Takes::NoSecrets, &values)?;
    admit(run, &what, Takes::NoSecrets, &in_names)?;
    bounded(name, &values)?;
    let value = run.state.apply_filter(name, &with_names(values, named)).map_err(|error| engine(&what, &error))?;
    computed(run, &what, value)
}

/// What is computed without secrets is not the reference of one either: the text may be another person's, such as a tag.
fn computed(run: &Run<'_>, what: &str, value: Value) -> Result<Value, Wrong> {
    let value = made(run, value)?;
    if run.budget.contents(&value)?.secret {
        let message = format!("{what} would make the reference of a secret");
        let hint = "only what is written in the inventory refers to secrets: `{ from_secret: env:NAME }`";
        return Err(Wrong::new(Kind::Secret, 0..0, message).hint(hint));
    }
    Ok(value)
}

/// What comes out is counted; an iterator becomes a list.
fn made(run: &Run<'_>, value: Value) -> Result<Value, Wrong> {
    if let Some(text) = value.as_str() {
        run.budget.make(text.len())?;
    }
    run.budget.spend(value.len().unwrap_or_default())?;
    Ok(if value.kind() == ValueKind::Iterable { Value::from(items(&value)) } else { value })
}

fn with_names(mut values: Vec<Value>, named: Vec<(String, Value)>) -> Vec<Value> {
    if !named.is_empty() {
        values.push(Value::from(named.into_iter().collect::<Kwargs>()));
    }
    values
}

/// minijinja's filters that can make much out of little get small numbers only.
fn bounded(name: &str, values: &[Value]) -> Result<(), Wrong> {
    let numbers = values.iter().skip(1).filter_map(Value::as_i64);
    let wide = |text: &str| text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() > 4);
    let format = matches!(name, "format").then(|| values.first().and_then(Value::as_str)).flatten();
    if numbers.into_iter().any(|number| number.unsigned_abs() > 10_000) && matches!(name, "indent" | "batch" | "slice")
        || format.is_some_and(|text| wide(text) || text.contains('*'))
        || name == "indent" && values.first().and_then(Value::as_str).is_some_and(|text| text.len() > MAX_TEXT >> 6)
    {
        return Err(too_much("the expression makes too long a text"));
    }
    Ok(())
}

/// An error of minijinja's filters in one sentence.
fn engine(what: &str, error: &minijinja::Error) -> Wrong {
    let kind = if error.kind() == ErrorKind::UndefinedError { Kind::Undefined } else { Kind::Failed };
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Wrong::new(kind, 0..0, format!("{what}: {detail}"))
}

/// Asks a test; `values` starts with what stands before it.
pub(super) fn test(
    run: &mut Run<'_>,
    name: &str,
    values: Vec<Value>,
    named: Vec<(String, Value)>,
) -> Result<bool, Wrong> {
    run.budget.spend(1)?;
    let what = format!("the test `{name}`");
    if let Some((_, takes, apply)) = filters::tests::TESTS.iter().find(|(known, ..)| *known == name) {
        let first = usize::from(matches!(name, "defined" | "undefined"));
        admit(run, &what, *takes, values.get(first..).unwrap_or_default())?;
        let mut call = Call::new(run, name, values, named);
        let holds = apply(&mut call)?;
        call.all_used()?;
        return Ok(holds);
    }
    there("test", name, &vocabulary().1)?;
    admit(run, &what, Takes::NoSecrets, &values)?;
    run.state.perform_test(name, &with_names(values, named)).map_err(|error| engine(&what, &error))
}

/// Calls a method of a text, a list or a mapping, as Python has them.
pub(super) fn method(
    run: &mut Run<'_>,
    name: &str,
    mut values: Vec<Value>,
    named: Vec<(String, Value)>,
) -> Result<Value, Wrong> {
    run.budget.spend(1)?;
    let what = format!("the method `{name}`");
    let moves = is_map(&values[0]) && matches!(name, "get" | "items" | "keys" | "values");
    admit(run, &what, if moves { Takes::Anything } else { Takes::NoSecrets }, &values)?;
    if moves && values.iter().skip(1).take(1).any(is_secret) {
        return Err(computes(&what));
    }
    match name {
        "replace" | "join" => return filter(run, name, in_filter_order(name, values), named),
        "format" if values[0].as_str().is_some() => bounded("format", &values[..1])?,
        "get" if moves => {
            let missing = || values.get(2).cloned().unwrap_or_else(|| Value::from(()));
            let found =
                values.get(1).and_then(|key| values[0].get_item(key).ok()).filter(|value| !value.is_undefined());
            return Ok(found.unwrap_or_else(missing));
        }
        _ => {}
    }
    let object = values.remove(0);
    let value = object.call_method(&mut run.state, name, &with_names(values, named)).map_err(|error| {
        if error.kind() == ErrorKind::UnknownMethod {
            Wrong::new(Kind::Unknown, 0..0, format!("{} has no method `{name}`", describe(&object)))
        } else {
            engine(&what, &error)
        }
    })?;
    if moves { made(run, value) } else { computed(run, &what, value) }
}

/// `separator.join(list)` has the separator first.
fn in_filter_order(name: &str, mut values: Vec<Value>) -> Vec<Value> {
    if name == "join" && values.len() == 2 {
        values.swap(0, 1);
    }
    values
}

/// Calls a function.
pub(super) fn function(
    run: &mut Run<'_>,
    name: &str,
    values: &[Value],
    named: Vec<(String, Value)>,
) -> Result<Value, Wrong> {
    there("function", name, &FUNCTIONS)?;
    admit(run, &format!("the function `{name}`"), Takes::NoSecrets, values)?;
    if name == "dict" {
        let start = values.first().map(super::values::entries).unwrap_or_default();
        return Ok(Value::from_pairs(
            start.into_iter().chain(named.into_iter().map(|(name, value)| (Value::from(name), value))),
        ));
    }
    let numbers: Option<Vec<i64>> = values.iter().map(Value::as_i64).collect();
    let (start, stop, step) = match numbers.as_deref() {
        Some([stop]) => (0, *stop, 1),
        Some([start, stop]) => (*start, *stop, 1),
        Some([start, stop, step]) if *step != 0 => (*start, *stop, *step),
        _ => {
            return Err(Wrong::new(Kind::Failed, 0..0, "`range` takes one to three whole numbers, the third not zero"));
        }
    };
    let count = (i128::from(stop) - i128::from(start)) / i128::from(step);
    run.budget.spend(usize::try_from(count.max(0)).unwrap_or(usize::MAX))?;
    let (mut list, mut at) = (Vec::new(), start);
    while if step > 0 { at < stop } else { at > stop } {
        list.push(Value::from(at));
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    Ok(Value::from(list))
}
