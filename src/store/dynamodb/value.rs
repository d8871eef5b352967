//! Lossless conversion of values and items to and from the SDK's types; numbers remain strings.

use std::borrow::Cow;
use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::data::{Item, Number, Value};
use crate::store::StoreError;

/// An item in the SDK's types.
pub(super) type SdkItem = HashMap<String, AttributeValue>;

/// Converts an item to the SDK's types.
pub(super) fn to_sdk(item: Item<'_>) -> SdkItem {
    item.into_iter().map(|(name, value)| (name.into_owned(), value_to_sdk(value))).collect()
}

/// Converts a value to the SDK's types.
pub(super) fn value_to_sdk(value: Value<'_>) -> AttributeValue {
    match value {
        Value::S(text) => AttributeValue::S(text.into_owned()),
        Value::N(number) => AttributeValue::N(number.as_str().to_owned()),
        Value::B(bytes) => AttributeValue::B(Blob::new(bytes)),
        Value::Bool(flag) => AttributeValue::Bool(flag),
        Value::Null => AttributeValue::Null(true),
        Value::Ss(set) => AttributeValue::Ss(set.into_iter().map(Cow::into_owned).collect()),
        Value::Ns(set) => {
            AttributeValue::Ns(set.iter().map(|number| number.as_str().to_owned()).collect())
        }
        Value::Bs(set) => AttributeValue::Bs(set.into_iter().map(Blob::new).collect()),
        Value::L(list) => AttributeValue::L(list.into_iter().map(value_to_sdk).collect()),
        Value::M(item) => AttributeValue::M(to_sdk(item)),
    }
}

/// Converts an item from the SDK's types.
pub(super) fn from_sdk(item: SdkItem) -> Result<Item<'static>, StoreError> {
    item.into_iter().map(|(name, value)| Ok((Cow::Owned(name), value_from_sdk(value)?))).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the SDK's variant for types it does not know is private"
)]
fn value_from_sdk(value: AttributeValue) -> Result<Value<'static>, StoreError> {
    Ok(match value {
        AttributeValue::S(text) => Value::S(Cow::Owned(text)),
        AttributeValue::N(text) => Value::N(number(text)?),
        AttributeValue::B(bytes) => Value::B(binary(bytes)),
        AttributeValue::Bool(flag) => Value::Bool(flag),
        AttributeValue::Null(_) => Value::Null,
        AttributeValue::Ss(set) => Value::Ss(sorted(set.into_iter().map(Cow::Owned).collect())),
        AttributeValue::Ns(set) => {
            Value::Ns(sorted(set.into_iter().map(number).collect::<Result<_, _>>()?))
        }
        AttributeValue::Bs(set) => Value::Bs(sorted(set.into_iter().map(binary).collect())),
        AttributeValue::L(list) => {
            Value::L(list.into_iter().map(value_from_sdk).collect::<Result<_, _>>()?)
        }
        AttributeValue::M(item) => Value::M(from_sdk(item)?),
        _ => return Err(unreadable("its type is unknown")),
    })
}

fn number(text: String) -> Result<Number<'static>, StoreError> {
    Number::parse(text).map_err(unreadable)
}

fn binary(bytes: Blob) -> Cow<'static, [u8]> {
    Cow::Owned(bytes.into_inner())
}

/// Sorts a set, because sets are compared in order.
fn sorted<T: Ord>(mut set: Vec<T>) -> Vec<T> {
    set.sort_unstable();
    set
}

/// The error for a value in an answer that is not as documented.
pub(super) fn unreadable(what: impl std::fmt::Display) -> StoreError {
    StoreError::Rejected(format!("DynamoDB answered with a value that cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{JsonItem, into_owned};

    #[test]
    fn values_survive_a_round_trip_through_the_sdk() {
        let JsonItem(item) = serde_json::from_str(
            r#"{"s": {"S": ""}, "n": {"N": "-12345678901234567890123456789012345678"},
                "b": {"B": "AP8="}, "t": {"BOOL": true}, "f": {"BOOL": false},
                "null": {"NULL": true}, "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["10", "9.5"]},
                "bs": {"BS": ["/w==", "AA=="]}, "l": {"L": [{"L": []}, {"M": {}}, {"S": "x"}]},
                "m": {"M": {"m": {"M": {"n": {"N": "1E-130"}}}}}}"#,
        )
        .unwrap();
        let item = into_owned(item);
        assert_eq!(from_sdk(to_sdk(item.clone())), Ok(item));
    }

    #[test]
    fn sets_are_sorted() {
        let set = AttributeValue::Ns(["10", "9", "-1"].map(str::to_owned).to_vec());
        let Ok(Value::Ns(set)) = value_from_sdk(set) else { panic!("not a number set") };
        assert_eq!(set.iter().map(Number::as_str).collect::<Vec<_>>(), ["-1", "9", "10"]);
    }

    #[test]
    fn an_invalid_number_is_rejected() {
        let error = value_from_sdk(AttributeValue::N("one".to_owned())).unwrap_err();
        assert!(matches!(error, StoreError::Rejected(_)), "{error:?}");
    }
}
