//! Items that match no entity, in words and as a part of a line of output.

use serde::Serialize;

use super::condition::test;
use super::line::ItemLine;
use crate::data::Value;
use crate::integrity::finding::{ItemName, Shown};
use crate::integrity::nearest::{Difference, Nearest, Stray, nearest};
use crate::rules::model::Rules;

/// An item that matches no entity, with the names and the form that output uses.
#[derive(Debug, Serialize)]
pub struct StrayLine<'l> {
    /// The item.
    #[serde(flatten)]
    pub item: ItemLine<'l>,
    /// The entity that differs least from it; `None` if its table has no entities.
    pub nearest: Option<&'l str>,
    /// Where it differs, in words.
    pub difference: Option<String>,
}

impl<'l> StrayLine<'l> {
    /// The line of an item.
    #[must_use]
    pub fn new(rules: &'l Rules, stray: &Stray) -> Self {
        let name = ItemName { table: stray.table, key: stray.key.clone() };
        let nearest = nearest(rules, stray);
        Self {
            item: ItemLine::new(rules, &name),
            nearest: nearest.as_ref().map(|nearest| rules[nearest.entity].name.as_str()),
            difference: nearest.map(|Nearest { difference, .. }| self::difference(&difference)),
        }
    }
}

/// Why an item does not belong to the nearest entity, in words.
fn difference(difference: &Difference) -> String {
    match difference {
        Difference::Key { attribute, template, common, is_whole } => {
            let place = match (common.as_str(), *is_whole) {
                ("", _) => "differs from the first character".to_owned(),
                (common, true) => format!("ends too early, after `{}`", visible(common)),
                (common, false) => format!("differs after `{}`", visible(common)),
            };
            format!("the template of `{attribute}` is `{template}`, and the key {place}")
        }
        Difference::Capture => "a capture has different values in the key".to_owned(),
        Difference::Condition { path, found, required } => {
            let found = found.as_ref().map_or_else(|| "absent".to_owned(), value);
            format!("`where` requires `{path}` to be {}, and it is {found}", test(required))
        }
    }
}

/// A value, for people. Longer ones are shortened.
#[must_use]
pub fn value(value: &Value<'_>) -> String {
    shown(&Shown::of(value))
}

/// A value. Longer ones are shortened.
pub(super) fn shown(value: &Shown) -> String {
    const SHOWN_MAX: usize = 40;
    let text = match value {
        Shown::Text(text) => text,
        Shown::Type(kind) => return format!("of type {kind}"),
    };
    let shown: String = text.chars().take(SHOWN_MAX).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", visible(&shown))
}

/// A text whose control characters are escaped, because a terminal would interpret them.
fn visible(text: &str) -> String {
    let escape = |char: char| {
        if char.is_control() { char.escape_default().collect() } else { char.to_string() }
    };
    text.chars().map(escape).collect()
}
