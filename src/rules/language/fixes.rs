//! How to fix a value of the wrong shape.

use super::format::{CAPTURE, DURATION, KEY_ATTRIBUTE, NAME, parse_duration};
use super::grammar::{Object, Shape, Word};
use super::subject::Subject;
use super::table::{ENTITY, FILE};
use super::words::{expected, key_names, owner_of};
use crate::rules::file::{Entry, Node};
use crate::rules::span::{Span, Spanned};
use crate::rules::spelling::closest;

/// How to fix a value of another type than the shape requires, if that is known.
pub(super) fn fix_type(
    source: &str,
    shape: &Shape,
    node: &Spanned<Node>,
    subject: &Subject,
) -> Option<String> {
    let written = node.span.of(source).unwrap_or_default();
    let is_textual = matches!(shape, Shape::Text(_) | Shape::Choice(_));
    match &node.value {
        Node::Map(_) | Node::List(_) if names_entity(shape) && !is_in_braces(&node.value) => {
            Some(fix_name(&node.value).to_owned())
        }
        Node::Map(_) if is_textual => {
            let rest = source.get(node.span.start..)?;
            let line = rest.lines().next()?;
            let flow = line.starts_with('{').then(|| line.split_once('}')).flatten()?.0;
            Some(format!("quote it, because braces begin a map in YAML: \"{flow}}}\""))
        }
        Node::Map(entries) if matches!(shape, Shape::List { .. }) => {
            let names: Vec<String> = entries.iter().map(key_attribute).collect();
            Some(format!("write the names in brackets: [{}]", names.join(", ")))
        }
        Node::Null if is_cut_by_comment(source, subject.span) => Some(
            "quote a text that begins with `#`, because `#` after a space begins a comment"
                .to_owned(),
        ),
        Node::Number(number) if is_duration(shape) => {
            Some(match parse_duration(&format!("{number}s")) {
                Some(_) => format!("write a unit: `{number}s` or `{number}ms`"),
                None => DURATION.help.to_owned(),
            })
        }
        Node::Number(_) | Node::Bool(_) if is_textual => Some(format!("quote it: \"{written}\"")),
        Node::Text(text) => fix_text(shape, text, written),
        Node::List(_)
            if matches!(shape, Shape::Map { .. } | Shape::Object(_) | Shape::Open { .. }) =>
        {
            Some("write `name: value` on each line, without a leading `- `".to_owned())
        }
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::List(_) | Node::Map(_) => None,
    }
}

/// How to fix a text where another type is required.
fn fix_text(shape: &Shape, text: &str, written: &str) -> Option<String> {
    match shape {
        Shape::Version => Some("write the number without quotes: `version: 1`".to_owned()),
        Shape::Flag => Some(match text.to_lowercase().as_str() {
            "true" | "false" => "write it without quotes".to_owned(),
            "yes" | "y" | "on" => "write `true`".to_owned(),
            "no" | "n" | "off" => "write `false`".to_owned(),
            _ => "write `true` or `false`".to_owned(),
        }),
        Shape::Count if text.parse::<u64>().is_ok() => Some("write it without quotes".to_owned()),
        Shape::Count => Some("write a whole number".to_owned()),
        Shape::List { .. } => Some(format!("write it in brackets: [{written}]")),
        Shape::Map { keys, .. } if keys.what == CAPTURE.what => {
            let name = text.trim_matches(['{', '}']);
            Some(format!(
                "name the capture of the referenced key that it is for: `{{ CAPTURE: \"{{{name}}}\" }}`"
            ))
        }
        Shape::Map { keys, .. } if keys.what == KEY_ATTRIBUTE.what => {
            Some(format!("write its template too: `{{ {text}: \"{{CAPTURE}}\" }}`"))
        }
        Shape::Literal
        | Shape::Text(_)
        | Shape::Choice(_)
        | Shape::Map { .. }
        | Shape::Object(_)
        | Shape::Open { .. }
        | Shape::Setting(_)
        | Shape::Either(_) => None,
    }
}

fn names_entity(shape: &Shape) -> bool {
    matches!(shape, Shape::Text(format) if format.what == NAME.what)
}

fn is_duration(shape: &Shape) -> bool {
    matches!(shape, Shape::Text(format) if format.what == DURATION.what)
}

/// Whether a map is a word in braces without quotes, such as `{company}`.
fn is_in_braces(node: &Node) -> bool {
    matches!(node.as_map(), Some([entry]) if entry.value.value == Node::Null)
}

fn fix_name(node: &Node) -> &'static str {
    match node {
        Node::List(_) => "write one name, and declare a rule for each of the others",
        Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::Map(_) => {
            "write one name"
        }
    }
}

/// An entry such as `id: N`, as a key attribute of a list.
fn key_attribute(entry: &Entry) -> String {
    let name = &entry.key.value;
    match entry.value.value.as_text() {
        Some(kind @ ("N" | "B")) => format!("\"{name}:{kind}\""),
        Some(_) | None => name.clone(),
    }
}

/// Whether a comment follows this key on its line.
fn is_cut_by_comment(source: &str, key: Span) -> bool {
    let rest = source.get(key.end..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    line.trim_start_matches(['"', '\'', ':', ' ']).starts_with('#')
}

/// How to fix an unknown word.
pub(super) fn fix_word(words: &'static [Word], text: &str, subject: &Subject) -> String {
    let lower = text.to_lowercase();
    let synonym = words.iter().find(|word| {
        word.text.eq_ignore_ascii_case(text) || word.synonyms.contains(&lower.as_str())
    });
    if let Some(word) = synonym {
        return format!("did you mean `{}` ({})?", word.text, word.doc);
    }
    if let Some(meant) = closest(text, words.iter().map(|word| word.text)) {
        return format!("did you mean `{meant}`?");
    }
    if subject.name.starts_with("`find`") {
        return format!(
            "name the index and its key: `find: {{ index: {text}, key: {{ ATTRIBUTE: \"{{CAPTURE}}\" \
             }} }}`, or a mirror rule: `find: {{ mirror: NAME }}`"
        );
    }
    format!("write {}", expected(&Shape::Choice(words)))
}

/// How to fix an unknown key.
pub(super) fn fix_unknown_key(
    object: &Object,
    key: &Spanned<String>,
    value: &Spanned<Node>,
) -> String {
    let name = &key.value;
    if name == "<<" {
        return "YAML 1.2 has no merge keys: write out the keys".to_owned();
    }
    if name == "true" && object.fields.iter().any(|field| field.name == "on") {
        return "YAML 1.1 reads `on` as a boolean: write `on` in quotes, or `parts` instead"
            .to_owned();
    }
    if let Some(meant) = closest(name, object.fields.iter().map(|field| field.name)) {
        return format!("did you mean `{meant}`?");
    }
    if let Some(other) = owner_of(&FILE, name) {
        return format!("`{name}` is a key of {other}; check the indentation");
    }
    if object.what == ENTITY.what
        && let Some(literal) = literal(&value.value)
    {
        return format!(
            "if the items of this entity have an attribute `{name}` with this value, write `where: \
             {{ {name}: {literal} }}`"
        );
    }
    format!("the keys of {} are {}", object.what, key_names(object))
}

fn literal(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) | Node::Number(text) => Some(text.clone()),
        Node::Bool(flag) => Some(flag.to_string()),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}
