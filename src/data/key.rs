//! Keys, and the key schemas that extract them from items.

use std::borrow::Cow;

use super::{Item, Number, Type, Value};

/// The maximum length of a partition key's value, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const PARTITION_KEY_BYTES_MAX: usize = 2048;
/// The maximum length of a sort key's value, in bytes.
pub const SORT_KEY_BYTES_MAX: usize = 1024;

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

impl KeyKind {
    /// The corresponding attribute type.
    #[must_use]
    pub const fn as_type(self) -> Type {
        match self {
            Self::S => Type::S,
            Self::N => Type::N,
            Self::B => Type::B,
        }
    }
}

/// The value of a key attribute. Values are ordered as in DynamoDB: strings by UTF-8 bytes, numbers
/// by value, and binaries by unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyValue<'a> {
    /// String.
    S(Cow<'a, str>),
    /// Number.
    N(Number<'a>),
    /// Binary.
    B(Cow<'a, [u8]>),
}

impl<'a> KeyValue<'a> {
    /// The type of the value.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::S(_) => KeyKind::S,
            Self::N(_) => KeyKind::N,
            Self::B(_) => KeyKind::B,
        }
    }

    /// Converts an attribute value to a key value; `None` if keys cannot have its type.
    #[must_use]
    pub fn from_value(value: &Value<'a>) -> Option<Self> {
        match value {
            Value::S(text) => Some(Self::S(text.clone())),
            Value::N(number) => Some(Self::N(number.clone())),
            Value::B(bytes) => Some(Self::B(bytes.clone())),
            Value::Bool(_)
            | Value::Null
            | Value::Ss(_)
            | Value::Ns(_)
            | Value::Bs(_)
            | Value::L(_)
            | Value::M(_) => None,
        }
    }

    /// Converts the key value to an attribute value.
    #[must_use]
    pub fn to_value(&self) -> Value<'static> {
        match self.clone().into_owned() {
            KeyValue::S(text) => Value::S(text),
            KeyValue::N(number) => Value::N(number),
            KeyValue::B(bytes) => Value::B(bytes),
        }
    }

    /// An owned copy of the value.
    #[must_use]
    pub fn into_owned(self) -> KeyValue<'static> {
        match self {
            Self::S(text) => KeyValue::S(Cow::Owned(text.into_owned())),
            Self::N(number) => KeyValue::N(number.into_owned()),
            Self::B(bytes) => KeyValue::B(Cow::Owned(bytes.into_owned())),
        }
    }

    /// A copy that borrows from this value.
    #[must_use]
    pub fn as_borrowed(&self) -> KeyValue<'_> {
        match self {
            Self::S(text) => KeyValue::S(Cow::Borrowed(text)),
            Self::N(number) => KeyValue::N(number.as_borrowed()),
            Self::B(bytes) => KeyValue::B(Cow::Borrowed(bytes)),
        }
    }

    /// The length in bytes, for comparison with DynamoDB's limits on keys.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::S(text) => text.len(),
            // A number has at most 21 bytes and is never empty, so it is always within the limits.
            Self::N(_) => 1,
            Self::B(bytes) => bytes.len(),
        }
    }
}

/// An item's primary key, without the names of the attributes. Keys are ordered by partition key,
/// then by sort key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key<'a> {
    /// The partition key's value.
    pub partition: KeyValue<'a>,
    /// The sort key's value, if the table has a sort key.
    pub sort: Option<KeyValue<'a>>,
}

impl Key<'_> {
    /// An owned copy of the key.
    #[must_use]
    pub fn into_owned(self) -> Key<'static> {
        Key { partition: self.partition.into_owned(), sort: self.sort.map(KeyValue::into_owned) }
    }
}

/// One attribute of a key schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: String,
    /// The attribute's type.
    pub kind: KeyKind,
}

/// The key of a table or an index: a partition key and optionally a sort key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeySchema {
    /// The partition key.
    pub partition: KeyAttribute,
    /// The sort key.
    pub sort: Option<KeyAttribute>,
}

/// The reason why an item has no valid key for a schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A key attribute is missing.
    #[error("key attribute `{0}` is missing")]
    Missing(String),
    /// The type of a key attribute differs from the schema.
    #[error("key attribute `{name}` has type {found}, but the table's key has type {expected}")]
    Type {
        /// The attribute.
        name: String,
        /// The type in the item.
        found: Type,
        /// The type in the schema.
        expected: Type,
    },
    /// A key attribute is empty.
    #[error("key attribute `{0}` is empty")]
    Empty(String),
    /// A key attribute is longer than DynamoDB allows.
    #[error("key attribute `{name}` has {bytes} bytes; DynamoDB allows {bytes_max}")]
    Length {
        /// The attribute.
        name: String,
        /// The length of the value.
        bytes: usize,
        /// The maximum length.
        bytes_max: usize,
    },
}

impl KeySchema {
    /// The names of the key attributes, partition key first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes().map(|attribute| attribute.name.as_str())
    }

    /// The key attributes, partition key first.
    pub fn attributes(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.partition).chain(self.sort.as_ref())
    }

    /// Extracts the key of an item. The key borrows from the same text as the item.
    pub fn key_of<'a>(&self, item: &Item<'a>) -> Result<Key<'a>, KeyError> {
        let sort = match &self.sort {
            Some(attribute) => Some(key_value(item, attribute, SORT_KEY_BYTES_MAX)?),
            None => None,
        };
        Ok(Key { partition: key_value(item, &self.partition, PARTITION_KEY_BYTES_MAX)?, sort })
    }

    /// Checks that the key matches the schema: it has a sort key if and only if the schema has one,
    /// the types agree, and DynamoDB allows the lengths.
    pub fn check(&self, key: &Key<'_>) -> Result<(), KeyError> {
        self.key_of(&self.item_of(key)).map(|_| ())
    }

    /// The key as an item that has only the key attributes.
    #[must_use]
    pub fn item_of(&self, key: &Key<'_>) -> Item<'static> {
        let values = std::iter::once(&key.partition).chain(key.sort.as_ref());
        self.names()
            .zip(values)
            .map(|(name, value)| (Cow::Owned(name.to_owned()), value.to_value()))
            .collect()
    }
}

/// Returns the value of a key attribute, after checking it against the schema and DynamoDB's
/// limits.
fn key_value<'a>(
    item: &Item<'a>,
    attribute: &KeyAttribute,
    bytes_max: usize,
) -> Result<KeyValue<'a>, KeyError> {
    let name = || attribute.name.clone();
    let value = item.get(attribute.name.as_str()).ok_or_else(|| KeyError::Missing(name()))?;
    let mistyped =
        || KeyError::Type { name: name(), found: value.kind(), expected: attribute.kind.as_type() };
    let key_value = KeyValue::from_value(value).ok_or_else(mistyped)?;
    if key_value.kind() != attribute.kind {
        return Err(mistyped());
    }
    match key_value.bytes() {
        0 => Err(KeyError::Empty(name())),
        bytes if bytes > bytes_max => Err(KeyError::Length { name: name(), bytes, bytes_max }),
        _ => Ok(key_value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_does_not_match_the_schema_is_rejected() {
        let attribute = |name: &str| KeyAttribute { name: name.to_owned(), kind: KeyKind::S };
        let schema = KeySchema { partition: attribute("pk"), sort: Some(attribute("sk")) };
        let check = |partition: &str, sort: Option<&str>| {
            let value = |text: &str| KeyValue::S(text.to_owned().into());
            schema.check(&Key { partition: value(partition), sort: sort.map(value) }).is_ok()
        };
        assert!(check("a", Some("b")));
        assert!(!check("a", None));
        assert!(!check("", Some("b")));
        let longest = |bytes: usize| "x".repeat(bytes);
        assert!(check(&longest(PARTITION_KEY_BYTES_MAX), Some(&longest(SORT_KEY_BYTES_MAX))));
        assert!(!check(&longest(PARTITION_KEY_BYTES_MAX + 1), Some("b")));
        assert!(!check("a", Some(&longest(SORT_KEY_BYTES_MAX + 1))));
    }
}
