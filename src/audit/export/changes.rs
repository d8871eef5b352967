//! The newest version of each item that incremental exports contain.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash as _, Hasher};
use std::sync::{Mutex, PoisonError};

use serde::de::{self, Deserializer as _, IgnoredAny, MapAccess, Visitor};

use super::line::Change;
use crate::data::{Item, KeySchema, Value, without_position};

/// How many changes a thread collects before it adds them to the others'.
const BATCH: usize = 4_096;

/// The newest change of each changed item.
///
/// It is in memory: at most about 80 bytes for each key that changed since the full export. Keys
/// are known by their hashes. With 128 bits, two of a billion keys have the same one with a
/// probability below 10⁻²⁰.
#[derive(Debug, Default)]
pub(super) struct Changes(HashMap<u128, Newest, BuildHasherDefault<Folded>>);

/// The newest change of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Newest {
    micros: u64,
    /// Of two changes at the same time, the one in the later export wins. Exports, and thus files,
    /// are in the order of their times.
    file: u32,
    row: u32,
}

impl Changes {
    /// Whether a full export's version of this item is out of date.
    pub(super) fn has(&self, key: u128) -> bool {
        self.0.contains_key(&key)
    }

    /// Whether this row of an incremental export is the newest change of this item.
    pub(super) fn is_newest(&self, key: u128, file: u32, row: u32) -> bool {
        self.0.get(&key).is_some_and(|newest| (newest.file, newest.row) == (file, row))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Collects changes from several threads.
#[derive(Debug, Default)]
pub(super) struct Collector(Mutex<Changes>);

impl Collector {
    /// Adds these changes, and empties the list.
    fn add(&self, batch: &mut Vec<(u128, Newest)>) {
        // A thread that panics while it inserts leaves a map that is sound, and the panic goes on.
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, change) in batch.drain(..) {
            let newest = changes.0.entry(key).or_insert(change);
            *newest = change.max(*newest);
        }
    }

    pub(super) fn finish(self) -> Changes {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects the changes of one file.
pub(super) struct FileChanges<'c> {
    collector: &'c Collector,
    schema: &'c KeySchema,
    file: u32,
    batch: Vec<(u128, Newest)>,
}

impl<'c> FileChanges<'c> {
    pub(super) fn new(collector: &'c Collector, schema: &'c KeySchema, file: u32) -> Self {
        Self { collector, schema, file, batch: Vec::new() }
    }

    pub(super) fn add(&mut self, row: u32, line: &[u8]) -> Result<(), String> {
        let change = Change::read(line)?;
        let key = key_hash(self.schema, change.keys())?;
        let newest = Newest { micros: change.micros()?, file: self.file, row };
        self.batch.push((key, newest));
        if self.batch.len() == BATCH {
            self.collector.add(&mut self.batch);
        }
        Ok(())
    }
}

impl Drop for FileChanges<'_> {
    fn drop(&mut self) {
        self.collector.add(&mut self.batch);
    }
}

/// The hash of an item's key, from its JSON. Other attributes are not parsed.
pub(super) fn key_hash(schema: &KeySchema, item: &[u8]) -> Result<u128, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(item);
    let keys = deserializer
        .deserialize_map(KeyVisitor(schema))
        .map_err(|error| without_position(&error))?;
    let key = schema.key_of(&keys).map_err(|error| error.to_string())?;
    let half = |seed: u8| {
        let mut hasher = std::hash::DefaultHasher::new();
        seed.hash(&mut hasher);
        key.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    Ok(half(0) << 64 | half(1))
}

/// Reads only the key attributes of an item.
struct KeyVisitor<'s>(&'s KeySchema);

impl<'de> Visitor<'de> for KeyVisitor<'_> {
    type Value = Item<'de>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an item in DynamoDB's JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Item<'de>, A::Error> {
        let mut keys = Item::new();
        while let Some(Name(name)) = access.next_key()? {
            if self.0.names().any(|key| key == name) {
                let value: Value<'de> = access.next_value().map_err(|error: A::Error| {
                    de::Error::custom(format_args!("attribute `{name}`: {error}"))
                })?;
                keys.insert(name, value);
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(keys)
    }
}

/// An attribute's name, borrowed if it has no escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);

/// A hasher for keys that are hashes already.
#[derive(Debug, Default)]
pub(super) struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        #[expect(clippy::cast_possible_truncation, reason = "each half is a hash of the key")]
        let half = hash as u64;
        self.0 = half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{KeyAttribute, KeyKind};

    fn schema() -> KeySchema {
        let attribute = |name: &str, kind| KeyAttribute { name: name.to_owned(), kind };
        KeySchema { partition: attribute("pk", KeyKind::S), sort: Some(attribute("n", KeyKind::N)) }
    }

    #[test]
    fn equal_keys_have_equal_hashes() {
        let hash = |text: &str| key_hash(&schema(), text.as_bytes()).unwrap();
        let one = hash(r#"{"pk":{"S":"a"},"n":{"N":"1"}}"#);
        assert_eq!(hash(r#"{"x":{"L":[{"S":"}"}]},"n":{"N":"1.0"},"pk":{"S":"\u0061"}}"#), one);
        assert_ne!(hash(r#"{"pk":{"S":"a"},"n":{"N":"2"}}"#), one);
        assert_ne!(hash(r#"{"pk":{"S":"b"},"n":{"N":"1"}}"#), one);
    }

    #[test]
    fn an_item_without_a_valid_key_has_no_hash() {
        for text in ["", "[]", r#"{"pk":{"S":"a"}}"#, r#"{"pk":{"S":"a"},"n":{"S":"1"}}"#] {
            assert!(key_hash(&schema(), text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_newest_change_wins_in_any_order() {
        let newest = |micros, file, row| Newest { micros, file, row };
        let changes = [newest(5, 1, 9), newest(7, 1, 3), newest(7, 2, 0), newest(6, 3, 0)];
        for turn in 0..changes.len() {
            let collector = Collector::default();
            let mut rotated = changes;
            rotated.rotate_left(turn);
            collector.add(&mut rotated.map(|change| (1, change)).to_vec());
            let found = collector.finish();
            assert!(found.is_newest(1, 2, 0) && !found.is_newest(1, 1, 3) && found.has(1));
            assert!(!found.has(2) && !found.is_newest(2, 2, 0));
        }
    }
}
