//! References: the foreign keys.

use std::time::Duration;

use super::alternative::Alternative;
use super::ids::{EntityId, MirrorId};
use super::mode::{Mode, Severity};
use crate::data::{Key, KeyValue, Path, Type, Value};
use crate::rules::template::{EntityKey, KeyTemplate};

/// A foreign key to one entity. A rule that may lead to several entities has one for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The rule's name.
    pub name: String,
    /// The referencing entity.
    pub from: EntityId,
    /// The referenced entity.
    pub to: EntityId,
    /// Which of the entities that the rule may lead to this is.
    pub alternative: Alternative,
    /// The source of the value of each capture of the referenced key, in the order of
    /// [`EntityKey::captures`](crate::rules::template::EntityKey::captures).
    pub components: Vec<Component>,
    /// For each of [`Self::components`], how the part is contained in the text of its source;
    /// `None` if the source's value is the part.
    ///
    /// Components after the captures of the referenced key are only checked. The discriminator is
    /// one of these.
    pub contained: Vec<Option<Contained>>,
    /// Pairs of components that must have the same value: parts of two key attributes.
    pub agreeing: Vec<(usize, usize)>,
    /// How a composite reference is treated when some of its parts are missing.
    pub matching: Matching,
    /// Whether a missing reference is a violation.
    pub required: bool,
    /// Whether a referenced item that has expired counts as existing until TTL deletes it.
    pub expired: Expired,
    /// The action when the referenced item does not exist.
    pub on_missing: OnMissing,
    /// The action when the referenced item is deleted while other items refer to it.
    pub on_delete: OnDelete,
    /// The action when TTL deletes the referenced item while other items refer to it.
    pub on_ttl_delete: OnDelete,
    /// The value that `set_default` sets for each of [`Self::components`]. `None` if it does not
    /// change the component, or if the rule has no default.
    pub defaults: Vec<Option<Value<'static>>>,
    /// The attributes besides the reference's own that `unset` removes.
    pub derived: Vec<Derived>,
    /// What `unset` removes from a list of maps.
    pub removal: Removal,
    /// The values that mean that there is no reference, besides an absent value.
    pub none: Vec<Value<'static>>,
    /// How the items that refer to a deleted item are found.
    pub find: Find,
    /// How long a dangling reference may last before it is a violation.
    pub grace: Duration,
    /// Whether the rule is evaluated, and whether it writes.
    pub mode: Mode,
    /// Whether the rule's violations count as errors or warnings.
    pub severity: Severity,
    /// The maximum number of items that one delete may affect.
    pub fanout_max: u64,
    /// The maximum number of levels that a cascade between items of one entity may descend.
    pub depth_max: u64,
}

impl Reference {
    /// How a part is contained in the text of its source; `None` if it is the whole value.
    #[must_use]
    pub fn contained(&self, component: usize) -> Option<&Contained> {
        self.contained.get(component)?.as_ref()
    }

    /// Whether an item has one reference for each element of a list or set.
    #[must_use]
    pub fn has_elements(&self) -> bool {
        self.components.iter().any(Component::is_of_element)
    }

    /// Whether `unset` and `set_default` change this part of the reference: every part that comes
    /// from an attribute, except the parts that all elements of a list or set share.
    #[must_use]
    pub fn is_changed(&self, component: &Component) -> bool {
        component.path().is_some() && component.is_of_element() == self.has_elements()
    }

    /// The paths of the attributes that are parts of the reference.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.components.iter().filter_map(Component::path)
    }

    /// The actions for all deletes of a referenced item: `on_delete` and `on_ttl_delete`.
    #[must_use]
    pub fn on_deletes(&self) -> [OnDelete; 2] {
        [self.on_delete, self.on_ttl_delete]
    }

    /// The index of the capture of the referenced key whose value is the whole of this attribute.
    #[must_use]
    pub fn part_from(&self, attribute: &str) -> Option<usize> {
        self.components.iter().enumerate().position(|(position, component)| {
            component.is_attribute(attribute) && self.contained(position).is_none()
        })
    }

    /// Whether a delete by this rule can cause further deletes by the same rule.
    #[must_use]
    pub fn is_recursive(&self) -> bool {
        self.from == self.to && self.on_deletes().contains(&OnDelete::Cascade)
    }
}

/// An attribute that the application derives from a reference, such as a key attribute of an index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Derived {
    /// The attribute's name.
    pub attribute: String,
    /// How its value is made of the captures of the referenced key, if that is known.
    pub template: Option<KeyTemplate>,
    /// Whether the rule lists the attribute, so that `unset` removes it whatever its value is.
    /// Otherwise it is removed only if its value is the one that the template makes.
    pub is_listed: bool,
}

/// What `unset` removes from a list of maps, one of whose elements refers to a missing item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Removal {
    /// The attributes of the reference inside the element.
    Field,
    /// The element.
    Element,
}

impl Removal {
    /// Every kind of removal.
    pub(crate) const ALL: [Self; 2] = [Self::Field, Self::Element];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Element => "element",
        }
    }
}

/// A part of a reference that is contained in a longer text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Contained {
    /// The template of the text, as that of a partition key without a sort key.
    pub text: EntityKey,
    /// The capture that is the part; `None` if the text must only match.
    pub capture: Option<usize>,
}

impl Contained {
    /// The part in the text of a source; `None` if the text does not match.
    #[must_use]
    pub fn read<'k>(&self, value: KeyValue<'k>) -> Option<KeyValue<'k>> {
        let key = Key { partition: value, sort: None };
        let part = {
            let captures = self.text.parse(&key)?;
            match self.capture {
                Some(capture) => Some(captures.get(capture)?.clone().into_owned()),
                None => None,
            }
        };
        Some(part.unwrap_or(key.partition))
    }
}

/// The source of one part of a reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Component {
    /// A capture of the referencing item's key, by its index in
    /// [`EntityKey::captures`](crate::rules::template::EntityKey::captures).
    Capture(usize),
    /// The value at a path.
    Attribute(Path, Type),
    /// Each element of the list or set at a path, which may itself lead to each element of lists.
    Elements(Path, Type),
    /// The value at a path in each element of a list of maps, such as `lines[*].productId`.
    Field(Path, Type),
    /// A value that the rule file gives.
    Constant(KeyValue<'static>),
}

impl Component {
    /// The path in the referencing item; `None` for a part of its key.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Capture(_) | Self::Constant(_) => None,
            Self::Attribute(path, _) | Self::Elements(path, _) | Self::Field(path, _) => Some(path),
        }
    }

    /// Whether the part is the value of this attribute of the item.
    #[must_use]
    pub fn is_attribute(&self, name: &str) -> bool {
        matches!(self, Self::Attribute(path, _) if path.only_name() == Some(name))
    }

    /// The path to each element that gives the reference another value, if there are several.
    #[must_use]
    pub fn each(&self) -> Option<Path> {
        match self {
            Self::Capture(_) | Self::Constant(_) | Self::Attribute(..) => None,
            Self::Elements(path, _) => Some(path.each()),
            Self::Field(path, _) => path.innermost_list().map(|list| list.each()),
        }
    }

    /// Whether the part has a value for each element of a list or set.
    #[must_use]
    pub const fn is_of_element(&self) -> bool {
        matches!(self, Self::Elements(..) | Self::Field(..))
    }
}

/// How a composite reference is treated when some of its parts are missing: SQL's `MATCH`.
///
/// <https://www.postgresql.org/docs/current/sql-createtable.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matching {
    /// A partial reference is not checked.
    Simple,
    /// A partial reference is a violation.
    Full,
}

impl Matching {
    /// Every kind of matching.
    pub(crate) const ALL: [Self; 2] = [Self::Simple, Self::Full];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Full => "full",
        }
    }
}

/// Whether a referenced item that has expired, and that TTL has not deleted yet, counts as existing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expired {
    /// It exists until TTL deletes it.
    Present,
    /// It does not exist from the time in its TTL attribute on.
    Absent,
}

impl Expired {
    /// Both answers.
    pub(crate) const ALL: [Self; 2] = [Self::Present, Self::Absent];

    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Absent => "absent",
        }
    }
}

/// The action when the referenced item does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnMissing {
    /// Report it.
    Report,
    /// Delete the referencing item.
    Delete,
    /// Remove the attributes of the reference.
    Unset,
    /// Set the reference to its default.
    SetDefault,
    /// Undo the write: an updated item is set back to the image before the update, and an inserted
    /// item is deleted.
    Revert,
}

impl OnMissing {
    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Delete => "delete",
            Self::Unset => "unset",
            Self::SetDefault => "set_default",
            Self::Revert => "revert",
        }
    }
}

/// The action when a referenced item is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnDelete {
    /// Report the orphans.
    Report,
    /// Delete the orphans.
    Cascade,
    /// Remove the reference's attributes from the orphans.
    Unset,
    /// Set the reference of each orphan to the default.
    SetDefault,
    /// Write the referenced item again.
    Restore,
    /// Do nothing: orphans are allowed.
    Ignore,
}

impl OnDelete {
    /// The name that rule files and output use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Cascade => "cascade",
            Self::Unset => "unset",
            Self::SetDefault => "set_default",
            Self::Restore => "restore",
            Self::Ignore => "ignore",
        }
    }
}

/// How the items that refer to a deleted item are found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Find {
    /// By a strongly consistent query of the table: the referenced key determines the partition key
    /// of the referencing items.
    Derived,
    /// Through a global secondary index, whose key is built from the captures of the referenced
    /// key.
    Index {
        /// The position of the index in [`Table::indexes`](super::Table::indexes) of the
        /// referencing table.
        index: usize,
        /// The template of the index's partition key.
        partition: KeyTemplate,
        /// The template of the index's sort key, or of the beginning of that key.
        sort: Option<KeyTemplate>,
    },
    /// Through the mirrors of the referencing items.
    Mirror(MirrorId),
    /// The items are not found.
    None,
}
