//! The condition of a planned write, for people.

use std::borrow::Cow;

use serde::Serialize;

use super::action::RepairAction;
use super::planned::{PlannedWrite, Request, name_of};
use crate::data::{Item, Value};
use crate::rules::model::Rules;
use crate::store::Write;
use crate::store::expression::Placeholders;

/// A condition on one item.
#[derive(Debug, Serialize)]
pub(super) struct GuardLine<'g> {
    /// The table's name in DynamoDB.
    table: &'g str,
    /// The item's key.
    key: Item<'static>,
    /// The condition expression, with names and values instead of placeholders.
    condition: String,
}

/// The conditions of a request, one for each item.
pub(super) fn conditions<'g>(rules: &Rules, request: &'g Request) -> Vec<GuardLine<'g>> {
    let line = |write: &'g Write| {
        let name = name_of(rules, write)?;
        let key = rules[name.table].key.item_of(&name.key);
        let condition = Readable.condition(write.condition.clone()?);
        Some(GuardLine { table: &write.table, key, condition })
    };
    request.actions.iter().filter_map(line).collect()
}

/// The guard of a planned write in words.
pub(super) fn words(write: &PlannedWrite) -> &'static str {
    match write.action {
        RepairAction::Delete | RepairAction::Unset => {
            "the item is as in `before` and still refers to the referenced item, which still does \
             not exist"
        }
        RepairAction::SetDefault => {
            "the item is as in `before` and still refers to the referenced item, which still does \
             not exist; the default item exists"
        }
        RepairAction::PutMirror => "there is no item at the mirror's key",
        RepairAction::OverwriteMirror if write.before.as_ref().is_some_and(is_marked) => {
            "the mirror is as in `before`, with the same mark"
        }
        RepairAction::OverwriteMirror | RepairAction::AdoptMirror => {
            "the item is as in `before` and has no mark"
        }
        RepairAction::AnnounceDelete | RepairAction::DeleteMirror => {
            "the mirror is as in `before`, with the same mark"
        }
    }
}

fn is_marked(item: &Item<'_>) -> bool {
    item.contains_key(crate::integrity::mark::MARK)
}

/// Expressions with names and values instead of placeholders.
struct Readable;

impl Placeholders for Readable {
    fn name(&mut self, name: &str) -> String {
        let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let name = if name.chars().all(is_plain) {
            Cow::Borrowed(name)
        } else {
            // A dot in a name is no step of a path.
            Cow::Owned(serde_json::to_string(name).unwrap_or_default())
        };
        name.into_owned()
    }

    fn value(&mut self, _name: &str, value: Value<'static>) -> String {
        serde_json::to_string(&value).unwrap_or_default()
    }
}
