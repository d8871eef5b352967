//! Resolves `find`: how the items that refer to a deleted item are found.

use super::alternatives::is_capture_of_any;
use super::determined::{are_determined, can_query_table};
use super::fixes::{DO_WITHOUT, suggest};
use super::indexes::Indexes;
use super::lookup;
use super::names::undeclared;
use super::scope::Scope;
use super::source_problems::unknown_capture;
use super::sources::{Elements, Sides};
use super::tables::{RESERVED, reserved};
use super::templates::{self, Capture};
use crate::data::{KeyAttribute, KeyKind, KeySchema, Path, Type};
use crate::rules::ast::{Find, Reference, ReferentialAction};
use crate::rules::codes;
use crate::rules::defaults;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, Component, MirrorId, TableIndex};
use crate::rules::span::{Span, Spanned};
use crate::rules::template::{KeyTemplate, Template};

/// Returns how the rule finds the referencing items; `None` if the declaration has an error.
pub(super) fn resolve(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: Option<&[Component]>,
    scope: &Scope<'_>,
    indexes: &mut Indexes,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Find> {
    let Some(find) = &reference.find else {
        return derive(reference, sides, components?, scope, problems);
    };
    match &find.value {
        Find::Unreadable => None,
        Find::None => {
            if let Some(action) = needing_lookup(reference) {
                let queryable = components.filter(|components| can_query_table(sides, components));
                let help = match queryable {
                    Some(_) => Some("remove `find`: a query of the table finds them".to_owned()),
                    None => components
                        .map(|components| suggest(sides, components, scope).or(DO_WITHOUT)),
                };
                problems.push(
                    no_lookup(reference, action, sides)
                        .at(find.span, "`none` means that they are not found")
                        .maybe_help(help),
                );
            }
            Some(model::Find::None)
        }
        Find::Mirror(name) => {
            let name = (name.as_ref()?, reference.from_at);
            by_mirror(name, sides, components, scope, problems)
        }
        Find::Index { index, key } => {
            let found = by_index(
                find.span,
                index.as_ref()?,
                key,
                reference,
                sides,
                components,
                scope,
                indexes,
                problems,
            )?;
            if let (model::Find::Index { partition, sort, .. }, Some(parts)) = (&found, components)
            {
                for ((attribute, text), template) in
                    key.iter().zip(std::iter::once(partition).chain(sort))
                {
                    let written = (&attribute.value, text);
                    lookup::check(reference, written, template, sides, parts, scope, problems);
                }
            }
            Some(found)
        }
    }
}

/// The first of `on_delete` and `on_ttl_delete` whose action must find the referencing items.
fn needing_lookup(reference: &Reference) -> Option<&Spanned<ReferentialAction>> {
    let on_delete = reference.on_delete.as_ref().into_iter().chain(&reference.on_ttl_delete);
    on_delete.into_iter().find(|action| {
        !matches!(action.value, ReferentialAction::Report | ReferentialAction::Ignore)
    })
}

fn no_lookup(
    reference: &Reference,
    action: &Spanned<ReferentialAction>,
    sides: Sides<'_, '_>,
) -> Diagnostic {
    Diagnostic::new(
        &codes::NO_LOOKUP,
        format!(
            "`{}` cannot find the items of `{}` that refer to a deleted `{}`",
            reference.name.value,
            sides.from.name(),
            sides.to.name()
        ),
    )
    .at(action.span, format!("`{}` must find these items", action.value.name()))
}

fn derive(
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Find> {
    if can_query_table(sides, components) {
        return Some(model::Find::Derived);
    }
    let key_note =
        format!("the key of `{}` does not determine this partition key", sides.to.name());
    if let Some(action) = needing_lookup(reference) {
        problems.push(
            no_lookup(reference, action, sides)
                .at(sides.from.key_span(), key_note)
                .help(suggest(sides, components, scope).or(DO_WITHOUT)),
        );
        return None;
    }
    let is_ignored = |action: &Option<Spanned<ReferentialAction>>| {
        action.as_ref().is_some_and(|action| action.value == ReferentialAction::Ignore)
    };
    let ttl_ignored = reference.on_ttl_delete.is_none() || is_ignored(&reference.on_ttl_delete);
    if !(is_ignored(&reference.on_delete) && ttl_ignored) {
        problems.push(
            Diagnostic::new(
                &codes::AUDIT_ONLY,
                format!(
                    "items of `{}` that refer to a deleted `{}` are not found",
                    sides.from.name(),
                    sides.to.name()
                ),
            )
            .at(reference.name.span, "")
            .at(sides.from.key_span(), key_note)
            .help(suggest(sides, components, scope).or("write `find: none` if this is intended")),
        );
    }
    Some(model::Find::None)
}

fn by_mirror(
    (name, from_at): (&Spanned<String>, usize),
    sides: Sides<'_, '_>,
    components: Option<&[Component]>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Find> {
    let mirrors = &scope.file.mirrors;
    let mut named = mirrors.iter().enumerate().filter(|(_, it)| it.name.value == name.value);
    let first = named.clone().next();
    let of_table = named.find(|(_, it)| it.source_at == from_at).or(first);
    let Some((index, mirror)) = of_table else {
        let declared = mirrors.iter().map(|mirror| mirror.name.value.as_str()).collect();
        problems.push(undeclared("mirror", name, declared));
        return None;
    };
    let source = mirror.source.as_ref()?;
    if source.value != sides.from.name() {
        problems.push(
            Diagnostic::new(
                &codes::MIRROR_LOOKUP,
                format!("`{}` does not mirror `{}`", name.value, sides.from.name()),
            )
            .at(name.span, format!("must mirror `{}`", sides.from.name()))
            .at(source.span, format!("mirrors `{}`", source.value)),
        );
        return None;
    }
    let (_, entity) = scope.entity_at(&mirror.target.as_ref()?.value, mirror.target_at)?;
    let key = entity.key.as_ref()?;
    if !are_determined(key, sides, components?) {
        problems.push(
            Diagnostic::new(
                &codes::MIRROR_LOOKUP,
                format!(
                    "the key of `{}` does not determine the partition key of the mirrors",
                    sides.to.name()
                ),
            )
            .at(name.span, "cannot find the referencing items")
            .at(entity.key_span(), "this partition key has other captures")
            .help(if can_query_table(sides, components?) {
                "remove `find`: a query of the table finds them"
            } else {
                "name an index or another mirror, or write `find: none`"
            }),
        );
        return None;
    }
    Some(model::Find::Mirror(MirrorId(index)))
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of the declaration, and what they are checked against"
)]
fn by_index(
    span: Span,
    name: &Spanned<String>,
    key: &[(Spanned<KeyAttribute>, Spanned<String>)],
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: Option<&[Component]>,
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
                    &codes::FORMAT,
                    format!("the key of the index `{}` is empty", name.value),
                )
                .at(span, "needs at least the index's partition key")
                .help("write the attribute with its template: `key: { ATTRIBUTE: \"{CAPTURE}\" }`"),
            );
            return None;
        }
        _ => return None,
    };
    let mut template = |part, attribute: &Spanned<KeyAttribute>, text: &Spanned<String>| {
        index_template((part, attribute), text, reference, sides, components, scope, problems)
    };
    let built = template(KeyPart::Partition, partition, partition_text);
    let built_sort = sort.map(|(attribute, text)| template(KeyPart::Sort, attribute, text));
    let table = sides.from.table?;
    let index = TableIndex {
        name: name.value.clone(),
        key: KeySchema {
            partition: partition.value.clone(),
            sort: sort.map(|(attribute, _)| attribute.value.clone()),
        },
    };
    Some(model::Find::Index {
        index: indexes.add(table, index, name.span, problems),
        partition: built?,
        sort: built_sort.map_or(Some(None), |sort| sort.map(Some))?,
    })
}

/// A part of an index's key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyPart {
    Partition,
    Sort,
}

fn index_template(
    (part, attribute): (KeyPart, &Spanned<KeyAttribute>),
    text: &Spanned<String>,
    reference: &Reference,
    sides: Sides<'_, '_>,
    components: Option<&[Component]>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<KeyTemplate> {
    let KeyAttribute { name, kind } = &attribute.value;
    if name == RESERVED {
        problems.push(reserved(attribute.span));
    }
    check_declared_type(attribute, sides, problems);
    let separator = scope.table_of(sides.from).map_or(defaults::SEPARATOR, |table| table.separator);
    let template = templates::read(text, separator, scope.source, problems)?;
    let mut is_sound = true;
    for capture in template.captures() {
        let Some((index, to)) = sides.to_key.capture(capture) else {
            // A query finds all sort keys that begin with the text before it.
            let is_known =
                sides.from_key.capture(capture).is_some() || sides.from.declares(capture);
            if part == KeyPart::Sort && is_known {
                continue;
            }
            let name = Spanned::new(capture.to_owned(), text.span);
            let unknown = unknown_capture(&name, sides.to, sides.to_key);
            problems.push(if is_capture_of_any(reference, capture, scope) {
                unknown.help(
                    "write a lookup for each entity: `find: { each: { ENTITY: { index: …, key: … } } }`, \
                     or give the captures of all these keys the same name",
                )
            } else {
                unknown
            });
            is_sound = false;
            continue;
        };
        is_sound &= fits_index(&template, *kind, to, sides, text.span, problems);
        let source = components.and_then(|components| components.get(index));
        if let Some(case_problem) = ignores_case(attribute, index, source, sides, text.span) {
            is_sound = false;
            problems.push(case_problem);
        }
        if let Some(Component::Elements(path, _) | Component::Field(path, _)) = source {
            is_sound = false;
            problems.push(
                Diagnostic::new(
                    &codes::INDEX_ELEMENTS,
                    format!("an index cannot contain the elements of `{path}`"),
                )
                .at(text.span, format!("`{{{capture}}}` is an element"))
                .help("write `find: none`: the orphans are then not found"),
            );
        }
    }
    let typed = KeyTemplate::new(template, *kind).filter(|_| is_sound);
    if typed.is_none() && is_sound {
        problems.push(
            Diagnostic::new(
                &codes::KEY_TYPE,
                format!(
                    "`{name}` has type {}, so its template must be one capture",
                    kind.as_type()
                ),
            )
            .at(text.span, "must be a single capture"),
        );
    }
    typed
}

/// The diagnostic for an index whose key is the attribute of the reference itself, with the case
/// that the application wrote, while the referenced key has only one case.
fn ignores_case(
    attribute: &Spanned<KeyAttribute>,
    capture: usize,
    source: Option<&Component>,
    sides: Sides<'_, '_>,
    span: Span,
) -> Option<Diagnostic> {
    sides.to_key.key.case(capture)?;
    let name = &attribute.value.name;
    let is_itself = matches!(source, Some(Component::Attribute(path, _))
        if path.root() == name && !sides.from.templates.contains_key(path));
    is_itself.then(|| {
        Diagnostic::new(
            &codes::INDEX_CASE,
            format!("a query of the index finds `{name}` only in one case"),
        )
        .at(span, format!("`{name}` may have been written in any case"))
        .at(sides.to.key_span(), "this key is converted")
        .help(
            "name an index whose key attribute the application writes in this case, or write \
             `find: none`",
        )
    })
}

/// Whether the capture's value can be part of the index's key. If not, reports that.
fn fits_index(
    template: &Template,
    kind: KeyKind,
    to: &Capture,
    sides: Sides<'_, '_>,
    span: Span,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    // A string capture of the referenced key may have been written from a number, so it can be
    // looked up in an index whose key attribute is a number.
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
                    "`{{{}}}` has type {}, which is not possible here",
                    to.name,
                    to.kind.as_type()
                ),
            )
            .at(span, format!("this key attribute has type {}", kind.as_type()))
            .at(sides.to.key_span(), format!("`{{{}}}` comes from this key", to.name)),
        );
    }
    fits
}

/// Reports an index attribute that the entity declares with another type.
fn check_declared_type(
    attribute: &Spanned<KeyAttribute>,
    sides: Sides<'_, '_>,
    problems: &mut Vec<Diagnostic>,
) {
    let KeyAttribute { name, kind } = &attribute.value;
    let declared = sides.from.attributes.get(&Path::attribute(name));
    if let Some(declared) = declared.filter(|declared| **declared != kind.as_type()) {
        // Elements of lists and sets have a separate diagnostic.
        if Elements::of(*declared).is_some() {
            return;
        }
        problems.push(
            Diagnostic::new(
                &codes::CONTRADICTION,
                format!(
                    "`{name}` has type {declared}, but is a key attribute of type {} here",
                    kind.as_type()
                ),
            )
            .at(attribute.span, format!("has type {} here", kind.as_type()))
            .help(if matches!(declared, Type::N | Type::B) {
                format!("write `{name}:{declared}`")
            } else {
                "a key attribute of an index is a string, a number or a binary".to_owned()
            }),
        );
    }
}
