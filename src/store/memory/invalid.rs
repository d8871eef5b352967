//! The errors of invalid requests, in DynamoDB's words, and the validation of keys.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>

use crate::data::{Item, Key, KeyError, KeySchema, Type, Value};
use crate::store::StoreError;

/// The message of the `ValidationException` with which DynamoDB rejects a request.
#[derive(Debug)]
pub(super) struct Invalid(pub(super) String);

impl From<Invalid> for StoreError {
    fn from(Invalid(message): Invalid) -> Self {
        Self::Rejected(format!("ValidationException: {message}"))
    }
}

impl Invalid {
    pub(super) fn parameter(what: impl std::fmt::Display) -> Self {
        Self(format!("One or more parameter values were invalid: {what}"))
    }
}

/// The key of an item to put.
pub(super) fn item_key(schema: &KeySchema, item: &Item<'_>) -> Result<Key<'static>, Invalid> {
    schema.key_of(item).map(Key::into_owned).map_err(|error| match error {
        KeyError::Missing(name) => {
            Invalid::parameter(format_args!("Missing the key {name} in the item"))
        }
        KeyError::Type { name, found, expected } => Invalid::parameter(format_args!(
            "Type mismatch for key {name} expected: {expected} actual: {found}"
        )),
        KeyError::Empty(name) => empty_key(&name, kind_of(item, &name)),
        KeyError::Length { bytes_max, .. } => long_key(bytes_max),
    })
}

/// The key in a request, which must have the key attributes and no others.
pub(super) fn request_key(schema: &KeySchema, key: &Item<'_>) -> Result<Key<'static>, Invalid> {
    let mismatch = || Invalid("The provided key element does not match the schema".to_owned());
    if key.len() != schema.names().count() {
        return Err(mismatch());
    }
    schema.key_of(key).map(Key::into_owned).map_err(|error| match error {
        KeyError::Missing(_) | KeyError::Type { .. } => mismatch(),
        KeyError::Empty(name) => empty_key(&name, kind_of(key, &name)),
        KeyError::Length { bytes_max, .. } => long_key(bytes_max),
    })
}

/// The error for an operand of a type that the operator or function does not accept.
pub(super) fn operand_type(expression: &str, operator: &str, found: Type) -> Invalid {
    Invalid(format!(
        "Invalid {expression}: Incorrect operand type for operator or function; operator or \
         function: {operator}, operand type: {found}"
    ))
}

/// The error for a key attribute that is an empty string or binary.
pub(super) fn empty_key(name: &str, found: Type) -> Invalid {
    let kind = empty_kind(found);
    Invalid(format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute \
         cannot contain an empty {kind} value. Key: {name}"
    ))
}

/// The error for a key attribute that is too long.
pub(super) fn long_key(bytes_max: usize) -> Invalid {
    Invalid::parameter(format_args!(
        "Size of a key attribute has exceeded the maximum size limit of {bytes_max} bytes"
    ))
}

/// Whether a value is an empty string or binary, which no key may be.
pub(super) fn is_empty(value: &Value<'_>) -> bool {
    matches!(value, Value::S(text) if text.is_empty())
        || matches!(value, Value::B(bytes) if bytes.is_empty())
}

/// The name of an empty value's type in error messages.
pub(super) fn empty_kind(found: Type) -> &'static str {
    if found == Type::B { "binary" } else { "string" }
}

/// The type of an attribute.
pub(super) fn kind_of(item: &Item<'_>, name: &str) -> Type {
    item.get(name).map_or(Type::Null, Value::kind)
}
