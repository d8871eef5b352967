//! Reads by key and by partition.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::State;
use super::bill;
use super::invalid::{self, Invalid};
use super::lag::{self, Past};
use super::table::{Entries, Entry, Index, Table};
use crate::data::{Item, Key, KeySchema, KeyValue, Type, Value, item_bytes};
use crate::store::{
    Answer, BATCH_GET_KEYS_MAX, Page, Query, Read, SortCondition, StoreError, Units,
};

/// The size at which a page of a query or a scan is full. The item that reaches it is the last on
/// the page.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html>
pub(super) const PAGE_BYTES: usize = 1024 * 1024;

impl State {
    pub(super) fn batch_get(
        &mut self,
        reads: &[Read],
    ) -> Result<Answer<Vec<Option<Item<'static>>>>, StoreError> {
        if reads.is_empty() {
            let message = "1 validation error detected: Value '{}' at 'requestItems' failed to \
                           satisfy constraint: Member must have length greater than or equal to 1";
            return Err(Invalid(message.to_owned()).into());
        }
        if reads.len() > BATCH_GET_KEYS_MAX {
            let message = "Too many items requested for the BatchGetItem call";
            return Err(Invalid(message.to_owned()).into());
        }
        let keys = reads
            .iter()
            .map(|read| {
                projection(read.attributes.as_deref())?;
                let key = invalid::request_key(&self.table(&read.table)?.key, &read.key)?;
                Ok((read.table.as_str(), key))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        if keys.iter().collect::<BTreeSet<_>>().len() < keys.len() {
            let message = "Provided list of item keys contains duplicates";
            return Err(Invalid(message.to_owned()).into());
        }
        let mut units = Units::default();
        let mut items = Vec::with_capacity(reads.len());
        for (read, (table, key)) in reads.iter().zip(&keys) {
            let item = self.table(table)?.item(key);
            units += bill::strong_read(item.map_or(0, item_bytes));
            items.push(item.map(|item| project(item, read.attributes.as_deref())));
        }
        self.usage.units += units;
        Ok(Answer { value: items, units })
    }

    pub(super) fn query(&mut self, query: &Query) -> Result<Answer<Page>, StoreError> {
        let table = self.table(&query.table)?;
        let source = Source::new(table, query.index.as_deref(), self.past(&query.table))?;
        let range = KeyRange::new(source.key(), query)?;
        let start = match &query.start {
            Some(start) => Some(source.position(start, &range)?),
            None => None,
        };
        projection(query.attributes.as_deref())?;
        if query.limit == Some(0) {
            let message = "1 validation error detected: Value '0' at 'limit' failed to satisfy \
                           constraint: Member must have value greater than or equal to 1";
            return Err(Invalid(message.to_owned()).into());
        }
        let (page, bytes) = source.page(query, &range, start.as_ref());
        let units = match query.index {
            Some(_) => bill::eventual_read(bytes),
            None => bill::strong_read(bytes),
        };
        self.usage.units += units;
        Ok(Answer { value: page, units })
    }
}

/// The table or index that a query reads.
struct Source<'t> {
    table: &'t Table,
    index: Option<&'t Index>,
    /// The earlier versions of the items whose latest changes are not in the index yet.
    past: Past<'t>,
}

/// A position in the order of a source: the key that orders the source, and the primary key.
type Position = (Key<'static>, Key<'static>);

impl<'t> Source<'t> {
    fn new(table: &'t Table, index: Option<&str>, past: Past<'t>) -> Result<Self, StoreError> {
        let Some(name) = index else { return Ok(Self { table, index: None, past }) };
        let index = table.index(name).ok_or_else(|| {
            StoreError::Fatal(format!(
                "ValidationException: The table does not have the specified index: {name}"
            ))
        })?;
        Ok(Self { table, index: Some(index), past })
    }

    /// The schema of the key that orders the source.
    fn key(&self) -> &'t KeySchema {
        self.index.map_or(&self.table.key, |index| &index.schema.key)
    }

    /// The names of the attributes that identify the end of a page.
    fn position_names(&self) -> BTreeSet<&'t str> {
        self.key().names().chain(self.table.key.names()).collect()
    }

    /// The position after which a query continues.
    fn position(&self, start: &Item<'_>, range: &KeyRange<'_>) -> Result<Position, Invalid> {
        let invalid = || Invalid("The provided starting key is invalid".to_owned());
        if start.len() != self.position_names().len() {
            return Err(invalid());
        }
        let at = self.key().key_of(start).map_err(|_| invalid())?.into_owned();
        let key = self.table.key.key_of(start).map_err(|_| invalid())?.into_owned();
        if !range.contains(&at) {
            let message = "The provided starting key is outside query boundaries based on \
                           provided conditions";
            return Err(Invalid(message.to_owned()));
        }
        Ok((at, key))
    }

    fn entries_from(&self, lowest: &Key<'static>) -> Entries<'t> {
        match self.index {
            Some(index) => lag::entries(self.table, index, &self.past, lowest),
            None => self.table.items_from(lowest),
        }
    }

    /// One page, and the bytes read for it.
    fn page(&self, query: &Query, range: &KeyRange<'_>, start: Option<&Position>) -> (Page, usize) {
        let lowest = start.map_or_else(|| range.lowest(), |(at, _)| at.clone());
        let is_before =
            |entry: &Entry<'_>| start.is_some_and(|(at, key)| (&*entry.at, entry.key) <= (at, key));
        let mut entries = self
            .entries_from(&lowest)
            .skip_while(is_before)
            .take_while(|entry| range.contains(&entry.at))
            .peekable();
        let mut page = Page::default();
        let mut bytes = 0;
        while let Some(Entry { item, .. }) = entries.next() {
            bytes += item_bytes(item);
            page.items.push(project(item, query.attributes.as_deref()));
            let is_full = bytes >= PAGE_BYTES && entries.peek().is_some();
            if is_full || query.limit == Some(page.items.len()) {
                page.next = Some(keep(item, |name| self.position_names().contains(name)));
                break;
            }
        }
        (page, bytes)
    }
}

/// The contiguous range of keys that a query selects.
struct KeyRange<'q> {
    partition: KeyValue<'q>,
    sort: Option<SortRange<'q>>,
}

enum SortRange<'q> {
    Equals(KeyValue<'q>),
    BeginsWith(KeyValue<'q>),
}

impl<'q> KeyRange<'q> {
    /// The range that a query's conditions select.
    fn new(schema: &KeySchema, query: &'q Query) -> Result<Self, StoreError> {
        let (name, value) = &query.partition;
        if *name != schema.partition.name {
            return Err(missing_key_element(&schema.partition.name));
        }
        let partition = operand(name, value, schema.partition.kind.as_type())?;
        let Some(condition) = &query.sort else { return Ok(Self { partition, sort: None }) };
        let (SortCondition::Equals(name, value) | SortCondition::BeginsWith(name, value)) =
            condition;
        let attribute = schema
            .sort
            .as_ref()
            .filter(|attribute| attribute.name == *name)
            .ok_or_else(|| missing_key_element(name))?;
        let value = operand(name, value, attribute.kind.as_type())?;
        let sort = match condition {
            SortCondition::Equals(..) => SortRange::Equals(value),
            SortCondition::BeginsWith(..) if matches!(value, KeyValue::N(_)) => {
                let found = attribute.kind.as_type();
                return Err(
                    invalid::operand_type("KeyConditionExpression", "begins_with", found).into()
                );
            }
            SortCondition::BeginsWith(..) => SortRange::BeginsWith(value),
        };
        Ok(Self { partition, sort: Some(sort) })
    }

    /// A key at or before the first key of the range.
    fn lowest(&self) -> Key<'static> {
        let sort = self
            .sort
            .as_ref()
            .map(|(SortRange::Equals(value) | SortRange::BeginsWith(value))| value.clone());
        Key { partition: self.partition.clone(), sort }.into_owned()
    }

    fn contains(&self, key: &Key<'_>) -> bool {
        let matches_sort = match (&self.sort, &key.sort) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(SortRange::Equals(value)), Some(sort)) => sort == value,
            (Some(SortRange::BeginsWith(prefix)), Some(sort)) => begins_with(sort, prefix),
        };
        key.partition == self.partition && matches_sort
    }
}

/// A key condition's value, which must have the key attribute's type and not be empty.
fn operand<'q>(name: &str, value: &'q Value<'_>, expected: Type) -> Result<KeyValue<'q>, Invalid> {
    let wrong_type = "One or more parameter values were invalid: Condition parameter type does not \
                      match schema type";
    let key_value = KeyValue::from_value(value)
        .filter(|_| value.kind() == expected)
        .ok_or_else(|| Invalid(wrong_type.to_owned()))?;
    if invalid::is_empty(value) {
        return Err(invalid::empty_key(name, expected));
    }
    Ok(key_value)
}

fn missing_key_element(name: &str) -> StoreError {
    StoreError::Fatal(format!(
        "ValidationException: Query condition missed key schema element: {name}"
    ))
}

fn begins_with(value: &KeyValue<'_>, prefix: &KeyValue<'_>) -> bool {
    match (value, prefix) {
        (KeyValue::S(value), KeyValue::S(prefix)) => value.starts_with(&**prefix),
        (KeyValue::B(value), KeyValue::B(prefix)) => value.starts_with(prefix),
        (KeyValue::S(_) | KeyValue::N(_) | KeyValue::B(_), _) => false,
    }
}

/// Rejects a projection without attributes.
pub(super) fn projection(attributes: Option<&[String]>) -> Result<(), Invalid> {
    if attributes.is_some_and(<[String]>::is_empty) {
        let message = "Invalid ProjectionExpression: The expression can not be empty;";
        return Err(Invalid(message.to_owned()));
    }
    Ok(())
}

/// The requested attributes of an item.
pub(super) fn project(item: &Item<'static>, attributes: Option<&[String]>) -> Item<'static> {
    match attributes {
        Some(attributes) => keep(item, |name| attributes.iter().any(|wanted| wanted == name)),
        None => item.clone(),
    }
}

/// The attributes of an item with these names.
pub(super) fn keep(item: &Item<'static>, wanted: impl Fn(&str) -> bool) -> Item<'static> {
    let keep = |(name, value): (&Cow<'static, str>, &Value<'static>)| {
        wanted(name).then(|| (name.clone(), value.clone()))
    };
    item.iter().filter_map(keep).collect()
}
