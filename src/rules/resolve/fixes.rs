//! Suggests a lookup that would find the referencing items.

use std::fmt;

use super::determined::are_determined;
use super::scope::Scope;
use super::sources::Sides;
use crate::data::{KeyAttribute, KeyKind, Path, Type};
use crate::rules::ast::Find;
use crate::rules::model::{Component, Mode};
use crate::rules::template::{Part, Template};

/// The alternative that help texts suggest if the items cannot be found.
pub(super) const DO_WITHOUT: &str = "use `report` and accept that the orphans are not found";

/// A lookup that would find the referencing items. `Display` writes the first part of a sentence,
/// which [`Self::or`] completes.
#[derive(Debug)]
pub(super) enum Suggestion {
    /// A lookup through the mirror items of this rule.
    Mirror(String),
    /// A lookup through an index, which may not exist yet.
    Index {
        /// The index's name, if another rule uses the index.
        name: Option<String>,
        /// The index's key attributes, each with its template.
        key: Vec<(KeyAttribute, String)>,
    },
    /// A lookup through the mirror items of a new rule.
    NewMirror {
        /// The entity to mirror.
        source: String,
        /// The captures of the mirror's partition key.
        captures: Vec<String>,
    },
    /// No lookup is possible, for this reason.
    Impossible(String),
}

impl Suggestion {
    /// The complete sentence. `without` is the alternative that needs no lookup.
    pub(super) fn or(&self, without: &str) -> String {
        match self {
            Self::Impossible(_) => format!("{self}: {without}"),
            Self::Mirror(_) | Self::Index { .. } | Self::NewMirror { .. } => {
                format!("{self}, or {without}")
            }
        }
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mirror(name) => write!(formatter, "write `find: {{ mirror: {name} }}`"),
            Self::Index { name, key } => {
                let pairs: Vec<String> =
                    key.iter().map(|(attribute, text)| pair(attribute, text)).collect();
                let pairs = pairs.join(", ");
                let known = name.as_deref().unwrap_or("NAME");
                write!(formatter, "write `find: {{ index: {known}, key: {{ {pairs} }} }}`")?;
                if name.is_none() {
                    let names: Vec<String> =
                        key.iter().map(|(attribute, _)| format!("`{}`", attribute.name)).collect();
                    write!(formatter, ", where NAME is an index on {}", names.join(" and "))?;
                }
                Ok(())
            }
            Self::NewMirror { source, captures } => write!(
                formatter,
                "add a mirror of `{source}` whose partition key consists of {}, and write \
                 `find: {{ mirror: NAME }}`",
                captures.join(", ")
            ),
            Self::Impossible(why) => formatter.write_str(why),
        }
    }
}

/// Formats a key attribute of an index and its template for a rule file.
fn pair(KeyAttribute { name, kind }: &KeyAttribute, template: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    match kind {
        KeyKind::S if name.chars().all(is_plain) => format!("{name}: \"{template}\""),
        KeyKind::S => format!("\"{name}\": \"{template}\""),
        KeyKind::N | KeyKind::B => format!("\"{name}:{}\": \"{template}\"", kind.as_type()),
    }
}

/// Returns a lookup that would find the items. If several would, returns the one that costs least.
pub(super) fn suggest(
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
) -> Suggestion {
    mirror(sides, components, scope)
        .or_else(|| index(sides, components, scope))
        .or_else(|| new_mirror(sides, components))
        .unwrap_or_else(|| impossible(components))
}

fn mirror(sides: Sides<'_, '_>, components: &[Component], scope: &Scope<'_>) -> Option<Suggestion> {
    let mut mirrors = scope.file.mirrors.iter().filter(|mirror| {
        let of_source =
            mirror.source.as_ref().is_some_and(|source| source.value == sides.from.name());
        of_source && mirror.mode != Some(Mode::Off)
    });
    let fitting = mirrors.find(|mirror| {
        let entity = mirror.target.as_ref();
        let entity = entity.and_then(|name| scope.entity_at(&name.value, mirror.target_at));
        let key = entity.and_then(|(_, entity)| entity.key.as_ref());
        key.is_some_and(|key| are_determined(key, sides, components))
    })?;
    Some(Suggestion::Mirror(fitting.name.value.clone()))
}

fn index(sides: Sides<'_, '_>, components: &[Component], scope: &Scope<'_>) -> Option<Suggestion> {
    let of_attributes = key_of_attributes(sides, components);
    let key = if of_attributes.is_empty() {
        vec![sort_key(sides, components, scope)?]
    } else {
        of_attributes
    };
    let (partition, _) = key.first()?;
    let known = scope.file.references.iter().find_map(|other| {
        let (_, entity) = scope.entity_at(&other.from.as_ref()?.value, other.from_at)?;
        let Find::Index { index, key } = &other.find.as_ref()?.value else { return None };
        let same = entity.table == sides.from.table && key.first()?.0.value == *partition;
        same.then(|| index.as_ref().map(|index| index.value.clone()))?
    });
    // The sort key of an index that another rule uses may differ, so only the partition key is
    // suggested.
    let length = if known.is_some() { 1 } else { key.len() };
    Some(Suggestion::Index { name: known, key: key.into_iter().take(length).collect() })
}

/// The attributes of the reference that can form the key of an index.
fn key_of_attributes(
    sides: Sides<'_, '_>,
    components: &[Component],
) -> Vec<(KeyAttribute, String)> {
    let parts = components.iter().zip(&sides.to_key.captures);
    let attributes = parts.filter_map(|(source, capture)| {
        let Component::Attribute(path, kind) = source else { return None };
        let kind = key_kind(*kind).filter(|_| *path == Path::attribute(path.root()))?;
        let attribute = KeyAttribute { name: path.root().to_owned(), kind };
        Some((attribute, format!("{{{}}}", capture.name)))
    });
    attributes.take(2).collect()
}

const fn key_kind(kind: Type) -> Option<KeyKind> {
    match kind {
        Type::S => Some(KeyKind::S),
        Type::N => Some(KeyKind::N),
        Type::B => Some(KeyKind::B),
        Type::Bool | Type::Null | Type::Ss | Type::Ns | Type::Bs | Type::L | Type::M => None,
    }
}

/// The referencing table's sort key as the partition key of an inverted index; `None` if the
/// referenced key does not determine it completely.
fn sort_key(
    sides: Sides<'_, '_>,
    components: &[Component],
    scope: &Scope<'_>,
) -> Option<(KeyAttribute, String)> {
    let attribute = scope.table_of(sides.from)?.key.as_ref()?.sort.clone()?;
    let template = sides.from_key.key.sort()?.template();
    // A template without captures is the same for all items.
    template.captures().next()?;
    Some((attribute, in_captures_of(template, sides, components)?))
}

/// A template of the referencing key, written with the captures of the referenced key; `None` if
/// that key does not determine all of its captures.
pub(super) fn in_captures_of(
    template: &Template,
    sides: Sides<'_, '_>,
    components: &[Component],
) -> Option<String> {
    let renamed = |name: &str| {
        let (own, _) = sides.from_key.capture(name)?;
        let index = components.iter().position(|source| *source == Component::Capture(own))?;
        sides.to_key.captures.get(index).map(|capture| capture.name.as_str())
    };
    let mut text = String::new();
    for part in template.parts() {
        match part {
            Part::Literal(literal) => {
                text.push_str(&literal.replace('{', "{{").replace('}', "}}"));
            }
            Part::Capture(capture) => text.push_str(&capture.with_name(renamed(&capture.name)?)),
        }
    }
    Some(text)
}

fn new_mirror(sides: Sides<'_, '_>, components: &[Component]) -> Option<Suggestion> {
    let captures: Vec<String> = components
        .iter()
        .filter_map(|source| {
            let Component::Capture(index) = source else { return None };
            let capture = sides.from_key.captures.get(*index)?;
            Some(format!("`{{{}}}`", capture.name))
        })
        .collect();
    let source = sides.from.name().to_owned();
    (!captures.is_empty()).then_some(Suggestion::NewMirror { source, captures })
}

fn impossible(components: &[Component]) -> Suggestion {
    Suggestion::Impossible(
        components
            .iter()
            .find_map(|source| match source {
                Component::Elements(path, _) | Component::Field(path, _) => {
                    Some(format!("an index cannot contain the elements of `{path}`"))
                }
                Component::Attribute(path, _) => {
                    Some(format!("an index cannot contain a value inside `{}`", path.root()))
                }
                Component::Capture(_) | Component::Constant(_) => None,
            })
            .unwrap_or_else(|| "every item refers to the same item".to_owned()),
    )
}
