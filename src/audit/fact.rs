//! Facts: what one item says about others, in a few bytes each.
//!
//! An audit compares facts, not items. Keys are hashed to 128 bits: among 10 billion keys, the
//! chance that two of them have the same hash is below 1 in 10^18.

use std::hash::{Hash as _, Hasher as _};

use twox_hash::{XxHash3_64, XxHash3_128};

use crate::data::{Item, Key, KeyValue, Value};
use crate::integrity::mark::MARK;
use crate::integrity::mirror::Standing;
use crate::rules::model::{EntityId, MirrorId, ReferenceId, TableId};

/// Where an item is in its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Location {
    /// The part of the source: a file of an export, or a run of pages of a scan.
    pub(crate) chunk: u32,
    /// The item's position in it, from 0.
    pub(crate) row: u32,
}

/// The hash of an item's table and key, or of a mirror's rule and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyHash(pub(crate) u128);

/// The hash of an item's attributes, without Referee's mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentHash(u64);

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
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.bytes.clear();
        self.bytes.extend(name.len().to_le_bytes());
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
        self.bytes.extend(index.to_le_bytes());
    }

    fn add(&mut self, kind: u8, bytes: &[u8]) {
        self.bytes.push(kind);
        self.bytes.extend(bytes.len().to_le_bytes());
        self.bytes.extend_from_slice(bytes);
    }
}

/// What one item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The item exists. There is one such fact for each item.
    Item {
        item: KeyHash,
        /// The referenced entity that the item belongs to, if any.
        entity: Option<EntityId>,
        at: Location,
    },
    /// The item also belongs to this referenced entity.
    AlsoIs { item: KeyHash, entity: EntityId },
    /// The item refers to another one.
    Refers { target: KeyHash, rule: ReferenceId, at: Location },
    /// A value of a reference is malformed or incomplete.
    Malformed { rule: ReferenceId, at: Location },
    /// The item requires a mirror with this content.
    Requires { mirror: KeyHash, content: ContentHash, rule: MirrorId, at: Location },
    /// The item is at a key of a mirror.
    IsMirror {
        mirror: KeyHash,
        content: ContentHash,
        standing: Standing,
        rule: MirrorId,
        at: Location,
    },
    /// The item belongs to no entity.
    Unknown { at: Location },
}

impl Fact {
    /// The hash that decides in which partition the fact is compared with others.
    pub(crate) fn hash(&self) -> KeyHash {
        match self {
            Self::Item { item: hash, .. }
            | Self::AlsoIs { item: hash, .. }
            | Self::Refers { target: hash, .. }
            | Self::Requires { mirror: hash, .. }
            | Self::IsMirror { mirror: hash, .. } => *hash,
            // These facts are not compared with others. They are spread over the partitions.
            Self::Malformed { at, .. } | Self::Unknown { at } => {
                let row = u64::from(at.chunk) << 32 | u64::from(at.row);
                KeyHash(XxHash3_128::oneshot(&row.to_le_bytes()))
            }
        }
    }

    /// Appends the fact to a block.
    pub(crate) fn encode(&self, block: &mut Vec<u8>) {
        let mut out = Encoder(block);
        match *self {
            Self::Item { item, entity, at } => {
                out.tag(0).hash(item).id(entity.map_or(NO_ENTITY, |entity| entity.0)).at(at);
            }
            Self::AlsoIs { item, entity } => {
                out.tag(1).hash(item).id(entity.0);
            }
            Self::Refers { target, rule, at } => {
                out.tag(2).hash(target).id(rule.0).at(at);
            }
            Self::Malformed { rule, at } => {
                out.tag(3).id(rule.0).at(at);
            }
            Self::Requires { mirror, content, rule, at } => {
                out.tag(4).hash(mirror).content(content).id(rule.0).at(at);
            }
            Self::IsMirror { mirror, content, standing, rule, at } => {
                out.tag(5).hash(mirror).content(content).id(rule.0).at(at).tag(pack(standing));
            }
            Self::Unknown { at } => {
                out.tag(6).at(at);
            }
        }
    }

    /// Removes the first fact from the bytes of a block; `None` at its end.
    pub(crate) fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let mut input = Decoder(bytes);
        Some(match input.tag()? {
            0 => {
                let (item, entity, at) = (input.hash()?, input.id()?, input.at()?);
                let entity = (entity != NO_ENTITY).then_some(EntityId(entity));
                Self::Item { item, entity, at }
            }
            1 => Self::AlsoIs { item: input.hash()?, entity: EntityId(input.id()?) },
            2 => Self::Refers {
                target: input.hash()?,
                rule: ReferenceId(input.id()?),
                at: input.at()?,
            },
            3 => Self::Malformed { rule: ReferenceId(input.id()?), at: input.at()? },
            4 => Self::Requires {
                mirror: input.hash()?,
                content: input.content()?,
                rule: MirrorId(input.id()?),
                at: input.at()?,
            },
            5 => Self::IsMirror {
                mirror: input.hash()?,
                content: input.content()?,
                rule: MirrorId(input.id()?),
                at: input.at()?,
                standing: unpack(input.tag()?),
            },
            _ => Self::Unknown { at: input.at()? },
        })
    }
}

/// The code of an item that no reference refers to. A rule file has far fewer entities.
const NO_ENTITY: usize = u16::MAX as usize;

/// Appends the parts of a record.
pub(super) struct Encoder<'b>(pub(super) &'b mut Vec<u8>);

impl Encoder<'_> {
    pub(super) fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.push(tag);
        self
    }

    pub(super) fn hash(&mut self, hash: KeyHash) -> &mut Self {
        self.0.extend(hash.0.to_le_bytes());
        self
    }

    fn content(&mut self, content: ContentHash) -> &mut Self {
        self.0.extend(content.0.to_le_bytes());
        self
    }

    /// Appends the index of a rule or an entity. A rule file of the maximum size has fewer than
    /// 65,535 of them.
    pub(super) fn id(&mut self, id: usize) -> &mut Self {
        self.0.extend(u16::try_from(id).unwrap_or(u16::MAX).to_le_bytes());
        self
    }

    pub(super) fn at(&mut self, at: Location) -> &mut Self {
        self.0.extend(at.chunk.to_le_bytes());
        self.0.extend(at.row.to_le_bytes());
        self
    }
}

/// Removes the parts of a record from its bytes.
pub(super) struct Decoder<'d, 'b>(pub(super) &'d mut &'b [u8]);

impl Decoder<'_, '_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        *self.0 = rest;
        Some(*array)
    }

    pub(super) fn tag(&mut self) -> Option<u8> {
        self.array::<1>().map(|[tag]| tag)
    }

    pub(super) fn hash(&mut self) -> Option<KeyHash> {
        self.array().map(u128::from_le_bytes).map(KeyHash)
    }

    fn content(&mut self) -> Option<ContentHash> {
        self.array().map(u64::from_le_bytes).map(ContentHash)
    }

    pub(super) fn id(&mut self) -> Option<usize> {
        self.array().map(u16::from_le_bytes).map(usize::from)
    }

    pub(super) fn at(&mut self) -> Option<Location> {
        let chunk = self.array().map(u32::from_le_bytes)?;
        let row = self.array().map(u32::from_le_bytes)?;
        Some(Location { chunk, row })
    }
}

fn pack(standing: Standing) -> u8 {
    match standing {
        Standing::Absent => 0,
        Standing::Marked => 1,
        Standing::Unmarked { is_marked_otherwise, is_admitted } => {
            2 | u8::from(is_marked_otherwise) << 2 | u8::from(is_admitted) << 3
        }
    }
}

const fn unpack(byte: u8) -> Standing {
    match byte {
        0 => Standing::Absent,
        1 => Standing::Marked,
        bits => {
            Standing::Unmarked { is_marked_otherwise: bits & 4 != 0, is_admitted: bits & 8 != 0 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::JsonItem;

    #[test]
    fn a_fact_is_read_as_it_was_written() {
        let (hash, at) = (KeyHash(u128::MAX - 7), Location { chunk: 3, row: u32::MAX });
        let unmarked = |is_marked_otherwise, is_admitted| Standing::Unmarked {
            is_marked_otherwise,
            is_admitted,
        };
        let mut facts = vec![
            Fact::Item { item: hash, entity: None, at },
            Fact::Item { item: hash, entity: Some(EntityId(4)), at },
            Fact::AlsoIs { item: hash, entity: EntityId(0) },
            Fact::Refers { target: hash, rule: ReferenceId(300), at },
            Fact::Malformed { rule: ReferenceId(1), at },
            Fact::Unknown { at },
        ];
        let (mirror, content, rule) = (hash, ContentHash(9), MirrorId(2));
        facts.push(Fact::Requires { mirror, content, rule, at });
        for standing in [
            Standing::Absent,
            Standing::Marked,
            unmarked(false, false),
            unmarked(true, false),
            unmarked(false, true),
            unmarked(true, true),
        ] {
            facts.push(Fact::IsMirror { mirror, content, standing, rule, at });
        }
        let mut block = Vec::new();
        for fact in &facts {
            fact.encode(&mut block);
        }
        let mut bytes = block.as_slice();
        let read: Vec<_> = std::iter::from_fn(|| Fact::decode(&mut bytes)).collect();
        assert_eq!(read, facts);
    }

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
