//! How the items that refer to a deleted one are found.

use super::indexes::Indexes;
use super::lookups::suggest;
use super::sources::{Elements, Sides, unknown_capture};
use super::templates::{self, Capture};
use super::{Scope, undeclared};
use crate::data::{KeyAttribute, KeyKind, KeySchema, Path, Type};
use crate::rules::ast::{Action, Find, Reference};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, MirrorId, Source, TableIndex};
use crate::rules::span::{Span, Spanned};
use crate::rules::template::{KeyTemplate, Template};

/// How the rule finds its items; nothing if what it says is wrong.
pub(super) fn resolve(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: Option<&[Source]>,
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Find> {
    let Some(find) = &reference.find else {
        return derive(reference, sides, components?, scope, problems);
    };
    match &find.value {
        Find::None => {
            if let Some(action) = needing_lookup(reference) {
                let derived = components.filter(|components| derives(sides, components));
                let help = match derived {
                    Some(_) => Some("leave `find` out: the table itself can be queried".to_owned()),
                    None => components
                        .map(|components| suggest(sides, components, scope).or(DO_WITHOUT)),
                };
                problems.push(
                    no_lookup(reference, action, sides)
                        .at(find.span, "and this says not to find them")
                        .maybe_help(help),
                );
            }
            Some(model::Find::None)
        }
        Find::Mirror(name) => by_mirror(name.as_ref()?, sides, components, scope, problems),
        Find::Index { index, key } => {
            by_index(find.span, index.as_ref()?, key, sides, components, scope, indexes, problems)
        }
    }
}

/// What an author can do who has no way to find the items.
const DO_WITHOUT: &str = "use `report`, and the audit finds the items left behind";

/// The action on a delete that has to find the referencing items.
fn needing_lookup(reference: &Reference) -> Option<&Spanned<Action>> {
    let on_delete = reference.on_delete.as_ref().into_iter().chain(&reference.on_ttl_delete);
    on_delete.into_iter().find(|action| !matches!(action.value, Action::Report | Action::Ignore))
}

fn no_lookup(reference: &Reference, action: &Spanned<Action>, sides: Sides<'_, '_>) -> Diagnostic {
    Diagnostic::new(
        &codes::NO_LOOKUP,
        format!(
            "`{}` cannot find the items of `{}` that refer to a deleted `{}`",
            reference.name.value,
            sides.from.name(),
            sides.to.name()
        ),
    )
    .at(action.span, format!("`{}` has to find them", action.value.word()))
}

fn derive(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Source],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Find> {
    if derives(sides, components) {
        return Some(model::Find::Derived);
    }
    let key_note = format!("a deleted `{}` does not fix this partition key", sides.to.name());
    if let Some(action) = needing_lookup(reference) {
        problems.push(
            no_lookup(reference, action, sides)
                .at(sides.from.key_span(), key_note)
                .help(suggest(sides, components, scope).or(DO_WITHOUT)),
        );
        return None;
    }
    let is_ignored = |action: &Option<Spanned<Action>>| {
        action.as_ref().is_some_and(|action| action.value == Action::Ignore)
    };
    let ttl_ignored = reference.on_ttl_delete.is_none() || is_ignored(&reference.on_ttl_delete);
    if !(is_ignored(&reference.on_delete) && ttl_ignored) {
        problems.push(
            Diagnostic::new(
                &codes::AUDIT_ONLY,
                format!(
                    "items of `{}` that a deleted `{}` leaves behind are found by the audit only",
                    sides.from.name(),
                    sides.to.name()
                ),
            )
            .at(reference.name.span, "")
            .at(sides.from.key_span(), key_note)
            .help(suggest(sides, components, scope).or("say `find: none` if that is meant")),
        );
    }
    Some(model::Find::None)
}

/// Whether the referenced key fixes the partition key of the referencing items.
fn derives(sides: Sides<'_, '_>, components: &[Source]) -> bool {
    fixes(&sides.from_key.partition, &sides.from_key.captures, sides, components)
}

/// Whether the referenced key fixes these captures, which are of the referencing key or of its
/// mirror's.
pub(super) fn fixes(
    wanted: &[String],
    captures: &[Capture],
    sides: Sides<'_, '_>,
    components: &[Source],
) -> bool {
    wanted.iter().all(|name| {
        let own = sides.from_key.capture(name).map(|(at, _)| at);
        let accepts = captures.iter().find(|capture| capture.name == *name);
        let mut fixed = components.iter().zip(&sides.to_key.captures);
        fixed.any(|(source, to)| {
            matches!(source, Source::Capture(at) if Some(*at) == own)
                && accepts.is_some_and(|capture| capture.can_be_looked_up_by(to.kind))
        })
    })
}

fn by_mirror(
    name: &Spanned<String>,
    sides: Sides<'_, '_>,
    components: Option<&[Source]>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Find> {
    let mirrors = &scope.file.mirrors;
    let Some(at) = mirrors.iter().position(|mirror| mirror.name.value == name.value) else {
        let names = mirrors.iter().map(|mirror| mirror.name.value.as_str()).collect();
        problems.push(undeclared("mirror", name, names));
        return None;
    };
    let mirror = mirrors.get(at)?;
    let source = mirror.source.as_ref()?;
    if source.value != sides.from.name() {
        problems.push(
            Diagnostic::new(
                &codes::MIRROR_LOOKUP,
                format!("`{}` does not mirror `{}`", name.value, sides.from.name()),
            )
            .at(name.span, format!("has to mirror `{}`", sides.from.name()))
            .at(source.span, format!("mirrors `{}`", source.value)),
        );
        return None;
    }
    let (_, entity) = scope.entity_named(&mirror.target.as_ref()?.value)?;
    let key = entity.key.as_ref()?;
    if !fixes(&key.partition, &key.captures, sides, components?) {
        problems.push(
            Diagnostic::new(
                &codes::MIRROR_LOOKUP,
                format!(
                    "a deleted `{}` does not fix the partition key of the mirrors",
                    sides.to.name()
                ),
            )
            .at(name.span, "cannot find them")
            .at(entity.key_span(), "this partition key has other captures")
            .help(if derives(sides, components?) {
                "leave `find` out: the table itself can be queried"
            } else {
                "name an index or another mirror, or say `find: none`"
            }),
        );
        return None;
    }
    Some(model::Find::Mirror(MirrorId(at)))
}

#[expect(
    clippy::too_many_arguments,
    reason = "what a look-up by index says, and what it is checked against"
)]
fn by_index(
    span: Span,
    name: &Spanned<String>,
    key: &[(Spanned<KeyAttribute>, Spanned<String>)],
    sides: Sides<'_, '_>,
    components: Option<&[Source]>,
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Find> {
    let ((partition, partition_text), sort) = match key {
        [partition] => (partition, None),
        [partition, sort] => (partition, Some(sort)),
        [] => {
            problems.push(
                Diagnostic::new(
                    &codes::FORM,
                    format!("the key of the index `{}` is empty", name.value),
                )
                .at(span, "needs the index's partition key at least"),
            );
            return None;
        }
        _ => return None,
    };
    let mut template = |attribute: &Spanned<KeyAttribute>, text: &Spanned<String>| {
        index_template(attribute, text, sides, components, scope, problems)
    };
    let built = template(partition, partition_text);
    let built_sort = sort.map(|(attribute, text)| template(attribute, text));
    let table = sides.from.table?;
    let index = TableIndex {
        name: name.value.clone(),
        key: KeySchema {
            partition: partition.value.clone(),
            sort: sort.map(|(attribute, _)| attribute.value.clone()),
        },
    };
    Some(model::Find::Index {
        index: indexes.enter(table, index, name.span, problems),
        partition: built?,
        sort: built_sort.map_or(Some(None), |sort| sort.map(Some))?,
    })
}

fn index_template(
    attribute: &Spanned<KeyAttribute>,
    text: &Spanned<String>,
    sides: Sides<'_, '_>,
    components: Option<&[Source]>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<KeyTemplate> {
    let KeyAttribute { name, kind } = &attribute.value;
    if name == super::tables::RESERVED {
        problems.push(super::tables::reserved(attribute.span));
    }
    declared_type(attribute, sides, problems);
    let separator = scope.table_of(sides.from).map_or('#', |table| table.separator);
    let template = templates::read(text, separator, scope.source, problems)?;
    let mut sound = true;
    for capture in template.captures() {
        let Some((at, to)) = sides.to_key.capture(capture) else {
            let name = Spanned::new(capture.to_owned(), text.span);
            problems.push(unknown_capture(&name, sides.to, sides.to_key));
            sound = false;
            continue;
        };
        sound &= fits_index(&template, *kind, to, sides, text.span, problems);
        let source = components.and_then(|components| components.get(at));
        if let Some(Source::Elements(path, _)) = source {
            sound = false;
            problems.push(
                Diagnostic::new(
                    &codes::INDEX_ELEMENTS,
                    format!("the elements of `{path}` are in no index"),
                )
                .at(text.span, format!("`{{{capture}}}` is one of the elements"))
                .help("say `find: none`: the audit finds the items left behind"),
            );
        }
    }
    let typed = KeyTemplate::new(template, *kind).filter(|_| sound);
    if typed.is_none() && sound {
        problems.push(
            Diagnostic::new(
                &codes::KEY_TYPE,
                format!("`{name}` is of type {}, and has no text around a capture", kind.as_type()),
            )
            .at(text.span, "has to be one capture alone"),
        );
    }
    typed
}

/// Whether the capture's value can stand in the index's key.
fn fits_index(
    template: &Template,
    kind: KeyKind,
    to: &Capture,
    sides: Sides<'_, '_>,
    span: Span,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    // A text that is a number can be looked up as one: the reference's own attribute was one.
    let fits = if template.is_sole_capture() {
        to.kind == kind || (to.kind, kind) == (KeyKind::S, KeyKind::N)
    } else {
        to.kind != KeyKind::B
    };
    if !fits {
        problems.push(
            Diagnostic::new(
                &codes::TYPE_MISMATCH,
                format!(
                    "`{{{}}}` is of type {}, and cannot stand here",
                    to.name,
                    to.kind.as_type()
                ),
            )
            .at(span, format!("this key attribute is of type {}", kind.as_type()))
            .at(sides.to.key_span(), format!("`{{{}}}` comes from this key", to.name)),
        );
    }
    fits
}

/// The index's attribute, if the entity declares it, is of the same type.
fn declared_type(
    attribute: &Spanned<KeyAttribute>,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) {
    let KeyAttribute { name, kind } = &attribute.value;
    let declared = sides.from.attributes.get(&Path::attribute(name));
    if let Some(declared) = declared.filter(|declared| **declared != kind.as_type()) {
        // List elements have a diagnostic of their own.
        if Elements::of(*declared).is_some() {
            return;
        }
        problems.push(
            Diagnostic::new(
                &codes::CONTRADICTION,
                format!(
                    "`{name}` is of type {declared}, and is a key attribute of type {} here",
                    kind.as_type()
                ),
            )
            .at(attribute.span, format!("of type {}", kind.as_type()))
            .help(if matches!(declared, Type::N | Type::B) {
                format!("write `{name}:{declared}`")
            } else {
                "an index's key is a string, a number or a binary".to_owned()
            }),
        );
    }
}
