//! Infers the key of a table from its items, where nothing describes the table.

use std::collections::{BTreeMap, BTreeSet};

use super::names::words;
use crate::data::{Item, KeyAttribute, KeyKind, KeySchema, Type, Value};

/// The number of items that are looked at.
pub(super) const ITEMS_MAX: usize = 3_000;

/// Names of partition keys and sort keys, the commonest first.
const PARTITION: [&str; 9] =
    ["pk", "partitionkey", "partition_key", "hashkey", "hash_key", "hk", "_pk", "id", "_id"];
const SORT: [&str; 8] = ["sk", "sortkey", "sort_key", "rangekey", "range_key", "rk", "_sk", "sort"];

/// The likeliest key: attributes that all items have, whose values together are unique.
pub(super) fn infer(table: &str, items: &[Item<'_>]) -> Option<KeySchema> {
    let first = items.first()?;
    let mut names: Vec<(&str, KeyKind)> = Vec::new();
    for (name, value) in first {
        let kind = match value.kind() {
            Type::S => KeyKind::S,
            Type::N => KeyKind::N,
            Type::B => KeyKind::B,
            Type::Bool | Type::Null | Type::Ss | Type::Ns | Type::Bs | Type::L | Type::M => {
                continue;
            }
        };
        let is_everywhere = items.iter().all(|item| {
            item.get(name).is_some_and(|value| value.kind() == kind.as_type() && !is_empty(value))
        });
        if is_everywhere {
            names.push((name, kind));
        }
    }
    let rank = |name: &str, list: &[&str]| {
        list.iter().position(|known| *known == name.to_lowercase()).unwrap_or(100)
    };
    let distinct = |chosen: &[&str]| {
        let values: BTreeSet<Vec<String>> = items
            .iter()
            .map(|item| chosen.iter().map(|name| text(item.get(*name))).collect())
            .collect();
        values.len()
    };
    let counts: BTreeMap<&str, usize> =
        names.iter().map(|(name, _)| (*name, distinct(&[name]))).collect();
    let attribute =
        |(name, kind): &(&str, KeyKind)| KeyAttribute { name: (*name).to_owned(), kind: *kind };
    // A pair with the usual names.
    for partition in &names {
        for sort in &names {
            if partition.0 != sort.0
                && rank(partition.0, &PARTITION) < 7
                && rank(sort.0, &SORT) < 100
            {
                return Some(KeySchema {
                    partition: attribute(partition),
                    sort: Some(attribute(sort)),
                });
            }
        }
    }
    let of_table = super::names::stem(&words(table)).join(" ");
    let score = |(name, kind): &(&str, KeyKind)| {
        let own = words(name);
        let is_of_table = super::names::stem(&own).join(" ") == of_table;
        let is_key = super::names::is_key_like(&own);
        (
            rank(name, &PARTITION),
            !(is_of_table && is_key),
            !is_key,
            !is_of_table,
            *kind == KeyKind::N && !is_key,
            (*name).to_owned(),
        )
    };
    let unique = names.iter().filter(|(name, _)| counts.get(name) == Some(&items.len()));
    let best = unique.min_by_key(|it| score(it));
    if let Some(best) = best.filter(|it| items.len() > 1 || rank(it.0, &PARTITION) < 100) {
        return Some(KeySchema { partition: attribute(best), sort: None });
    }
    let mut ordered = names.clone();
    ordered.sort_by_key(|it| score(it));
    ordered.truncate(12);
    for (at, one) in ordered.iter().enumerate() {
        for two in ordered.iter().skip(at + 1) {
            if distinct(&[one.0, two.0]) == items.len() {
                let (partition, sort) = if rank(two.0, &PARTITION) < rank(one.0, &PARTITION) {
                    (two, one)
                } else {
                    (one, two)
                };
                return Some(KeySchema {
                    partition: attribute(partition),
                    sort: Some(attribute(sort)),
                });
            }
        }
    }
    None
}

fn is_empty(value: &Value<'_>) -> bool {
    matches!(value, Value::S(text) if text.is_empty())
}

fn text(value: Option<&Value<'_>>) -> String {
    match value {
        Some(Value::S(text)) => text.to_string(),
        Some(Value::N(number)) => number.as_str().to_owned(),
        Some(Value::B(bytes)) => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::new(),
    }
}

/// A key for a table without items.
pub(super) fn of_empty_table() -> KeySchema {
    KeySchema { partition: KeyAttribute { name: "pk".to_owned(), kind: KeyKind::S }, sort: None }
}
