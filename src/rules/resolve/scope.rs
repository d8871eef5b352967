//! The context for the checks of rules: the file with its resolved tables and entities.

use super::entities::Entity;
use super::names::undeclared;
use super::tables::Table;
use crate::rules::ast::{self, File};
use crate::rules::diagnostic::Diagnostic;
use crate::rules::language::is_name;
use crate::rules::model::EntityId;
use crate::rules::span::Spanned;

pub(super) struct Scope<'f> {
    pub(super) file: &'f File,
    /// The text of the rule file.
    pub(super) source: &'f str,
    pub(super) tables: Vec<Table<'f>>,
    pub(super) entities: Vec<Entity<'f>>,
}

impl<'f> Scope<'f> {
    /// Returns the entity with this name, in its table at this position. If there is none, reports that, unless it is no name at
    /// all, which is reported already.
    pub(super) fn entity(
        &self,
        name: &Spanned<String>,
        at: usize,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<(EntityId, &Entity<'f>)> {
        let found = self.entity_at(&name.value, at);
        if found.is_none() && is_name(&name.value) {
            let declared = self.entities.iter().map(Entity::name).collect();
            problems.push(undeclared("entity", name, declared));
        }
        found
    }

    /// The entity with this name, in the first of its tables.
    pub(super) fn entity_named(&self, name: &str) -> Option<(EntityId, &Entity<'f>)> {
        self.entity_at(name, 0)
    }

    /// The entity with this name, in its table at this position.
    pub(super) fn entity_at(&self, name: &str, at: usize) -> Option<(EntityId, &Entity<'f>)> {
        let mut named =
            self.entities.iter().enumerate().filter(|(_, entity)| entity.name() == name);
        named.nth(at).map(|(id, entity)| (EntityId(id), entity))
    }

    pub(super) fn table_of(&self, entity: &Entity<'_>) -> Option<&Table<'f>> {
        self.tables.get(entity.table?.0)
    }

    /// The mirror rule that writes the entity with this name.
    pub(super) fn writer_of(&self, entity: &str) -> Option<&'f ast::Mirror> {
        let writes = |mirror: &&ast::Mirror| {
            mirror.target.as_ref().is_some_and(|target| target.value == entity)
        };
        self.file.mirrors.iter().find(writes)
    }
}
