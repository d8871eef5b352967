//! The language as Markdown, for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::table::FILE;
use super::{Format, Key, Kind, Presence, Record, Word};

/// Every key of rule files, and how its value is written, as Markdown.
#[must_use]
pub fn manual() -> String {
    let mut manual = Manual::default();
    manual.record("The file", &FILE);
    let mut text = manual.sections.join("\n");
    text.push_str("\n## How texts are written\n\n");
    for (what, format) in manual.formats {
        let _ = writeln!(text, "- {what}: {}", format.help);
    }
    text
}

#[derive(Default)]
struct Manual {
    sections: Vec<String>,
    /// The kinds of text met, by what they are.
    formats: BTreeMap<&'static str, &'static Format>,
}

impl Manual {
    /// Adds a section for a record, and then one for each record in it.
    fn record(&mut self, title: &str, record: &'static Record) {
        let mut section = format!("## {title}\n\n{}\n\n", record.doc);
        for key in record.keys {
            self.key(&mut section, key);
        }
        self.sections.push(section);
        for key in record.keys {
            for inner in records_in(&key.kind) {
                self.record(&title_of(key, inner), inner);
            }
        }
    }

    fn key(&mut self, section: &mut String, key: &'static Key) {
        let presence = match key.presence {
            Presence::Required => "; required".to_owned(),
            Presence::Optional => String::new(),
            Presence::Default(value) => format!("; default `{}`", value.trim_matches('"')),
        };
        let value = self.value(key, &key.kind);
        let _ = writeln!(section, "- `{}`: {} *Value: {value}{presence}.*", key.name, key.doc);
        for Word { text, doc, .. } in words_in(&key.kind) {
            let _ = writeln!(section, "  - `{text}`: {doc}");
        }
    }

    /// What a value has to be, in words.
    fn value(&mut self, key: &Key, kind: &'static Kind) -> String {
        match kind {
            Kind::Version => "the number 1".to_owned(),
            Kind::Flag => "`true` or `false`".to_owned(),
            Kind::Count => "a whole number of at least 1".to_owned(),
            Kind::Literal => "a text, number or boolean".to_owned(),
            Kind::Text(format) => self.format(format),
            Kind::Choice([only]) => format!("`{}`", only.text),
            Kind::Choice(_) => "a word".to_owned(),
            Kind::List { of, count_min, count_max } => {
                format!("a list of {count_min} to {count_max}, each {}", self.value(key, of))
            }
            Kind::Map { keys, values, count_max } => {
                let keys = self.format(keys);
                format!("a map from {keys} to {}, up to {count_max}", self.value(key, values))
            }
            Kind::Record(record) => {
                format!("[{}](#{})", record.what, anchor(&title_of(key, record)))
            }
            Kind::Either(kinds) => {
                kinds.iter().map(|kind| self.value(key, kind)).collect::<Vec<_>>().join(", or ")
            }
        }
    }

    fn format(&mut self, format: &'static Format) -> String {
        self.formats.insert(format.what, format);
        format.what.to_owned()
    }
}

/// The title of the section for a record that stands under a key.
fn title_of(key: &Key, record: &Record) -> String {
    format!("`{}`: {}", key.name, record.what)
}

/// The anchor that Markdown renderers give a title.
fn anchor(title: &str) -> String {
    title
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || matches!(char, ' ' | '_' | '-'))
        .map(|char| if char == ' ' { '-' } else { char.to_ascii_lowercase() })
        .collect()
}

/// The records that a value may be or hold.
fn records_in(kind: &'static Kind) -> Vec<&'static Record> {
    match kind {
        Kind::Record(record) => vec![record],
        Kind::Map { values: inner, .. } | Kind::List { of: inner, .. } => records_in(inner),
        Kind::Either(kinds) => kinds.iter().flat_map(records_in).collect(),
        Kind::Version
        | Kind::Flag
        | Kind::Count
        | Kind::Literal
        | Kind::Text(_)
        | Kind::Choice(_) => Vec::new(),
    }
}

/// The words that a value may be or hold.
fn words_in(kind: &'static Kind) -> Vec<&'static Word> {
    match kind {
        Kind::Choice(words) => words.iter().collect(),
        Kind::Map { values: inner, .. } | Kind::List { of: inner, .. } => words_in(inner),
        Kind::Either(kinds) => kinds.iter().flat_map(words_in).collect(),
        Kind::Version
        | Kind::Flag
        | Kind::Count
        | Kind::Literal
        | Kind::Text(_)
        | Kind::Record(_) => Vec::new(),
    }
}
