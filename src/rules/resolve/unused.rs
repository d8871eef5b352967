//! What nothing uses.

use crate::rules::ast::File;
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;

pub(super) fn check(file: &File, problems: &mut Vec<Diagnostic>) {
    for table in &file.tables {
        let used = file.entities.iter().any(|entity| {
            entity.table.as_ref().is_some_and(|name| name.value == table.alias.value)
        });
        if !used {
            problems.push(
                Diagnostic::new(
                    &codes::UNUSED_TABLE,
                    format!("no entity is in the table `{}`", table.alias.value),
                )
                .at(table.alias.span, "not used"),
            );
        }
    }
    let referenced = file.references.iter().flat_map(|rule| [&rule.from, &rule.to]);
    let mirrored = file.mirrors.iter().flat_map(|rule| [&rule.source, &rule.mirror]);
    let used: Vec<&str> =
        referenced.chain(mirrored).flatten().map(|name| name.value.as_str()).collect();
    for entity in file.entities.iter().filter(|entity| !used.contains(&entity.name.value.as_str()))
    {
        problems.push(
            Diagnostic::new(
                &codes::UNUSED_ENTITY,
                format!("no rule names the entity `{}`", entity.name.value),
            )
            .at(entity.name.span, "not used"),
        );
    }
}
