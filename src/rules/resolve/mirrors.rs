//! Resolves mirrors.

use super::conditions;
use super::entities::Entity;
use super::mirror_keys::inverse;
use super::scope::Scope;
use super::tables::{RESERVED, reserved};
use crate::data::Path;
use crate::rules::ast::{self, CopiedAttributes};
use crate::rules::codes;
use crate::rules::defaults;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{self, Copied, OnMirrorEdit};
use crate::rules::span::Spanned;
use crate::rules::spelling::closest;

pub(super) fn resolve(
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<Option<model::Mirror>> {
    for (index, mirror) in scope.file.mirrors.iter().enumerate() {
        check_single_writer(mirror, scope.file.mirrors.get(..index).unwrap_or_default(), problems);
        check_former_name(mirror, index, &scope.file.mirrors, problems);
    }
    scope.file.mirrors.iter().map(|mirror| resolve_one(mirror, scope, problems)).collect()
}

fn resolve_one(
    mirror: &ast::Mirror,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Option<model::Mirror> {
    check_adopt(mirror, problems);
    let source = mirror.source.as_ref();
    let source = source.and_then(|name| scope.entity(name, mirror.source_at, problems));
    let copy = mirror.target.as_ref();
    let copy = copy.and_then(|name| scope.entity(name, mirror.target_at, problems));
    let (source_name, (source_id, source)) = (mirror.source.as_ref()?, source?);
    let copied = copied(mirror, source, scope, problems);
    if let Some(writer) =
        scope.writer_of(source.name()).filter(|_| source_id != copy.map_or(source_id, |it| it.0))
    {
        problems.push(
            Diagnostic::new(
                &codes::MIRROR_OF_MIRROR,
                format!("the source of `{}` is a mirror itself", mirror.name.value),
            )
            .at(
                source_name.span,
                format!("`{}` is written by `{}`", source.name(), writer.name.value),
            )
            .at(writer.name.span, "the rule that writes it")
            .maybe_help(writer.source.as_ref().map(|first| {
                format!("mirror the original source instead: `source: {}`", first.value)
            })),
        );
    }
    let (copy_id, copy) = copy?;
    if overwrites_source(mirror, source, copy, problems) {
        return None;
    }
    check_types(&copied, source, copy, problems);
    let ttl = scope.table_of(copy).and_then(|table| table.ast.ttl.as_ref());
    let ttl = ttl.map(|ttl| ttl.value.as_str());
    conditions::check_mirror(mirror, &copied, (source, copy), ttl, problems);
    let (source_key, copy_key) = (source.key.as_ref()?, copy.key.as_ref()?);
    let (mirror_from_source, source_from_mirror) =
        inverse(mirror, (source, source_key), (copy, copy_key), problems)?;
    Some(model::Mirror {
        name: mirror.name.value.clone(),
        was: mirror.was.as_ref().map(|was| was.value.clone()),
        source: source_id,
        mirror: copy_id,
        mirror_from_source,
        source_from_mirror,
        copy: copied,
        on_mirror_delete: mirror.on_mirror_delete.unwrap_or(defaults::ON_MIRROR_DELETE),
        on_mirror_edit: mirror
            .on_mirror_edit
            .as_ref()
            .map_or(defaults::ON_MIRROR_EDIT, |it| it.value),
        adopt: mirror.adopt.as_ref().map_or(defaults::ADOPT, |it| it.value),
        mode: mirror.mode.unwrap_or(defaults::MODE),
        severity: mirror.severity.unwrap_or(defaults::SEVERITY),
    })
}

/// Reports a mirror rule that writes the same entity as an earlier rule.
fn check_single_writer(
    mirror: &ast::Mirror,
    before: &[ast::Mirror],
    problems: &mut Vec<Diagnostic>,
) {
    let Some(name) = &mirror.target else { return };
    let others = before.iter().filter(|other| other.name.span != mirror.name.span);
    let first = others.filter_map(|other| other.target.as_ref());
    if let Some(first) = first.into_iter().find(|other| other.value == name.value) {
        problems.push(
            Diagnostic::new(&codes::TWO_MIRRORS, format!("two rules write `{}`", name.value))
                .at(name.span, "the second rule")
                .at(first.span, "the first rule")
                .help("give each rule its own mirror entity"),
        );
    }
}

/// Reports a former name that a rule has, or that an earlier rule had, too.
fn check_former_name(
    mirror: &ast::Mirror,
    index: usize,
    mirrors: &[ast::Mirror],
    problems: &mut Vec<Diagnostic>,
) {
    let Some(was) = &mirror.was else { return };
    let names = mirrors.iter().map(|other| &other.name);
    let earlier = mirrors.get(..index).unwrap_or_default().iter();
    let earlier = earlier.filter(|other| other.name.span != mirror.name.span);
    let mut taken = names.chain(earlier.filter_map(|other| other.was.as_ref()));
    if let Some(taken) = taken.find(|taken| taken.value == was.value) {
        let message = format!("`{}` is the name of another rule, or its own", was.value);
        problems.push(
            Diagnostic::new(&codes::FORMER_NAME, message)
                .at(was.span, "the former name")
                .at(taken.span, "the same name")
                .help("remove `was`, or write the name that this rule alone had before"),
        );
    }
}

/// Reports `adopt` if it has no effect.
fn check_adopt(mirror: &ast::Mirror, problems: &mut Vec<Diagnostic>) {
    let adopt = mirror.adopt.as_ref().filter(|adopt| adopt.value);
    let report = mirror.on_mirror_edit.as_ref().filter(|edit| edit.value == OnMirrorEdit::Report);
    if let (Some(adopt), Some(report)) = (adopt, report) {
        problems.push(
            Diagnostic::new(&codes::NO_EFFECT, "`adopt` has no effect if edits are only reported")
                .at(adopt.span, "has no effect")
                .at(report.span, "because of this")
                .help("remove `adopt`, or write `on_mirror_edit: overwrite`"),
        );
    }
}

/// Checks and returns the attributes to copy.
fn copied(
    mirror: &ast::Mirror,
    source: &Entity<'_>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Copied {
    let (names, word, of_names): (_, _, fn(Vec<String>) -> Copied) = match &mirror.copy {
        None => return defaults::COPY,
        Some(CopiedAttributes::All) => return Copied::All,
        Some(CopiedAttributes::None) => return Copied::None,
        Some(CopiedAttributes::Renamed(names)) => {
            return renamed(names, mirror, source, scope, problems);
        }
        Some(CopiedAttributes::List(names)) => (names, "copied", Copied::List),
        Some(CopiedAttributes::Except(names)) => (names, "left out", Copied::Except),
    };
    let copy = mirror.target.as_ref();
    let copy = copy.and_then(|name| scope.entity_at(&name.value, mirror.target_at));
    let tables = [Some(source), copy.map(|(_, copy)| copy)];
    let is_key = |name: &str| {
        let mut tables = tables.iter().flatten().filter_map(|entity| scope.table_of(entity));
        tables.any(|table| table.is_key_attribute(name))
    };
    for (index, name) in names.iter().enumerate() {
        let first = names.iter().take(index).find(|other| other.value == name.value);
        if let Some(first) = first {
            problems.push(
                Diagnostic::new(&codes::DUPLICATE, format!("`{}` is {word} twice", name.value))
                    .at(name.span, "second occurrence")
                    .at(first.span, "first occurrence"),
            );
        } else if name.value == RESERVED {
            problems.push(reserved(name.span));
        } else if is_key(&name.value) {
            problems.push(
                Diagnostic::new(&codes::COPIED_KEY, format!("`{}` is a key attribute", name.value))
                    .at(name.span, format!("cannot be {word}"))
                    .help("remove it: the key is built from its template"),
            );
        } else if !source.declares(&name.value) {
            problems.push(undeclared_attribute(name, source));
        }
    }
    of_names(names.iter().map(|name| name.value.clone()).collect())
}

/// Checks and returns the attributes to copy under other names.
fn renamed(
    names: &[(Spanned<String>, Spanned<String>)],
    mirror: &ast::Mirror,
    source: &Entity<'_>,
    scope: &Scope<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Copied {
    let copy = mirror.target.as_ref();
    let copy = copy.and_then(|name| scope.entity_at(&name.value, mirror.target_at));
    let is_key = |entity: Option<&Entity<'_>>, name: &str| {
        entity.and_then(|it| scope.table_of(it)).is_some_and(|table| table.is_key_attribute(name))
    };
    let key = |name: &Spanned<String>, label: &str, help: &str| {
        Diagnostic::new(&codes::COPIED_KEY, format!("`{}` is a key attribute", name.value))
            .at(name.span, label)
            .help(help)
    };
    for (index, (name, new)) in names.iter().enumerate() {
        let mut before = names.iter().take(index);
        if let Some((_, first)) = before.find(|(_, other)| other.value == new.value) {
            problems.push(
                Diagnostic::new(
                    &codes::DUPLICATE,
                    format!("two attributes are copied to `{}`", new.value),
                )
                .at(new.span, "second occurrence")
                .at(first.span, "first occurrence"),
            );
        }
        problems.extend(
            [name, new].iter().filter(|it| it.value == RESERVED).map(|it| reserved(it.span)),
        );
        if is_key(copy.map(|(_, copy)| copy), &new.value) {
            problems.push(key(
                new,
                "cannot be written",
                "choose another name: the mirror's key is built from its template",
            ));
        }
        if is_key(Some(source), &name.value) {
            problems.push(key(
                name,
                "cannot be copied",
                "remove it: the parts of the source's key are in the mirror's key",
            ));
        } else if name.value != RESERVED && !source.declares(&name.value) {
            problems.push(undeclared_attribute(name, source));
        }
    }
    let names = names.iter().map(|(name, new)| (name.value.clone(), new.value.clone()));
    Copied::Renamed(names.collect())
}

fn undeclared_attribute(name: &Spanned<String>, source: &Entity<'_>) -> Diagnostic {
    let roots = source.attributes.keys().map(Path::root);
    let help = match closest(&name.value, roots) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("declare it in `{}`: `attributes: {{ {}: S }}`", source.name(), name.value),
    };
    Diagnostic::new(
        &codes::UNDECLARED_ATTRIBUTE,
        format!("`{}` is not a declared attribute of `{}`", name.value, source.name()),
    )
    .at(name.span, "not declared")
    .help(help)
}

/// Whether a mirror item could overwrite a source item. If so, that is reported.
fn overwrites_source(
    mirror: &ast::Mirror,
    source: &Entity<'_>,
    copy: &Entity<'_>,
    problems: &mut Vec<Diagnostic>,
) -> bool {
    let overlap = match (&source.key, &copy.key) {
        (Some(source), Some(copy)) => source.key.overlap(&copy.key).is_some(),
        _ => false,
    };
    let same = source.name() == copy.name()
        || (source.table.is_some() && source.table == copy.table && overlap);
    if same {
        let span = mirror.target.as_ref().map_or(mirror.name.span, |name| name.span);
        problems.push(
            Diagnostic::new(
                &codes::SAME_KEYS,
                format!("`{}` could overwrite its source items", mirror.name.value),
            )
            .at(span, format!("can have the same keys as `{}`", source.name()))
            .help("choose mirror keys that no source item can have"),
        );
    }
    same
}

/// Reports copied attributes that have different types in the source and the mirror.
fn check_types(
    copied: &Copied,
    source: &Entity<'_>,
    copy: &Entity<'_>,
    problems: &mut Vec<Diagnostic>,
) {
    for (path, kind) in &copy.ast.attributes {
        let Some(in_source) = copied.in_source(&path.value) else { continue };
        let declared = source.ast.attributes.iter().find(|(other, _)| other.value == in_source);
        let Some((_, source_kind)) = declared else { continue };
        if source_kind.value != kind.value {
            problems.push(
                Diagnostic::new(
                    &codes::CONTRADICTION,
                    format!("`{}` has different types in the source and the mirror", path.value),
                )
                .at(kind.span, format!("type {} in the mirror", kind.value))
                .at(source_kind.span, format!("type {} in the source", source_kind.value)),
            );
        }
    }
}
