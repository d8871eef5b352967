//! Templates of single key attributes, with their types.

use std::borrow::Cow;

use super::text::{Part, Template};
use crate::data::{KeyKind, KeyValue, Number};

/// Why captures make no key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BuildError {
    /// There is no value for a capture.
    #[error("there is no value for `{{{0}}}` of the key")]
    Missing(String),
    /// The value cannot stand where the template has it.
    #[error("`{value}` cannot be `{{{capture}}}` of a key: {why}")]
    Value {
        /// The capture.
        capture: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The value is of a type that the capture cannot have.
    #[error("`{{{capture}}}` of the key is of type {}, and the value of type {}",
        .expected.as_type(), .found.as_type())]
    Type {
        /// The capture.
        capture: String,
        /// The type that it has.
        expected: KeyKind,
        /// The value's type.
        found: KeyKind,
    },
    /// The key would be longer than DynamoDB allows.
    #[error("the {attribute} key would have {bytes} bytes, and DynamoDB allows {bytes_max}")]
    Length {
        /// `partition` or `sort`.
        attribute: &'static str,
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        bytes_max: usize,
    },
}

/// What some captures tell of a sort key: the condition of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortPrefix {
    /// The whole value.
    Whole(KeyValue<'static>),
    /// What the value begins with.
    BeginsWith(KeyValue<'static>),
    /// Nothing, or the table has no sort key.
    Any,
}

/// The template of one key attribute.
///
/// Invariant: a template for a number or a binary is one capture alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTemplate {
    template: Template,
    kind: KeyKind,
}

impl KeyTemplate {
    /// A template for a key attribute of this type; nothing if a number or a binary is asked to
    /// be more than one capture.
    #[must_use]
    pub fn new(template: Template, kind: KeyKind) -> Option<Self> {
        (kind == KeyKind::S || template.is_sole_capture()).then_some(Self { template, kind })
    }

    /// Its text, parsed.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The type of the key attribute.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The names of its captures.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.template.captures()
    }

    /// What every value of this template begins with: nothing for numbers and binaries.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        self.template.literal_prefix()
    }

    /// The value with these captures, by name.
    ///
    /// What a value's length may be depends on the attribute that it is for, and is not looked at.
    pub fn build(
        &self,
        separator: char,
        lookup: &dyn Fn(&str) -> Option<KeyValue<'static>>,
    ) -> Result<KeyValue<'static>, BuildError> {
        let values: Vec<_> = self.captures().map(lookup).collect();
        let values: Vec<_> = values.iter().map(Option::as_ref).collect();
        self.assemble(separator, &values)
    }

    /// An example of a value that both templates match; nothing if there is none.
    #[must_use]
    pub fn overlap(&self, other: &Self, separator: char) -> Option<KeyValue<'static>> {
        match (self.kind, other.kind) {
            (KeyKind::S, KeyKind::S) => {
                let text = self.template.overlap(&other.template, separator)?;
                Some(KeyValue::S(Cow::Owned(text)))
            }
            (KeyKind::N, KeyKind::N) => Number::parse("1").ok().map(KeyValue::N),
            (KeyKind::B, KeyKind::B) => Some(KeyValue::B(Cow::Borrowed(b"x"))),
            _ => None,
        }
    }

    /// The value with these captures: one for each that stands in the template.
    pub(super) fn assemble(
        &self,
        separator: char,
        values: &[Option<&KeyValue<'_>>],
    ) -> Result<KeyValue<'static>, BuildError> {
        match self.assemble_prefix(separator, values)? {
            SortPrefix::Whole(value) => Ok(value),
            SortPrefix::BeginsWith(_) | SortPrefix::Any => {
                let index = values.iter().position(Option::is_none).unwrap_or_default();
                Err(BuildError::Missing(self.capture_name(index)))
            }
        }
    }

    /// What a value with these captures begins with, up to the first unknown one.
    pub(super) fn assemble_prefix(
        &self,
        separator: char,
        values: &[Option<&KeyValue<'_>>],
    ) -> Result<SortPrefix, BuildError> {
        if self.kind != KeyKind::S {
            let Some(value) = values.first().copied().flatten() else { return Ok(SortPrefix::Any) };
            return self.convert(value).map(SortPrefix::Whole);
        }
        let mut values_left = values.iter().copied();
        let mut text = String::new();
        for part in self.template.parts() {
            let (name, excluded) = match part {
                Part::Literal(literal) => {
                    text.push_str(literal);
                    continue;
                }
                Part::Capture(name) => (name, Some(separator)),
                Part::Rest(name) => (name, None),
            };
            match values_left.next().flatten() {
                Some(value) => text.push_str(capturable_text(name, value, excluded)?),
                None if text.is_empty() => return Ok(SortPrefix::Any),
                None => return Ok(SortPrefix::BeginsWith(KeyValue::S(Cow::Owned(text)))),
            }
        }
        self.check_reading(&text, separator, values)?;
        Ok(SortPrefix::Whole(KeyValue::S(Cow::Owned(text))))
    }

    /// Whether a text that was built is taken apart into the captures it was built from.
    ///
    /// `{year}-{month}` of `2024-01` and `31` is `2024-01-31`, which reads as `2024` and `01-31`.
    fn check_reading(
        &self,
        text: &str,
        separator: char,
        values: &[Option<&KeyValue<'_>>],
    ) -> Result<(), BuildError> {
        let value_at = |index: usize| values.get(index).copied().flatten().and_then(text_of);
        let mut index = 0;
        let faithful = self.template.dissect(text, separator, |read| {
            let same = value_at(index) == Some(read);
            index += usize::from(same);
            same
        });
        if faithful {
            return Ok(());
        }
        Err(BuildError::Value {
            capture: self.capture_name(index),
            value: value_at(index).unwrap_or_default().to_owned(),
            why: "the key would be read back as other captures",
        })
    }

    /// A value for a key attribute that is not a text. Numbers are taken from their canonical text
    /// too, so that a key whose number stands within a text can refer to one where it stands alone.
    fn convert(&self, value: &KeyValue<'_>) -> Result<KeyValue<'static>, BuildError> {
        let mistyped = || BuildError::Type {
            capture: self.capture_name(0),
            expected: self.kind,
            found: value.kind(),
        };
        match (self.kind, value) {
            (KeyKind::B, KeyValue::B(bytes)) if bytes.is_empty() => Err(BuildError::Value {
                capture: self.capture_name(0),
                value: String::new(),
                why: "it is empty",
            }),
            (KeyKind::N, KeyValue::S(text)) => Number::parse(text.as_ref())
                .ok()
                .filter(|number| number.as_str() == text)
                .map(|number| KeyValue::N(number.into_owned()))
                .ok_or_else(mistyped),
            _ if value.kind() == self.kind => Ok(value.clone().into_owned()),
            _ => Err(mistyped()),
        }
    }

    /// Takes a value apart: `accept` is given what each capture holds, in order, and may refuse it.
    pub(super) fn dissect<'k>(
        &self,
        value: &'k KeyValue<'_>,
        separator: char,
        mut accept: impl FnMut(KeyValue<'k>) -> bool,
    ) -> bool {
        match (self.kind, value) {
            (KeyKind::S, KeyValue::S(text)) => {
                let accept = |capture| accept(KeyValue::S(Cow::Borrowed(capture)));
                self.template.dissect(text, separator, accept)
            }
            (KeyKind::N, KeyValue::N(_)) => accept(value.as_borrowed()),
            (KeyKind::B, KeyValue::B(bytes)) => !bytes.is_empty() && accept(value.as_borrowed()),
            _ => false,
        }
    }

    fn capture_name(&self, index: usize) -> String {
        self.captures().nth(index).unwrap_or_default().to_owned()
    }
}

/// What a value looks like within a text; nothing for binaries.
pub(super) fn text_of<'v>(value: &'v KeyValue<'_>) -> Option<&'v str> {
    match value {
        KeyValue::S(text) => Some(text),
        KeyValue::N(number) => Some(number.as_str()),
        KeyValue::B(_) => None,
    }
}

/// The text of a value, if a capture can hold it.
fn capturable_text<'v>(
    capture: &str,
    value: &'v KeyValue<'_>,
    excluded: Option<char>,
) -> Result<&'v str, BuildError> {
    let text = text_of(value).ok_or_else(|| BuildError::Type {
        capture: capture.to_owned(),
        expected: KeyKind::S,
        found: value.kind(),
    })?;
    let refuse =
        |why| Err(BuildError::Value { capture: capture.to_owned(), value: text.to_owned(), why });
    if text.is_empty() {
        return refuse("it is empty");
    }
    if excluded.is_some_and(|separator| text.contains(separator)) {
        return refuse("it has the table's separator in it");
    }
    Ok(text)
}
