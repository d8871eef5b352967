//! Items that are given on the command line.

use super::Failure;
use crate::data::{Item, JsonItem};
use crate::rules::model::{Rules, TableId};

/// Whether an argument is an item, and no name.
pub(super) fn is_item(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads an item in DynamoDB's JSON.
pub(super) fn read(text: &str) -> Result<Item<'_>, Failure> {
    let JsonItem(item) = serde_json::from_str(text)
        .map_err(|error| Failure::Usage(format!("the item is not in DynamoDB's JSON: {error}")))?;
    Ok(item)
}

/// The table that an item is of, by its alias or its name in DynamoDB; the only one if none is
/// named.
pub(super) fn find_table(rules: &Rules, name: Option<&str>) -> Result<TableId, Failure> {
    let place = match name {
        Some(name) => {
            rules.tables.iter().position(|table| table.alias == name || table.name == name)
        }
        None if rules.tables.len() == 1 => Some(0),
        None => None,
    };
    place.map(TableId).ok_or_else(|| {
        let known: Vec<_> = rules.tables.iter().map(|table| format!("`{}`", table.alias)).collect();
        let known = known.join(", ");
        Failure::Usage(match name {
            Some(name) => format!("there is no table `{name}`; the rule file has {known}"),
            None => format!("say which table the item is of with `--table`: {known}"),
        })
    })
}
