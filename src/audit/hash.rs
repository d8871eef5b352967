//! Hashes of keys and contents, which facts consist of.
//!
//! Keys are hashed to 128 bits: among 10 billion keys, the chance that two of them have the same
//! hash is below 1 in 10^18.

use std::hash::{Hash as _, Hasher as _};

use twox_hash::{XxHash3_64, XxHash3_128};

use crate::data::{Item, Key, KeyValue, Value};
use crate::integrity::mark::MARK;
use crate::rules::model::{MirrorId, TableId};

/// The hash of an item's table and key, or of a mirror's rule and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyHash(pub(crate) u128);

impl KeyHash {
    /// A hash that no item has, in place of another item that a key cannot belong to.
    pub(crate) const fn of_nothing(self) -> Self {
        Self(!self.0)
    }
}

/// The hash of an item's attributes, without Referee's mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentHash(pub(super) u64);

impl ContentHash {
    /// Hashes an item. Items that are equal in DynamoDB have the same hash.
    pub(crate) fn of(item: &Item<'_>) -> Self {
        let mut hasher = ContentHasher::default();
        for (name, value) in item.iter().filter(|(name, _)| **name != MARK) {
            hasher.value(name, value);
        }
        hasher.finish()
    }
}

/// Hashes the attributes of an item, in any order. It reuses its memory from item to item.
#[derive(Debug, Default)]
pub(crate) struct ContentHasher {
    bytes: Vec<u8>,
    /// The sum of the attributes' hashes, which does not depend on their order.
    sum: u64,
}

impl ContentHasher {
    /// Begins another item.
    pub(crate) const fn begin(&mut self) {
        self.sum = 0;
    }

    /// Adds an attribute that is a string.
    #[inline]
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.bytes.clear();
        self.bytes.extend_from_slice(&name.len().to_le_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.sum = self.sum.wrapping_add(XxHash3_64::oneshot(&self.bytes));
    }

    /// Adds an attribute.
    pub(crate) fn value(&mut self, name: &str, value: &Value<'_>) {
        if let Value::S(text) = value {
            return self.text(name, text);
        }
        let mut hasher = XxHash3_64::new();
        (name, value).hash(&mut hasher);
        self.sum = self.sum.wrapping_add(hasher.finish());
    }

    /// The hash of the item's attributes.
    pub(crate) const fn finish(&self) -> ContentHash {
        ContentHash(self.sum)
    }
}

/// Hashes keys. It reuses its memory from key to key.
#[derive(Debug, Default)]
pub(crate) struct KeyHasher {
    bytes: Vec<u8>,
}

impl KeyHasher {
    /// The hash of an item.
    pub(crate) fn item(&mut self, table: TableId, key: &Key<'_>) -> KeyHash {
        self.hash(b'i', table.0, key)
    }

    /// The hash of the mirror of a rule.
    pub(crate) fn mirror(&mut self, rule: MirrorId, key: &Key<'_>) -> KeyHash {
        self.hash(b'm', rule.0, key)
    }

    /// The hash of an item whose key consists of texts.
    pub(crate) fn item_of_texts(
        &mut self,
        table: TableId,
        partition: &str,
        sort: Option<&str>,
    ) -> KeyHash {
        self.hash_texts(b'i', table.0, partition, sort)
    }

    /// The hash of the mirror of a rule, whose key consists of texts.
    pub(crate) fn mirror_of_texts(
        &mut self,
        rule: MirrorId,
        partition: &str,
        sort: Option<&str>,
    ) -> KeyHash {
        self.hash_texts(b'm', rule.0, partition, sort)
    }

    fn hash(&mut self, space: u8, index: usize, key: &Key<'_>) -> KeyHash {
        self.begin(space, index);
        for value in std::iter::once(&key.partition).chain(&key.sort) {
            match value {
                KeyValue::S(text) => self.add(b'S', text.as_bytes()),
                KeyValue::N(number) => self.add(b'N', number.as_str().as_bytes()),
                KeyValue::B(bytes) => self.add(b'B', bytes),
            }
        }
        KeyHash(XxHash3_128::oneshot(&self.bytes))
    }

    #[inline]
    fn hash_texts(
        &mut self,
        space: u8,
        index: usize,
        partition: &str,
        sort: Option<&str>,
    ) -> KeyHash {
        self.begin(space, index);
        self.add(b'S', partition.as_bytes());
        if let Some(sort) = sort {
            self.add(b'S', sort.as_bytes());
        }
        KeyHash(XxHash3_128::oneshot(&self.bytes))
    }

    fn begin(&mut self, space: u8, index: usize) {
        self.bytes.clear();
        self.bytes.push(space);
        self.bytes.extend_from_slice(&index.to_le_bytes());
    }

    #[inline]
    fn add(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&bytes.len().to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::JsonItem;

    #[test]
    fn keys_that_differ_in_any_part_have_different_hashes() {
        let text = |text: &'static str| KeyValue::S(text.into());
        let key = |partition, sort| Key { partition, sort };
        let mut hasher = KeyHasher::default();
        let mut all = vec![
            hasher.item(TableId(0), &key(text("a"), Some(text("b")))),
            hasher.item(TableId(1), &key(text("a"), Some(text("b")))),
            hasher.item(TableId(0), &key(text("ab"), None)),
            hasher.item(TableId(0), &key(text("ab"), Some(text("")))),
            hasher.item(TableId(0), &key(text(""), Some(text("ab")))),
            hasher.item(TableId(0), &key(KeyValue::B(b"ab".as_slice().into()), None)),
            hasher.mirror(MirrorId(0), &key(text("ab"), None)),
        ];
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn equal_items_have_the_same_content_with_and_without_a_mark() {
        let of =
            |text: &str| ContentHash::of(&serde_json::from_str::<JsonItem<'_>>(text).unwrap().0);
        let plain = of(r#"{"a": {"N": "10"}, "b": {"SS": ["x", "y"]}}"#);
        assert_eq!(plain, of(r#"{"b": {"SS": ["y", "x"]}, "a": {"N": "1e1"}}"#));
        let marked = r#"{"b": {"SS": ["y", "x"]}, "a": {"N": "10"}, "_referee": {"M": {}}}"#;
        assert_eq!(plain, of(marked));
        assert_ne!(plain, of(r#"{"a": {"S": "10"}, "b": {"SS": ["x", "y"]}}"#));
    }
}
