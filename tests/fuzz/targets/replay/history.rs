//! Records made to tell of one history, as only a table can have recorded it.

use std::collections::BTreeMap;

use referee::engine::MARK;
use referee::rules::Rules;
use serde_json::{Map, Value as Json, json};

use crate::case::Case;

/// Items by their tables and keys.
type Items = BTreeMap<(String, String), Json>;

/// Numbers the records in their order, lets time pass forward alone, and gives each the image that
/// the one before left of its item. Records that tell of no change are left out.
///
/// Marks are taken away: a mark that tells of a write that never was is a forgery, of which nothing
/// is promised.
pub(crate) fn straighten(case: &mut Case, rules: &Rules) {
    let tables = case.seed.as_object_mut().into_iter().flat_map(Map::values_mut);
    tables.filter_map(Json::as_array_mut).flatten().for_each(unmark);
    let mut items = there_before(case, rules);
    let (mut number, mut time) = (0, 0.0);
    case.records.retain_mut(|(_, record)| {
        number += 100;
        let stream = &record["dynamodb"];
        time = stream["ApproximateCreationDateTime"].as_f64().unwrap_or_default().max(time);
        let table = record["eventSourceARN"].as_str().and_then(|arn| arn.split('/').nth(1));
        let Some(table) = table.map(str::to_owned) else { return false };
        let mut after = match record["eventName"].as_str() {
            Some("REMOVE") => Json::Null,
            _ => stream["NewImage"].clone(),
        };
        unmark(&mut after);
        let keyed = if after.is_null() { &stream["Keys"] } else { &after };
        let Some(key) = key_of(rules, &table, keyed) else { return false };
        let name = (table, key.to_string());
        let before = items.remove(&name).unwrap_or_default();
        if before == after {
            items.extend((!after.is_null()).then_some((name, after)));
            return false;
        }
        record["eventName"] = json!(match (before.is_null(), after.is_null()) {
            (true, _) => "INSERT",
            (false, true) => "REMOVE",
            (false, false) => "MODIFY",
        });
        if !after.is_null() {
            items.insert(name, after.clone());
        }
        let stream = &mut record["dynamodb"];
        stream["Keys"] = key;
        stream["OldImage"] = before;
        stream["NewImage"] = after;
        stream["SequenceNumber"] = json!(format!("{number:021}"));
        stream["ApproximateCreationDateTime"] = json!(time);
        true
    });
}

fn unmark(item: &mut Json) {
    if let Some(item) = item.as_object_mut() {
        item.remove(MARK);
    }
}

fn there_before(case: &Case, rules: &Rules) -> Items {
    let tables = case.seed.as_object().into_iter().flatten();
    let items = tables.flat_map(|(table, items)| {
        items.as_array().into_iter().flatten().map(move |item| (table, item))
    });
    items
        .filter_map(|(table, item)| {
            Some(((table.clone(), key_of(rules, table, item)?.to_string()), item.clone()))
        })
        .collect()
}

/// The attributes of an item that are its key.
fn key_of(rules: &Rules, table: &str, item: &Json) -> Option<Json> {
    let (_, schema) = rules.table_named(table)?;
    let key: Option<Map<String, Json>> = schema
        .names()
        .map(|name| item.get(name).map(|value| (name.to_owned(), value.clone())))
        .collect();
    key.map(Json::Object)
}
