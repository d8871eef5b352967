//! The items of a dump, by table, key and entity.

use std::collections::BTreeMap;

use referee::data::{Item, Key, Value};
use referee::rules::model::{EntityId, Expired, Reference, Rules, TableId};
use referee::rules::template::Captures;

use super::ItemName;
use super::conditions::{is_in_time, meets};

/// The items of each table, by the table's name in DynamoDB.
pub type Dump = BTreeMap<String, Vec<Item<'static>>>;

/// The items of a table by their keys.
type Items = BTreeMap<Key<'static>, Item<'static>>;

/// The age from which on TTL ignores a time.
const FIVE_YEARS_S: i64 = 5 * 365 * 86_400;

/// The tables that the rules name.
pub(super) struct Tables<'r> {
    pub(super) rules: &'r Rules,
    items: BTreeMap<TableId, Items>,
    /// When the tables are like this, in seconds since 1970.
    pub(super) now_s: i64,
}

impl<'r> Tables<'r> {
    pub(super) fn new(rules: &'r Rules, dump: Dump) -> Self {
        let of_table = |(name, items): (String, Vec<Item<'static>>)| {
            let (table, schema) = rules.table_named(&name).unwrap();
            let with_key = |item: Item<'static>| (schema.key_of(&item).unwrap().into_owned(), item);
            (table, items.into_iter().map(with_key).collect())
        };
        Self { rules, items: dump.into_iter().map(of_table).collect(), now_s: 0 }
    }

    /// Returns all items in all tables.
    pub(super) fn all(&self) -> impl Iterator<Item = (TableId, &Key<'static>, &Item<'static>)> {
        self.items
            .iter()
            .flat_map(|(table, items)| items.iter().map(move |(key, item)| (*table, key, item)))
    }

    /// Returns all items in an entity's table, including items of other entities.
    pub(super) fn beside(&self, entity: EntityId) -> &Items {
        &self.items[&self.rules[entity].table]
    }

    /// Returns the items of an entity.
    pub(super) fn of_entity(
        &self,
        entity: EntityId,
    ) -> impl Iterator<Item = (&Key<'static>, &Item<'static>, Captures<'_>)> {
        let items = self.beside(entity).iter();
        items.filter_map(move |(key, item)| {
            Some((key, item, captures(self.rules, entity, key, item)?))
        })
    }

    /// Whether an item at this key exists for a reference.
    pub(super) fn exists(&self, reference: &Reference, key: &Key<'static>) -> bool {
        let counts = |entity: EntityId, key: &Key<'static>, item: &Item<'static>| {
            let is_absent = reference.expired == Expired::Absent && self.has_expired(entity, item);
            let is_in_time = is_in_time(&self.rules[entity], item, self.now_s);
            captures(self.rules, entity, key, item).is_some() && is_in_time && !is_absent
        };
        let Some(view) = self.rules.view(reference.to) else {
            let item = self.beside(reference.to).get(key);
            return item.is_some_and(|item| counts(reference.to, key, item));
        };
        self.beside(view.of).iter().any(|(own, item)| {
            let in_index = view.table.key.key_of(item);
            in_index.is_ok_and(|in_index| in_index == *key) && counts(view.of, own, item)
        })
    }

    /// Whether an item of the entity has expired: its table's TTL attribute is a number, and this
    /// number of seconds has passed less than five years ago.
    pub(super) fn has_expired(&self, entity: EntityId, item: &Item<'static>) -> bool {
        let Some(ttl) = &self.rules[self.rules[entity].table].ttl else { return false };
        let Some(Value::N(number)) = item.get(ttl.as_str()) else { return false };
        let age_s = self.now_s - number.as_str().parse::<i64>().unwrap();
        (0..FIVE_YEARS_S).contains(&age_s)
    }

    pub(super) fn name(&self, entity: EntityId, key: &Key<'static>) -> ItemName {
        ItemName { table: self.rules[entity].table, key: key.clone() }
    }
}

/// Returns the captures of an item's key if the item belongs to an entity, which means that its key
/// matches the entity's template and the entity's `where` holds.
pub(super) fn captures<'k>(
    rules: &Rules,
    entity: EntityId,
    key: &'k Key<'static>,
    item: &Item<'static>,
) -> Option<Captures<'k>> {
    let of = &rules[entity];
    meets(of, item).then(|| of.key.parse(key)).flatten()
}
