//! Which look-up would find the referencing items of a rule that names none.

use std::fmt;

use super::Scope;
use super::find::fixes;
use super::sources::Sides;
use crate::data::{KeyAttribute, KeyKind, Path, Type};
use crate::rules::ast::Find;
use crate::rules::model::{Mode, Source};
use crate::rules::template::Part;

/// The look-up that would do, as a sentence without its end.
#[derive(Debug)]
pub(super) enum Lookup {
    /// The mirrors of a rule that is there.
    Mirror(String),
    /// An index, which may have to be made.
    Index {
        /// Its name, if another rule knows it.
        name: Option<String>,
        /// Its key's attributes, and the template for each.
        key: Vec<(KeyAttribute, String)>,
    },
    /// The mirrors of a rule that is not there yet.
    NewMirror {
        /// The entity that it mirrors.
        source: String,
        /// The captures that its partition key has to be made of.
        captures: Vec<String>,
    },
    /// There is none, for this reason.
    Impossible(String),
}

impl Lookup {
    /// What is said to an author who may also do without: how that is said comes last.
    pub(super) fn or(&self, without: &str) -> String {
        match self {
            Self::Impossible(_) => format!("{self}: {without}"),
            Self::Mirror(_) | Self::Index { .. } | Self::NewMirror { .. } => {
                format!("{self}, or {without}")
            }
        }
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mirror(name) => write!(formatter, "say `find: {{ mirror: {name} }}`"),
            Self::Index { name, key } => {
                let pairs: Vec<String> =
                    key.iter().map(|(attribute, text)| pair(attribute, text)).collect();
                let pairs = pairs.join(", ");
                let known = name.as_deref().unwrap_or("NAME");
                write!(formatter, "say `find: {{ index: {known}, key: {{ {pairs} }} }}`")?;
                if name.is_none() {
                    let names: Vec<String> =
                        key.iter().map(|(attribute, _)| format!("`{}`", attribute.name)).collect();
                    write!(formatter, ", NAME being an index on {}", names.join(" and "))?;
                }
                Ok(())
            }
            Self::NewMirror { source, captures } => write!(
                formatter,
                "mirror `{source}` at keys whose partition key is made of {}, and say `find: {{ \
                 mirror: NAME }}`",
                captures.join(", ")
            ),
            Self::Impossible(why) => formatter.write_str(why),
        }
    }
}

/// A key attribute of an index with its template, as it is written in a rule file.
fn pair(KeyAttribute { name, kind }: &KeyAttribute, template: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    match kind {
        KeyKind::S if name.chars().all(is_plain) => format!("{name}: \"{template}\""),
        KeyKind::S => format!("\"{name}\": \"{template}\""),
        KeyKind::N | KeyKind::B => format!("\"{name}:{}\": \"{template}\"", kind.as_type()),
    }
}

/// The look-up that would do, of several the one that costs least to have.
pub(super) fn suggest(sides: Sides<'_, '_>, components: &[Source], scope: &Scope<'_>) -> Lookup {
    mirror(sides, components, scope)
        .or_else(|| index(sides, components, scope))
        .or_else(|| new_mirror(sides, components))
        .unwrap_or_else(|| impossible(components))
}

fn mirror(sides: Sides<'_, '_>, components: &[Source], scope: &Scope<'_>) -> Option<Lookup> {
    let mut mirrors = scope.file.mirrors.iter().filter(|mirror| {
        let of_source =
            mirror.source.as_ref().is_some_and(|source| source.value == sides.from.name());
        of_source && mirror.mode != Some(Mode::Off)
    });
    let fitting = mirrors.find(|mirror| {
        let entity = mirror.target.as_ref().and_then(|name| scope.entity_named(&name.value));
        let key = entity.and_then(|(_, entity)| entity.key.as_ref());
        key.is_some_and(|key| fixes(&key.partition, &key.captures, sides, components))
    })?;
    Some(Lookup::Mirror(fitting.name.value.clone()))
}

fn index(sides: Sides<'_, '_>, components: &[Source], scope: &Scope<'_>) -> Option<Lookup> {
    let of_attributes = key_of_attributes(sides, components);
    let key = if of_attributes.is_empty() {
        vec![sort_key(sides, components, scope)?]
    } else {
        of_attributes
    };
    let (partition, _) = key.first()?;
    let known = scope.file.references.iter().find_map(|other| {
        let (_, entity) = scope.entity_named(&other.from.as_ref()?.value)?;
        let Find::Index { index, key } = &other.find.as_ref()?.value else { return None };
        let same = entity.table == sides.from.table && key.first()?.0.value == *partition;
        same.then(|| index.as_ref().map(|index| index.value.clone()))?
    });
    // What is known of the index may be its partition key alone.
    let length = if known.is_some() { 1 } else { key.len() };
    Some(Lookup::Index { name: known, key: key.into_iter().take(length).collect() })
}

/// The reference's own attributes, as far as they can be an index's key.
fn key_of_attributes(sides: Sides<'_, '_>, components: &[Source]) -> Vec<(KeyAttribute, String)> {
    let parts = components.iter().zip(&sides.to_key.captures);
    let attributes = parts.filter_map(|(source, capture)| {
        let Source::Attribute(path, kind) = source else { return None };
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

/// The referencing table's sort key, if the referenced key says all of it: an index that is the
/// table turned round.
fn sort_key(
    sides: Sides<'_, '_>,
    components: &[Source],
    scope: &Scope<'_>,
) -> Option<(KeyAttribute, String)> {
    let attribute = scope.table_of(sides.from)?.key.as_ref()?.sort.clone()?;
    let template = sides.from_key.key.sort()?.template();
    // A text without captures is the same for all items.
    template.captures().next()?;
    let renamed = |name: &str| {
        let (own, _) = sides.from_key.capture(name)?;
        let at = components.iter().position(|source| *source == Source::Capture(own))?;
        sides.to_key.captures.get(at).map(|capture| capture.name.as_str())
    };
    let mut text = String::new();
    for part in template.parts() {
        match part {
            Part::Literal(literal) => {
                text.push_str(&literal.replace('{', "{{").replace('}', "}}"));
            }
            Part::Capture(name) => text.extend(["{", renamed(name)?, "}"]),
            Part::Rest(name) => text.extend(["{", renamed(name)?, "*}"]),
        }
    }
    Some((attribute, text))
}

fn new_mirror(sides: Sides<'_, '_>, components: &[Source]) -> Option<Lookup> {
    let captures: Vec<String> = components
        .iter()
        .filter_map(|source| {
            let Source::Capture(at) = source else { return None };
            let capture = sides.from_key.captures.get(*at)?;
            Some(format!("`{{{}}}`", capture.name))
        })
        .collect();
    let source = sides.from.name().to_owned();
    (!captures.is_empty()).then_some(Lookup::NewMirror { source, captures })
}

fn impossible(components: &[Source]) -> Lookup {
    Lookup::Impossible(
        components
            .iter()
            .find_map(|source| match source {
                Source::Elements(path, _) => {
                    Some(format!("the elements of `{path}` are in no index"))
                }
                Source::Attribute(path, _) => {
                    Some(format!("no index reaches into `{}`", path.root()))
                }
                Source::Capture(_) => None,
            })
            .unwrap_or_else(|| "every item refers to the same one".to_owned()),
    )
}
