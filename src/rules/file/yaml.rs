//! The YAML parser, which also reads JSON. The only importer of `serde_saphyr`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};
use serde_saphyr::{Error, Location};

use super::fixes;
use super::{DEPTH_MAX, Entry, FILE_BYTES_MAX, Node};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::span::{Span, Spanned};

/// Parses the text of a rule file. Only the first syntax error is reported, because the parser
/// cannot interpret the text after it.
pub(crate) fn read(text: &str) -> Result<Spanned<Node>, Diagnostic> {
    if text.len() > FILE_BYTES_MAX {
        return Err(too_long());
    }
    let options = serde_saphyr::options! {
        // With this policy, the visitor receives every occurrence of a duplicate key, so both spans
        // are known. The exception is a map that has an unquoted number as a key, but such a key is
        // reported anyway.
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_depth: DEPTH_MAX, flow_nesting_limit: DEPTH_MAX },
    };
    serde_saphyr::from_str_with_options::<serde_saphyr::Spanned<Raw>>(text, options)
        .map(|raw| to_node(text, raw))
        .map_err(|error| explain(text, &error))
}

/// A value as the parser returns it.
enum Raw {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<serde_saphyr::Spanned<Raw>>),
    Map(Vec<(serde_saphyr::Spanned<String>, serde_saphyr::Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(flag))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = access.next_element()? {
            list.push(element);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = access.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

/// Converts a value of the parser to a [`Node`] with spans in bytes.
fn to_node(text: &str, raw: serde_saphyr::Spanned<Raw>) -> Spanned<Node> {
    let span = locate(text, raw.defined);
    let node = match raw.value {
        Raw::Null => Node::Null,
        Raw::Bool(flag) => Node::Bool(flag),
        Raw::Number => Node::Number(span.of(text).unwrap_or_default().trim().to_owned()),
        Raw::Text(value) => Node::Text(value),
        Raw::List(list) => {
            Node::List(list.into_iter().map(|element| to_node(text, element)).collect())
        }
        Raw::Map(map) => Node::Map(
            map.into_iter()
                .map(|(key, value)| Entry {
                    key: Spanned::new(key.value, locate(text, key.defined)),
                    value: to_node(text, value),
                })
                .collect(),
        ),
    };
    Spanned::new(node, span)
}

/// Converts a location to a span in bytes. For syntax errors, the parser gives offsets in
/// characters only.
fn locate(text: &str, location: Location) -> Span {
    let range = location.span();
    let (start, end) = if let Some((offset, length)) = range.byte_offset().zip(range.byte_len()) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        (start, start.saturating_add(usize::try_from(length).unwrap_or(0)))
    } else {
        let end = range.offset().saturating_add(range.len());
        (byte_of_character(text, range.offset()), byte_of_character(text, end))
    };
    Span::new(boundary(text, start), boundary(text, end))
}

fn byte_of_character(text: &str, characters: u64) -> usize {
    let count = usize::try_from(characters).unwrap_or(usize::MAX);
    text.char_indices().nth(count).map_or(text.len(), |(offset, _)| offset)
}

/// The last character boundary at or before this offset.
fn boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The diagnostic for a parser error.
fn explain(text: &str, error: &Error) -> Diagnostic {
    let span = error.location().map_or_else(Span::default, |location| locate(text, location));
    let error = if let Error::AliasError { error, .. } = error { error } else { error };
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most of the parser's errors are about types that are not read here"
    )]
    match error {
        Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => too_deep(span),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => Diagnostic::new(
            &codes::LIMIT,
            "the rule file has too many values",
        )
        .at(span, "too many values or aliases")
        .help(
            "check that this is the rule file, and replace aliases by the values that they repeat",
        ),
        Error::MultipleDocuments { .. } => {
            Diagnostic::new(&codes::SYNTAX, "the rule file has more than one YAML document")
                .at(span, "the second document")
                .help("keep one document, and remove the `---` line before the next one")
        }
        Error::ExternalMessage { msg, .. } if msg.contains("recursion limit") => too_deep(span),
        Error::ExternalMessage { msg, .. } => fixes::explain(text, span, msg),
        _ => fixes::explain(text, span, &message_of(error)),
    }
}

/// The diagnostic for a file of more than [`FILE_BYTES_MAX`] bytes.
pub(crate) fn too_long() -> Diagnostic {
    Diagnostic::new(&codes::LIMIT, format!("the rule file is longer than {FILE_BYTES_MAX} bytes"))
        .help("check that this is the rule file; if it is, split the rules by table")
}

fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::new(&codes::LIMIT, format!("the rule file nests deeper than {DEPTH_MAX} levels"))
        .at(span, "too deep")
        .help("check that this is the rule file: the rule language needs only 6 levels")
}

/// The parser's message without its position. The label shows the position instead.
fn message_of(error: &Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let mut rest = line;
    if let Some((position, message)) = line.split_once(": ")
        && position.starts_with("line ")
    {
        rest = message;
    }
    rest.to_owned()
}
