//! Alternatives: the entities that one rule may lead to.

use super::ids::ReferenceId;
use crate::data::KeyValue;

/// Which of the entities that a rule may lead to a [`Reference`](super::Reference) is for.
///
/// A rule that may lead to several entities is one reference for each of them. They have the same
/// name, and their ids follow each other. Usually, there is only one.
///
/// With a discriminator, an item refers to one of these entities. Without one, it refers to all of
/// them at once: the reference is satisfied if one of the items exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// The id of the rule's first alternative.
    pub first: ReferenceId,
    /// Whether this is the first.
    pub is_first: bool,
    /// How many alternatives the rule has.
    pub count: usize,
    /// The value of the discriminator that leads to this entity; `None` without a discriminator.
    pub discriminator: Option<Discriminator>,
    /// The other entities of which one item is enough. Empty if there is a discriminator.
    pub others: Vec<OtherTarget>,
}

impl Alternative {
    /// The only alternative of the rule with this id.
    #[must_use]
    pub const fn only(rule: ReferenceId) -> Self {
        Self { first: rule, is_first: true, count: 1, discriminator: None, others: Vec::new() }
    }

    /// Whether one of several items satisfies the reference.
    #[must_use]
    pub const fn is_union(&self) -> bool {
        self.count > 1 && self.discriminator.is_none()
    }
}

/// The value of an attribute or a capture that decides to which entity an item refers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Discriminator {
    /// The position of its source in [`Reference::components`](super::Reference::components).
    pub component: usize,
    /// The value that leads to this entity.
    pub value: KeyValue<'static>,
    /// The values that lead to the rule's other alternatives.
    pub others: Vec<KeyValue<'static>>,
}

/// Another entity of a union, and how its key follows from that of this one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherTarget {
    /// The alternative that leads to it.
    pub rule: ReferenceId,
    /// How its key is made.
    pub key: OtherKey,
}

/// How the key of another entity of a union follows from a referenced key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OtherKey {
    /// It is the same key, if the entity can have it.
    Same,
    /// It is built from these values, in the order of its captures.
    Built(Vec<OtherPart>),
}

/// The value of a capture in the key of another entity of a union.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OtherPart {
    /// The value of a capture of the referenced key, by its index.
    Capture(usize),
    /// A value that the rule file gives.
    Constant(KeyValue<'static>),
}
