//! The alternatives of a reference: the entities that it may lead to.

use crate::rules::file::{Entry, Node};
use crate::rules::language::BY;
use crate::rules::span::Spanned;

/// One of the entities that a reference may lead to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The entity's name.
    pub(crate) entity: Spanned<String>,
    /// The value of the discriminator that leads to it; `None` if there is no discriminator.
    pub(crate) when: Option<Spanned<String>>,
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
        let any = |node: &Spanned<Node>| Some(Target { entity: name(node)?, when: None });
        let (each, by) = match &entry.value.value {
            Node::List(elements) => (elements.iter().filter_map(any).collect(), None),
            Node::Map(entries) => {
                let by = entries.iter().find(|entry| entry.key.value == BY);
                let cases = entries.iter().filter(|entry| entry.key.value != BY);
                let case = |entry: &Entry| {
                    Some(Target { entity: name(&entry.value)?, when: Some(entry.key.clone()) })
                };
                (cases.filter_map(case).collect(), by.and_then(|by| name(&by.value)))
            }
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => {
                (any(&entry.value).into_iter().collect(), None)
            }
        };
        Self { each, by }
    }

    /// Whether one of the alternatives is this entity.
    pub(crate) fn has(&self, entity: &str) -> bool {
        self.each.iter().any(|target| target.entity.value == entity)
    }
}
