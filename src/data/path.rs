//! Document paths such as `address.city_id`.

use std::fmt;

use super::{Item, Value};

/// A path to a value: an attribute's name, then the keys of nested maps, and at last perhaps a place
/// in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    segments: Vec<String>,
    element: Option<usize>,
}

impl Path {
    /// Reads a path with dots between its names; nothing if a name is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<String> = text.split('.').map(str::to_owned).collect();
        segments
            .iter()
            .all(|segment| !segment.is_empty())
            .then_some(Self { segments, element: None })
    }

    /// The path of a single attribute, whose name may contain dots.
    #[must_use]
    pub fn attribute(name: &str) -> Self {
        Self { segments: vec![name.to_owned()], element: None }
    }

    /// The path one map key deeper.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        let mut segments = self.segments.clone();
        segments.push(name.to_owned());
        Self { segments, element: None }
    }

    /// The path of an element of the list at this path.
    #[must_use]
    pub fn element_at(&self, place: usize) -> Self {
        Self { segments: self.segments.clone(), element: Some(place) }
    }

    /// The names on the path.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The place in the list that the names lead to, if the path goes into one.
    #[must_use]
    pub const fn element(&self) -> Option<usize> {
        self.element
    }

    /// The attribute that the path begins at.
    #[must_use]
    pub fn root(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }

    /// The value at the path. A `NULL` counts as absent: serializers write one for an absent
    /// optional field.
    #[must_use]
    pub fn lookup<'i, 'a>(&self, item: &'i Item<'a>) -> Option<&'i Value<'a>> {
        self.resolve(item).filter(|value| **value != Value::Null)
    }

    /// The value at the path as DynamoDB sees it, for which a `NULL` is a value like any other.
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
            (Some(place), Value::L(list)) => list.get(place),
            (Some(_), _) => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.segments.join("."))?;
        self.element.map_or(Ok(()), |place| write!(formatter, "[{place}]"))
    }
}
