//! Names of items in messages.

use std::fmt::Write as _;

use crate::data::{Key, KeyValue};
use crate::rules::model::{Rules, TableId};

/// Formats an item's name: its table and the values of its key.
pub(super) fn item_name(rules: &Rules, table: TableId, key: &Key<'_>) -> String {
    let sort = key.sort.as_ref().map(|sort| format!(" / {}", shown(sort))).unwrap_or_default();
    format!("{}: {}{sort}", rules[table].alias, shown(&key.partition))
}

/// Formats the value of a key attribute. Control characters are escaped, because a terminal would
/// interpret them.
pub(super) fn shown(value: &KeyValue<'_>) -> String {
    match value {
        KeyValue::S(text) => text.chars().flat_map(visible).collect(),
        KeyValue::N(number) => number.to_string(),
        KeyValue::B(bytes) => bytes.iter().fold("0x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

fn visible(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}
