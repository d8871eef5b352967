//! The templates of an entity's key.

use super::attribute::{BuildError, KeyTemplate, SortPrefix, text_of};
use super::format::Case;
use super::separator::Separator;
use super::text::Part;
use crate::data::{Key, KeyKind, KeyValue, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};

/// The values of a key's captures, in the order of [`EntityKey::captures`].
pub type Captures<'k> = Vec<KeyValue<'k>>;

/// The template of one key attribute, with the index of each of its captures in
/// [`EntityKey::captures`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Attribute {
    template: KeyTemplate,
    indexes: Vec<usize>,
}

impl Attribute {
    /// Assigns an index to each capture, and adds new names to `names`.
    fn new(template: KeyTemplate, names: &mut Vec<String>) -> Self {
        let mut index_of = |name: &str| {
            names.iter().position(|known| known == name).unwrap_or_else(|| {
                names.push(name.to_owned());
                names.len() - 1
            })
        };
        Self { indexes: template.captures().map(&mut index_of).collect(), template }
    }

    /// Selects the values of this attribute's captures, in the order of their occurrence.
    fn select<'v, 'k>(
        &self,
        value_at: impl Fn(usize) -> Option<&'v KeyValue<'k>>,
    ) -> Vec<Option<&'v KeyValue<'k>>> {
        self.indexes.iter().map(|index| value_at(*index)).collect()
    }

    /// Like [`parse`](Self::parse), for a text. `bound` counts the captures that are known.
    fn split<'k>(
        &self,
        text: &'k str,
        separator: Separator,
        captures: &mut [&'k str],
        bound: &mut usize,
    ) -> bool {
        let mut indexes = self.indexes.iter();
        self.template.template().split(text, separator, |capture| {
            let Some(index) = indexes.next() else { return false };
            let Some(known) = captures.get_mut(*index) else { return false };
            if index < bound {
                return *known == capture;
            }
            (*known, *bound) = (capture, index + 1);
            true
        })
    }

    /// Like [`KeyTemplate::assemble`], for texts. Returns whether there is a value.
    #[inline]
    fn join(&self, captures: &[&str], separator: Separator, out: &mut String) -> bool {
        out.clear();
        let mut indexes = self.indexes.iter();
        for part in self.template.template().parts() {
            let capture = match part {
                Part::Literal(literal) => {
                    out.push_str(literal);
                    continue;
                }
                Part::Capture(capture) => capture,
            };
            let value = indexes.next().and_then(|index| captures.get(*index));
            if value.is_none_or(|value| capture.write(value, separator, out).is_err()) {
                return false;
            }
        }
        let mut written = self.template.template().formatted().zip(&self.indexes);
        let is_same = |read: &str| {
            written.next().is_some_and(|(capture, index)| {
                captures.get(*index).is_some_and(|value| capture.format.normalize(value) == read)
            })
        };
        self.indexes.len() < 2 || self.template.template().split(out, separator, is_same)
    }

    /// Adds the captures of this attribute's value to `captures`. Returns whether the value matches
    /// the template and agrees with the captures that are already known.
    fn parse<'k>(
        &self,
        value: &'k KeyValue<'_>,
        separator: Separator,
        captures: &mut Captures<'k>,
    ) -> bool {
        let mut indexes = self.indexes.iter();
        self.template.split(value, separator, |capture| {
            indexes.next().is_some_and(|index| bind(captures, *index, capture))
        })
    }
}

/// The templates of an entity's key: partition key and sort key.
///
/// If a capture occurs several times, its values must be equal. A number and a capture inside a
/// text are equal if the text is the number's canonical text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityKey {
    partition: Attribute,
    sort: Option<Attribute>,
    separator: Separator,
    captures: Vec<String>,
}

impl EntityKey {
    /// Combines the templates of a key.
    #[must_use]
    pub fn new(
        partition: KeyTemplate,
        sort: Option<KeyTemplate>,
        separator: impl Into<Separator>,
    ) -> Self {
        let mut captures = Vec::new();
        let partition = Attribute::new(partition, &mut captures);
        let sort = sort.map(|sort| Attribute::new(sort, &mut captures));
        Self { partition, sort, separator: separator.into(), captures }
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

    /// The templates of all key attributes.
    pub fn templates(&self) -> impl Iterator<Item = &KeyTemplate> {
        std::iter::once(&self.partition).chain(&self.sort).map(|attribute| &attribute.template)
    }

    /// The text that ends a capture.
    #[must_use]
    pub fn separator(&self) -> Separator {
        self.separator
    }

    /// The distinct names of the captures, in the order of their first occurrence.
    #[must_use]
    pub fn captures(&self) -> &[String] {
        &self.captures
    }

    /// The type of a capture, by its index. If the capture is the only part of a number or binary
    /// key attribute, it has that type. Otherwise it is a string.
    #[must_use]
    pub fn capture_kind(&self, capture: usize) -> KeyKind {
        std::iter::once(&self.partition)
            .chain(&self.sort)
            .filter(|attribute| attribute.indexes.contains(&capture))
            .map(|attribute| attribute.template.kind())
            .find(|kind| *kind != KeyKind::S)
            .unwrap_or(KeyKind::S)
    }

    /// The case to which a capture, by its index, is converted when a key is built.
    ///
    /// Invariant: [`Self::build`] needs the same case in all occurrences of a capture.
    #[must_use]
    pub fn case(&self, capture: usize) -> Option<Case> {
        self.cases_of(capture).flatten().next()
    }

    /// Whether a value of this key's capture can be the value of another key's capture, so that the
    /// other key determines it. A key in lower case does not determine the case of a value.
    #[must_use]
    pub fn is_determined_by(&self, capture: usize, other: &Self, of_other: usize) -> bool {
        other.case(of_other).is_none_or(|case| self.case(capture) == Some(case))
    }

    /// The case of each occurrence of a capture, by its index.
    pub(in crate::rules) fn cases_of(&self, capture: usize) -> impl Iterator<Item = Option<Case>> {
        std::iter::once(&self.partition)
            .chain(&self.sort)
            .flat_map(|attribute| attribute.template.template().formatted().zip(&attribute.indexes))
            .filter(move |(_, index)| **index == capture)
            .map(|(formatted, _)| formatted.format.case())
    }

    /// Parses a key into its captures; `None` if the key does not match the templates.
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

    /// Builds the key from captures, which are in the order of [`Self::captures`].
    ///
    /// Invariant: [`Self::parse`] returns the same captures for the built key, with three exceptions.
    /// A number inside a text is returned as its canonical text, a text that was given for a number
    /// is returned as the number, and a text with [`Self::case`] is returned in that case.
    pub fn build(&self, captures: &[KeyValue<'_>]) -> Result<Key<'static>, BuildError> {
        let value_at = |index: usize| captures.get(index);
        let values = self.partition.select(value_at);
        let partition = self.partition.template.assemble(self.separator, &values)?;
        check_partition_length(&partition)?;
        let Some(sort) = &self.sort else { return Ok(Key { partition, sort: None }) };
        let value = sort.template.assemble(self.separator, &sort.select(value_at))?;
        check_sort_length(&value)?;
        Ok(Key { partition, sort: Some(value) })
    }

    /// Whether a key matches the templates. Allocates nothing for a key of texts.
    #[must_use]
    pub fn matches(&self, key: &Key<'_>) -> bool {
        /// More captures than templates usually have.
        const CAPTURES_MAX: usize = 16;
        let mut captures = [""; CAPTURES_MAX];
        let texts = match (&key.partition, &key.sort) {
            (KeyValue::S(partition), None) => Some((partition, None)),
            (KeyValue::S(partition), Some(KeyValue::S(sort))) => Some((partition, Some(&**sort))),
            _ => None,
        };
        match texts.filter(|_| self.is_text() && self.captures.len() <= CAPTURES_MAX) {
            Some((partition, sort)) => self.split(partition, sort, &mut captures),
            None => self.parse(key).is_some(),
        }
    }

    /// Whether all attributes of the key are texts.
    #[must_use]
    pub fn is_text(&self) -> bool {
        let sort = self.sort.as_ref();
        std::iter::once(&self.partition).chain(sort).all(|it| it.template.kind() == KeyKind::S)
    }

    /// [`parse`](Self::parse) for a key of texts, which allocates nothing. Returns whether the key
    /// matches the templates. `captures` needs as many slots as there are captures.
    #[must_use]
    pub fn split<'k>(
        &self,
        partition: &'k str,
        sort: Option<&'k str>,
        captures: &mut [&'k str],
    ) -> bool {
        let mut bound = 0;
        self.partition.split(partition, self.separator, captures, &mut bound)
            && match (&self.sort, sort) {
                (Some(template), Some(sort)) => {
                    template.split(sort, self.separator, captures, &mut bound)
                }
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            }
    }

    /// [`build`](Self::build) for a key of texts, which reuses the memory of two texts. Returns the
    /// sort key, if the table has one; `None` if there is no key with these captures.
    pub fn join<'b>(
        &self,
        captures: &[&str],
        partition: &mut String,
        sort: &'b mut String,
    ) -> Option<Option<&'b str>> {
        let is_key = self.partition.join(captures, self.separator, partition)
            && partition.len() <= PARTITION_KEY_BYTES_MAX;
        let Some(template) = self.sort.as_ref().filter(|_| is_key) else {
            return is_key.then_some(None);
        };
        let is_key =
            template.join(captures, self.separator, sort) && sort.len() <= SORT_KEY_BYTES_MAX;
        is_key.then_some(Some(sort))
    }

    /// Builds the partition key and the part of the sort key that the known captures determine.
    /// `None` if they do not determine the partition key.
    ///
    /// An error means that no key has these captures. A key with this prefix may have other
    /// captures, so the keys that a query returns must be parsed and compared.
    pub fn build_prefix(
        &self,
        captures: &[Option<KeyValue<'_>>],
    ) -> Result<Option<(KeyValue<'static>, SortPrefix)>, BuildError> {
        let value_at = |index: usize| captures.get(index).and_then(Option::as_ref);
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

    /// An example of a key that matches the templates of both entities; `None` if there is none.
    ///
    /// Both entities must belong to the same table, so that they have the same separator. The
    /// partition key and the sort key are compared separately, as if a capture that occurs in both
    /// were two captures. Therefore an overlap is never missed, but templates that repeat a capture
    /// may be reported although they do not overlap.
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

/// Adds a capture's value, or compares it with the known value. Returns whether they agree.
fn bind<'k>(captures: &mut Captures<'k>, index: usize, value: KeyValue<'k>) -> bool {
    let Some(known) = captures.get_mut(index) else {
        // Captures are numbered in the order of their first occurrence.
        captures.push(value);
        return true;
    };
    let is_same =
        *known == value || text_of(known).is_some_and(|text| text_of(&value) == Some(text));
    if is_same && known.kind() == KeyKind::S {
        *known = value;
    }
    is_same
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
