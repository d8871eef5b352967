//! Wording that several messages of the shape check have in common.

use super::grammar::{Field, Object, Shape};
use super::subject::Subject;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;

/// Describes the values that this shape allows, for messages.
pub(super) fn expected(shape: &Shape) -> String {
    match shape {
        Shape::Version => "the number 1".to_owned(),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::Count => "a whole number".to_owned(),
        Shape::Literal => "a text, a number or a boolean".to_owned(),
        Shape::Text(format) => format!("{} (text)", format.what),
        Shape::Choice([only]) => format!("`{}`", only.text),
        Shape::Choice(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("`{}`", word.text)).collect();
            format!("one of {}", words.join(", "))
        }
        Shape::List { .. } => "a list".to_owned(),
        Shape::Map { .. } | Shape::Object(_) | Shape::Open { .. } => "a map".to_owned(),
        Shape::Setting(inner) => expected(inner),
        Shape::Either(shapes) => {
            let mut all: Vec<_> = shapes.iter().map(expected).collect();
            all.dedup();
            all.join(" or ")
        }
    }
}

pub(super) fn missing_key(field: &Field, subject: &Subject) -> Diagnostic {
    let help = if matches!(field.shape, Shape::Version) {
        "begin the file with `version: 1`".to_owned()
    } else if subject.name.starts_with("`find`") && field.name == "key" {
        "write the index's key, in captures of the referenced key: `key: { ATTRIBUTE: \"{CAPTURE}\" }`"
            .to_owned()
    } else {
        format!("`{}`: {}", field.name, decapitalized(field.doc))
    };
    Diagnostic::new(&codes::MISSING_KEY, format!("{} has no `{}`", subject.name, field.name))
        .at(subject.span, format!("`{}` is required", field.name))
        .help(help)
}

pub(super) fn too_many(count: usize, count_max: usize, subject: &Subject) -> Diagnostic {
    Diagnostic::new(
        &codes::LIMIT,
        format!("{} has {count} entries; the maximum is {count_max}", subject.name),
    )
    .at(subject.span, "too many entries")
}

/// Removes the initial capital and the full stop of a sentence.
pub(super) fn decapitalized(doc: &str) -> String {
    let mut characters = doc.trim_end_matches('.').chars();
    characters
        .next()
        .map(|first| first.to_lowercase().chain(characters).collect())
        .unwrap_or_default()
}

/// The object's name without its article.
pub(super) fn noun(object: &Object) -> &'static str {
    object.what.split_once(' ').map_or(object.what, |(_, noun)| noun)
}

pub(super) fn key_names(object: &Object) -> String {
    let names: Vec<_> = object.fields.iter().map(|field| format!("`{}`", field.name)).collect();
    names.join(", ")
}

/// The name of an object inside this one that has this key.
pub(super) fn owner_of(object: &Object, key: &str) -> Option<&'static str> {
    object.fields.iter().find_map(|field| {
        let Shape::Map { values: Shape::Object(inner), .. } = field.shape else { return None };
        inner.fields.iter().any(|field| field.name == key).then_some(inner.what)
    })
}
