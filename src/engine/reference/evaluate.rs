//! Evaluating: from a referencing item's image to the keys that it refers to.

use crate::data::{Item, Key, KeyValue, Type, Value};
use crate::engine::violation::Kind;
use crate::rules::model::{Matching, Reference, Rules, Source};

/// One thing that an image says through a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// What it says.
    pub(crate) stance: Stance,
    /// Where it stands in the image; nothing if it is in the key alone.
    pub(crate) path: Option<String>,
}

/// What an image says through a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stance {
    /// It refers to the item with this key.
    Refers(Key<'static>),
    /// It is wrong in itself, whatever exists; in words.
    Wrong(Kind, String),
}

/// What an image of a referencing item says through a reference.
pub(crate) fn evaluate(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
) -> Vec<Claim> {
    let parts: Vec<Part<'_>> =
        reference.components.iter().map(|source| part(source, captures, image)).collect();
    let absent = parts.iter().filter(|part| matches!(part, Part::Absent)).count();
    if absent > 0 {
        return incomplete(reference, &parts, absent);
    }
    let mut claims: Vec<Claim> = Vec::new();
    for elements in elements(&parts) {
        let claim = claim(rules, reference, &parts, elements);
        if !claims.iter().any(|known| known.stance == claim.stance) {
            claims.push(claim);
        }
    }
    claims
}

/// Whether two images say the same through a reference, told without building a key.
pub(crate) fn is_unchanged(
    reference: &Reference,
    before: Option<&Item<'_>>,
    after: Option<&Item<'_>>,
) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return before.is_none() && after.is_none();
    };
    reference.components.iter().all(|source| match source {
        Source::Capture(_) => true,
        Source::Attribute(path, _) | Source::Elements(path, _) => {
            path.lookup(before) == path.lookup(after)
        }
    })
}

/// One component's value in an image.
enum Part<'i> {
    Absent,
    One(KeyValue<'i>, Option<String>),
    Each(Vec<Element<'i>>),
    Malformed(String, String),
}

/// One element of a list or set.
struct Element<'i> {
    value: Result<KeyValue<'i>, String>,
    path: String,
}

fn part<'i>(source: &Source, captures: &[KeyValue<'i>], image: &Item<'i>) -> Part<'i> {
    match source {
        Source::Capture(place) => match captures.get(*place) {
            Some(value) => Part::One(value.clone(), None),
            None => Part::Absent,
        },
        Source::Attribute(path, kind) => {
            let Some(value) = path.lookup(image) else { return Part::Absent };
            let path = path.to_string();
            match KeyValue::from_value(value).filter(|_| value.kind() == *kind) {
                Some(value) => Part::One(value, Some(path)),
                None => Part::Malformed(mistyped(&path, value, *kind), path),
            }
        }
        Source::Elements(path, kind) => {
            let Some(value) = path.lookup(image) else { return Part::Absent };
            let path = path.to_string();
            if value.kind() != *kind {
                return Part::Malformed(mistyped(&path, value, *kind), path);
            }
            let elements = elements_of(value, &path);
            if elements.is_empty() { Part::Absent } else { Part::Each(elements) }
        }
    }
}

fn mistyped(path: &str, value: &Value<'_>, expected: Type) -> String {
    format!("`{path}` is of type {}, and the rule file says {expected}", value.kind())
}

fn elements_of<'i>(value: &Value<'i>, path: &str) -> Vec<Element<'i>> {
    let of_set = |value| Element { value: Ok(value), path: format!("{path}[*]") };
    match value {
        Value::Ss(set) => set.iter().cloned().map(KeyValue::S).map(of_set).collect(),
        Value::Ns(set) => set.iter().cloned().map(KeyValue::N).map(of_set).collect(),
        Value::Bs(set) => set.iter().cloned().map(KeyValue::B).map(of_set).collect(),
        Value::L(list) => list
            .iter()
            .enumerate()
            .filter(|(_, element)| **element != Value::Null)
            .map(|(place, element)| Element {
                value: KeyValue::from_value(element)
                    .ok_or_else(|| format!("an element of `{path}` is of type {}", element.kind())),
                path: format!("{path}[{place}]"),
            })
            .collect(),
        Value::S(_) | Value::N(_) | Value::B(_) | Value::Bool(_) | Value::Null | Value::M(_) => {
            Vec::new()
        }
    }
}

/// What a reference says of which some part is absent.
///
/// Parts that come from the referencing item's own key are always there, so only the others tell
/// whether some or none of it is.
fn incomplete(reference: &Reference, parts: &[Part<'_>], absent: usize) -> Vec<Claim> {
    let (keyed, own): (Vec<_>, Vec<_>) =
        reference.components.iter().partition(|source| matches!(source, Source::Capture(_)));
    let some = parts.len() - keyed.len() > absent;
    let paths: Vec<String> = own
        .iter()
        .filter_map(|source| match source {
            Source::Attribute(path, _) | Source::Elements(path, _) => Some(path.to_string()),
            Source::Capture(_) => None,
        })
        .collect();
    let path = paths.join(", ");
    let wrong = if some && reference.matching == Matching::Full {
        Stance::Wrong(
            Kind::PartialReference,
            format!("of `{path}` some are there and some are not"),
        )
    } else if reference.required {
        Stance::Wrong(Kind::MissingReference, format!("`{path}` is required, and not there"))
    } else {
        return Vec::new();
    };
    vec![Claim { stance: wrong, path: Some(path) }]
}

/// For each claim that the parts make, the element that it takes: one claim alone without a list.
fn elements<'p, 'i>(parts: &'p [Part<'i>]) -> Vec<Option<&'p Element<'i>>> {
    let each = parts.iter().find_map(|part| match part {
        Part::Each(elements) => Some(elements.iter().map(Some).collect()),
        Part::Absent | Part::One(..) | Part::Malformed(..) => None,
    });
    each.unwrap_or_else(|| vec![None])
}

fn claim(
    rules: &Rules,
    reference: &Reference,
    parts: &[Part<'_>],
    element: Option<&Element<'_>>,
) -> Claim {
    let mut paths: Vec<&str> = Vec::new();
    let mut values = Vec::with_capacity(parts.len());
    let mut wrong = None;
    for part in parts {
        match part {
            Part::One(value, path) => {
                values.push(value.clone());
                paths.extend(path.as_deref());
            }
            Part::Malformed(detail, path) => {
                paths.push(path);
                wrong.get_or_insert_with(|| detail.clone());
            }
            Part::Each(_) => {
                let Some(element) = element else { continue };
                paths.push(&element.path);
                match &element.value {
                    Ok(value) => values.push(value.clone()),
                    Err(detail) => {
                        wrong.get_or_insert_with(|| detail.clone());
                    }
                }
            }
            Part::Absent => {}
        }
    }
    let path = (!paths.is_empty()).then(|| paths.join(", "));
    let stance = match wrong {
        Some(detail) => Stance::Wrong(Kind::MalformedReference, detail),
        None => match rules[reference.to].key.build(&values) {
            Ok(key) => Stance::Refers(key),
            Err(error) => Stance::Wrong(Kind::MalformedReference, error.to_string()),
        },
    };
    Claim { stance, path }
}
