//! Templates of whole keys.

use super::attribute::{BuildError, KeyTemplate, SortPrefix, text_of};
use crate::data::{Key, KeyKind, KeyValue, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};

/// The values that a key's captures have, in the order of [`EntityKey::captures`].
pub type Captures<'k> = Vec<KeyValue<'k>>;

/// One key attribute's template, with the place of each of its captures in
/// [`EntityKey::captures`].
#[derive(Debug, Clone, PartialEq, Eq)]
struct Attribute {
    template: KeyTemplate,
    slots: Vec<usize>,
}

impl Attribute {
    /// Gives each capture its place, adding the names that are new.
    fn new(template: KeyTemplate, names: &mut Vec<String>) -> Self {
        let mut slot = |name: &str| {
            names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        };
        Self { slots: template.captures().map(&mut slot).collect(), template }
    }

    /// The captures' values, in the order in which they stand in this attribute.
    fn select<'v, 'k>(
        &self,
        value_at: impl Fn(usize) -> Option<&'v KeyValue<'k>>,
    ) -> Vec<Option<&'v KeyValue<'k>>> {
        self.slots.iter().map(|slot| value_at(*slot)).collect()
    }

    /// Adds this attribute's captures; whether the value is of this shape and agrees with the
    /// captures that are known.
    fn parse<'k>(
        &self,
        value: &'k KeyValue<'_>,
        separator: char,
        captures: &mut Captures<'k>,
    ) -> bool {
        let mut slots = self.slots.iter();
        self.template.dissect(value, separator, |capture| {
            slots.next().is_some_and(|slot| bind(captures, *slot, capture))
        })
    }
}

/// The templates of an entity's whole key.
///
/// A capture that stands several times has one value, compared as canonical text where it is a
/// number in one place and within a text in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityKey {
    partition: Attribute,
    sort: Option<Attribute>,
    separator: char,
    captures: Vec<String>,
}

impl EntityKey {
    /// A key's templates.
    #[must_use]
    pub fn new(partition: KeyTemplate, sort: Option<KeyTemplate>, separator: char) -> Self {
        let mut captures = Vec::new();
        let partition = Attribute::new(partition, &mut captures);
        let sort = sort.map(|sort| Attribute::new(sort, &mut captures));
        Self { partition, sort, separator, captures }
    }

    /// The template of the partition key.
    #[must_use]
    pub fn partition(&self) -> &KeyTemplate {
        &self.partition.template
    }

    /// The template of the sort key.
    #[must_use]
    pub fn sort(&self) -> Option<&KeyTemplate> {
        self.sort.as_ref().map(|sort| &sort.template)
    }

    /// The character that ends a capture.
    #[must_use]
    pub fn separator(&self) -> char {
        self.separator
    }

    /// The distinct names of the captures, in the order in which they first stand.
    #[must_use]
    pub fn captures(&self) -> &[String] {
        &self.captures
    }

    /// The type of a capture, by its place: a number or a binary where it is all of such a key
    /// attribute, else a string.
    #[must_use]
    pub fn capture_kind(&self, capture: usize) -> KeyKind {
        std::iter::once(&self.partition)
            .chain(&self.sort)
            .filter(|attribute| attribute.slots.contains(&capture))
            .map(|attribute| attribute.template.kind())
            .find(|kind| *kind != KeyKind::S)
            .unwrap_or(KeyKind::S)
    }

    /// What a key's captures are; nothing if the key is not of this shape.
    #[must_use]
    pub fn parse<'k>(&self, key: &'k Key<'_>) -> Option<Captures<'k>> {
        let mut captures = Vec::new();
        let matches = self.partition.parse(&key.partition, self.separator, &mut captures)
            && match (&self.sort, &key.sort) {
                (Some(sort), Some(value)) => sort.parse(value, self.separator, &mut captures),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
        matches.then_some(captures)
    }

    /// The key with these captures, in the order of [`Self::captures`].
    ///
    /// Invariant: what it builds, [`Self::parse`] takes apart into the same captures: as they were
    /// given, but for numbers within a text, which come back as their canonical text, and texts
    /// given for a number.
    pub fn build(&self, captures: &[KeyValue<'_>]) -> Result<Key<'static>, BuildError> {
        let value_at = |slot: usize| captures.get(slot);
        let values = self.partition.select(value_at);
        let partition = self.partition.template.assemble(self.separator, &values)?;
        check_partition_length(&partition)?;
        let Some(sort) = &self.sort else { return Ok(Key { partition, sort: None }) };
        let value = sort.template.assemble(self.separator, &sort.select(value_at))?;
        check_sort_length(&value)?;
        Ok(Key { partition, sort: Some(value) })
    }

    /// The partition key that some captures fix, and what they tell of the sort key; nothing if
    /// they do not fix the partition key.
    ///
    /// An error means that no key has these captures. Not every key that begins this way has
    /// them: what a query finds has to be parsed and compared.
    pub fn build_prefix(
        &self,
        captures: &[Option<KeyValue<'_>>],
    ) -> Result<Option<(KeyValue<'static>, SortPrefix)>, BuildError> {
        let value_at = |slot: usize| captures.get(slot).and_then(Option::as_ref);
        let values = self.partition.select(value_at);
        if values.contains(&None) {
            return Ok(None);
        }
        let partition = self.partition.template.assemble(self.separator, &values)?;
        check_partition_length(&partition)?;
        let prefix = match &self.sort {
            None => SortPrefix::Any,
            Some(sort) => sort.template.assemble_prefix(self.separator, &sort.select(value_at))?,
        };
        match &prefix {
            SortPrefix::Whole(value) | SortPrefix::BeginsWith(value) => check_sort_length(value)?,
            SortPrefix::Any => {}
        }
        Ok(Some((partition, prefix)))
    }

    /// An example of a key that is of both shapes; nothing if there is none.
    ///
    /// The two entities are of one table, and so share its separator. The partition and the sort
    /// key are looked at separately, as if a capture that stands in both were two. This is the
    /// safe side: what is said to be apart is apart, and only templates that repeat a capture can
    /// be said to overlap when they do not.
    #[must_use]
    pub fn overlap(&self, other: &Self) -> Option<Key<'static>> {
        let partition = self.partition().overlap(other.partition(), self.separator)?;
        let sort = match (self.sort(), other.sort()) {
            (None, None) => None,
            (Some(sort), Some(other)) => Some(sort.overlap(other, self.separator)?),
            (Some(_), None) | (None, Some(_)) => return None,
        };
        Some(Key { partition, sort })
    }
}

/// Adds a capture's value, or compares it with the one that is known.
fn bind<'k>(captures: &mut Captures<'k>, slot: usize, value: KeyValue<'k>) -> bool {
    let Some(known) = captures.get_mut(slot) else {
        // Slots are numbered in the order in which captures first stand.
        captures.push(value);
        return true;
    };
    let same = *known == value || text_of(known).is_some_and(|text| text_of(&value) == Some(text));
    if same && known.kind() == KeyKind::S {
        *known = value;
    }
    same
}

fn check_partition_length(value: &KeyValue<'_>) -> Result<(), BuildError> {
    check_length("partition", value, PARTITION_KEY_BYTES_MAX)
}

fn check_sort_length(value: &KeyValue<'_>) -> Result<(), BuildError> {
    check_length("sort", value, SORT_KEY_BYTES_MAX)
}

fn check_length(
    attribute: &'static str,
    value: &KeyValue<'_>,
    bytes_max: usize,
) -> Result<(), BuildError> {
    let bytes = value.bytes();
    if bytes > bytes_max {
        return Err(BuildError::Length { attribute, bytes, bytes_max });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
