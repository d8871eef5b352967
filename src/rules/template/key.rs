//! Templates of whole keys, with their types.

use super::text::Template;
use crate::data::{Key, KeyKind, KeyValue};

/// The values that a key's captures have, in the order of [`EntityKey::captures`].
pub type Captures<'k> = Vec<KeyValue<'k>>;

/// Why captures make no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The value cannot stand where the template has it: it is empty or has the separator in it.
    #[error("`{value}` cannot be `{{{capture}}}` of a key: {why}")]
    Value {
        /// The capture.
        capture: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The value is of another type than the key attribute.
    #[error("`{{{capture}}}` of the key is of type {expected:?}, and the value of type {found:?}")]
    Type {
        /// The capture.
        capture: String,
        /// The key attribute's type.
        expected: KeyKind,
        /// The value's type.
        found: KeyKind,
    },
}

/// The template of one key attribute.
///
/// Invariant: a template for a number or a binary is one capture alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTemplate {
    template: Template,
    kind: KeyKind,
}

/// The templates of an entity's whole key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityKey {
    partition: KeyTemplate,
    sort: Option<KeyTemplate>,
    separator: char,
    captures: Vec<String>,
}

// Signatures that the rest of the crate builds on; see the module's documentation.
impl KeyTemplate {
    /// A template for a key attribute of this type; nothing if a number or a binary is asked to
    /// be more than one capture.
    #[must_use]
    pub fn new(template: Template, kind: KeyKind) -> Option<Self> {
        let _ = (&template, kind);
        unimplemented!()
    }
    /// The names of its captures.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        self.template.captures()
    }
    /// The key value for these captures: `names[i]` has `values[i]`.
    pub fn build(
        &self,
        separator: char,
        lookup: &dyn Fn(&str) -> Option<KeyValue<'static>>,
    ) -> Result<KeyValue<'static>, BuildError> {
        let _ = (separator, lookup, self.kind);
        unimplemented!()
    }
}

impl EntityKey {
    /// A key's templates.
    #[must_use]
    pub fn new(partition: KeyTemplate, sort: Option<KeyTemplate>, separator: char) -> Self {
        let _ = (&partition, &sort, separator);
        unimplemented!()
    }
    /// The distinct names of the captures, in the order in which they first stand.
    #[must_use]
    pub fn captures(&self) -> &[String] {
        &self.captures
    }
    /// What a key's captures are; nothing if the key is not of this shape.
    #[must_use]
    pub fn parse<'k>(&self, key: &Key<'k>) -> Option<Captures<'k>> {
        let _ = (key, &self.partition, &self.sort, self.separator);
        unimplemented!()
    }
    /// The key with these captures.
    ///
    /// Invariant: what it builds, [`Self::parse`] takes apart into the same captures.
    pub fn build(&self, captures: &[KeyValue<'_>]) -> Result<Key<'static>, BuildError> {
        let _ = captures;
        unimplemented!()
    }
    /// The partition key that some captures fix, and what the sort key then begins with (the whole
    /// of it if it is fixed too); nothing if they do not fix the partition key.
    #[must_use]
    pub fn build_prefix(
        &self,
        captures: &[Option<KeyValue<'_>>],
    ) -> Option<(KeyValue<'static>, Option<KeyValue<'static>>)> {
        let _ = captures;
        unimplemented!()
    }
    /// Whether some key is of both shapes.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let _ = other;
        unimplemented!()
    }
}
