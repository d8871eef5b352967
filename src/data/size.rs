//! The size of items, as DynamoDB computes it for limits and billing.

use super::{Item, Number, Value};

/// The maximum size of an item, in bytes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

/// The size of an item in bytes: the names and the values of its attributes.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
#[must_use]
pub fn item_bytes(item: &Item<'_>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// The size of a value in bytes.
pub(crate) fn value_bytes(value: &Value<'_>) -> usize {
    match value {
        Value::S(text) => text.len(),
        Value::N(number) => number_bytes(number),
        Value::B(bytes) => bytes.len(),
        Value::Bool(_) | Value::Null => 1,
        Value::Ss(set) => set.iter().map(|text| text.len()).sum(),
        Value::Ns(set) => set.iter().map(number_bytes).sum(),
        Value::Bs(set) => set.iter().map(|bytes| bytes.len()).sum(),
        // Three bytes for the list or map, and one for each element.
        Value::L(list) => 3 + list.iter().map(|element| 1 + value_bytes(element)).sum::<usize>(),
        Value::M(map) => 3 + map.len() + item_bytes(map),
    }
}

/// The size of a number in bytes: one byte for every two significant digits, one byte for the
/// number itself, and one byte for a minus sign.
fn number_bytes(number: &Number<'_>) -> usize {
    number.significant_digits().div_ceil(2) + 1 + usize::from(number.is_negative())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_depends_on_the_type() {
        for (json, bytes) in [
            (r#"{"S": "äb"}"#, 3),
            (r#"{"S": ""}"#, 0),
            (r#"{"N": "0"}"#, 1),
            (r#"{"N": "12"}"#, 2),
            (r#"{"N": "123"}"#, 3),
            (r#"{"N": "-12300"}"#, 4),
            (r#"{"N": "0.0012"}"#, 2),
            (r#"{"B": "AAEC"}"#, 3),
            (r#"{"BOOL": false}"#, 1),
            (r#"{"NULL": true}"#, 1),
            (r#"{"SS": ["a", "bc"]}"#, 3),
            (r#"{"NS": ["1", "123"]}"#, 5),
            (r#"{"BS": ["AA==", "AAE="]}"#, 3),
            (r#"{"L": []}"#, 3),
            (r#"{"L": [{"S": "ab"}, {"NULL": true}]}"#, 3 + 3 + 2),
            (r#"{"M": {}}"#, 3),
            (r#"{"M": {"ab": {"S": "cde"}, "f": {"L": []}}}"#, 3 + (1 + 2 + 3) + (1 + 1 + 3)),
        ] {
            let value: Value<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(value_bytes(&value), bytes, "{json}");
        }
    }

    #[test]
    fn attribute_names_count_towards_the_size() {
        let value: Value<'_> = serde_json::from_str(r#"{"S": "ab"}"#).unwrap();
        let item = Item::from([("pk".into(), value.clone()), ("ä".into(), value)]);
        assert_eq!(item_bytes(&item), (2 + 2) + (2 + 2));
    }
}
