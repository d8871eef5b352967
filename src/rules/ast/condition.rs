//! The conditions of `where`, as they are written.

use super::file::Literal;
use super::read::literal;
use crate::rules::file::{Entry, Node};
use crate::rules::model::{Comparison, When};
use crate::rules::span::Spanned;

/// What `where` requires of the value at a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// One of these.
    OneOf(Vec<Spanned<Allowed>>),
    /// None of these.
    NoneOf(Vec<Spanned<Allowed>>),
    /// A value that compares to this one.
    Compare(Comparison, Literal),
    /// A time that compares to now. The flag is whether it is in milliseconds.
    Time(When, bool),
}

/// A value that `where` allows or excludes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// No value.
    Absent,
    /// Any value. It cannot be in a list.
    Present,
    /// This value.
    Literal(Literal),
}

/// Reads the tests of a path. Those that the shape check has rejected are omitted.
pub(super) fn tests(node: &Spanned<Node>) -> Vec<Spanned<Test>> {
    match &node.value {
        Node::Map(entries) if entries.is_empty() => vec![node.with(Test::OneOf(Vec::new()))],
        Node::Map(entries) => entries.iter().filter_map(test).collect(),
        Node::List(_) | Node::Text(_) | Node::Number(_) | Node::Bool(_) | Node::Null => {
            one_of(node).map(|test| node.with(test)).into_iter().collect()
        }
    }
}

fn test(entry: &Entry) -> Option<Spanned<Test>> {
    let value = &entry.value;
    let compare = |comparison| Some(Test::Compare(comparison, literal(&value.value)?));
    let time = |when| match value.value.as_text()? {
        "now" => Some(Test::Time(when, false)),
        "now_ms" => Some(Test::Time(when, true)),
        _ => None,
    };
    let test = match entry.key.value.as_str() {
        "not" => one_of(value).map(Test::inverted),
        "eq" => Some(Test::OneOf(vec![value.with(Allowed::Literal(literal(&value.value)?))])),
        "lt" => compare(Comparison::Less),
        "lte" => compare(Comparison::LessOrEqual),
        "gt" => compare(Comparison::Greater),
        "gte" => compare(Comparison::GreaterOrEqual),
        "after" => time(When::After),
        "before" => time(When::Before),
        _ => None,
    };
    test.map(|test| value.with(test))
}

impl Test {
    fn inverted(self) -> Self {
        match self {
            Self::OneOf(allowed) => Self::NoneOf(allowed),
            Self::NoneOf(allowed) => Self::OneOf(allowed),
            Self::Compare(..) | Self::Time(..) => self,
        }
    }
}

/// A value, a list of values, `absent` or `present`.
fn one_of(node: &Spanned<Node>) -> Option<Test> {
    let elements = match &node.value {
        Node::List(elements) => {
            let elements: Vec<_> = elements.iter().filter_map(allowed).collect();
            (!elements.is_empty()).then_some(elements)?
        }
        Node::Text(text) if text == "present" => {
            return Some(Test::NoneOf(vec![node.with(Allowed::Absent)]));
        }
        Node::Text(_) | Node::Number(_) | Node::Bool(_) | Node::Null | Node::Map(_) => {
            vec![allowed(node)?]
        }
    };
    Some(Test::OneOf(elements))
}

fn allowed(node: &Spanned<Node>) -> Option<Spanned<Allowed>> {
    Some(node.with(match node.value.as_text() {
        Some("absent") => Allowed::Absent,
        Some("present") => Allowed::Present,
        Some(_) | None => Allowed::Literal(literal(&node.value)?),
    }))
}
