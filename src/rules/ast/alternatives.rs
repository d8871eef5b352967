//! The alternatives of a reference: the entities that it may lead to.

use super::placement::{Placement, Tables};
use crate::data::KeyAttribute;
use crate::rules::file::{Entry, Node};
use crate::rules::language::{BY, ENTITY, INDEX, KEY, parse_key_attribute};
use crate::rules::span::Spanned;

/// One of the entities that a reference may lead to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The entity's name.
    pub(crate) entity: Spanned<String>,
    /// The position of its table among those of the entity.
    pub(crate) at: usize,
    /// The value of the discriminator that leads to it; `None` if there is no discriminator.
    pub(crate) when: Option<Spanned<String>>,
    /// The index whose key the reference knows; `None` if it knows the table's key.
    pub(crate) index: Option<IndexTarget>,
}

/// An index by whose key items are referenced.
#[derive(Debug, Clone)]
pub(crate) struct IndexTarget {
    pub(crate) name: Spanned<String>,
    /// The templates of the key. One that cannot be read is omitted.
    pub(crate) key: Vec<(Spanned<KeyAttribute>, Spanned<String>)>,
}

/// The value of `to`: usually one entity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Targets {
    /// The alternatives, in the order of the file. Empty if none could be read.
    pub(crate) each: Vec<Target>,
    /// The source of the discriminator.
    pub(crate) by: Option<Spanned<String>>,
}

impl Targets {
    /// Reads the value of `to`.
    pub(super) fn read(entry: &Entry) -> Self {
        let name = |node: &Spanned<Node>| Some(node.with(node.value.as_text()?.to_owned()));
        let any = |node: &Spanned<Node>| {
            Some(Target { entity: name(node)?, at: 0, when: None, index: None })
        };
        let (each, by) = match &entry.value.value {
            Node::List(elements) => (elements.iter().filter_map(any).collect(), None),
            Node::Map(entries) if entries.iter().any(|entry| entry.key.value == INDEX) => {
                (in_index(entries).into_iter().collect(), None)
            }
            Node::Map(entries) => {
                let by = entries.iter().find(|entry| entry.key.value == BY);
                let cases = entries.iter().filter(|entry| entry.key.value != BY);
                let case = |entry: &Entry| {
                    Some(Target {
                        entity: name(&entry.value)?,
                        at: 0,
                        when: Some(entry.key.clone()),
                        index: None,
                    })
                };
                (cases.filter_map(case).collect(), by.and_then(|by| name(&by.value)))
            }
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {
                (any(&entry.value).into_iter().collect(), None)
            }
        };
        Self { each, by }
    }

    /// The alternatives of the items in one table of an entity: those in the tables that belong to
    /// it. A target whose table is not clear, which is reported later, is in its first one.
    pub(super) fn placed(
        &self,
        tables: Tables<'_>,
        placement: Option<Placement>,
        from: (&str, usize),
    ) -> Self {
        let is_plain = |target: &Target| self.by.is_none() && target.index.is_none();
        let placed = |target: &Target| {
            let found = tables.positions(placement, from, &target.entity.value);
            let mut found = found.unwrap_or_else(|_| vec![0]);
            found.truncate(if is_plain(target) { found.len() } else { 1 });
            found.into_iter().map(|at| Target { at, ..target.clone() }).collect::<Vec<_>>()
        };
        Self { each: self.each.iter().flat_map(placed).collect(), by: self.by.clone() }
    }

    /// Whether one of the alternatives is this entity.
    pub(crate) fn has(&self, entity: &str) -> bool {
        self.each.iter().any(|target| target.entity.value == entity)
    }
}

/// An entity that is known by the key of an index.
fn in_index(entries: &[Entry]) -> Option<Target> {
    let value = |key: &str| entries.iter().find(|entry| entry.key.value == key);
    let text = |node: &Spanned<Node>| Some(node.with(node.value.as_text()?.to_owned()));
    let parts = value(KEY).map_or(&[][..], |entry| entry.value.value.entries());
    let part = |entry: &Entry| {
        let attribute = entry.key.with(parse_key_attribute(&entry.key.value)?);
        Some((attribute, text(&entry.value)?))
    };
    Some(Target {
        entity: text(&value(ENTITY)?.value)?,
        at: 0,
        when: None,
        index: Some(IndexTarget {
            name: text(&value(INDEX)?.value)?,
            key: parts.iter().filter_map(part).collect(),
        }),
    })
}
