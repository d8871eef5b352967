//! Attribute values.

use std::borrow::Cow;
use std::fmt;

use super::{Item, Number, into_owned};

/// The type of an attribute value. The variants are named after DynamoDB's type tags.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
    /// Boolean.
    Bool,
    /// Null.
    Null,
    /// Set of strings.
    Ss,
    /// Set of numbers.
    Ns,
    /// Set of binaries.
    Bs,
    /// List.
    L,
    /// Map.
    M,
}

impl Type {
    /// Every type, in the order in which messages list them.
    pub const ALL: [Self; 10] = [
        Self::S,
        Self::N,
        Self::B,
        Self::Bool,
        Self::Null,
        Self::Ss,
        Self::Ns,
        Self::Bs,
        Self::L,
        Self::M,
    ];

    /// DynamoDB's tag for the type.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::Ss => "SS",
            Self::Ns => "NS",
            Self::Bs => "BS",
            Self::L => "L",
            Self::M => "M",
        }
    }

    /// The type with this tag.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|candidate| candidate.tag() == tag)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.tag())
    }
}

/// An attribute's value.
///
/// Sets are sorted and have no duplicates, so that two values are equal if and only if they are
/// equal in DynamoDB.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value<'a> {
    /// String.
    S(Cow<'a, str>),
    /// Number.
    N(Number<'a>),
    /// Binary.
    B(Cow<'a, [u8]>),
    /// Boolean.
    Bool(bool),
    /// Null.
    Null,
    /// Set of strings, sorted.
    Ss(Vec<Cow<'a, str>>),
    /// Set of numbers, sorted by value.
    Ns(Vec<Number<'a>>),
    /// Set of binaries, sorted by unsigned bytes.
    Bs(Vec<Cow<'a, [u8]>>),
    /// List.
    L(Vec<Value<'a>>),
    /// Map.
    M(Item<'a>),
}

impl Value<'_> {
    /// The type of the value.
    #[must_use]
    pub const fn kind(&self) -> Type {
        match self {
            Self::S(_) => Type::S,
            Self::N(_) => Type::N,
            Self::B(_) => Type::B,
            Self::Bool(_) => Type::Bool,
            Self::Null => Type::Null,
            Self::Ss(_) => Type::Ss,
            Self::Ns(_) => Type::Ns,
            Self::Bs(_) => Type::Bs,
            Self::L(_) => Type::L,
            Self::M(_) => Type::M,
        }
    }

    /// An owned copy of the value.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::S(text) => Value::S(Cow::Owned(text.into_owned())),
            Self::N(number) => Value::N(number.into_owned()),
            Self::B(bytes) => Value::B(Cow::Owned(bytes.into_owned())),
            Self::Bool(flag) => Value::Bool(flag),
            Self::Null => Value::Null,
            Self::Ss(set) => {
                Value::Ss(set.into_iter().map(|text| Cow::Owned(text.into_owned())).collect())
            }
            Self::Ns(set) => Value::Ns(set.into_iter().map(Number::into_owned).collect()),
            Self::Bs(set) => {
                Value::Bs(set.into_iter().map(|bytes| Cow::Owned(bytes.into_owned())).collect())
            }
            Self::L(list) => Value::L(list.into_iter().map(Value::into_owned).collect()),
            Self::M(map) => Value::M(into_owned(map)),
        }
    }
}

impl From<&str> for Value<'static> {
    fn from(text: &str) -> Self {
        Self::S(Cow::Owned(text.to_owned()))
    }
}
