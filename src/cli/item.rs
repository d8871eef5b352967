//! Items given on the command line.

use super::Failure;
use crate::data::{Item, JsonItem};
use crate::rules::model::{Rules, TableId};

/// Whether an argument is an item rather than a name.
pub(super) fn is_item(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads an item in DynamoDB JSON.
pub(super) fn read(text: &str) -> Result<Item<'_>, Failure> {
    let JsonItem(item) = serde_json::from_str(text)
        .map_err(|error| Failure::Usage(format!("the item is not DynamoDB JSON: {error}")))?;
    Ok(item)
}

/// The table with this alias or name in DynamoDB; without a name, the rule file's only table.
pub(super) fn find_table(rules: &Rules, name: Option<&str>) -> Result<TableId, Failure> {
    let position = match name {
        Some(name) => {
            rules.tables.iter().position(|table| table.alias == name || table.name == name)
        }
        None if rules.tables.len() == 1 => Some(0),
        None => None,
    };
    position.map(TableId).ok_or_else(|| {
        let known: Vec<_> = rules.tables.iter().map(|table| format!("`{}`", table.alias)).collect();
        let known = known.join(", ");
        Failure::Usage(match name {
            Some(name) => format!("there is no table `{name}`; the rule file has {known}"),
            None => format!(
                "the rule file has several tables; name the item's table with `--table`: {known}"
            ),
        })
    })
}
