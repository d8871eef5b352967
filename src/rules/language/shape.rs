//! The shape check: whether the tree has the shape that the language requires. Later stages check
//! names, types and conflicts.

use super::fixes::{fix_type, fix_unknown_key, fix_word};
use super::format::{Format, NAME};
use super::grammar::{Field, Object, Presence, Shape, Word};
use super::subject::{Subject, visible};
use super::table::FILE;
use super::words::{expected, key_names, missing_key, noun, too_many};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::{Entry, Node};
use crate::rules::span::{Span, Spanned};

/// Reports all values in the tree that do not have the required shape.
pub(crate) fn check(source: &str, root: &Spanned<Node>) -> Vec<Diagnostic> {
    let mut checker = Checker { source, problems: Vec::new() };
    let file = Subject { name: "the rule file".to_owned(), span: Span::default() };
    checker.object(&FILE, root, &file);
    checker.problems
}

struct Checker<'s> {
    source: &'s str,
    problems: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn value(&mut self, shape: &'static Shape, node: &Spanned<Node>, subject: &Subject) {
        match (shape, &node.value) {
            (Shape::Version, Node::Number(number)) => self.version(number, node.span),
            (Shape::Flag, Node::Bool(_))
            | (Shape::Literal, Node::Text(_) | Node::Number(_) | Node::Bool(_)) => {}
            (Shape::Count, Node::Number(number)) => self.count(number, node.span, subject),
            (Shape::Text(format), Node::Text(text)) => self.text(format, text, node.span, subject),
            (Shape::Choice(words), Node::Text(text)) => {
                self.choice(words, text, node.span, subject);
            }
            (Shape::List { of, count_min, count_max }, Node::List(elements)) => {
                self.list(of, *count_min..=*count_max, elements, subject);
            }
            (Shape::Map { keys, values, count_max }, Node::Map(entries)) => {
                self.map(keys, values, *count_max, entries, subject);
            }
            (Shape::Setting(inner), _) => self.setting(inner, node, subject),
            (Shape::Object(object), Node::Map(_)) => self.object(object, node, subject),
            (Shape::Open { known, keys, values, count_max }, Node::Map(entries)) => {
                self.open(known, (keys, values, *count_max), entries, subject);
            }
            (Shape::Either(shapes), Node::Text(text))
                if listed(text).is_some() && fitting(shapes, &Node::List(Vec::new())).is_some() =>
            {
                self.list_in_text(text, node.span, subject);
            }
            (Shape::Either(shapes), _) => match fitting(shapes, &node.value) {
                Some(fitting) => self.value(fitting, node, subject),
                None => self.wrong_type(shape, node, subject),
            },
            _ => self.wrong_type(shape, node, subject),
        }
    }

    fn object(&mut self, object: &'static Object, node: &Spanned<Node>, subject: &Subject) {
        let Node::Map(entries) = &node.value else {
            self.problems.push(
                Diagnostic::new(
                    &codes::WRONG_TYPE,
                    format!("{} must be a map, but is {}", subject.name, node.value.describe()),
                )
                .at(visible(node.span, subject.span), "not a map")
                .help(format!("write a map with the keys {}", key_names(object))),
            );
            return;
        };
        self.duplicates(entries);
        self.synonyms(object, entries);
        for entry in entries {
            match object.fields.iter().find(|known| known.is(&entry.key.value)) {
                Some(known) => self.known(known, entry, subject),
                None => self.unknown_key(object, entry, subject),
            }
        }
        self.required(object, entries, subject);
    }

    /// A map with known keys and others.
    fn open(
        &mut self,
        known: &'static Object,
        (keys, values, count_max): (&'static Format, &'static Shape, usize),
        entries: &[Entry],
        subject: &Subject,
    ) {
        let field = |entry: &&Entry| known.fields.iter().find(|it| it.name == entry.key.value);
        for entry in entries {
            if let Some(field) = field(&entry) {
                self.known(field, entry, subject);
            }
        }
        let others = entries.iter().filter(|entry| field(entry).is_none());
        let others: Vec<Entry> = others.cloned().collect();
        self.map(keys, values, count_max, &others, subject);
        if others.is_empty() {
            self.problems.push(
                Diagnostic::new(&codes::FORMAT, format!("{} has no entities", subject.name))
                    .at(subject.span, "needs at least one entity")
                    .help("write each value of the discriminator with its entity: `POST: post`"),
            );
        }
        self.required(known, entries, subject);
    }

    /// The value of a known key.
    fn known(&mut self, field: &'static Field, Entry { key, value }: &Entry, subject: &Subject) {
        let name = if subject.span == Span::default() {
            format!("`{}`", key.value)
        } else {
            format!("`{}` of {}", key.value, subject.name)
        };
        self.value(&field.shape, value, &Subject { name, span: key.span });
    }

    /// Reports required keys that are missing.
    fn required(&mut self, object: &'static Object, entries: &[Entry], subject: &Subject) {
        for key in object.fields.iter().filter(|key| matches!(key.presence, Presence::Required)) {
            if !entries.iter().any(|entry| key.is(&entry.key.value)) {
                self.problems.push(missing_key(key, subject));
            }
        }
    }

    fn map(
        &mut self,
        keys: &Format,
        values: &'static Shape,
        count_max: usize,
        entries: &[Entry],
        subject: &Subject,
    ) {
        self.duplicates(entries);
        if entries.len() > count_max {
            self.problems.push(too_many(entries.len(), count_max, subject));
        }
        for Entry { key, value } in entries {
            self.map_key(keys, key);
            let name = if let Shape::Object(object) = values {
                format!("{} `{}`", noun(object), key.value)
            } else {
                format!("`{}` in {}", key.value, subject.name)
            };
            self.value(values, value, &Subject { name, span: key.span });
        }
    }

    fn map_key(&mut self, format: &Format, key: &Spanned<String>) {
        let written = key.span.of(self.source).unwrap_or_default();
        if is_integer(written) {
            self.problems.push(
                Diagnostic::new(&codes::WRONG_TYPE, format!("the key `{}` is a number", key.value))
                    .at(key.span, "must be text")
                    .help(format!("quote it: \"{}\"", key.value)),
            );
        } else if !(format.accepts)(&key.value) {
            let code = if format.what == "a name" { &codes::NAME } else { &codes::FORMAT };
            self.problems.push(
                Diagnostic::new(code, format!("`{}` is not {}", key.value, format.what))
                    .at(key.span, "")
                    .help(format.help),
            );
        }
    }

    fn list(
        &mut self,
        of: &'static Shape,
        counts: std::ops::RangeInclusive<usize>,
        elements: &[Spanned<Node>],
        subject: &Subject,
    ) {
        if elements.len() < *counts.start() {
            self.problems.push(
                Diagnostic::new(&codes::FORMAT, format!("{} is empty", subject.name))
                    .at(subject.span, "needs at least one element"),
            );
        } else if elements.len() > *counts.end() {
            self.problems.push(too_many(elements.len(), *counts.end(), subject));
        }
        for element in elements {
            let name = format!("an element of {}", subject.name);
            self.value(of, element, &Subject { name, span: subject.span });
        }
    }

    fn version(&mut self, number: &str, span: Span) {
        if number != "1" {
            self.problems.push(
                Diagnostic::new(
                    &codes::VERSION,
                    format!("there is no version {number} of the rule language"),
                )
                .at(span, "unknown version")
                .help("write `version: 1`"),
            );
        }
    }

    fn count(&mut self, number: &str, span: Span, subject: &Subject) {
        if number.parse::<u64>().ok().is_none_or(|count| count == 0) {
            self.problems.push(
                Diagnostic::new(&codes::FORMAT, format!("{} cannot be {number}", subject.name))
                    .at(span, "must be a whole number of at least 1"),
            );
        }
    }

    fn text(&mut self, format: &Format, text: &str, span: Span, subject: &Subject) {
        if !(format.accepts)(text) {
            let code = if format.what == "a name" { &codes::NAME } else { &codes::FORMAT };
            self.problems.push(
                Diagnostic::new(code, format!("`{text}` is not {}", format.what))
                    .at(visible(span, subject.span), subject.name.clone())
                    .help(format.help),
            );
        }
    }

    /// Reports a text that lists names, where a list is possible.
    fn list_in_text(&mut self, text: &str, span: Span, subject: &Subject) {
        let names = listed(text).unwrap_or_default().join(", ");
        self.problems.push(
            Diagnostic::new(&codes::NAME, format!("`{text}` is not a name"))
                .at(visible(span, subject.span), subject.name.clone())
                .help(format!("write a list: `[{names}]`")),
        );
    }

    fn choice(&mut self, words: &'static [Word], text: &str, span: Span, subject: &Subject) {
        if words.iter().any(|word| word.text == text) {
            return;
        }
        let lower = text.to_lowercase();
        let actions = words.iter().any(|word| matches!(word.text, "cascade" | "delete"));
        if lower == "restrict" && actions {
            self.problems.push(
                Diagnostic::new(&codes::RESTRICT, "Referee cannot prevent a write")
                    .at(span, "`restrict` is not possible")
                    .note("Referee reads the stream, which contains only committed writes")
                    .help(if words.iter().any(|word| word.text == "restore") {
                        "use `report`, or use `restore` to write the deleted item again"
                    } else {
                        "use `report`"
                    }),
            );
            return;
        }
        self.problems.push(
            Diagnostic::new(&codes::WORD, format!("{} cannot be `{text}`", subject.name))
                .at(visible(span, subject.span), "unknown word")
                .help(fix_word(words, text, subject)),
        );
    }

    fn unknown_key(
        &mut self,
        object: &'static Object,
        Entry { key, value }: &Entry,
        subject: &Subject,
    ) {
        self.problems.push(
            Diagnostic::new(
                &codes::UNKNOWN_KEY,
                format!("unknown key `{}` in {}", key.value, subject.name),
            )
            .at(key.span, "unknown key")
            .help(fix_unknown_key(object, key, value)),
        );
    }

    fn wrong_type(&mut self, shape: &Shape, node: &Spanned<Node>, subject: &Subject) {
        let message = format!(
            "{} must be {}, but is {}",
            subject.name,
            expected(shape),
            node.value.describe()
        );
        self.problems.push(
            Diagnostic::new(&codes::WRONG_TYPE, message)
                .at(visible(node.span, subject.span), format!("expected {}", expected(shape)))
                .maybe_help(fix_type(self.source, shape, node, subject)),
        );
    }

    /// Reports a field that occurs under both its names.
    fn synonyms(&mut self, object: &Object, entries: &[Entry]) {
        for field in object.fields {
            let Some(synonym) = field.synonym else { continue };
            let key = |name| entries.iter().map(|entry| &entry.key).find(|key| key.value == name);
            let (Some(one), Some(other)) = (key(field.name), key(synonym)) else { continue };
            self.problems.push(
                Diagnostic::new(
                    &codes::DUPLICATE,
                    format!("`{}` and `{synonym}` are the same key", field.name),
                )
                .at(other.span, "second occurrence")
                .at(one.span, "first occurrence")
                .help("remove one of the two"),
            );
        }
    }

    /// Reports a wrong value of a variable with the text in which it was inserted.
    fn setting(&mut self, inner: &'static Shape, node: &Spanned<Node>, subject: &Subject) {
        let before = self.problems.len();
        self.value(inner, node, subject);
        let written = node.span.of(self.source).unwrap_or_default().trim_matches(['"', '\'']);
        if written.contains("${") {
            let found = self.problems.split_off(before).into_iter();
            let origin = format!(
                "the value of `{written}` is `{}`",
                node.value.as_text().unwrap_or_default()
            );
            self.problems.extend(found.map(|problem| problem.note(origin.clone())));
        }
    }

    fn duplicates(&mut self, entries: &[Entry]) {
        let mut first = std::collections::BTreeMap::new();
        for Entry { key, .. } in entries {
            match first.get(key.value.as_str()) {
                None => {
                    first.insert(key.value.as_str(), key.span);
                }
                Some(before) => self.problems.push(
                    Diagnostic::new(&codes::DUPLICATE, format!("duplicate key `{}`", key.value))
                        .at(key.span, "second occurrence")
                        .at(*before, "first occurrence")
                        .help("remove or rename one of the two"),
                ),
            }
        }
    }
}

/// Whether the parser reads this key as an integer. If a map has such a key, the parser drops the
/// map's duplicate keys, so they cannot be reported.
fn is_integer(written: &str) -> bool {
    let unsigned = written.strip_prefix(['-', '+']).unwrap_or(written).replace('_', "");
    let digits =
        |text: &str, radix| !text.is_empty() && text.chars().all(|char| char.is_digit(radix));
    let prefixed = |prefix, radix| {
        unsigned.to_lowercase().strip_prefix(prefix).is_some_and(|text| digits(text, radix))
    };
    digits(&unsigned, 10) || prefixed("0x", 16) || prefixed("0o", 8) || prefixed("0b", 2)
}

/// The shape that the author most likely intended for this value.
fn fitting<'s>(shapes: &'s [Shape], node: &Node) -> Option<&'s Shape> {
    let fits = |shape: &&Shape| match node {
        Node::Null => false,
        Node::Text(_) => matches!(shape, Shape::Literal | Shape::Choice(_) | Shape::Text(_)),
        Node::Bool(_) => matches!(shape, Shape::Literal | Shape::Flag),
        Node::Number(_) => matches!(shape, Shape::Literal | Shape::Count),
        Node::List(_) => matches!(shape, Shape::List { .. }),
        Node::Map(entries) => {
            let is_of_texts = matches!(shape, Shape::Map { values: Shape::Text(_), .. });
            let has_list = entries.iter().any(|entry| matches!(entry.value.value, Node::List(_)));
            matches!(shape, Shape::Map { .. } | Shape::Object(_) | Shape::Open { .. })
                && !(is_of_texts && has_list)
        }
    };
    let keys_known = |shape: &&Shape| {
        let (Shape::Object(object) | Shape::Open { known: object, .. }) = shape else { return 0 };
        let is_known = |entry: &&Entry| object.fields.iter().any(|key| key.is(&entry.key.value));
        node.entries().iter().filter(is_known).count()
    };
    // A text with a brace is a template, and otherwise a word.
    if let Node::Text(text) = node
        && let [word @ Shape::Choice(_), template @ Shape::Text(_)] = shapes
    {
        return Some(if text.contains(['{', '}']) { template } else { word });
    }
    // If several objects fit, choose the one that has most of the map's keys. If there is a tie,
    // choose the first.
    shapes.iter().rev().filter(fits).max_by_key(keys_known)
}

/// The names that a text lists with commas, bars or spaces; `None` if it does not list several.
fn listed(text: &str) -> Option<Vec<&str>> {
    let names: Vec<&str> = text.split([',', '|', ' ']).filter(|part| !part.is_empty()).collect();
    (names.len() > 1 && names.iter().all(|name| (NAME.accepts)(name))).then_some(names)
}
