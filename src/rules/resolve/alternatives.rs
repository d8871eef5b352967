//! Resolves the alternatives of references: the entities that one rule may lead to.

use super::scope::Scope;
use super::sources::{self, Sides, Source};
use crate::data::{KeyValue, Number, Type};
use crate::rules::ast::{File, Reference};
use crate::rules::codes;
use crate::rules::diagnostic::Diagnostic;
use crate::rules::model::{
    self, Alternative, Component, Discriminator, OtherKey, OtherPart, OtherTarget, ReferenceId,
};
use crate::rules::span::Spanned;
use crate::rules::spelling::did_you_mean;
use crate::rules::template::Template;

/// Whether two declarations are alternatives of one rule.
pub(super) fn are_of_one_rule(one: &Reference, other: &Reference) -> bool {
    one.name.span == other.name.span
}

/// The position of the target's table among those of its entity.
pub(super) fn position(reference: &Reference) -> usize {
    reference.targets.each.get(reference.alternative).map_or(0, |target| target.at)
}

/// Whether a capture belongs to the key of one of the entities that a rule may lead to.
pub(super) fn is_capture_of_any(reference: &Reference, name: &str, scope: &Scope<'_>) -> bool {
    reference.targets.each.iter().any(|target| {
        if let Some(index) = &target.index {
            let templates =
                index.key.iter().filter_map(|(_, text)| Template::parse(&text.value).ok());
            let mut captures =
                templates.flat_map(|it| it.captures().map(str::to_owned).collect::<Vec<_>>());
            return captures.any(|capture| capture == name);
        }
        let key = scope.entity_at(&target.entity.value, target.at);
        let key = key.and_then(|(_, it)| it.key.as_ref());
        key.is_some_and(|key| key.capture(name).is_some())
    })
}

/// The source of the discriminator and its values; `None` if there is no discriminator.
///
/// Its position among the components is set by the caller.
pub(super) fn discriminator(
    reference: &Reference,
    sides: Sides<'_, '_>,
    component: usize,
    problems: &mut Vec<Diagnostic>,
) -> Option<Result<(Source, Discriminator), ()>> {
    let by = reference.targets.by.as_ref()?;
    Some(try_discriminator(reference, by, sides, component, problems).ok_or(()))
}

fn try_discriminator(
    reference: &Reference,
    by: &Spanned<String>,
    sides: Sides<'_, '_>,
    component: usize,
    problems: &mut Vec<Diagnostic>,
) -> Option<(Source, Discriminator)> {
    let (source, kind) = sources::single_source(by, sides, problems)?;
    if !matches!(kind, Type::S | Type::N) {
        problems.push(
            Diagnostic::new(
                &codes::DISCRIMINATOR,
                format!("the discriminator of `{}` has type {kind}", reference.name.value),
            )
            .at(by.span, "must be a string or a number")
            .help("name an attribute that says which kind of item is meant"),
        );
        return None;
    }
    let mut values = Vec::new();
    for target in &reference.targets.each {
        let written = target.when.as_ref()?;
        let value = if kind == Type::N {
            Number::parse(written.value.clone()).ok().map(Number::into_owned).map(KeyValue::N)
        } else {
            Some(KeyValue::S(written.value.clone().into()))
        };
        if value.is_none() {
            problems.push(
                Diagnostic::new(
                    &codes::DISCRIMINATOR,
                    format!("`{}` is not a number", written.value),
                )
                .at(written.span, "never equal")
                .at(by.span, "this is a number"),
            );
        }
        values.push(value);
    }
    let mut values = values.into_iter().collect::<Option<Vec<_>>>()?;
    let own =
        (reference.alternative < values.len()).then(|| values.remove(reference.alternative))?;
    Some((source, Discriminator { component, value: own, others: values }))
}

/// Reports entities that are listed twice, and lookups for entities that the rule does not lead to.
pub(super) fn check(file: &File, problems: &mut Vec<Diagnostic>) {
    for reference in file.references.iter().filter(|it| it.alternative == 0) {
        let targets = &reference.targets;
        for (position, target) in targets.each.iter().enumerate() {
            let mut before = targets.each.iter().take(position);
            // An entity in several tables is listed once for each of them.
            let same = before.find(|it| {
                it.entity.value == target.entity.value && it.entity.span != target.entity.span
            });
            if let (Some(same), None) = (same, &targets.by) {
                problems.push(
                    Diagnostic::new(
                        &codes::DUPLICATE,
                        format!("`{}` is listed twice", target.entity.value),
                    )
                    .at(target.entity.span, "second occurrence")
                    .at(same.entity.span, "first occurrence")
                    .help("remove one of the two"),
                );
            }
        }
        for name in reference.lookups.iter().filter(|name| !targets.has(&name.value)) {
            let names = targets.each.iter().map(|target| target.entity.value.as_str());
            problems.push(
                Diagnostic::new(
                    &codes::UNDECLARED,
                    format!("`{}` does not lead to `{}`", reference.name.value, name.value),
                )
                .at(name.span, "not in `to`")
                .maybe_help(did_you_mean(&name.value, names.collect::<Vec<_>>())),
            );
        }
    }
}

/// Relates the alternatives of each rule to each other. `references` are in the order of the file.
pub(super) fn relate(
    scope: &Scope<'_>,
    references: &mut [Option<model::Reference>],
    problems: &mut Vec<Diagnostic>,
) {
    let mut first = 0;
    for (position, declared) in scope.file.references.iter().enumerate() {
        if declared.alternative == 0 {
            first = position;
        }
        let count = declared.targets.each.len().max(1);
        let others = if declared.targets.by.is_none() && count > 1 {
            others(scope, references, (first, count), position, problems)
        } else {
            Vec::new()
        };
        if let Some(Some(reference)) = references.get_mut(position) {
            reference.alternative.first = ReferenceId(first);
            reference.alternative.is_first = position == first;
            reference.alternative.count = count;
            reference.alternative.others = others;
        }
    }
}

/// The other entities of a union.
fn others(
    scope: &Scope<'_>,
    references: &[Option<model::Reference>],
    (first, count): (usize, usize),
    position: usize,
    problems: &mut Vec<Diagnostic>,
) -> Vec<OtherTarget> {
    let Some(own) = references.get(position).and_then(Option::as_ref) else { return Vec::new() };
    let Some(declared) = scope.file.references.get(position) else { return Vec::new() };
    let mut found = Vec::new();
    for rule in (first..first + count).filter(|other| *other != position) {
        let Some(other) = references.get(rule).and_then(Option::as_ref) else { continue };
        match other_key(scope, declared, own, other) {
            Some(key) => found.push(OtherTarget { rule: ReferenceId(rule), key }),
            None => problems.push(differ(scope, declared, own, other)),
        }
    }
    found
}

/// How the key of another entity of a union follows from that of this one.
fn other_key(
    scope: &Scope<'_>,
    declared: &Reference,
    own: &model::Reference,
    other: &model::Reference,
) -> Option<OtherKey> {
    let key = |reference: &model::Reference| {
        scope.entities.get(reference.to.0).and_then(|entity| entity.key.as_ref())
    };
    let (own_key, other_key) = (key(own)?, key(other)?);
    if declared.on_key.is_some() {
        return Some(OtherKey::Same);
    }
    let parts = other.components.iter().enumerate().take(other_key.captures.len());
    let part = |(of_other, component): (usize, &Component)| {
        if let Component::Constant(value) = component {
            return Some(OtherPart::Constant(value.clone()));
        }
        let mut known = own.components.iter().enumerate().take(own_key.captures.len());
        let is_same = |(of_own, source): &(usize, &Component)| {
            *source == component
                && own.contained(*of_own) == other.contained(of_other)
                && own_key.key.case(*of_own) == other_key.key.case(of_other)
        };
        known.find(is_same).map(|(of_own, _)| OtherPart::Capture(of_own))
    };
    parts.map(part).collect::<Option<_>>().map(OtherKey::Built)
}

fn differ(
    scope: &Scope<'_>,
    declared: &Reference,
    own: &model::Reference,
    other: &model::Reference,
) -> Diagnostic {
    let name = |reference: &model::Reference| {
        scope.entities.get(reference.to.0).map_or("", |entity| entity.name())
    };
    let mut names = [name(own), name(other)];
    names.sort_unstable();
    let span = declared.targets.each.first().map_or(declared.name.span, |it| it.entity.span);
    let [one, two] = names;
    Diagnostic::new(
        &codes::UNION,
        format!("the keys of `{one}` and `{two}` do not come from the same values"),
    )
    .at(span, format!("one item of `{one}` or `{two}` is enough"))
    .help(
        "give the captures of all these keys the same sources in `on`; or, if an attribute says which \
         kind of item is meant, write `to: { by: \"{ATTRIBUTE}\", VALUE: ENTITY }`",
    )
}

/// The alternative of a rule whose other alternatives are not known yet.
pub(super) const fn alone(discriminator: Option<Discriminator>) -> Alternative {
    let first = ReferenceId(0);
    Alternative { first, is_first: true, count: 1, discriminator, others: Vec::new() }
}
