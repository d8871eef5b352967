//! The template of a single key attribute, with the attribute's type.

use std::borrow::Cow;

use super::format::{Capture, Format};
use super::separator::Separator;
use super::text::{Part, Template};
use crate::data::{KeyKind, KeyValue, Number};

/// The reason why a key cannot be built from captures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum BuildError {
    /// A capture has no value.
    #[error("there is no value for `{{{0}}}` of the key")]
    Missing(String),
    /// The value is not allowed for the capture.
    #[error("`{value}` cannot be `{{{capture}}}` of a key: {why}")]
    Value {
        /// The capture.
        capture: String,
        /// The value.
        value: String,
        /// The reason.
        why: &'static str,
    },
    /// The value's type is not allowed for the capture.
    #[error("`{{{capture}}}` of the key has type {}, but the value has type {}",
        .expected.as_type(), .found.as_type())]
    Type {
        /// The capture.
        capture: String,
        /// The capture's type.
        expected: KeyKind,
        /// The value's type.
        found: KeyKind,
    },
    /// The key would be longer than DynamoDB allows.
    #[error("the {attribute} key would have {bytes} bytes; DynamoDB allows {bytes_max}")]
    Length {
        /// `partition` or `sort`.
        attribute: &'static str,
        /// The length of the value.
        bytes: usize,
        /// The maximum length.
        bytes_max: usize,
    },
}

/// The part of a sort key that the known captures determine. It becomes the condition of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortPrefix {
    /// The entire value.
    Whole(KeyValue<'static>),
    /// The beginning of the value.
    BeginsWith(KeyValue<'static>),
    /// No part of the value, or the table has no sort key.
    Any,
}

/// The template of one key attribute.
///
/// Invariant: a template for a number or a binary is a single capture without a format.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyTemplate {
    template: Template,
    kind: KeyKind,
}

impl KeyTemplate {
    /// A template for a key attribute of this type. `None` if the type is a number or a binary and
    /// the template is not a single capture without a format.
    #[must_use]
    pub fn new(template: Template, kind: KeyKind) -> Option<Self> {
        let is_plain = template.formatted().all(|capture| capture.format == Format::Plain);
        let is_sole = template.is_sole_capture() && is_plain;
        (kind == KeyKind::S || is_sole).then_some(Self { template, kind })
    }

    /// The template without its type.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The type of the key attribute.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The names of the captures, one for each occurrence.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.template.captures()
    }

    /// The literal text that every value of this template begins with; empty for numbers and
    /// binaries.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        self.template.literal_prefix()
    }

    /// Builds the value from captures, which are looked up by name.
    ///
    /// The length of the value is not checked: the limit depends on the key attribute.
    pub fn build(
        &self,
        separator: Separator,
        lookup: &dyn Fn(&str) -> Option<KeyValue<'static>>,
    ) -> Result<KeyValue<'static>, BuildError> {
        let values: Vec<_> = self.captures().map(lookup).collect();
        let values: Vec<_> = values.iter().map(Option::as_ref).collect();
        self.assemble(separator, &values)
    }

    /// Like [`Self::build`], up to the first capture that has no value.
    pub fn build_prefix(
        &self,
        separator: Separator,
        lookup: &dyn Fn(&str) -> Option<KeyValue<'static>>,
    ) -> Result<SortPrefix, BuildError> {
        let values: Vec<_> = self.captures().map(lookup).collect();
        let values: Vec<_> = values.iter().map(Option::as_ref).collect();
        self.assemble_prefix(separator, &values)
    }

    /// An example of a value that matches both templates; `None` if there is none.
    #[must_use]
    pub fn overlap(&self, other: &Self, separator: Separator) -> Option<KeyValue<'static>> {
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

    /// Builds the value from captures, one for each occurrence in the template.
    pub(super) fn assemble(
        &self,
        separator: Separator,
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

    /// Builds the beginning of the value, up to the first unknown capture.
    pub(super) fn assemble_prefix(
        &self,
        separator: Separator,
        values: &[Option<&KeyValue<'_>>],
    ) -> Result<SortPrefix, BuildError> {
        if self.kind != KeyKind::S {
            let Some(value) = values.first().copied().flatten() else { return Ok(SortPrefix::Any) };
            return self.convert(value).map(SortPrefix::Whole);
        }
        let mut values_left = values.iter().copied();
        let mut text = String::new();
        for part in self.template.parts() {
            let capture = match part {
                Part::Literal(literal) => {
                    text.push_str(literal);
                    continue;
                }
                Part::Capture(capture) => capture,
            };
            match values_left.next().flatten() {
                Some(value) => write(capture, value, separator, &mut text)?,
                None if text.is_empty() => return Ok(SortPrefix::Any),
                None => return Ok(SortPrefix::BeginsWith(KeyValue::S(Cow::Owned(text)))),
            }
        }
        self.check_split(&text, separator, values)?;
        Ok(SortPrefix::Whole(KeyValue::S(Cow::Owned(text))))
    }

    /// Checks that splitting a built text returns the captures that it was built from.
    ///
    /// For example, `{year}-{month}` with `2024-01` and `31` gives `2024-01-31`, which is split
    /// into `2024` and `01-31`.
    fn check_split(
        &self,
        text: &str,
        separator: Separator,
        values: &[Option<&KeyValue<'_>>],
    ) -> Result<(), BuildError> {
        if values.len() < 2 {
            // The literals before and after a single capture leave exactly its text.
            return Ok(());
        }
        let value_at = |index: usize| values.get(index).copied().flatten().and_then(text_of);
        let mut index = 0;
        let mut captures = self.template.formatted();
        let is_same = self.template.split(text, separator, |read| {
            let value = captures.next().zip(value_at(index));
            let same =
                value.is_some_and(|(capture, value)| capture.format.normalize(value) == read);
            index += usize::from(same);
            same
        });
        if is_same {
            return Ok(());
        }
        Err(BuildError::Value {
            capture: self.capture_name(index),
            value: value_at(index).unwrap_or_default().to_owned(),
            why: "the key would be split into other captures",
        })
    }

    /// Converts a value for a key attribute that is a number or a binary. A number may be given as
    /// its canonical text, so that a number that is embedded in a text key can refer to a numeric
    /// key.
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

    /// Splits a value into captures. `accept` receives each capture in order, and may refuse it.
    pub(super) fn split<'k>(
        &self,
        value: &'k KeyValue<'_>,
        separator: Separator,
        mut accept: impl FnMut(KeyValue<'k>) -> bool,
    ) -> bool {
        match (self.kind, value) {
            (KeyKind::S, KeyValue::S(text)) => {
                let accept = |capture| accept(KeyValue::S(Cow::Borrowed(capture)));
                self.template.split(text, separator, accept)
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

/// The text that represents a value inside a longer text; `None` for binaries.
pub(super) fn text_of<'v>(value: &'v KeyValue<'_>) -> Option<&'v str> {
    match value {
        KeyValue::S(text) => Some(text),
        KeyValue::N(number) => Some(number.as_str()),
        KeyValue::B(_) => None,
    }
}

/// Appends the text that stands for a value in a key. Fails if the capture cannot have this value.
fn write(
    capture: &Capture,
    value: &KeyValue<'_>,
    separator: Separator,
    out: &mut String,
) -> Result<(), BuildError> {
    let text = text_of(value).ok_or_else(|| BuildError::Type {
        capture: capture.name.clone(),
        expected: KeyKind::S,
        found: value.kind(),
    })?;
    capture.write(text, separator, out).map_err(|why| BuildError::Value {
        capture: capture.name.clone(),
        value: text.to_owned(),
        why,
    })
}
