//! The words of the shape check: what was expected, in messages.

use super::shape::Place;
use super::{Key, Kind, Record};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::Span;

/// What a value has to be, for messages.
pub(super) fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Version => "the number 1".to_owned(),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Count => "a whole number".to_owned(),
        Kind::Literal => "a text, number or boolean".to_owned(),
        Kind::Text(format) => format!("{}, as text", format.what),
        Kind::Choice(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`{}`", word.text)).collect();
            words.join(", ")
        }
        Kind::List { .. } => "a list".to_owned(),
        Kind::Map { .. } | Kind::Record(_) => "a map".to_owned(),
        Kind::Either(kinds) => {
            let mut all: Vec<_> = kinds.iter().map(expected).collect();
            all.dedup();
            all.join(" or ")
        }
    }
}

pub(super) fn missing_key(key: &Key, place: &Place) -> Diagnostic {
    let help = if matches!(key.kind, Kind::Version) {
        "begin the file with `version: 1`".to_owned()
    } else {
        format!("`{}`: {}", key.name, decapitalized(key.doc))
    };
    Diagnostic::new(&codes::MISSING_KEY, format!("{} has no `{}`", place.what, key.name))
        .at(place.span, format!("`{}` is required", key.name))
        .help(help)
}

pub(super) fn too_many(count: usize, count_max: usize, place: &Place) -> Diagnostic {
    Diagnostic::new(
        &codes::LIMIT,
        format!("{} has {count} entries, and {count_max} are the most", place.what),
    )
    .at(place.span, "too many")
}

/// The doc sentence as the end of another sentence.
pub(super) fn decapitalized(doc: &str) -> String {
    let mut characters = doc.trim_end_matches('.').chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

/// The record's noun without its article.
pub(super) fn noun(record: &Record) -> &'static str {
    record.what.split_once(' ').map_or(record.what, |(_, noun)| noun)
}

pub(super) fn key_names(record: &Record) -> String {
    let names: Vec<_> = record.keys.iter().map(|key| format!("`{}`", key.name)).collect();
    names.join(", ")
}

/// The record below this one that has a key of this name.
pub(super) fn owner_of(record: &Record, name: &str) -> Option<&'static str> {
    record.keys.iter().find_map(|key| {
        let Kind::Map { values: Kind::Record(inner), .. } = key.kind else { return None };
        inner.keys.iter().any(|key| key.name == name).then_some(inner.what)
    })
}

/// The value's place, or its key's if it has none of its own.
pub(super) fn visible(value: Span, key: Span) -> Span {
    if value.start == value.end { key } else { value }
}
