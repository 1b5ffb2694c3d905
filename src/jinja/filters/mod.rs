//! Filters under the names that Ansible and Jinja give them (pure).

mod encode;
mod lists;
mod maps;
mod numbers;
mod regexes;
pub(super) mod tests;
mod text;

use minijinja::Value;

pub(super) use regexes::{Flags, compile};

use super::budget::Budget;
use super::evaluate::Run;
use super::library::{Takes, filter, test};
use super::values::{describe, is_list, is_map, items};
use super::wrong::{Kind, Wrong};

type Apply = fn(&mut Call<'_, '_>) -> Result<Value, Wrong>;

/// Every filter that is written here, in order of name.
pub(super) const FILTERS: &[(&str, Takes, Apply)] = &[
    ("b64decode", Takes::NoSecrets, encode::b64decode),
    ("b64encode", Takes::NoSecrets, encode::b64encode),
    ("basename", Takes::NoSecrets, text::basename),
    ("bool", Takes::NoSecrets, numbers::bool),
    ("checksum", Takes::NoSecrets, encode::sha1),
    ("combine", Takes::Anything, maps::combine),
    ("count", Takes::Containers, lists::length),
    ("d", Takes::Anything, maps::default),
    ("default", Takes::Anything, maps::default),
    ("dict2items", Takes::Anything, maps::dict2items),
    ("difference", Takes::NoSecrets, lists::difference),
    ("dirname", Takes::NoSecrets, text::dirname),
    ("extract", Takes::Anything, maps::extract),
    ("first", Takes::Containers, lists::first),
    ("flatten", Takes::Anything, lists::flatten),
    ("float", Takes::NoSecrets, numbers::float),
    ("from_json", Takes::NoSecrets, encode::from_json),
    ("from_yaml", Takes::NoSecrets, encode::from_yaml),
    ("groupby", Takes::NoSecrets, lists::groupby),
    ("hash", Takes::NoSecrets, encode::hash),
    ("human_readable", Takes::NoSecrets, numbers::human_readable),
    ("human_to_bytes", Takes::NoSecrets, numbers::human_to_bytes),
    ("int", Takes::NoSecrets, numbers::int),
    ("intersect", Takes::NoSecrets, lists::intersect),
    ("items", Takes::Anything, maps::items_of),
    ("items2dict", Takes::Anything, maps::items2dict),
    ("join", Takes::Anything, lists::join),
    ("last", Takes::Containers, lists::last),
    ("length", Takes::Containers, lists::length),
    ("list", Takes::Containers, lists::list),
    ("mandatory", Takes::Anything, maps::mandatory),
    ("map", Takes::Anything, lists::map),
    ("max", Takes::NoSecrets, lists::max),
    ("min", Takes::NoSecrets, lists::min),
    ("path_join", Takes::NoSecrets, text::path_join),
    ("product", Takes::Anything, lists::product),
    ("quote", Takes::NoSecrets, text::quote),
    ("regex_escape", Takes::NoSecrets, regexes::escape),
    ("regex_findall", Takes::NoSecrets, regexes::findall),
    ("regex_replace", Takes::NoSecrets, regexes::replace),
    ("regex_search", Takes::NoSecrets, regexes::search),
    ("reject", Takes::Anything, lists::reject),
    ("rejectattr", Takes::Anything, lists::rejectattr),
    ("replace", Takes::NoSecrets, text::replace),
    ("reverse", Takes::Containers, lists::reverse),
    ("round", Takes::NoSecrets, numbers::round),
    ("select", Takes::Anything, lists::select),
    ("selectattr", Takes::Anything, lists::selectattr),
    ("sha1", Takes::NoSecrets, encode::sha1),
    ("sort", Takes::NoSecrets, lists::sort),
    ("split", Takes::NoSecrets, text::split),
    ("splitext", Takes::NoSecrets, text::splitext),
    ("string", Takes::Anything, text::string),
    ("subelements", Takes::Anything, maps::subelements),
    ("sum", Takes::NoSecrets, lists::sum),
    ("symmetric_difference", Takes::NoSecrets, lists::symmetric_difference),
    ("ternary", Takes::Anything, maps::ternary),
    ("to_json", Takes::NoSecrets, encode::to_json),
    ("to_nice_json", Takes::NoSecrets, encode::to_nice_json),
    ("tojson", Takes::NoSecrets, encode::to_json),
    ("type_debug", Takes::Anything, text::type_debug),
    ("union", Takes::NoSecrets, lists::union),
    ("unique", Takes::NoSecrets, lists::unique),
    ("urldecode", Takes::NoSecrets, text::urldecode),
    ("urlencode", Takes::NoSecrets, text::urlencode),
    ("wordcount", Takes::NoSecrets, text::wordcount),
    ("zip", Takes::Anything, lists::zip),
    ("zip_longest", Takes::Anything, lists::zip_longest),
];

/// A filter or test with what it is given.
pub(super) struct Call<'c, 'r> {
    pub run: &'c mut Run<'r>,
    name: String,
    values: Vec<Value>,
    named: Vec<(String, Value)>,
    taken: usize,
}

impl<'c, 'r> Call<'c, 'r> {
    pub fn new(run: &'c mut Run<'r>, name: &str, values: Vec<Value>, named: Vec<(String, Value)>) -> Self {
        Self { run, name: name.to_owned(), values, named, taken: 1 }
    }

    /// What stands before the filter.
    pub fn input(&self) -> Value {
        self.values.first().cloned().unwrap_or_default()
    }

    /// The next argument, by position or by name.
    pub fn next(&mut self, name: &str) -> Option<Value> {
        let at = self.taken;
        self.taken += 1;
        if let Some(value) = self.values.get(at) {
            return Some(value.clone());
        }
        let found = self.named.iter().position(|(known, _)| known == name)?;
        Some(self.named.remove(found).1)
    }

    /// All arguments that are left.
    pub fn rest(&mut self) -> Vec<Value> {
        let rest = self.values.get(self.taken..).unwrap_or_default().to_vec();
        self.taken = self.values.len().max(self.taken);
        rest
    }

    /// The arguments by name that are left.
    pub fn rest_named(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.named)
    }

    /// An argument that must be given.
    pub fn required(&mut self, name: &str) -> Result<Value, Wrong> {
        self.next(name).ok_or_else(|| self.failed(&format!("lacks the argument `{name}`")))
    }

    /// An argument that is a text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Wrong> {
        let Some(value) = self.next(name) else { return Ok(None) };
        let text = value.as_str().map(str::to_owned);
        text.map(Some).ok_or_else(|| self.failed(&format!("takes a text as `{name}`, not {}", describe(&value))))
    }

    /// An argument that is a whole number.
    pub fn whole(&mut self, name: &str) -> Result<Option<i64>, Wrong> {
        let Some(value) = self.next(name) else { return Ok(None) };
        let whole = value.as_i64().filter(|_| value.is_integer());
        whole
            .map(Some)
            .ok_or_else(|| self.failed(&format!("takes a whole number as `{name}`, not {}", describe(&value))))
    }

    /// An argument that is true or false.
    pub fn flag(&mut self, name: &str) -> bool {
        self.next(name).is_some_and(|value| value.is_true())
    }

    /// What stands before, as text: numbers and the like in Python's form.
    pub fn input_text(&mut self) -> Result<String, Wrong> {
        self.run.text(&self.input())
    }

    /// What stands before, as a list; a mapping gives its keys.
    pub fn input_list(&mut self) -> Result<Vec<Value>, Wrong> {
        let input = self.input();
        self.list(&input)
    }

    /// A value as a list.
    pub fn list(&mut self, value: &Value) -> Result<Vec<Value>, Wrong> {
        if !is_list(value) && !is_map(value) {
            return Err(self.failed(&format!("takes a list, not {}", describe(value))));
        }
        self.budget().spend(value.len().unwrap_or_default())?;
        Ok(items(value))
    }

    pub fn budget(&self) -> &Budget {
        &self.run.budget
    }

    /// A mistake that names the filter.
    pub fn failed(&self, why: &str) -> Wrong {
        Wrong::new(Kind::Failed, 0..0, format!("`{}` {why}", self.name))
    }

    /// Applies another filter.
    pub fn filter(&mut self, name: &str, values: Vec<Value>, named: Vec<(String, Value)>) -> Result<Value, Wrong> {
        filter(self.run, name, values, named)
    }

    /// Asks another test.
    pub fn test(&mut self, name: &str, values: Vec<Value>) -> Result<bool, Wrong> {
        test(self.run, name, values, Vec::new())
    }

    /// Refuses arguments that nobody looked at.
    pub fn all_used(&self) -> Result<(), Wrong> {
        if let Some((name, _)) = self.named.first() {
            return Err(self.failed(&format!("has no argument `{name}`")));
        }
        if self.values.len() > self.taken {
            return Err(self.failed(&format!("takes {} arguments at most", self.taken - 1)));
        }
        Ok(())
    }
}
