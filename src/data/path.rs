//! Document paths such as `address.city_id` and `lines[*].productId`.

use std::fmt;

use super::{Item, Value};

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// To each element of a list.
    Each,
    /// To the element of a list with this index.
    Index(usize),
    /// To the value of a map with this key.
    Name(String),
}

/// A path to a value: an attribute's name, followed by steps into nested maps and lists.
///
/// A path with [`Step::Each`] leads to several values, and cannot be looked up until
/// [`Self::at`] replaces these steps by indexes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    steps: Vec<Step>,
}

/// The text of [`Step::Each`].
const EACH: &str = "[*]";

impl Path {
    /// Parses a path of names that are separated by dots; `None` if a name is empty. `[*]` after a
    /// name leads to each element of a list.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for segment in text.split('.') {
            let mut name = segment;
            while let Some(list) = name.strip_suffix(EACH) {
                name = list;
            }
            if name.is_empty() {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            let lists = (segment.len() - name.len()) / EACH.len();
            steps.extend(std::iter::repeat_n(Step::Each, lists));
        }
        Some(Self { steps })
    }

    /// The path of an attribute. The attribute's name may contain dots.
    #[must_use]
    pub fn attribute(name: &str) -> Self {
        Self { steps: vec![Step::Name(name.to_owned())] }
    }

    /// The path with these steps, of which the first is a name.
    pub(crate) fn of(steps: &[Step]) -> Self {
        Self { steps: steps.to_vec() }
    }

    /// Extends the path by a key of the map at this path.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        self.then(Step::Name(name.to_owned()))
    }

    /// Extends the path by an index into the list at this path.
    #[must_use]
    pub fn element_at(&self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// Extends the path to each element of the list at this path.
    #[must_use]
    pub fn each(&self) -> Self {
        self.then(Step::Each)
    }

    fn then(&self, step: Step) -> Self {
        let steps = self.steps.iter().cloned().chain([step]).collect();
        Self { steps }
    }

    /// The steps of the path. The first is a name.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The names in the path, without the steps into lists.
    #[must_use]
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.steps.iter().filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Each | Step::Index(_) => None,
        })
    }

    /// The attribute at which the path begins.
    #[must_use]
    pub fn root(&self) -> &str {
        self.names().next().unwrap_or_default()
    }

    /// The attribute's name, if the path is only that.
    #[must_use]
    pub fn only_name(&self) -> Option<&str> {
        match self.steps.as_slice() {
            [Step::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// Whether the path leads to each element of a list.
    #[must_use]
    pub fn has_each(&self) -> bool {
        self.steps.contains(&Step::Each)
    }

    /// The path of the innermost list to whose elements this path leads; `None` if it leads to none.
    #[must_use]
    pub fn innermost_list(&self) -> Option<Self> {
        let last = self.steps.iter().rposition(|step| *step == Step::Each)?;
        Some(Self { steps: self.steps.get(..last)?.to_vec() })
    }

    /// Whether the path leads to a value inside the value at another path.
    #[must_use]
    pub fn is_inside(&self, other: &Self) -> bool {
        self.steps.len() > other.steps.len() && self.steps.starts_with(&other.steps)
    }

    /// The paths of the maps and lists that contain this path, each with the step that follows it.
    pub fn parents(&self) -> impl Iterator<Item = (Self, &Step)> {
        (1..self.steps.len()).filter_map(|length| {
            let steps = self.steps.get(..length)?.to_vec();
            Some((Self { steps }, self.steps.get(length)?))
        })
    }

    /// The parts of the path between its steps to each element: the path from the item to the
    /// outermost list, from one of its elements to the next list, and so on to the value.
    pub fn sections(&self) -> impl Iterator<Item = &[Step]> + Clone {
        self.steps.split(|step| *step == Step::Each)
    }

    /// The path with these indexes instead of its first steps to each element.
    #[must_use]
    pub fn at(&self, indexes: &[usize]) -> Self {
        let mut indexes = indexes.iter();
        let steps = self.steps.iter().map(|step| match step {
            Step::Each => indexes.next().map_or(Step::Each, |index| Step::Index(*index)),
            Step::Name(_) | Step::Index(_) => step.clone(),
        });
        Self { steps: steps.collect() }
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
        follow(item, &self.steps)
    }
}

/// The value at the end of these steps, of which the first is a name.
#[must_use]
pub fn follow<'i, 'a>(item: &'i Item<'a>, steps: &[Step]) -> Option<&'i Value<'a>> {
    let (Step::Name(root), inner) = steps.split_first()? else { return None };
    inner.iter().try_fold(item.get(root.as_str())?, |value, step| match (step, value) {
        (Step::Name(name), Value::M(map)) => map.get(name.as_str()),
        (Step::Index(index), Value::L(list)) => list.get(*index),
        _ => None,
    })
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Name(name) if position == 0 => formatter.write_str(name)?,
                Step::Name(name) => write!(formatter, ".{name}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Each => formatter.write_str(EACH)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_into_lists_is_printed_as_it_is_written() {
        for text in ["a", "a.b", "lines[*].productId", "a.b[*][*].c.d[*]"] {
            assert_eq!(Path::parse(text).map(|path| path.to_string()).as_deref(), Some(text));
        }
        for text in ["", ".", "a.", "[*]", "a.[*]"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn indexes_replace_the_steps_to_each_element_in_order() {
        let path = Path::parse("orders[*].lines[*].productId").unwrap();
        assert_eq!(path.at(&[2, 0]).to_string(), "orders[2].lines[0].productId");
        assert_eq!(path.at(&[2]).to_string(), "orders[2].lines[*].productId");
        assert_eq!(path.innermost_list(), Path::parse("orders[*].lines"));
        assert_eq!(path.sections().count(), 3);
        assert_eq!(Path::parse("a.b").unwrap().innermost_list(), None);
    }
}
