//! Evaluating: from a referencing item's image to the keys that it refers to.

use std::collections::BTreeSet;

use crate::data::{Item, Key, KeyValue, Path, Type, Value};
use crate::integrity::finding::Kind;
use crate::rules::model::{Matching, Reference, Rules, Source};

/// One thing that an image says through a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    /// What it says.
    pub(crate) stance: Stance,
    /// The element of a list that says it.
    pub(crate) element: Option<usize>,
}

/// Where a claim stands in its item; nothing if it is in the key alone.
pub(crate) fn claim_path(reference: &Reference, claim: &Claim) -> Option<String> {
    let mut paths: Vec<String> = Vec::new();
    for source in &reference.components {
        let path = match source {
            Source::Capture(_) => None,
            Source::Attribute(path, _) => Some(path.to_string()),
            Source::Elements(path, kind) => Some(match claim.element {
                Some(place) if *kind == Type::L => format!("{path}[{place}]"),
                Some(_) => format!("{path}[*]"),
                None => path.to_string(),
            }),
        };
        paths.extend(path.filter(|path| !paths.contains(path)));
    }
    (!paths.is_empty()).then(|| paths.join(", "))
}

/// What an image says through a reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
        return incomplete(reference, absent);
    }
    let each = parts.iter().find_map(|part| match part {
        Part::Each(elements) => Some(elements),
        Part::Absent | Part::One(_) | Part::Malformed(_) => None,
    });
    let Some(elements) = each else { return vec![claim(rules, reference, &parts, None)] };
    let mut claims: Vec<Claim> = Vec::with_capacity(elements.len());
    let mut stances = BTreeSet::new();
    for element in elements {
        let claim = claim(rules, reference, &parts, Some(element));
        if stances.insert(claim.stance.clone()) {
            claims.push(claim);
        }
    }
    claims
}

/// What in an image makes it refer to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grounds {
    /// The attributes that are parts of the reference, and their values.
    pub(crate) attributes: Vec<(Path, Value<'static>)>,
    /// Where elements of a list or set are a part of it: those that refer to this very target.
    pub(crate) elements: Option<Elements>,
}

/// Elements of one list or set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Elements {
    /// The path of the list or set.
    pub(crate) path: Path,
    /// The whole list or set.
    pub(crate) whole: Value<'static>,
    /// The elements' places and values.
    pub(crate) chosen: Vec<(usize, Value<'static>)>,
}

/// What in an image makes it refer to a target; nothing if it does not.
pub(crate) fn grounds(
    rules: &Rules,
    reference: &Reference,
    captures: &[KeyValue<'_>],
    image: &Item<'_>,
    target: &Key<'_>,
) -> Option<Grounds> {
    let refers = |claim: Claim| matches!(claim.stance, Stance::Refers(key) if key == *target);
    let parts: Vec<Part<'_>> =
        reference.components.iter().map(|source| part(source, captures, image)).collect();
    if parts.iter().any(|part| matches!(part, Part::Absent)) {
        return None;
    }
    let mut grounds = Grounds { attributes: Vec::new(), elements: None };
    for (source, part) in reference.components.iter().zip(&parts) {
        match (source, part) {
            // One attribute may be several parts of a reference.
            (Source::Attribute(path, _), _)
                if grounds.attributes.iter().any(|(known, _)| known == path) => {}
            (Source::Attribute(path, _), _) => {
                grounds.attributes.push((path.clone(), path.lookup(image)?.clone().into_owned()));
            }
            (Source::Elements(path, _), Part::Each(elements)) => {
                let chosen = elements.iter().filter_map(|element| {
                    refers(claim(rules, reference, &parts, Some(element)))
                        .then_some((element.0, element.1.as_ref().ok()?.to_value()))
                });
                let chosen: Vec<_> = chosen.collect();
                if chosen.is_empty() {
                    return None;
                }
                let whole = path.lookup(image)?.clone().into_owned();
                grounds.elements = Some(Elements { path: path.clone(), whole, chosen });
            }
            (Source::Capture(_) | Source::Elements(..), _) => {}
        }
    }
    (grounds.elements.is_some() || refers(claim(rules, reference, &parts, None))).then_some(grounds)
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
    reference.paths().all(|path| path.lookup(before) == path.lookup(after))
}

/// One component's value in an image.
enum Part<'i> {
    Absent,
    One(KeyValue<'i>),
    Each(Vec<Element<'i>>),
    Malformed(String),
}

/// One element of a list or set: its place, and its value or what is wrong with it.
type Element<'i> = (usize, Result<KeyValue<'i>, String>);

fn part<'i>(source: &Source, captures: &[KeyValue<'i>], image: &Item<'i>) -> Part<'i> {
    match source {
        Source::Capture(place) => captures.get(*place).cloned().map_or(Part::Absent, Part::One),
        Source::Attribute(path, kind) => {
            let Some(value) = path.lookup(image) else { return Part::Absent };
            match KeyValue::from_value(value).filter(|_| value.kind() == *kind) {
                Some(value) => Part::One(value),
                None => Part::Malformed(mistyped(path, value, *kind)),
            }
        }
        Source::Elements(path, kind) => {
            let Some(value) = path.lookup(image) else { return Part::Absent };
            if value.kind() != *kind {
                return Part::Malformed(mistyped(path, value, *kind));
            }
            let elements = elements_of(value, path);
            if elements.is_empty() { Part::Absent } else { Part::Each(elements) }
        }
    }
}

fn mistyped(path: &Path, value: &Value<'_>, expected: Type) -> String {
    format!("`{path}` is of type {}, and the rule file says {expected}", value.kind())
}

fn elements_of<'i>(value: &Value<'i>, path: &Path) -> Vec<Element<'i>> {
    match value {
        Value::Ss(set) => set.iter().cloned().map(KeyValue::S).map(Ok).enumerate().collect(),
        Value::Ns(set) => set.iter().cloned().map(KeyValue::N).map(Ok).enumerate().collect(),
        Value::Bs(set) => set.iter().cloned().map(KeyValue::B).map(Ok).enumerate().collect(),
        Value::L(list) => list
            .iter()
            .enumerate()
            .filter(|(_, element)| **element != Value::Null)
            .map(|(place, element)| {
                let mistyped = || format!("an element of `{path}` is of type {}", element.kind());
                (place, KeyValue::from_value(element).ok_or_else(mistyped))
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
fn incomplete(reference: &Reference, absent: usize) -> Vec<Claim> {
    let own: Vec<&Path> = reference.paths().collect();
    let names = || own.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    let stance = if own.len() > absent && reference.matching == Matching::Full {
        let detail = format!("of {} some are there and some are not", names());
        Stance::Wrong(Kind::PartialReference, detail)
    } else if reference.required {
        Stance::Wrong(Kind::MissingReference, format!("{} is required, and not there", names()))
    } else {
        return Vec::new();
    };
    vec![Claim { stance, element: None }]
}

/// What the parts say, of a list or set with this element.
fn claim(
    rules: &Rules,
    reference: &Reference,
    parts: &[Part<'_>],
    element: Option<&Element<'_>>,
) -> Claim {
    let mut values = Vec::with_capacity(parts.len());
    let mut wrong = None;
    for part in parts {
        match (part, element) {
            (Part::One(value), _) | (Part::Each(_), Some((_, Ok(value)))) => {
                values.push(value.clone());
            }
            (Part::Malformed(detail), _) | (Part::Each(_), Some((_, Err(detail)))) => {
                wrong = wrong.or(Some(detail));
            }
            (Part::Absent, _) | (Part::Each(_), None) => {}
        }
    }
    let malformed = |detail| Stance::Wrong(Kind::MalformedReference, detail);
    let stance = match wrong {
        Some(detail) => malformed(detail.clone()),
        None => match rules[reference.to].key.build(&values) {
            Ok(key) => Stance::Refers(key),
            Err(error) => malformed(error.to_string()),
        },
    };
    Claim { stance, element: element.map(|(place, _)| *place) }
}
