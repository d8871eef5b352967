//! Generates the reference of the rule language as Markdown, for the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::format::Format;
use super::grammar::{Field, Object, Presence, Shape, Word};
use super::table::FILE;

/// Every key of rule files and the form of its value, as Markdown.
#[must_use]
pub fn manual() -> String {
    let mut manual = Manual::default();
    manual.object("The file", &FILE);
    let mut text = manual.sections.join("\n");
    text.push_str("\n## Formats\n\n");
    for (what, format) in manual.formats {
        let _ = writeln!(text, "- {what}: {}", format.help);
    }
    text
}

#[derive(Default)]
struct Manual {
    sections: Vec<String>,
    /// The formats that the sections mention, by name.
    formats: BTreeMap<&'static str, &'static Format>,
}

impl Manual {
    /// Adds a section for an object, followed by a section for each object inside it.
    fn object(&mut self, title: &str, object: &'static Object) {
        let mut section = format!("## {title}\n\n{}\n\n", object.doc);
        for field in object.fields {
            self.field(&mut section, field);
        }
        self.sections.push(section);
        for field in object.fields {
            for inner in objects_in(&field.shape) {
                self.object(&title_of(field, inner), inner);
            }
        }
    }

    fn field(&mut self, section: &mut String, field: &'static Field) {
        let presence = match &field.presence {
            Presence::Required => "; required".to_owned(),
            Presence::Optional => String::new(),
            Presence::Default(value) => format!("; default `{}`", plain(&value.to_json())),
        };
        let value = self.value(field, &field.shape);
        let _ =
            writeln!(section, "- `{}`: {} *Value: {value}{presence}.*", names(field), field.doc);
        for Word { text, doc, .. } in words_in(&field.shape) {
            let _ = writeln!(section, "  - `{text}`: {doc}");
        }
    }

    /// The values that are allowed, in words.
    fn value(&mut self, field: &Field, shape: &'static Shape) -> String {
        match shape {
            Shape::Version => "the number 1".to_owned(),
            Shape::Flag => "`true` or `false`".to_owned(),
            Shape::Count => "a whole number of at least 1".to_owned(),
            Shape::Literal => "a text, a number or a boolean".to_owned(),
            Shape::Text(format) => self.format(format),
            Shape::Choice([only]) => format!("`{}`", only.text),
            Shape::Choice(_) => "one of the words below".to_owned(),
            Shape::List { of, count_min, count_max } => {
                let value = self.value(field, of);
                format!("a list of {count_min} to {count_max} entries, each {value}")
            }
            Shape::Map { keys, values, count_max } => {
                let keys = self.format(keys);
                let values = self.value(field, values);
                format!("a map from {keys} to {values}, at most {count_max} entries")
            }
            Shape::Object(object) => {
                format!("[{}](#{})", object.what, anchor(&title_of(field, object)))
            }
            Shape::Open { known, .. } => {
                format!("[{}](#{})", known.what, anchor(&title_of(field, known)))
            }
            Shape::Setting(inner) => {
                format!("{}, or a text with environment variables", self.value(field, inner))
            }
            Shape::Either(shapes) => {
                let shapes: Vec<_> = shapes.iter().map(|shape| self.value(field, shape)).collect();
                shapes.join(", or ")
            }
        }
    }

    fn format(&mut self, format: &'static Format) -> String {
        self.formats.insert(format.what, format);
        format.what.to_owned()
    }
}

/// The names of a field, of which the first one and the last one are in backticks outside.
fn names(field: &Field) -> String {
    field.synonym.map_or_else(|| field.name.to_owned(), |it| format!("{}`, `{it}", field.name))
}

/// Formats a scalar as YAML, without quotes.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The title of the section for an object that is the value of a field.
fn title_of(field: &Field, object: &Object) -> String {
    format!("`{}`: {}", field.name, object.what)
}

/// The anchor that Markdown renderers generate for a title.
fn anchor(title: &str) -> String {
    title
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || matches!(char, ' ' | '_' | '-'))
        .map(|char| if char == ' ' { '-' } else { char.to_ascii_lowercase() })
        .collect()
}

/// The objects that a value may be or contain.
fn objects_in(shape: &'static Shape) -> Vec<&'static Object> {
    match shape {
        Shape::Object(object) | Shape::Open { known: object, .. } => vec![object],
        Shape::Map { values: inner, .. }
        | Shape::List { of: inner, .. }
        | Shape::Setting(inner) => objects_in(inner),
        Shape::Either(shapes) => shapes.iter().flat_map(objects_in).collect(),
        Shape::Version
        | Shape::Flag
        | Shape::Count
        | Shape::Literal
        | Shape::Text(_)
        | Shape::Choice(_) => Vec::new(),
    }
}

/// The words that a value may be or contain.
fn words_in(shape: &'static Shape) -> Vec<&'static Word> {
    match shape {
        Shape::Choice(words) => words.iter().collect(),
        Shape::Map { values: inner, .. }
        | Shape::List { of: inner, .. }
        | Shape::Setting(inner) => words_in(inner),
        Shape::Either(shapes) => shapes.iter().flat_map(words_in).collect(),
        Shape::Version
        | Shape::Flag
        | Shape::Count
        | Shape::Literal
        | Shape::Text(_)
        | Shape::Object(_)
        | Shape::Open { .. } => Vec::new(),
    }
}
