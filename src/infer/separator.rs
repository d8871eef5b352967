//! Chooses the separator of a table: the one with which its keys are described in the fewest bits.

use std::collections::{BTreeMap, BTreeSet};

use super::form::{Form, bits, is_label};
use super::likeness::{common_prefix, holds};
use super::sample::Row;
use super::shape::{Keys, Shape, Slot};

/// The separators, and by how much their description may be longer.
const SEPARATORS: [(char, f64); 11] = [
    ('#', 1.0),
    ('|', 1.0),
    (':', 1.02),
    ('/', 1.02),
    ('~', 1.04),
    ('^', 1.04),
    (';', 1.06),
    ('+', 1.08),
    ('_', 1.08),
    ('-', 1.12),
    ('.', 1.15),
];

/// Separators for a table whose keys are not split.
const UNUSED: [char; 6] = ['#', '|', '~', '^', '\u{a6}', '\u{a7}'];

/// The number of items whose attributes are compared with the tokens of their keys.
const HELD_ROWS: usize = 50;

/// The number of keys that are looked at.
const KEYS_MAX: usize = 2_000;

/// The number of bits of a template, and of each of its tokens.
const TEMPLATE_BITS: f64 = 16.0;
const TOKEN_BITS: f64 = 6.0;

/// By how much the description without a separator may be shorter, if most keys have one of these,
/// which hardly occur within values.
const UNSPLIT: f64 = 1.3;
const STRONG: [char; 2] = ['#', '|'];

/// The separator of a table.
pub(super) fn separator(rows: &[Row], is_text: &[bool], type_name: Option<&str>) -> char {
    let step = rows.len().div_ceil(KEYS_MAX).max(1);
    let few: Vec<Row> = rows
        .iter()
        .step_by(step)
        .map(|row| Row { key: row.key.clone(), item: row.item.clone() })
        .collect();
    let texts: Vec<&str> = few
        .iter()
        .flat_map(|row| row.key.iter().zip(is_text))
        .filter(|(_, is_text)| **is_text)
        .map(|(text, _)| text.as_str())
        .collect();
    let cost = |separator: char| {
        let keys = Keys::new(&few, separator, is_text, type_name);
        let shapes = keys.shapes();
        (length(&shapes, &few, separator, is_text), shapes)
    };
    let none = unused(&texts);
    let with_strong = |row: &&Row| row.key.iter().any(|text| text.contains(STRONG));
    let is_strong = few.iter().filter(with_strong).count() * 10 >= few.len() * 9;
    let mut best = (cost(none).0 * if is_strong { UNSPLIT } else { 1.0 }, none);
    for (separator, factor) in SEPARATORS {
        let is_split = |row: &&Row| row.key.iter().any(|text| text.contains(separator));
        let split = few.iter().filter(is_split).count();
        if split * 10 < few.len() || breaks_values(&texts, separator) {
            continue;
        }
        let (bits, shapes) = cost(separator);
        let is_labelled = |shape: &&Shape| has_label(shape) || is_held(shape, &few, separator);
        let labelled: usize = shapes.iter().filter(is_labelled).map(|shape| shape.rows.len()).sum();
        let is_in_ids = matches!(separator, '_' | '-' | '.') && labels(&shapes) < 2;
        if bits * factor < best.0 && labelled * 2 > split && !is_in_ids {
            best = (bits * factor, separator);
        }
    }
    best.1
}

/// A character that no key contains.
fn unused(texts: &[&str]) -> char {
    let is_free = |char: &char| !texts.iter().any(|text| text.contains(*char));
    UNUSED.into_iter().find(is_free).unwrap_or('\u{1f}')
}

/// How many different literals begin one key attribute. If there is only one, it may be a part of
/// each id: `org_12`.
fn labels(shapes: &[Shape]) -> usize {
    let count = |attribute: usize| {
        let first = shapes.iter().filter_map(|shape| shape.key.get(attribute)?.first());
        let labels: BTreeSet<&str> = first
            .filter_map(|slot| match slot {
                Slot::Literal(text) => Some(text.as_str()),
                Slot::Capture { .. } => None,
            })
            .collect();
        labels.len()
    };
    count(0).max(count(1))
}

/// Whether attributes hold the tokens of a key without labels, as the sort key `project#task` of an
/// item with the attribute `project`.
fn is_held(shape: &Shape, rows: &[Row], separator: char) -> bool {
    let of_shape: Vec<&Row> =
        shape.rows.iter().filter_map(|row| rows.get(*row)).take(HELD_ROWS).collect();
    let is_held = |(attribute, slots): (usize, &Vec<Slot>)| {
        slots.len() > 1
            && (0..slots.len()).any(|token| {
                of_shape.len() > 1
                    && of_shape.iter().all(|row| {
                        let text = row.key.get(attribute).map_or("", String::as_str);
                        let token = text.split(separator).nth(token).unwrap_or("");
                        row.item.values().any(|value| holds(value, token))
                    })
            })
    };
    shape.key.iter().enumerate().any(is_held)
}

/// Whether a shape has a literal before a capture.
fn has_label(shape: &Shape) -> bool {
    shape.key.iter().any(|slots| {
        slots.len() > 1
            && slots.iter().any(|slot| matches!(slot, Slot::Literal(text) if is_label(text)))
    })
}

/// Whether a separator occurs within values that have a form of their own, such as dates.
fn breaks_values(texts: &[&str], separator: char) -> bool {
    let broken = |text: &&&str| {
        let others = |char: char| {
            char != separator
                && SEPARATORS.iter().any(|(it, _)| *it == char)
                && !matches!(char, '-' | '.' | '_' | ':' | '+')
        };
        let parts = text.split(others).chain(std::iter::once(**text));
        parts.into_iter().any(|part| {
            part.contains(separator)
                && matches!(Form::of(part), Form::Uuid | Form::Date | Form::Email | Form::Decimal)
        })
    };
    let broken = texts.iter().filter(broken).count();
    broken * 10 > texts.len()
}

/// The number of bits of the templates, and of the keys by them.
#[expect(clippy::cast_precision_loss, reason = "counts of a sample are small")]
fn length(shapes: &[Shape], rows: &[Row], separator: char, is_text: &[bool]) -> f64 {
    let all = rows.len().max(1) as f64;
    let mut sum = 0.0;
    for shape in shapes {
        let items = shape.rows.len() as f64;
        sum += TEMPLATE_BITS + items * (all / items).log2();
        let mut seen: BTreeSet<Vec<&str>> = BTreeSet::new();
        for (attribute, slots) in shape.key.iter().enumerate() {
            let is_text = is_text.get(attribute).copied().unwrap_or(false);
            for (token, slot) in slots.iter().enumerate() {
                sum += TOKEN_BITS;
                let prefix = match slot {
                    Slot::Literal(text) => {
                        sum += bits(text);
                        continue;
                    }
                    Slot::Capture { prefix } => prefix.len(),
                };
                let values: Vec<&str> = shape
                    .rows
                    .iter()
                    .filter_map(|row| {
                        let text = rows.get(*row)?.key.get(attribute)?;
                        let token = if is_text { text.split(separator).nth(token)? } else { text };
                        token.get(prefix..)
                    })
                    .collect();
                if seen.insert(values.clone()) {
                    sum += value_bits(&values);
                }
            }
        }
    }
    sum
}

/// The bits of the values of a capture: written out, or by a dictionary.
#[expect(clippy::cast_precision_loss, reason = "counts of a sample are small")]
fn value_bits(values: &[&str]) -> f64 {
    // What all of them begin with is written once.
    let prefix = common_prefix(&values.iter().copied().collect());
    let rest: Vec<&str> = values.iter().filter_map(|value| value.get(prefix.len()..)).collect();
    let mut distinct: BTreeMap<&str, f64> = BTreeMap::new();
    let mut written = 0.0;
    for value in &rest {
        written += *distinct.entry(value).or_insert_with(|| match Form::of(value) {
            Form::Uuid => 122.0,
            Form::Date => 24.0,
            Form::Number
            | Form::Padded
            | Form::Decimal
            | Form::Ulid
            | Form::Email
            | Form::Word
            | Form::Other => bits(value),
        });
    }
    let dictionary: f64 = distinct.values().sum();
    bits(prefix) + written.min(dictionary + values.len() as f64 * (distinct.len() as f64).log2())
}
