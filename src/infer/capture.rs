//! Captures: their names, and the forms of their values.

use std::collections::{BTreeMap, BTreeSet};

use super::form::Form;
use super::names::{is_key_like, snake, words};
use super::sample::Row;
use crate::data::{KeyKind, KeySchema, Value};

/// How a capture is written in the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Format {
    /// As it is.
    Plain,
    /// With leading zeros, to this width.
    Padded(usize),
    Lower,
    Upper,
}

/// A capture of an entity's key.
#[derive(Debug, Clone)]
pub(super) struct Capture {
    pub(super) name: String,
    /// The literal before it.
    pub(super) label: Option<String>,
    /// The attributes that have its value in all items.
    pub(super) same_as: Vec<String>,
    pub(super) kind: KeyKind,
    pub(super) form: Form,
    /// The formats that all of its values allow, besides plain.
    pub(super) possible: Vec<Format>,
}

/// The values of one position in the keys of an entity.
pub(super) struct Column<'r> {
    pub(super) values: Vec<&'r str>,
    pub(super) label: Option<String>,
    /// The key attribute whose whole value it is.
    pub(super) attribute: Option<String>,
    pub(super) kind: KeyKind,
}

pub(super) fn captures(
    columns: Vec<(Column<'_>, Option<usize>)>,
    rows: &[&Row],
    schema: &KeySchema,
) -> Vec<Capture> {
    let mut taken = BTreeSet::new();
    let mut captures = Vec::new();
    for (column, _) in columns {
        let (form, possible) = form_of(&column.values);
        let same_as = same_attributes(&column, rows, schema);
        let by_attribute = same_as.first().filter(|_| column.attribute.is_none() || rows.len() > 1);
        let is_named = |name: &&String| !matches!(name.to_lowercase().as_str(), "pk" | "sk" | "id");
        let label =
            column.label.as_ref().map(|label| snake(label)).filter(|label| !label.is_empty());
        let base = by_attribute
            .filter(is_named)
            .map(|name| snake(name))
            .or(label)
            .or_else(|| column.attribute.as_ref().map(|name| snake(name)))
            .or_else(|| by_attribute.map(|name| snake(name)))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| form.word().map_or("value".to_owned(), snake));
        let mut name = base.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        let mut same = same_as;
        same.extend(column.attribute);
        captures.push(Capture {
            name,
            label: column.label,
            same_as: same,
            kind: column.kind,
            form,
            possible,
        });
    }
    captures
}

/// The form of most values, and the formats that all of them allow.
pub(super) fn form_of(values: &[&str]) -> (Form, Vec<Format>) {
    let mut counts: BTreeMap<Form, usize> = BTreeMap::new();
    for value in values {
        *counts.entry(Form::of(value)).or_default() += 1;
    }
    let mut form =
        counts.iter().max_by_key(|(_, count)| **count).map_or(Form::Other, |(form, _)| *form);
    let mut possible = Vec::new();
    let width = values.first().map_or(0, |value| value.len());
    let are_digits = values
        .iter()
        .all(|value| value.len() == width && value.bytes().all(|byte| byte.is_ascii_digit()));
    if are_digits && width > 1 && width <= 38 && counts.contains_key(&Form::Padded) {
        possible.push(Format::Padded(width));
        form = Form::Padded;
    }
    if values.iter().any(|value| value.chars().any(char::is_alphabetic)) {
        if values.iter().all(|value| !value.chars().any(char::is_uppercase)) {
            possible.push(Format::Lower);
        } else if values.iter().all(|value| !value.chars().any(char::is_lowercase)) {
            possible.push(Format::Upper);
        }
    }
    (form, possible)
}

/// The attributes outside the key that have the value of a column in all items, the best name
/// first.
fn same_attributes(column: &Column<'_>, rows: &[&Row], schema: &KeySchema) -> Vec<String> {
    let Some(first) = rows.first() else { return Vec::new() };
    let is_key = |name: &str| schema.names().any(|key| key == name);
    let mut names: Vec<&str> =
        first.item.keys().map(AsRef::as_ref).filter(|name| !is_key(name)).collect();
    names.retain(|name| {
        rows.iter().zip(&column.values).all(|(row, value)| match row.item.get(*name) {
            Some(Value::S(text)) => text == value || text.eq_ignore_ascii_case(value),
            Some(Value::N(number)) => {
                let bare = value.trim_start_matches('0');
                number.as_str() == if bare.is_empty() { "0" } else { bare }
            }
            _ => false,
        })
    });
    // One item proves little: a name that fits then has to be a name of a key.
    names.retain(|name| {
        rows.len() > 2 || is_key_like(&words(name)) || *name == "username" || *name == "email"
    });
    let is_exact = |name: &str| {
        rows.iter().zip(&column.values).all(|(row, value)| match row.item.get(name) {
            Some(Value::S(text)) => text == value,
            _ => true,
        })
    };
    names.sort_by_key(|name| (!is_exact(name), !is_key_like(&words(name)), *name));
    names.into_iter().map(str::to_owned).collect()
}
