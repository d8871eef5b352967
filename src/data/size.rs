//! The size of items, as DynamoDB counts it for its limits and its bill.

use super::{Item, Number, Value};

/// The most bytes that an item may have.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
pub const ITEM_BYTES_MAX: usize = 400 * 1024;

/// The size of an item: the names and the values of its attributes.
///
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
#[must_use]
pub fn item_bytes(item: &Item<'_>) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// The size of a value.
pub(crate) fn value_bytes(value: &Value<'_>) -> usize {
    match value {
        Value::S(text) => text.len(),
        Value::N(number) => number_bytes(number),
        Value::B(bytes) => bytes.len(),
        Value::Bool(_) | Value::Null => 1,
        Value::Ss(set) => set.iter().map(|text| text.len()).sum(),
        Value::Ns(set) => set.iter().map(number_bytes).sum(),
        Value::Bs(set) => set.iter().map(|bytes| bytes.len()).sum(),
        // Three bytes for the container, and one for each element.
        Value::L(list) => 3 + list.iter().map(|element| 1 + value_bytes(element)).sum::<usize>(),
        Value::M(map) => 3 + map.len() + item_bytes(map),
    }
}

/// One byte for each two significant digits, one more for the number, one for a minus sign.
fn number_bytes(number: &Number<'_>) -> usize {
    number.significant_digits().div_ceil(2) + 1 + usize::from(number.is_negative())
}
