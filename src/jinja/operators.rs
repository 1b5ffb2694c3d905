//! Python's operators on values (pure): numbers never wrap, lists and texts never grow past the budget.

use std::cmp::Ordering;

use minijinja::Value;
use minijinja::value::ValueKind;

use super::budget::{Budget, too_much};
use super::syntax::{Comparison, Operator};
use super::values::{describe, is_list, is_map, items};
use super::wrong::{Kind, Wrong};

/// A number as Python counts: `True` is 1.
#[derive(Debug, Clone, Copy)]
enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        match value.kind() {
            ValueKind::Bool => Some(Self::Whole(i128::from(value.is_true()))),
            ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok().map(Self::Whole),
            ValueKind::Number => f64::try_from(value.clone()).ok().map(Self::Float),
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "as Python's float() of a large whole number")]
    fn float(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Float(float) => float,
        }
    }
}

fn failed(message: impl Into<String>) -> Wrong {
    Wrong::new(Kind::Failed, 0..0, message)
}

/// `-value`.
pub(super) fn negative(value: &Value) -> Result<Value, Wrong> {
    match Number::of(value) {
        Some(Number::Whole(whole)) => {
            whole.checked_neg().ok_or_else(|| failed("the number is too large")).and_then(whole_value)
        }
        Some(Number::Float(float)) => Ok(Value::from(-float)),
        None => Err(failed(format!("`-` takes a number, not {}", describe(value)))),
    }
}

/// Whole numbers that JSON has.
fn whole_value(whole: i128) -> Result<Value, Wrong> {
    match (i64::try_from(whole), u64::try_from(whole)) {
        (Ok(small), _) => Ok(Value::from(small)),
        (_, Ok(large)) => Ok(Value::from(large)),
        _ => Err(failed("the number is too large")),
    }
}

/// Every operator but `~`, and `+` of texts.
pub(super) fn binary(operator: Operator, left: &Value, right: &Value, budget: &Budget) -> Result<Value, Wrong> {
    if operator == Operator::Add && is_list(left) && is_list(right) {
        return Ok(Value::from([items(left), items(right)].concat()));
    }
    if operator == Operator::Multiply {
        for (many, times) in [(left, right), (right, left)] {
            let Some(times) = times.as_i64().filter(|_| times.is_integer()) else { continue };
            let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
            if let Some(text) = many.as_str() {
                budget.make(text.len().saturating_mul(times))?;
                return Ok(Value::from(text.repeat(times)));
            }
            if is_list(many) {
                budget.spend(many.len().unwrap_or_default().saturating_mul(times))?;
                return Ok(Value::from(std::iter::repeat_n(items(many), times).flatten().collect::<Vec<_>>()));
            }
        }
    }
    match (Number::of(left), Number::of(right)) {
        (Some(left), Some(right)) => numbers(operator, left, right),
        _ => Err(failed(format!("`{}` does not take {} and {}", sign(operator), describe(left), describe(right)))),
    }
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::DivideWhole => "//",
        Operator::Remainder => "%",
        Operator::Power => "**",
        Operator::Concat => "~",
    }
}

fn numbers(operator: Operator, left: Number, right: Number) -> Result<Value, Wrong> {
    let divides = matches!(operator, Operator::Divide | Operator::DivideWhole | Operator::Remainder);
    if divides && right.float() == 0.0 {
        return Err(failed("division by zero"));
    }
    let too_large = || failed("the number is too large");
    if let (Number::Whole(left), Number::Whole(right)) = (left, right) {
        let whole = match operator {
            Operator::Add => left.checked_add(right),
            Operator::Subtract => left.checked_sub(right),
            Operator::Multiply => left.checked_mul(right),
            Operator::DivideWhole => left.checked_div_euclid(right).map(|_| floor_div(left, right)),
            Operator::Remainder => left.checked_rem(right).map(|_| left - floor_div(left, right) * right),
            Operator::Power if right >= 0 => {
                Some(u32::try_from(right).ok().and_then(|right| left.checked_pow(right)).ok_or_else(too_large)?)
            }
            _ => None,
        };
        let goes_on = matches!(operator, Operator::Divide | Operator::Power);
        return match whole {
            Some(whole) => whole_value(whole),
            None if goes_on => {
                Ok(Value::from(floats(operator, Number::Whole(left).float(), Number::Whole(right).float())))
            }
            None => Err(too_large()),
        };
    }
    Ok(Value::from(floats(operator, left.float(), right.float())))
}

/// Rounds down, as Python does.
fn floor_div(left: i128, right: i128) -> i128 {
    let (quotient, rest) = (left.wrapping_div(right), left.wrapping_rem(right));
    if rest != 0 && (rest < 0) != (right < 0) { quotient - 1 } else { quotient }
}

fn floats(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::DivideWhole => (left / right).floor(),
        Operator::Remainder => left - (left / right).floor() * right,
        Operator::Power => left.powf(right),
        Operator::Concat => f64::NAN,
    }
}

/// One comparison.
pub(super) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool, Wrong> {
    match comparison {
        Comparison::Equal => Ok(equal(left, right)),
        Comparison::NotEqual => Ok(!equal(left, right)),
        Comparison::In => contains(right, left),
        Comparison::NotIn => contains(right, left).map(|found| !found),
        Comparison::Less => order(left, right).map(Ordering::is_lt),
        Comparison::LessOrEqual => order(left, right).map(Ordering::is_le),
        Comparison::Greater => order(left, right).map(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(left, right).map(Ordering::is_ge),
    }
}

/// Python's `==`.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return match (left, right) {
            (Number::Whole(left), Number::Whole(right)) => left == right,
            (left, right) => left.float().total_cmp(&right.float()).is_eq(),
        };
    }
    if is_list(left) && is_list(right) {
        let (left, right) = (items(left), items(right));
        return left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| equal(left, right));
    }
    if is_map(left) && is_map(right) {
        let (left, right) = (super::values::entries(left), right);
        let same = |(key, value): &(Value, Value)| right.get_item(key).is_ok_and(|other| equal(value, &other));
        return right.len() == Some(left.len()) && left.iter().all(same);
    }
    left.kind() == right.kind() && left == right
}

/// Python's `<`: of things of one kind only.
pub(super) fn order(left: &Value, right: &Value) -> Result<Ordering, Wrong> {
    let unlike = || failed(format!("{} and {} have no order", describe(left), describe(right)));
    match (Number::of(left), Number::of(right)) {
        (Some(Number::Whole(left)), Some(Number::Whole(right))) => return Ok(left.cmp(&right)),
        (Some(left), Some(right)) => return Ok(left.float().total_cmp(&right.float())),
        _ => {}
    }
    if let (Some(left), Some(right)) = (left.as_str(), right.as_str()) {
        return Ok(left.cmp(right));
    }
    if !is_list(left) || !is_list(right) {
        return Err(unlike());
    }
    let (left, right) = (items(left), items(right));
    for (left, right) in left.iter().zip(&right) {
        if !equal(left, right) {
            return order(left, right);
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// Python's `item in container`.
pub(super) fn contains(container: &Value, item: &Value) -> Result<bool, Wrong> {
    match (container.as_str(), item.as_str()) {
        (Some(container), Some(item)) => Ok(container.contains(item)),
        (Some(_), None) => Err(failed(format!("a text does not hold {}", describe(item)))),
        _ if is_list(container) => Ok(items(container).iter().any(|other| equal(other, item))),
        _ if is_map(container) => Ok(container.get_item(item).is_ok_and(|value| !value.is_undefined())),
        _ => Err(failed(format!("`in` takes a text, a list or a mapping, not {}", describe(container)))),
    }
}

/// Python's `value[start:stop:step]`.
pub(super) fn slice(value: &Value, bounds: [Option<i64>; 3]) -> Result<Value, Wrong> {
    if let Some(text) = value.as_str() {
        let taken = taken(&text.chars().collect::<Vec<_>>(), bounds)?;
        return Ok(Value::from(taken.into_iter().collect::<String>()));
    }
    if is_list(value) {
        return taken(&items(value), bounds).map(Value::from);
    }
    Err(failed(format!("a slice takes a text or a list, not {}", describe(value))))
}

fn taken<T: Clone>(all: &[T], [start, stop, step]: [Option<i64>; 3]) -> Result<Vec<T>, Wrong> {
    let count = i64::try_from(all.len()).map_err(|_| too_much("the list is too long"))?;
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(failed("the step of a slice cannot be zero"));
    }
    let (low, high) = if step > 0 { (0, count) } else { (-1, count - 1) };
    let within = |bound: i64| if bound < 0 { bound.saturating_add(count) } else { bound }.clamp(low, high);
    let start = start.map_or(if step > 0 { low } else { high }, within);
    let stop = stop.map_or(if step > 0 { high } else { low }, within);
    let mut kept = Vec::new();
    let mut at = start;
    while if step > 0 { at < stop } else { at > stop } {
        kept.extend(usize::try_from(at).ok().and_then(|at| all.get(at)).cloned());
        at = at.saturating_add(step);
    }
    Ok(kept)
}
