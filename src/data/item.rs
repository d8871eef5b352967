//! Items.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut, Index};

use litemap::LiteMap;
use serde::ser::{Serialize, Serializer};

use super::Value;

/// An attribute: its name and its value.
type Attribute<'a> = (Cow<'a, str>, Value<'a>);

/// An item, or a map within an item: the values of its attributes, in the order of their names.
///
/// It is one sorted list, because most items have only a few attributes, and a batch has thousands
/// of items.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Item<'a>(LiteMap<Cow<'a, str>, Value<'a>>);

impl Item<'_> {
    /// An item without attributes.
    #[must_use]
    pub const fn new() -> Self {
        Self(LiteMap::new())
    }
}

impl<'a> Deref for Item<'a> {
    type Target = LiteMap<Cow<'a, str>, Value<'a>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Item<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'a> From<Vec<Attribute<'a>>> for Item<'a> {
    /// Sorts the attributes. Of two attributes with the same name, the last one counts.
    fn from(mut attributes: Vec<Attribute<'a>>) -> Self {
        if !attributes.is_sorted_by(|one, other| one.0 < other.0) {
            attributes.reverse();
            attributes.sort_by(|one, other| one.0.cmp(&other.0));
            attributes.dedup_by(|one, other| one.0 == other.0);
        }
        Self(LiteMap::from_sorted_store_unchecked(attributes))
    }
}

impl<'a, const N: usize> From<[Attribute<'a>; N]> for Item<'a> {
    fn from(attributes: [Attribute<'a>; N]) -> Self {
        Vec::from(attributes).into()
    }
}

impl<'a> FromIterator<Attribute<'a>> for Item<'a> {
    fn from_iter<I: IntoIterator<Item = Attribute<'a>>>(attributes: I) -> Self {
        Vec::from_iter(attributes).into()
    }
}

impl<'a> IntoIterator for Item<'a> {
    type Item = Attribute<'a>;
    type IntoIter = std::vec::IntoIter<Attribute<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'i, 'a> IntoIterator for &'i Item<'a> {
    type Item = (&'i Cow<'a, str>, &'i Value<'a>);
    type IntoIter = <&'i LiteMap<Cow<'a, str>, Value<'a>> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'a> Index<&str> for Item<'a> {
    type Output = Value<'a>;

    /// The value of an attribute.
    ///
    /// # Panics
    ///
    /// Panics if the item does not have the attribute.
    #[expect(clippy::expect_used, reason = "as with the standard library's maps")]
    fn index(&self, name: &str) -> &Value<'a> {
        self.get(name).expect("the item has the attribute")
    }
}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self).finish()
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

/// An owned copy of the item.
#[must_use]
pub fn into_owned(item: Item<'_>) -> Item<'static> {
    let attributes = item.into_iter();
    // Owned names have the same order.
    Item(LiteMap::from_sorted_store_unchecked(
        attributes.map(|(name, value)| (name.into_owned().into(), value.into_owned())).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_sorted_and_the_last_of_a_name_counts() {
        let attribute = |name: &'static str, value: &str| (name.into(), value.into());
        let unsorted = [
            attribute("sk", "1"),
            attribute("role", "2"),
            attribute("sk", "3"),
            attribute("pk", "4"),
            attribute("role", "5"),
        ];
        let sorted = [attribute("pk", "4"), attribute("role", "5"), attribute("sk", "3")];
        assert_eq!(Item::from(unsorted.clone()).as_slice(), sorted);
        assert_eq!(unsorted.into_iter().collect::<Item<'_>>().as_slice(), sorted);
    }
}
