//! The items of a table, in SQL.

use std::collections::BTreeSet;

use super::condition::{admits, is_current, is_true};
use super::expiry::has_expired;
use super::expression::{Expr, Function, SqlType, all, any, call, case, concat};
use super::finding::json;
use super::keys::{KeyColumns, PartValue, parse};
use super::query::{Query, Select};
use super::value::key_text;
use crate::integrity::reference;
use crate::rules::model::{EntityId, Mode, Reference, Rules, Table, TableId};

/// The relation with the lines of a table's export, and the step with its items.
pub(super) struct Names {
    /// The relation that the script creates.
    pub(super) lines: String,
    /// The step of each query.
    pub(super) items: String,
}

/// The names of a table's relations: valid in every dialect, and not those of another table.
pub(super) fn names(rules: &Rules, table: TableId) -> Names {
    let plain = |table: &Table| -> String {
        let plain = |char: char| if char == '-' { '_' } else { char.to_ascii_lowercase() };
        table.alias.chars().map(plain).collect()
    };
    let plains: BTreeSet<_> = rules.tables.iter().map(plain).collect();
    if let Some(view) = rules.views.iter().find(|view| view.entity.table == table) {
        let declared = names(rules, rules[view.of].table);
        let position = table.0.saturating_sub(rules.tables.len());
        let items = format!("{}_in_index_{position}", declared.items);
        return Names { lines: declared.lines, items };
    }
    let mut name = plain(&rules[table]);
    if plains.len() < rules.tables.len() {
        name = format!("{}_{name}", table.0);
    }
    Names { lines: format!("referee_{name}"), items: format!("items_{name}") }
}

/// The tables that the rules look at.
pub(super) fn used(rules: &Rules) -> BTreeSet<TableId> {
    let references = rules.references.iter().filter(|rule| rule.mode != Mode::Off);
    let mirrors = rules.mirrors.iter().filter(|rule| rule.mode != Mode::Off);
    let references = references.flat_map(|rule| [rule.from, rules.declared(rule.to)]);
    let entities = references.chain(mirrors.flat_map(|rule| [rule.source, rule.mirror]));
    entities.map(|entity| rules[entity].table).collect()
}

/// The columns of a relation's key.
pub(super) fn key_columns(table: &Table, relation: &str, prefix: &str) -> KeyColumns {
    let column = |name: &str| Expr::column(format!("{relation}.{prefix}{name}"));
    KeyColumns {
        partition: column("partition_key"),
        sort: table.key.sort.as_ref().map(|_| column("sort_key")),
    }
}

/// The columns of a key, with their names.
pub(super) fn named(key: &KeyColumns, prefix: &str) -> Vec<(String, Expr)> {
    let mut columns = vec![(format!("{prefix}partition_key"), key.partition.clone())];
    columns.extend(key.sort.clone().map(|sort| (format!("{prefix}sort_key"), sort)));
    columns
}

/// Adds the step with a table's items: `item`, `partition_key` and `sort_key`.
pub(super) fn add_items(query: &mut Query, rules: &Rules, table: TableId) -> String {
    let Names { lines, items } = names(rules, table);
    let item = Expr::column("line").json_at(&["Item"]);
    let schema = &rules[table].key;
    let mut columns = vec![("item".to_owned(), item.clone())];
    for (attribute, name) in schema.attributes().zip(["partition_key", "sort_key"]) {
        let value = item.clone().json_at(&[&attribute.name]);
        columns.push((name.to_owned(), key_text(&value, attribute.kind)));
    }
    query.add(&items, Select { columns, from: lines, ..Select::default() });
    items
}

/// The items whose keys match an entity's templates: a selection without columns, with the captures
/// of the key.
pub(super) fn of_key(
    query: &mut Query,
    rules: &Rules,
    entity: EntityId,
) -> (Select, Vec<PartValue>) {
    let table = rules[entity].table;
    let items = add_items(query, rules, table);
    let parsed = parse(&rules[entity].key, &key_columns(&rules[table], &items, ""));
    let conditions = vec![parsed.matches];
    (Select { from: items, conditions, ..Select::default() }, parsed.captures)
}

/// The items of an entity: a selection without columns, with the captures of the key.
pub(super) fn of_entity(
    query: &mut Query,
    rules: &Rules,
    entity: EntityId,
) -> (Select, Vec<PartValue>) {
    let (mut select, captures) = of_key(query, rules, entity);
    let item = Expr::column(format!("{}.item", select.from));
    select.conditions.push(admits(&item, &rules[entity]));
    select.conditions.retain(|condition| *condition != Expr::Bool(true));
    (select, captures)
}

/// Adds the items at the keys of referenced items, without those that have expired: their keys, and
/// whether they belong to the entity, unless all do.
pub(super) fn add_targets(
    query: &mut Query,
    rules: &Rules,
    reference: &Reference,
    name: &str,
    now_ms: i64,
) {
    let (mut select, _) = of_key(query, rules, reference.to);
    let to = &rules[reference.to];
    let item = Expr::column(format!("{}.item", select.from));
    let is_one = is_true(all([admits(&item, to), is_current(&item, to, now_ms)]));
    if let Some(view) = rules.view(reference.to) {
        // Several items may have the key. Those that do not count are as if they were absent.
        let declared = rules.table_of(view.of);
        let partition =
            |item: &Expr, name: &str, kind| key_text(&item.clone().json_at(&[name]), kind);
        let mut own = declared.key.attributes().map(|it| partition(&item, &it.name, it.kind));
        let own = KeyColumns {
            partition: own.next().unwrap_or(Expr::Null(SqlType::Text)),
            sort: own.next(),
        };
        select.conditions.push(parse(&rules[view.of].key, &own).matches);
        select.conditions.push(is_one.clone());
        select.is_grouped = true;
    }
    if let Some(ttl) = reference::ttl(rules, reference) {
        let has_expired = has_expired(&item, ttl, now_ms);
        let gone =
            if to.conditions.is_empty() { has_expired } else { all([is_one.clone(), has_expired]) };
        select.conditions.push(gone.not());
    }
    select.columns = named(&key_columns(rules.table_of(reference.to), &select.from, ""), "");
    if !to.conditions.is_empty() {
        select.columns.push(("is_one".to_owned(), is_one));
    }
    query.add(name, select);
}

/// The query whose only line says how many items a table has, and how many lines the audit could
/// not use.
pub(super) fn summary(rules: &Rules, table: TableId) -> Query {
    let mut query = Query::default();
    let items = add_items(&mut query, rules, table);
    let key = key_columns(&rules[table], &items, "");
    let mut columns = named(&key, "");
    let lines = call(Function::Count, []);
    columns.push(("line_count".to_owned(), lines));
    query.add("keys", Select { columns, from: items, is_grouped: true, ..Select::default() });
    let key = key_columns(&rules[table], "keys", "");
    let column = |name: &str| Expr::column(format!("keys.{name}"));
    let absent = any([Some(key.partition), key.sort].into_iter().flatten().map(Expr::is_null));
    let one_if = |condition: Expr, value: Expr| case([(condition, value)], Expr::Integer(0));
    let unreadable = one_if(absent.clone(), column("line_count"));
    let repeated = column("line_count").binary("-", Expr::Integer(1));
    let repeated = one_if(all([absent.not()]), repeated);
    let sum = |value: Expr| {
        let sum = call(Function::Sum, [value]);
        call(Function::ToText, [call(Function::Coalesce, [sum, Expr::Integer(0)])])
    };
    let line = concat([
        Expr::text(r#"{"type":"summary","table":"#),
        json(&rules[table].name),
        Expr::text(r#","lines":"#),
        sum(column("line_count")),
        Expr::text(r#","unreadable":"#),
        sum(unreadable),
        Expr::text(r#","repeated":"#),
        sum(repeated),
        Expr::text("}"),
    ]);
    let columns = vec![("line".to_owned(), line)];
    query.results.push(Select { columns, from: "keys".to_owned(), ..Select::default() });
    query
}
