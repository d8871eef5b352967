//! The shape check: whether a tree is of the language, before anyone asks what it means.

use super::table::FILE;
use super::words::{expected, key_names, missing_key, noun, owner_of, too_many, visible};
use super::{Format, Kind, Presence, Record, Word, closest};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::file::{Entry, Node};
use crate::rules::span::{Span, Spanned};

/// Finds every way in which the tree is not of the language.
pub(crate) fn check(source: &str, root: &Spanned<Node>) -> Vec<Diagnostic> {
    let mut checker = Checker { source, problems: Vec::new() };
    checker.record(&FILE, root, &Place { what: "the rule file".to_owned(), span: Span::default() });
    checker.problems
}

struct Checker<'s> {
    source: &'s str,
    problems: Vec<Diagnostic>,
}

/// Where a value stands: what it is the value of, and where that is written.
pub(super) struct Place {
    pub(super) what: String,
    pub(super) span: Span,
}

impl Checker<'_> {
    fn value(&mut self, kind: &'static Kind, node: &Spanned<Node>, place: &Place) {
        match (kind, &node.value) {
            (Kind::Version, Node::Number(number)) => self.version(number, node.span),
            (Kind::Flag, Node::Bool(_))
            | (Kind::Literal, Node::Text(_) | Node::Number(_) | Node::Bool(_)) => {}
            (Kind::Count, Node::Number(number)) => self.count(number, node.span, place),
            (Kind::Text(format), Node::Text(text)) => self.text(format, text, node.span, place),
            (Kind::Choice(words), Node::Text(text)) => self.choice(words, text, node.span, place),
            (Kind::List { of, count_min, count_max }, Node::List(elements)) => {
                self.list(of, *count_min..=*count_max, elements, place);
            }
            (Kind::Map { keys, values, count_max }, Node::Map(entries)) => {
                self.map(keys, values, *count_max, entries, place);
            }
            (Kind::Record(record), Node::Map(_)) => self.record(record, node, place),
            (Kind::Either(kinds), _) => match fitting(kinds, &node.value) {
                Some(fitting) => self.value(fitting, node, place),
                None => self.wrong_kind(kind, node, place),
            },
            _ => self.wrong_kind(kind, node, place),
        }
    }

    fn record(&mut self, record: &'static Record, node: &Spanned<Node>, place: &Place) {
        let Node::Map(entries) = &node.value else {
            self.problems.push(
                Diagnostic::new(
                    &codes::KIND,
                    format!("{} has to be a map, and is {}", place.what, node.value.describe()),
                )
                .at(visible(node.span, place.span), "not a map")
                .help(format!("write its keys, each with its value: {}", key_names(record))),
            );
            return;
        };
        self.duplicates(entries);
        for Entry { key, value } in entries {
            match record.keys.iter().find(|known| known.name == key.value) {
                Some(known) => {
                    let what = format!("`{}` of {}", key.value, place.what);
                    let what = if place.span == Span::default() {
                        format!("`{}`", key.value)
                    } else {
                        what
                    };
                    self.value(&known.kind, value, &Place { what, span: key.span });
                }
                None => self.unknown_key(record, key, place),
            }
        }
        for key in record.keys.iter().filter(|key| matches!(key.presence, Presence::Required)) {
            if !entries.iter().any(|entry| entry.key.value == key.name) {
                self.problems.push(missing_key(key, place));
            }
        }
    }

    fn map(
        &mut self,
        keys: &Format,
        values: &'static Kind,
        count_max: usize,
        entries: &[Entry],
        place: &Place,
    ) {
        self.duplicates(entries);
        if entries.len() > count_max {
            self.problems.push(too_many(entries.len(), count_max, place));
        }
        for Entry { key, value } in entries {
            self.map_key(keys, key);
            let what = if let Kind::Record(record) = values {
                format!("{} `{}`", noun(record), key.value)
            } else {
                format!("`{}` in {}", key.value, place.what)
            };
            self.value(values, value, &Place { what, span: key.span });
        }
    }

    fn map_key(&mut self, format: &Format, key: &Spanned<String>) {
        let written = key.span.of(self.source).unwrap_or_default();
        if is_integer(written) {
            self.problems.push(
                Diagnostic::new(&codes::KIND, format!("the key `{}` is a number", key.value))
                    .at(key.span, "has to be text")
                    .help(format!("quote it: \"{}\"", key.value)),
            );
        } else if !(format.accepts)(&key.value) {
            let code = if format.what == "a name" { &codes::NAME } else { &codes::FORM };
            self.problems.push(
                Diagnostic::new(code, format!("`{}` is not {}", key.value, format.what))
                    .at(key.span, "")
                    .help(format.help),
            );
        }
    }

    fn list(
        &mut self,
        of: &'static Kind,
        counts: std::ops::RangeInclusive<usize>,
        elements: &[Spanned<Node>],
        place: &Place,
    ) {
        if elements.len() < *counts.start() {
            self.problems.push(
                Diagnostic::new(&codes::FORM, format!("{} is empty", place.what))
                    .at(place.span, "needs one element at least"),
            );
        } else if elements.len() > *counts.end() {
            self.problems.push(too_many(elements.len(), *counts.end(), place));
        }
        for element in elements {
            let what = format!("an element of {}", place.what);
            self.value(of, element, &Place { what, span: place.span });
        }
    }

    fn version(&mut self, number: &str, span: Span) {
        if number != "1" {
            self.problems.push(
                Diagnostic::new(
                    &codes::VERSION,
                    format!("version {number} of the language does not exist"),
                )
                .at(span, "unknown to this version of Referee")
                .help("write `version: 1`"),
            );
        }
    }

    fn count(&mut self, number: &str, span: Span, place: &Place) {
        if number.parse::<u64>().ok().is_none_or(|count| count == 0) {
            self.problems.push(
                Diagnostic::new(&codes::FORM, format!("{} cannot be {number}", place.what))
                    .at(span, "has to be a whole number, 1 or more"),
            );
        }
    }

    fn text(&mut self, format: &Format, text: &str, span: Span, place: &Place) {
        if !(format.accepts)(text) {
            let code = if format.what == "a name" { &codes::NAME } else { &codes::FORM };
            self.problems.push(
                Diagnostic::new(code, format!("`{text}` is not {}", format.what))
                    .at(visible(span, place.span), place.what.clone())
                    .help(format.help),
            );
        }
    }

    fn choice(&mut self, words: &'static [Word], text: &str, span: Span, place: &Place) {
        if words.iter().any(|word| word.text == text) {
            return;
        }
        let lower = text.to_lowercase();
        let actions = words.iter().any(|word| matches!(word.text, "cascade" | "delete"));
        if lower == "restrict" && actions {
            self.problems.push(
                Diagnostic::new(&codes::RESTRICT, "a delete cannot be prevented after the fact")
                    .at(span, "`restrict` is not possible")
                    .note("a stream is read after the write has committed")
                    .help(if words.iter().any(|word| word.text == "restore") {
                        "use `report` to be told, or `restore` to write the deleted item again"
                    } else {
                        "use `report` to be told"
                    }),
            );
            return;
        }
        let names = || words.iter().map(|word| word.text);
        let translated = words.iter().find(|word| {
            word.text.eq_ignore_ascii_case(text) || word.others.contains(&lower.as_str())
        });
        let help = match translated {
            Some(word) => Some(format!("did you mean `{}` ({})?", word.text, word.doc)),
            None => match closest(text, names()) {
                Some(meant) => Some(format!("did you mean `{meant}`?")),
                None => Some(format!("it can be {}", expected(&Kind::Choice(words)))),
            },
        };
        self.problems.push(
            Diagnostic::new(&codes::WORD, format!("{} cannot be `{text}`", place.what))
                .at(visible(span, place.span), "unknown word")
                .maybe_help(help),
        );
    }

    fn unknown_key(&mut self, record: &Record, key: &Spanned<String>, place: &Place) {
        let help = if key.value == "<<" {
            Some("merge keys are no part of YAML 1.2: write the keys out".to_owned())
        } else if let Some(meant) = closest(&key.value, record.keys.iter().map(|key| key.name)) {
            Some(format!("did you mean `{meant}`?"))
        } else if let Some(other) = owner_of(&FILE, &key.value) {
            Some(format!("`{}` is a key of {other}; check the indentation", key.value))
        } else {
            Some(format!("the keys of {} are {}", record.what, key_names(record)))
        };
        self.problems.push(
            Diagnostic::new(
                &codes::UNKNOWN_KEY,
                format!("unknown key `{}` in {}", key.value, place.what),
            )
            .at(key.span, "unknown key")
            .maybe_help(help),
        );
    }

    fn wrong_kind(&mut self, kind: &Kind, node: &Spanned<Node>, place: &Place) {
        let message = format!(
            "{} has to be {}, and is {}",
            place.what,
            expected(kind),
            node.value.describe()
        );
        self.problems.push(
            Diagnostic::new(&codes::KIND, message)
                .at(visible(node.span, place.span), format!("expected {}", expected(kind)))
                .maybe_help(self.mend_kind(kind, node, place)),
        );
    }

    fn mend_kind(&self, kind: &Kind, node: &Spanned<Node>, place: &Place) -> Option<String> {
        let written = node.span.of(self.source).unwrap_or_default();
        let textual = matches!(kind, Kind::Text(_) | Kind::Choice(_));
        match &node.value {
            Node::Map(_) if textual => {
                let rest = self.source.get(node.span.start..)?;
                let line = rest.lines().next()?;
                let flow = line.starts_with('{').then(|| line.split_once('}')).flatten()?.0;
                Some(format!("quote it, since braces mean a map in YAML: \"{flow}}}\""))
            }
            Node::Null if self.is_cut_by_comment(place.span) => Some(
                "`#` after a space begins a comment: quote texts that begin with it".to_owned(),
            ),
            Node::Number(_) | Node::Bool(_) if textual => Some(format!("quote it: \"{written}\"")),
            Node::Text(_) if matches!(kind, Kind::Version) => {
                Some("write the number without quotes: `version: 1`".to_owned())
            }
            Node::Text(_) if matches!(kind, Kind::Flag | Kind::Count) => {
                Some("write it without quotes".to_owned())
            }
            Node::List(_) if matches!(kind, Kind::Map { .. } | Kind::Record(_)) => {
                Some("write `name: value` on each line, without the `- ` before it".to_owned())
            }
            Node::Text(_) if matches!(kind, Kind::List { .. }) => {
                Some(format!("put it in brackets: [{written}]"))
            }
            Node::Null
            | Node::Bool(_)
            | Node::Number(_)
            | Node::Text(_)
            | Node::List(_)
            | Node::Map(_) => None,
        }
    }

    /// Whether the line goes on with a comment after this key.
    fn is_cut_by_comment(&self, key: Span) -> bool {
        let rest = self.source.get(key.end..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        line.trim_start_matches(['"', '\'', ':', ' ']).starts_with('#')
    }

    fn duplicates(&mut self, entries: &[Entry]) {
        let mut first = std::collections::BTreeMap::new();
        for Entry { key, .. } in entries {
            match first.get(key.value.as_str()) {
                None => {
                    first.insert(key.value.as_str(), key.span);
                }
                Some(before) => self.problems.push(
                    Diagnostic::new(&codes::DUPLICATE, format!("`{}` is there twice", key.value))
                        .at(key.span, "again")
                        .at(*before, "first here")
                        .help("remove or rename one of the two"),
                ),
            }
        }
    }
}

/// Whether the parser takes this for an integer. Of a map with such a key, it does not show the
/// keys that are there twice.
fn is_integer(written: &str) -> bool {
    let unsigned = written.strip_prefix(['-', '+']).unwrap_or(written).replace('_', "");
    let digits =
        |text: &str, radix| !text.is_empty() && text.chars().all(|char| char.is_digit(radix));
    let prefixed = |prefix, radix| {
        unsigned.to_lowercase().strip_prefix(prefix).is_some_and(|text| digits(text, radix))
    };
    digits(&unsigned, 10) || prefixed("0x", 16) || prefixed("0o", 8) || prefixed("0b", 2)
}

/// The alternative that a value looks like.
fn fitting<'k>(kinds: &'k [Kind], node: &Node) -> Option<&'k Kind> {
    let fits = |kind: &&Kind| match node {
        Node::Null => false,
        Node::Text(_) => matches!(kind, Kind::Literal | Kind::Choice(_) | Kind::Text(_)),
        Node::Bool(_) => matches!(kind, Kind::Literal | Kind::Flag),
        Node::Number(_) => matches!(kind, Kind::Literal | Kind::Count),
        Node::List(_) => matches!(kind, Kind::List { .. }),
        Node::Map(_) => matches!(kind, Kind::Map { .. } | Kind::Record(_)),
    };
    let known = |kind: &&Kind| {
        let Kind::Record(record) = kind else { return 0 };
        let has = |entry: &&Entry| record.keys.iter().any(|key| key.name == entry.key.value);
        node.entries().iter().filter(has).count()
    };
    // Of several records, the one that knows most of the keys; the first if that says nothing.
    kinds.iter().rev().filter(fits).max_by_key(known)
}
