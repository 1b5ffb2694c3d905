//! Walks an expression (pure): every operator looks at its operands first, so that none computes on a secret or on what is
//! not there.

use std::ops::Range;

use minijinja::value::ValueKind;
use minijinja::{State, Value};

use super::Scope;
use super::budget::{Budget, is_secret};
use super::syntax::{Arguments, Comparison, Expr, Node, Operator};
use super::values::{describe, entries, is_list, is_map, items, text};
use super::wrong::{Kind, Wrong, missing, reason};
use super::{library, operators};
use crate::problem::near_name;

/// One evaluation under way.
pub(super) struct Run<'a> {
    scope: &'a dyn Scope,
    pub locals: Vec<(String, Value)>,
    pub budget: Budget,
    pub state: State<'static, 'static>,
}

/// What computing on a secret would give is not known: its value is read when the files are written.
pub(super) fn computes(what: &str) -> Wrong {
    let message = format!("{what} would have to compute on a secret, and secrets are only put in place");
    let hint = "put the secret into a text as it is, or keep the computed value as a secret of its own";
    Wrong::new(Kind::Secret, 0..0, message).hint(hint)
}

/// Gives a mistake the place of the smallest expression around it.
fn placed(wrong: Wrong, span: &Range<usize>) -> Wrong {
    if wrong.span.is_empty() { wrong.at(span.clone()) } else { wrong }
}

impl<'a> Run<'a> {
    pub fn new(scope: &'a dyn Scope) -> Self {
        Self { scope, locals: Vec::new(), budget: Budget::new(), state: library::ENVIRONMENT.empty_state() }
    }

    /// The value of an expression; what is not there is a value that says why.
    pub fn value(&mut self, node: &Node) -> Result<Value, Wrong> {
        self.budget.spend(1).and_then(|()| self.any(node)).map_err(|wrong| placed(wrong, &node.span))
    }

    /// The value of an expression, which must be there.
    pub fn present(&mut self, node: &Node) -> Result<Value, Wrong> {
        let value = self.value(node)?;
        match reason(&value) {
            Some(wrong) => Err(placed(wrong.clone(), &node.span)),
            None => Ok(value),
        }
    }

    /// The truth of a condition.
    pub fn truth(&mut self, node: &Node) -> Result<bool, Wrong> {
        let value = self.present(node)?;
        if is_secret(&value) { Err(computes("a condition").at(node.span.clone())) } else { Ok(value.is_true()) }
    }

    /// Python's `str()` of a value that is put into a text.
    pub fn text(&self, value: &Value) -> Result<String, Wrong> {
        if value.as_str().is_none() {
            let contents = self.budget.contents(value)?;
            if let Some(wrong) = contents.missing {
                return Err(wrong);
            }
            if contents.secret {
                return Err(computes("writing a list or a mapping as text"));
            }
        }
        let text = text(value);
        self.budget.make(text.len())?;
        Ok(text)
    }

    fn any(&mut self, node: &Node) -> Result<Value, Wrong> {
        match &node.expr {
            Expr::Constant(value) => Ok(value.clone()),
            Expr::Name(name) => self.name(name, &node.span),
            Expr::List(nodes) => {
                nodes.iter().map(|node| self.value(node)).collect::<Result<Vec<_>, _>>().map(Value::from)
            }
            Expr::Map(nodes) => self.map(nodes),
            Expr::Attribute(object, name) => {
                let object = self.value(object)?;
                Self::attribute(object, &Value::from(name.as_str()), &node.span)
            }
            Expr::Item(object, key) => {
                let object = self.value(object)?;
                let key = self.present(key)?;
                if is_secret(&key) {
                    return Err(computes("looking something up by it"));
                }
                Self::attribute(object, &key, &node.span)
            }
            Expr::Slice(object, bounds) => self.slice(object, bounds),
            Expr::Not(operand) => Ok(Value::from(!self.truth(operand)?)),
            Expr::Negative(operand) => operators::negative(&self.present(operand)?),
            Expr::And(left, right) => self.either(left, right, false),
            Expr::Or(left, right) => self.either(left, right, true),
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right),
            Expr::Compare(first, others) => self.compare(first, others),
            Expr::If { condition, then, otherwise } => {
                if self.truth(condition)? {
                    self.value(then)
                } else {
                    match otherwise {
                        Some(otherwise) => self.value(otherwise),
                        None => Ok(missing(
                            Wrong::new(
                                Kind::Undefined,
                                node.span.clone(),
                                "the condition is false and there is no `else`",
                            )
                            .hint("say what holds then: `... else ''`"),
                        )),
                    }
                }
            }
            Expr::Filter { name, input, args } => {
                let mut values = match input {
                    Some(input) => vec![self.value(input)?],
                    None => {
                        return Err(Wrong::new(
                            Kind::Syntax,
                            0..0,
                            format!("the filter `{name}` has nothing before it"),
                        ));
                    }
                };
                let named = self.arguments(args, &mut values)?;
                library::filter(self, name, values, named)
            }
            Expr::Test { name, input, args } => {
                let mut values = vec![self.value(input)?];
                let named = self.arguments(args, &mut values)?;
                library::test(self, name, values, named).map(Value::from)
            }
            Expr::Method { object, name, args } => {
                let mut values = vec![self.present(object)?];
                let named = self.arguments(args, &mut values)?;
                library::method(self, name, values, named)
            }
            Expr::Function { name, args } => {
                let mut values = Vec::new();
                let named = self.arguments(args, &mut values)?;
                library::function(self, name, &values, named)
            }
        }
    }

    fn arguments(&mut self, args: &Arguments, values: &mut Vec<Value>) -> Result<Vec<(String, Value)>, Wrong> {
        for node in &args.positional {
            values.push(self.value(node)?);
        }
        args.named.iter().map(|(name, node)| Ok((name.clone(), self.present(node)?))).collect()
    }

    fn name(&mut self, name: &str, span: &Range<usize>) -> Result<Value, Wrong> {
        if let Some((_, value)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return Ok(value.clone());
        }
        match self.scope.get(name) {
            Some(Ok(value)) => Ok(value),
            // An undefined variable inside of another one makes that one undefined too: `default` may still mend it.
            Some(Err(wrong)) if wrong.kind == Kind::Undefined => Ok(missing(wrong.at(span.clone()))),
            Some(Err(wrong)) => Err(wrong.at(span.clone())),
            None => Ok(missing(self.undefined(name, span))),
        }
    }

    fn undefined(&self, name: &str, span: &Range<usize>) -> Wrong {
        let mut wrong = Wrong::new(Kind::Undefined, span.clone(), format!("`{name}` is not defined"));
        wrong.hint = library::why_not(name).map(str::to_owned).or_else(|| {
            let names = self.scope.names();
            let locals = self.locals.iter().map(|(name, _)| name.as_str());
            near_name(name, names.iter().map(String::as_str).chain(locals))
        });
        wrong
    }

    fn map(&mut self, nodes: &[(Node, Node)]) -> Result<Value, Wrong> {
        let mut pairs = Vec::new();
        for (key, value) in nodes {
            let key = self.present(key)?;
            if is_secret(&key) {
                return Err(computes("a key of a mapping"));
            }
            pairs.push((key, self.value(value)?));
        }
        Ok(Value::from_pairs(pairs))
    }

    /// An attribute or item; of what is not there, it is not there either.
    fn attribute(object: Value, key: &Value, span: &Range<usize>) -> Result<Value, Wrong> {
        if reason(&object).is_some() {
            return Ok(object);
        }
        let found = match (object.as_str(), key.as_i64()) {
            (Some(_), Some(_)) if is_secret(&object) => return Err(computes("taking a character of it")),
            (Some(text), Some(index)) => {
                let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                let index = usize::try_from(if index < 0 { count + index } else { index }).ok();
                index.and_then(|index| text.chars().nth(index)).map(|c| Value::from(c.to_string()))
            }
            _ => object.get_item(key).ok().filter(|value| !value.is_undefined()).or_else(|| {
                // The inventory's keys are texts, whatever YAML made of them.
                let whole = is_map(&object) && key.kind() == ValueKind::Number;
                whole.then(|| object.get_item(&Value::from(key.to_string())).ok()).flatten()
            }),
        };
        match found.filter(|value| !value.is_undefined()) {
            Some(value) => match reason(&value) {
                Some(wrong) if wrong.kind != Kind::Undefined => Err(wrong.clone().at(span.clone())),
                Some(wrong) => Ok(missing(wrong.clone().at(span.clone()))),
                None => Ok(value),
            },
            None => Ok(missing(Self::no_item(&object, key, span))),
        }
    }

    fn no_item(object: &Value, key: &Value, span: &Range<usize>) -> Wrong {
        let name = text(key);
        let what = describe(object);
        let mut wrong = Wrong::new(Kind::Undefined, span.clone(), format!("{what} has no `{name}`"));
        if is_map(object) {
            let keys: Vec<String> = object
                .try_iter()
                .map(|keys| keys.take(100_000).map(|key| key.to_string()).collect())
                .unwrap_or_default();
            wrong.message = format!("the mapping has no key `{name}`");
            wrong.hint = near_name(&name, keys.iter().map(String::as_str));
        } else if let (true, Some(count)) = (is_list(object), object.len()) {
            wrong.message = format!("the list has no item `{name}`: it has {count}");
        }
        wrong
    }

    fn slice(&mut self, object: &Node, bounds: &[Option<Box<Node>>; 3]) -> Result<Value, Wrong> {
        let object = self.present(object)?;
        if is_secret(&object) {
            return Err(computes("a part of a text"));
        }
        let mut numbers = [None; 3];
        for (number, bound) in numbers.iter_mut().zip(bounds) {
            let Some(bound) = bound else { continue };
            let value = self.present(bound)?;
            if value.is_none() {
                continue;
            }
            let whole = value.as_i64().filter(|_| value.is_integer());
            let not_whole =
                || Wrong::new(Kind::Failed, bound.span.clone(), "a bound of a slice must be a whole number");
            *number = Some(whole.ok_or_else(not_whole)?);
        }
        self.budget.spend(object.len().unwrap_or_default())?;
        operators::slice(&object, numbers)
    }

    fn either(&mut self, left: &Node, right: &Node, stops_at: bool) -> Result<Value, Wrong> {
        let value = self.present(left)?;
        if is_secret(&value) {
            return Err(computes("a condition").at(left.span.clone()));
        }
        if value.is_true() == stops_at { Ok(value) } else { self.present(right) }
    }

    fn binary(&mut self, operator: Operator, left: &Node, right: &Node) -> Result<Value, Wrong> {
        let (left, right) = (self.present(left)?, self.present(right)?);
        if operator == Operator::Concat {
            let (left, right) = (self.text(&left)?, self.text(&right)?);
            self.budget.make(left.len() + right.len())?;
            return Ok(Value::from(left + &right));
        }
        let joins = operator == Operator::Add;
        if !joins && (self.budget.contents(&left)?.secret || self.budget.contents(&right)?.secret) {
            return Err(computes("an operator"));
        }
        self.budget.spend(left.len().unwrap_or_default() + right.len().unwrap_or_default())?;
        match (operator, left.as_str(), right.as_str()) {
            (Operator::Add, Some(left), Some(right)) => {
                self.budget.make(left.len() + right.len())?;
                Ok(Value::from(format!("{left}{right}")))
            }
            (Operator::Remainder, Some(_), _) => {
                let values = if is_list(&right) { items(&right) } else { vec![right] };
                library::filter(self, "format", std::iter::once(left).chain(values).collect(), Vec::new())
            }
            _ => operators::binary(operator, &left, &right, &self.budget),
        }
    }

    fn compare(&mut self, first: &Node, others: &[(Comparison, Node)]) -> Result<Value, Wrong> {
        let mut left = self.present(first)?;
        for (comparison, node) in others {
            let right = self.present(node)?;
            self.comparable(&left, *comparison, &right)?;
            if !operators::compare(*comparison, &left, &right)? {
                return Ok(Value::from(false));
            }
            left = right;
        }
        Ok(Value::from(true))
    }

    /// Refuses what would compare a secret with something.
    fn comparable(&self, left: &Value, comparison: Comparison, right: &Value) -> Result<(), Wrong> {
        let by_key = matches!(comparison, Comparison::In | Comparison::NotIn) && is_map(right);
        let secret = self.budget.contents(left)?.secret
            || (!by_key && self.budget.contents(right)?.secret)
            || (by_key && entries_of_keys_hold_secret(right));
        if secret { Err(computes("a comparison")) } else { Ok(()) }
    }
}

fn entries_of_keys_hold_secret(map: &Value) -> bool {
    map.downcast_object_ref::<super::values::Lazy>().is_none() && entries(map).iter().any(|(key, _)| is_secret(key))
}
