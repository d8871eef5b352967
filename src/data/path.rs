//! Document paths such as `address.city_id`.

use std::fmt;

use super::{Item, Value};

/// A path to a value: an attribute's name, followed by the keys of nested maps and, optionally, an
/// index into a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    segments: Vec<String>,
    element: Option<usize>,
}

impl Path {
    /// Parses a path of names that are separated by dots; `None` if a name is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        segments
            .iter()
            .all(|segment| !segment.is_empty())
            .then_some(Self { segments, element: None })
    }

    /// The path of an attribute. The attribute's name may contain dots.
    #[must_use]
    pub fn attribute(name: &str) -> Self {
        Self { segments: vec![name.to_owned()], element: None }
    }

    /// Extends the path by a key of the map at this path.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let mut segments = self.segments.clone();
        segments.push(name.to_owned());
        Self { segments, element: None }
    }

    /// Extends the path by an index into the list at this path.
    #[must_use]
    pub fn element_at(&self, index: usize) -> Self {
        Self { segments: self.segments.clone(), element: Some(index) }
    }

    /// The names in the path.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The index into the list, if the path ends with one.
    #[must_use]
    pub const fn element(&self) -> Option<usize> {
        self.element
    }

    /// The attribute at which the path begins.
    #[must_use]
    pub fn root(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// The value at the path. A `NULL` counts as absent, because serializers write it for an
    /// optional field without a value.
    #[must_use]
    pub fn lookup<'i, 'a>(&self, item: &'i Item<'a>) -> Option<&'i Value<'a>> {
        self.resolve(item).filter(|value| **value != Value::Null)
    }

    /// The value at the path. Unlike [`Self::lookup`], this includes a `NULL`, as in DynamoDB's
    /// conditions.
    #[must_use]
    pub fn resolve<'i, 'a>(&self, item: &'i Item<'a>) -> Option<&'i Value<'a>> {
        let (root, inner) = self.segments.split_first()?;
        let mut value = item.get(root.as_str())?;
        for segment in inner {
            let Value::M(map) = value else { return None };
            value = map.get(segment.as_str())?;
        }
        match (self.element, value) {
            (None, value) => Some(value),
            (Some(index), Value::L(list)) => list.get(index),
            (Some(_), _) => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.segments.join("."))?;
        self.element.map_or(Ok(()), |index| write!(formatter, "[{index}]"))
    }
}
