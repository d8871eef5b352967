//! Finds tables without entities, and entities that no rule uses.

use std::collections::BTreeSet;

use crate::rules::ast::File;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::spelling::closest;

pub(super) fn check(file: &File, problems: &mut Vec<Diagnostic>) {
    for table in file.tables.iter().filter(|_| file.has_entities) {
        let used = file.entities.iter().any(|entity| {
            entity.table.as_ref().is_some_and(|name| name.value == table.alias.value)
        });
        if !used {
            problems.push(
                Diagnostic::new(
                    &codes::UNUSED_TABLE,
                    format!("the table `{}` has no entities", table.alias.value),
                )
                .at(table.alias.span, "unused"),
            );
        }
    }
    // A rule without its entities has been reported, and may use any of them.
    let is_readable = file.references.iter().all(|rule| rule.from.is_some() && rule.to.is_some())
        && file.mirrors.iter().all(|rule| rule.source.is_some() && rule.target.is_some());
    let referenced = file.references.iter().flat_map(|rule| [&rule.from, &rule.to]);
    let mirrored = file.mirrors.iter().flat_map(|rule| [&rule.source, &rule.target]);
    let entities = || file.entities.iter().map(|entity| entity.name.value.as_str());
    // A misspelled name counts as a use of the entity that was probably intended.
    let used: BTreeSet<&str> = referenced
        .chain(mirrored)
        .flatten()
        .filter_map(|name| {
            entities()
                .find(|entity| *entity == name.value)
                .or_else(|| closest(&name.value, entities()))
        })
        .collect();
    let unused = file.entities.iter().filter(|entity| !used.contains(entity.name.value.as_str()));
    for entity in unused.filter(|_| file.has_rules && is_readable) {
        problems.push(
            Diagnostic::new(
                &codes::UNUSED_ENTITY,
                format!("no rule uses the entity `{}`", entity.name.value),
            )
            .at(entity.name.span, "unused"),
        );
    }
}
