//! Finds the entities that a key may belong to, without trying every entity.

use std::collections::BTreeMap;

use super::model::EntityId;
use super::template::EntityKey;
use crate::data::{Key, KeyValue};

/// The entities of one table, indexed by the literal prefixes of their key templates.
///
/// A lookup reads the literal prefix of the key and allocates nothing. Its time does not depend on
/// the number of entities. Only the entities whose prefixes match both the partition key and the
/// sort key must be tried one by one.
#[derive(Debug, Clone)]
pub struct Matcher {
    partitions: PrefixTree<PrefixTree<Vec<EntityId>>>,
}

impl Matcher {
    /// Builds an index of the entities of one table.
    #[must_use]
    pub fn new(entities: &[(EntityId, &EntityKey)]) -> Self {
        let by_sort =
            |entities: &[(EntityId, &EntityKey)]| index(entities, sort_prefix, sorted_ids);
        Self { partitions: index(entities, partition_prefix, by_sort) }
    }

    /// The entities whose literal prefixes the key begins with, in ascending order. To find out
    /// which of them match the whole key, use [`EntityKey::parse`].
    #[must_use]
    pub fn candidates(&self, key: &Key<'_>) -> &[EntityId] {
        let sort = key.sort.as_ref().map_or("", text);
        self.partitions
            .longest(text(&key.partition))
            .and_then(|sorts| sorts.longest(sort))
            .map_or(&[], Vec::as_slice)
    }
}

fn partition_prefix<'k>((_, key): &(EntityId, &'k EntityKey)) -> &'k str {
    key.partition().literal_prefix()
}

fn sort_prefix<'k>((_, key): &(EntityId, &'k EntityKey)) -> &'k str {
    key.sort().map_or("", |sort| sort.literal_prefix())
}

fn sorted_ids(entities: &[(EntityId, &EntityKey)]) -> Vec<EntityId> {
    let mut ids: Vec<_> = entities.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids
}

/// The text that prefixes are compared with. It is empty for numbers and binaries, because their
/// templates have no prefix.
fn text<'v>(value: &'v KeyValue<'_>) -> &'v str {
    match value {
        KeyValue::S(text) => text,
        KeyValue::N(_) | KeyValue::B(_) => "",
    }
}

/// Indexes entities by a prefix. The value of a prefix also includes the entities of all shorter
/// prefixes, so a lookup needs only the value of the longest matching prefix.
fn index<'k, T>(
    entities: &[(EntityId, &'k EntityKey)],
    prefix_of: impl Fn(&(EntityId, &'k EntityKey)) -> &'k str,
    value_of: impl Fn(&[(EntityId, &'k EntityKey)]) -> T,
) -> PrefixTree<T> {
    let mut groups: BTreeMap<&str, Vec<(EntityId, &EntityKey)>> = BTreeMap::new();
    for entity in entities {
        groups.entry(prefix_of(entity)).or_default().push(*entity);
    }
    let mut tree = PrefixTree::new();
    for prefix in groups.keys() {
        let shorter = (0..=prefix.len()).filter_map(|end| groups.get(prefix.get(..end)?));
        let entities: Vec<_> = shorter.flatten().copied().collect();
        tree.insert(prefix, value_of(&entities));
    }
    tree
}

/// A map from prefixes to values. A lookup returns the value of the longest prefix of a text.
#[derive(Debug, Clone)]
struct PrefixTree<T> {
    /// The nodes; the first one is the root. They are stored in one vector and not in each other,
    /// so that dropping the tree needs no recursion, however long the prefixes are.
    nodes: Vec<Node<T>>,
}

#[derive(Debug, Clone)]
struct Node<T> {
    /// The index of the child for each next byte, beginning with the byte `low`. A child is found
    /// by its position, without a search, so that the time does not depend on the number of
    /// children.
    children: Vec<Option<usize>>,
    low: u8,
    value: Option<T>,
}

impl<T> Node<T> {
    fn new() -> Self {
        Self { children: Vec::new(), low: 0, value: None }
    }

    fn child(&self, byte: u8) -> Option<usize> {
        let offset = byte.checked_sub(self.low)?;
        *self.children.get(usize::from(offset))?
    }

    /// Returns the slot of the child for this byte, and adds the slot if it is absent.
    ///
    /// Invariant: a byte without a slot is larger than all bytes with one.
    fn child_mut(&mut self, byte: u8) -> Option<&mut Option<usize>> {
        if self.children.is_empty() {
            self.low = byte;
        }
        let offset = usize::from(byte.checked_sub(self.low)?);
        self.children.resize(self.children.len().max(offset + 1), None);
        self.children.get_mut(offset)
    }
}

impl<T> PrefixTree<T> {
    fn new() -> Self {
        Self { nodes: vec![Node::new()] }
    }

    /// Adds a prefix. Invariant: prefixes are added in ascending order.
    fn insert(&mut self, prefix: &str, value: T) {
        let end = prefix.bytes().try_fold(0, |index, byte| self.descend(index, byte));
        if let Some(node) = end.and_then(|index| self.nodes.get_mut(index)) {
            node.value = Some(value);
        }
    }

    /// Returns the index of the child for this byte, and adds the child if it is absent.
    fn descend(&mut self, index: usize, byte: u8) -> Option<usize> {
        let added = self.nodes.len();
        let child = *self.nodes.get_mut(index)?.child_mut(byte)?.get_or_insert(added);
        if child == added {
            self.nodes.push(Node::new());
        }
        Some(child)
    }

    /// The value of the longest prefix of the text.
    fn longest(&self, text: &str) -> Option<&T> {
        let mut node = self.nodes.first()?;
        let mut longest = node.value.as_ref();
        for byte in text.bytes() {
            let Some(child) = node.child(byte).and_then(|index| self.nodes.get(index)) else {
                break;
            };
            node = child;
            longest = node.value.as_ref().or(longest);
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;
    use crate::data::{KeyKind, Number};
    use crate::rules::template::{KeyTemplate, Template};

    fn template(text: &str, kind: KeyKind) -> KeyTemplate {
        KeyTemplate::new(Template::parse(text).unwrap(), kind).unwrap()
    }

    fn entity_key(partition: &str, sort: &str) -> EntityKey {
        let [partition, sort] = [partition, sort].map(|text| template(text, KeyKind::S));
        EntityKey::new(partition, Some(sort), '#')
    }

    fn key(partition: &str, sort: &str) -> Key<'static> {
        let [partition, sort] =
            [partition, sort].map(|text| KeyValue::S(Cow::Owned(text.to_owned())));
        Key { partition, sort: Some(sort) }
    }

    fn with_ids(keys: &[EntityKey]) -> Vec<(EntityId, &EntityKey)> {
        keys.iter().enumerate().map(|(id, key)| (EntityId(id), key)).collect()
    }

    #[test]
    fn candidates_match_the_prefixes_of_partition_and_sort_key() {
        let keys = [
            entity_key("{any*}", "{any*}"),
            entity_key("company#{company}", "user#{email}"),
            entity_key("company#{company}", "company#"),
            entity_key("co{rest*}", "user#{email}"),
            entity_key("user#{email}", "company#{company}"),
        ];
        let matcher = Matcher::new(&with_ids(&keys));
        let candidates = |partition, sort| {
            let found = matcher.candidates(&key(partition, sort)).iter();
            found.map(|id| id.0).collect::<Vec<_>>()
        };
        assert_eq!(candidates("company#7", "user#a"), [0, 1, 3]);
        assert_eq!(candidates("company#7", "company#"), [0, 2]);
        assert_eq!(candidates("coal", "user#a"), [0, 3]);
        assert_eq!(candidates("user#a", "company#7"), [0, 4]);
        assert_eq!(candidates("é", "é"), [0]);
    }

    #[test]
    fn numbers_and_binaries_have_no_prefix() {
        let number = EntityKey::new(template("{no}", KeyKind::N), None, '#');
        let matcher = Matcher::new(&[(EntityId(3), &number)]);
        let partition = KeyValue::N(Number::parse("7").unwrap());
        assert_eq!(matcher.candidates(&Key { partition, sort: None }), [EntityId(3)]);
        let empty = Matcher::new(&[]);
        assert_eq!(empty.candidates(&key("a", "b")), []);
    }

    proptest! {
        #[test]
        fn candidates_are_the_entities_with_matching_prefixes(
            texts in prop::collection::vec(
                ("[abé]{0,3}(\\{c\\})?(#\\{d\\})?", "[abé]{0,3}(\\{c\\})?"), 0..12,
            ),
            partition in "[abé#]{0,5}",
            sort in "[abé]{0,5}",
        ) {
            let keys: Vec<_> = texts
                .iter()
                .filter(|(partition, sort)| !partition.is_empty() && !sort.is_empty())
                .map(|(partition, sort)| entity_key(partition, sort))
                .collect();
            let entities = with_ids(&keys);
            let key = key(&partition, &sort);
            let begins = |entity: &&(EntityId, &EntityKey)| {
                partition.starts_with(partition_prefix(entity)) && sort.starts_with(sort_prefix(entity))
            };
            let expected: Vec<_> = entities.iter().filter(begins).map(|(id, _)| *id).collect();
            let matcher = Matcher::new(&entities);
            prop_assert_eq!(matcher.candidates(&key), expected.as_slice());
            for (id, templates) in &entities {
                prop_assert!(templates.parse(&key).is_none() || expected.contains(id));
            }
        }
    }
}
