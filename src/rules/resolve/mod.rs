//! From what a rule file says to what it means: names resolved, types agreed, and every problem of
//! meaning found.

mod actions;
mod cycles;
mod entities;
mod fights;
mod find;
mod indexes;
mod lookups;
mod mirrors;
mod overlaps;
mod references;
mod sources;
mod tables;
mod templates;
mod unused;

use super::ast::{self, File};
use super::codes;
use super::diagnostic::Diagnostic;
use super::model::{EntityId, Rules, TableId};
use super::span::Spanned;
use crate::rules::language::did_you_mean;
use entities::Entity;
use indexes::Indexes;
use tables::Table;

/// The environment variables, as far as someone asks for them.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// The rules that a file means; nothing where something is wrong with them, which is then among
/// the problems.
pub(crate) fn resolve(
    file: &File,
    source: &str,
    environment: Environment<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<Rules> {
    let tables = tables::resolve(&file.tables, environment, problems);
    let entities = entities::resolve(&file.entities, &tables, source, problems);
    let scope = Scope { file, source, tables, entities };
    let mut indexes = Indexes::default();
    overlaps::check(&scope, problems);
    rule_names(file, problems);
    let mirrors = mirrors::resolve(&scope, problems);
    let references = references::resolve(&scope, &mut indexes, problems);
    fights::check(&scope, &references, problems);
    cycles::check(&scope, problems);
    unused::check(file, problems);
    let tables = scope.tables.into_iter().enumerate();
    Some(Rules {
        tables: tables
            .map(|(id, table)| table.settle(indexes.of(TableId(id))))
            .collect::<Option<_>>()?,
        entities: scope.entities.into_iter().map(Entity::settle).collect::<Option<_>>()?,
        references: references.into_iter().collect::<Option<_>>()?,
        mirrors: mirrors.into_iter().collect::<Option<_>>()?,
    })
}

/// What the checks of rules look things up in.
struct Scope<'f> {
    file: &'f File,
    source: &'f str,
    tables: Vec<Table<'f>>,
    entities: Vec<Entity<'f>>,
}

impl<'f> Scope<'f> {
    /// The entity of this name; a problem if there is none.
    fn entity(
        &self,
        name: &Spanned<String>,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<(EntityId, &Entity<'f>)> {
        let found = self.entity_named(&name.value);
        if found.is_none() {
            let names = self.entities.iter().map(Entity::name).collect();
            problems.push(undeclared("entity", name, names));
        }
        found
    }

    fn entity_named(&self, name: &str) -> Option<(EntityId, &Entity<'f>)> {
        let mut entities = self.entities.iter().enumerate();
        entities
            .find(|(_, entity)| entity.name() == name)
            .map(|(id, entity)| (EntityId(id), entity))
    }

    fn table_of(&self, entity: &Entity<'_>) -> Option<&Table<'f>> {
        self.tables.get(entity.table?.0)
    }

    /// The mirror rule that writes the entity of this name.
    fn writer_of(&self, entity: &str) -> Option<&'f ast::Mirror> {
        let written = |mirror: &&ast::Mirror| {
            mirror.target.as_ref().is_some_and(|mirror| mirror.value == entity)
        };
        self.file.mirrors.iter().find(written)
    }
}

/// References and mirrors share their names.
fn rule_names(file: &File, problems: &mut Vec<Diagnostic>) {
    for mirror in &file.mirrors {
        let name = &mirror.name;
        let same = file.references.iter().find(|rule| rule.name.value == name.value);
        if let Some(reference) = same {
            problems.push(
                Diagnostic::new(
                    &codes::SHARED_NAME,
                    format!("`{}` names a reference and a mirror", name.value),
                )
                .at(name.span, "the mirror")
                .at(reference.name.span, "the reference")
                .help("rename one of the two: metrics and logs know a rule by its name alone"),
            );
        }
    }
}

fn undeclared(what: &str, name: &Spanned<String>, names: Vec<&str>) -> Diagnostic {
    Diagnostic::new(&codes::UNDECLARED, format!("there is no {what} `{}`", name.value))
        .at(name.span, "not declared")
        .maybe_help(did_you_mean(&name.value, names))
}
