//! Resolves the declarations of a rule file into the model: finds what each name refers to, and
//! checks that types agree and that the rules work together.

mod actions;
mod alternatives;
mod changes;
mod conditions;
mod conflicts;
mod cycles;
mod derived;
mod determined;
mod entities;
mod find;
mod fixes;
mod hazards;
mod indexes;
mod lookup;
mod mirror_keys;
mod mirrors;
mod names;
mod on_key;
mod overlaps;
mod placement;
mod references;
mod scope;
mod set_default;
mod source_problems;
mod sources;
mod tables;
mod templates;
mod unused;
mod views;

use super::ast::File;
use super::diagnostic::Diagnostic;
use super::environment::Environment;
use super::model::{Rules, TableId};
use entities::Entity;
use indexes::Indexes;
use scope::Scope;

/// Resolves a file. If a declaration cannot be resolved, returns `None` and adds the reason to
/// `problems`.
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
    names::check_rules(file, problems);
    let mirrors = mirrors::resolve(&scope, problems);
    alternatives::check(file, problems);
    placement::check(file, problems);
    let mut views = Vec::new();
    let mut references = references::resolve(&scope, &mut indexes, &mut views, problems);
    alternatives::relate(&scope, &mut references, problems);
    conflicts::check(&scope, &references, problems);
    cycles::check(&scope, problems);
    hazards::check(&scope, problems);
    unused::check(file, problems);
    let tables = scope.tables.into_iter().enumerate();
    Some(Rules {
        tables: tables
            .map(|(id, table)| table.into_model(indexes.of(TableId(id))))
            .collect::<Option<_>>()?,
        entities: scope.entities.into_iter().map(Entity::into_model).collect::<Option<_>>()?,
        references: references.into_iter().collect::<Option<_>>()?,
        mirrors: mirrors.into_iter().collect::<Option<_>>()?,
        views,
    })
}
