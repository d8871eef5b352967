//! Items given on the command line.

use super::Failure;
use crate::data::{Item, JsonItem, plain_item};
use crate::rules::did_you_mean;
use crate::rules::model::{EntityId, Rules, TableId};

/// Whether an argument is an item rather than a name.
pub(super) fn is_item(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads an item in DynamoDB JSON, or in the output of `aws dynamodb get-item`; if it is plain, in
/// JSON without types.
pub(super) fn read(text: &str, is_plain: bool) -> Result<Item<'_>, Failure> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Printed<'a> {
        #[serde(borrow, rename = "Item")]
        item: JsonItem<'a>,
        #[serde(rename = "ConsumedCapacity")]
        _consumed: Option<serde::de::IgnoredAny>,
    }
    if is_plain {
        return plain_item(text)
            .map_err(|error| Failure::Usage(format!("the item is not JSON: {error}")));
    }
    serde_json::from_str(text)
        .or_else(|error| {
            serde_json::from_str(text).map(|Printed { item, .. }| item).map_err(|_| error)
        })
        .map(|JsonItem(item)| item)
        .map_err(|error| {
            let help = match plain_item(text) {
                Ok(_) => "\nhelp: it is plain JSON: add `--plain`",
                Err(_) => "",
            };
            Failure::Usage(format!("the item is not DynamoDB JSON: {error}{help}"))
        })
}

/// The table in DynamoDB of what names no table: the one with this alias or name, or the rule file's
/// only table. `None` if no name is given and there are several.
pub(super) fn default_table<'r>(
    rules: &'r Rules,
    name: Option<&str>,
) -> Result<Option<&'r str>, Failure> {
    if name.is_none() && rules.tables.len() > 1 {
        return Ok(None);
    }
    find_table(rules, name).map(|table| Some(rules[table].name.as_str()))
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

/// The entity with this name, in the table with this alias or name if it has several.
pub(super) fn find_entity_in(
    rules: &Rules,
    name: &str,
    table: Option<&str>,
) -> Result<EntityId, Failure> {
    let first = find_entity(rules, name)?;
    let each: Vec<EntityId> = rules.entities_named(name).map(|(id, _)| id).collect();
    if each.len() == 1 && table.is_none() {
        return Ok(first);
    }
    let is_it = |id: &&EntityId| {
        let own = rules.table_of(**id);
        table.is_some_and(|table| own.alias == table || own.name == table)
    };
    each.iter().find(is_it).copied().ok_or_else(|| {
        let known = each.iter().map(|id| format!("`{}`", rules.table_of(*id).alias));
        let known = known.collect::<Vec<_>>().join(", ");
        Failure::Usage(match table {
            Some(table) => format!("`{name}` is not in table `{table}`; it is in {known}"),
            None => format!("`{name}` is in several tables; name one with `--table`: {known}"),
        })
    })
}

/// The first entity with this name.
pub(super) fn find_entity(rules: &Rules, name: &str) -> Result<EntityId, Failure> {
    let names = rules.entities.iter().map(|entity| entity.name.as_str());
    names.clone().position(|known| known == name).map(EntityId).ok_or_else(|| {
        let help = did_you_mean(name, names).map(|help| format!("; {help}")).unwrap_or_default();
        Failure::Usage(format!("there is no entity `{name}`{help}"))
    })
}
