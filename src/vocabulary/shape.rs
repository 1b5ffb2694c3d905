//! Shapes of values, keys and the mappings that hold them, as data (pure).

use std::borrow::Cow;

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Whatever a template makes of it.
    Any,
    /// A text or a number.
    Text,
    /// `true` or `false`, in any of YAML 1.1's spellings.
    Flag,
    /// A whole number, both ends included.
    Whole(u64, u64),
    /// A TCP port.
    Port,
    /// One of some words.
    Choice(&'static [Choice]),
    /// A text with a rule: how it is called, the rule as a regular expression, and the rule itself.
    Ruled(&'static str, &'static str, fn(&str) -> bool),
    /// Permission bits; without quotes they mean different things to different YAML readers.
    Mode,
    /// A reference to a secret, never the secret itself.
    Secret,
    /// A sequence.
    List(&'static Shape),
    /// A sequence, or one value in its place.
    OneOrList(&'static Shape),
    /// A mapping with free keys.
    Map(&'static Shape),
    /// A mapping with keys of its own.
    Record(&'static Record),
    /// Either of several.
    Either(&'static [Shape]),
    /// A part of a document that stands in itself.
    Defined(Defined),
}

/// One word that a value can be.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// Parts that a JSON Schema names in its `$defs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defined {
    /// A group with hosts, groups and variables.
    Group,
    /// Variables of a group or host.
    Variables,
}

/// One key of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// As it is written.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// What it means, in one or two sentences.
    pub about: &'static str,
    /// Whether it may be left out.
    pub need: Need,
    /// What holds where it is left out, as JSON or else as text.
    pub default: Option<&'static str>,
    /// Values to copy, as JSON or else as text.
    pub examples: &'static [&'static str],
}

/// Whether a key may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must be there.
    Required,
    /// It may be left out.
    Optional,
}

impl Key {
    /// An optional key without a default.
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape, about: &'static str) -> Self {
        Self { name, shape, about, need: Need::Optional, default: None, examples: &[] }
    }

    /// Must be there.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { need: Need::Required, ..self }
    }

    /// Has a value where it is left out.
    #[must_use]
    pub const fn default(self, value: &'static str) -> Self {
        Self { default: Some(value), ..self }
    }

    /// What to write where it is missing.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        match (&self.shape, self.examples) {
            (Shape::Choice(_), _) => Some(format!("add `{}`: {}", self.name, self.shape.expected())),
            (_, [first, ..]) => Some(format!("add it, such as `{}: {first}`", self.name)),
            _ => None,
        }
    }

    /// Looks like this.
    #[must_use]
    pub const fn examples(self, examples: &'static [&'static str]) -> Self {
        Self { examples, ..self }
    }
}

/// A mapping with keys of its own.
#[derive(Debug)]
pub struct Record {
    /// What a person calls it.
    pub title: &'static str,
    /// What it is, in one or two sentences.
    pub about: &'static str,
    /// The keys, in the order in which people should write them.
    pub keys: &'static [Key],
    /// What keys that are not in the list are.
    pub others: Others,
}

/// What keys are that a [`Record`] does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Mistakes.
    Refused,
    /// Somebody else's.
    Allowed,
}

impl Record {
    /// The names of the keys, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.keys.iter().map(|key| key.name)
    }

    /// A key by its name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Shape {
    /// Ends a sentence that begins with "must be".
    #[must_use]
    pub fn expected(&self) -> Cow<'static, str> {
        match self {
            Self::Any => "anything".into(),
            Self::Text => "a text".into(),
            Self::Flag => "true or false".into(),
            Self::Whole(from, to) if *to >= u64::from(u32::MAX) => format!("a whole number from {from}").into(),
            Self::Whole(from, to) => format!("a whole number from {from} to {to}").into(),
            Self::Port => "a port from 1 to 65535".into(),
            Self::Choice(choices) => {
                let mut words: Vec<String> = choices.iter().map(|choice| format!("`{}`", choice.word)).collect();
                let last = words.pop().unwrap_or_default();
                if words.is_empty() { last.into() } else { format!("{} or {last}", words.join(", ")).into() }
            }
            Self::Ruled(what, ..) => (*what).into(),
            Self::Mode => "an octal number such as \"0640\"".into(),
            Self::Secret => "`env:NAME`, `file:PATH` or `exec:COMMAND`".into(),
            Self::List(_) => "a list".into(),
            Self::OneOrList(item) => format!("{} or a list", item.expected()).into(),
            Self::Map(_) | Self::Record(_) | Self::Defined(_) => "a mapping".into(),
            Self::Either(shapes) => {
                shapes.iter().map(|shape| shape.expected().into_owned()).collect::<Vec<_>>().join(" or ").into()
            }
        }
    }

    /// The short form for a table: `text`, `list of text`, ...
    #[must_use]
    pub fn short(&self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Text => "text".to_owned(),
            Self::List(item) => format!("list: {}", item.short()),
            Self::OneOrList(item) => format!("{}, or a list", item.short()),
            Self::Map(Self::Any) | Self::Record(_) | Self::Defined(_) => "mapping".to_owned(),
            Self::Map(value) => format!("mapping: {}", value.short()),
            Self::Mode => "octal number".to_owned(),
            Self::Secret => "secret reference".to_owned(),
            Self::Either(shapes) => shapes.iter().map(Self::short).collect::<Vec<_>>().join(", or "),
            Self::Flag | Self::Whole(..) | Self::Port | Self::Choice(_) | Self::Ruled(..) => {
                let text = self.expected().into_owned();
                text.strip_prefix("a ").map(str::to_owned).unwrap_or(text)
            }
        }
    }
}
