//! Groups the keys of a table by their constant tokens.
//!
//! A key attribute is split into tokens at the table's separator. A token that tells kinds of items
//! apart becomes a literal, every other one a capture.

use std::collections::{BTreeMap, BTreeSet};

use super::form::is_label;
use super::likeness::{SIGNS, common_prefix, differ, holds, is_root, shares_kinds};
use super::sample::Row;
use crate::data::Value;

/// The maximum number of literals that one token can have.
const LITERALS_MAX: usize = 64;
/// How many items are looked at to find out whether such a text is a part of the value.
const PREFIX_ROWS: usize = 50;

/// One token of a key template.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    /// A constant.
    Literal(String),
    /// A value, after a constant text.
    Capture {
        /// The constant text before the value.
        prefix: String,
    },
}

/// Items whose keys have one template.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// Positions in the sample.
    pub(super) rows: Vec<usize>,
    /// The tokens of each key attribute.
    pub(super) key: Vec<Vec<Slot>>,
}

/// A token's position: the key attribute, and the token in it.
type Position = (usize, usize);

/// The keys of a sample, split into tokens.
pub(super) struct Keys<'r> {
    rows: &'r [Row],
    tokens: Vec<Vec<Vec<&'r str>>>,
    /// The type attribute, if there is one.
    type_name: Option<&'r str>,
}

impl<'r> Keys<'r> {
    /// Splits keys at a separator. Attributes that are not strings are not split.
    pub(super) fn new(
        rows: &'r [Row],
        separator: char,
        is_text: &[bool],
        type_name: Option<&'r str>,
    ) -> Self {
        let split = |row: &'r Row| {
            let attribute = |(at, text): (usize, &'r String)| {
                if is_text.get(at).copied().unwrap_or(false) {
                    text.split(separator).collect()
                } else {
                    vec![text.as_str()]
                }
            };
            row.key.iter().enumerate().map(attribute).collect()
        };
        Self { rows, tokens: rows.iter().map(split).collect(), type_name }
    }

    fn token(&self, row: usize, (attribute, token): Position) -> &'r str {
        let tokens = self.tokens.get(row).and_then(|key| key.get(attribute));
        tokens.and_then(|tokens| tokens.get(token)).copied().unwrap_or("")
    }

    fn type_of(&self, row: usize) -> Option<&'r str> {
        let value = self.rows.get(row)?.item.get(self.type_name?)?;
        if let Value::S(text) = value { Some(text) } else { None }
    }

    /// All shapes, in a fixed order.
    pub(super) fn shapes(&self) -> Vec<Shape> {
        // A token without text is constant, as in `USER#` or `#METADATA#12`.
        let mut by_empty: BTreeMap<Vec<Vec<bool>>, Vec<usize>> = BTreeMap::new();
        for (row, key) in self.tokens.iter().enumerate() {
            let is_empty = |tokens: &Vec<&str>| tokens.iter().map(|it| it.is_empty()).collect();
            by_empty.entry(key.iter().map(is_empty).collect()).or_default().push(row);
        }
        let mut groups = Vec::new();
        for (is_empty, rows) in by_empty {
            let lengths: Vec<usize> = is_empty.iter().map(Vec::len).collect();
            self.refine(&lengths, rows, &mut groups);
        }
        let mut shapes: Vec<Shape> =
            groups.into_iter().map(|(lengths, rows)| self.shape(&lengths, rows)).collect();
        self.reconsider(&mut shapes);
        merge(shapes)
    }

    /// Splits a group by the first position whose tokens are literals, until there is none.
    fn refine(
        &self,
        lengths: &[usize],
        rows: Vec<usize>,
        groups: &mut Vec<(Vec<usize>, Vec<usize>)>,
    ) {
        let mut positions: Vec<(bool, Position)> = Vec::new();
        for (attribute, length) in lengths.iter().enumerate() {
            for token in 0..*length {
                let position = (attribute, token);
                positions.push((!self.is_first(&rows, position), position));
            }
        }
        positions.sort_unstable();
        for (is_later, position) in positions {
            let mut values: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
            for row in &rows {
                values.entry(self.token(*row, position)).or_default().push(*row);
            }
            let length = lengths.get(position.0).copied().unwrap_or(0);
            let is_only = position.1 + 1 == length && !is_later;
            let place = if is_later {
                Place::Later
            } else if is_only {
                Place::Only
            } else {
                Place::First
            };
            if values.len() > 1 && self.tells_apart(&values, rows.len(), place, position) {
                for rows in values.into_values() {
                    self.refine(lengths, rows, groups);
                }
                return;
            }
        }
        groups.push((lengths.to_vec(), rows));
    }

    /// Whether no token that is not empty precedes this one in its attribute.
    fn is_first(&self, rows: &[usize], (attribute, token): Position) -> bool {
        let Some(row) = rows.first() else { return false };
        (0..token).all(|before| self.token(*row, (attribute, before)).is_empty())
            && rows.iter().any(|row| !self.token(*row, (attribute, token)).is_empty())
    }

    /// Whether the tokens at a position are literals that tell kinds of items apart.
    fn tells_apart(
        &self,
        values: &BTreeMap<&str, Vec<usize>>,
        items: usize,
        place: Place,
        position: Position,
    ) -> bool {
        if values.len() > LITERALS_MAX || !values.keys().all(|value| is_label(value)) {
            return false;
        }
        let types: Vec<BTreeSet<&str>> = values
            .values()
            .map(|rows| rows.iter().filter_map(|row| self.type_of(*row)).collect())
            .collect();
        let is_typed = types.iter().all(|of_value| !of_value.is_empty());
        if is_typed {
            // A value whose items have types of their own.
            let all: BTreeSet<&str> = types.iter().flatten().copied().collect();
            let sum: usize = types.iter().map(BTreeSet::len).sum();
            if all.len() == sum && all.len() > 1 {
                return true;
            }
            if all.len() == 1 {
                return self.is_swapped(values, position);
            }
        }
        let signatures: Vec<_> =
            values.values().map(|rows| self.signature(rows, position)).collect();
        let sizes: Vec<usize> = values.values().map(Vec::len).collect();
        let differs = signatures.iter().zip(&sizes).enumerate().any(|(at, one)| {
            let mut others = signatures.iter().zip(&sizes).skip(at + 1);
            others.any(|other| differ(one, other))
        });
        let (count, per_value) = (values.len(), items / values.len().max(1));
        match place {
            Place::First => {
                // A label is a word. Several words are rather a name.
                let is_name = values.keys().any(|value| value.contains(' '));
                let is_tenant = signatures.len() > 1
                    && signatures.iter().all(|(_, kinds)| kinds.len() > 1)
                    && shares_kinds(&signatures);
                !is_tenant && (differs || (!is_name && (per_value >= 8 || count <= 3)))
            }
            Place::Only => differs && (per_value >= 2 || count <= 3),
            Place::Later => differs && count <= 12 && per_value >= 2,
        }
    }

    /// Whether the other key attribute begins with another label for each value, as in the items of
    /// a mirror and of its source: `user#1` with `team#2`, and `team#2` with `user#1`.
    fn is_swapped(
        &self,
        values: &BTreeMap<&str, Vec<usize>>,
        (attribute, token): Position,
    ) -> bool {
        let other = (1 - attribute.min(1), token);
        let mut labels = BTreeSet::new();
        let mut is_other = |(value, rows): (&&str, &Vec<usize>)| {
            let of_rows: BTreeSet<&str> = rows.iter().map(|row| self.token(*row, other)).collect();
            let only = of_rows.first().filter(|_| of_rows.len() == 1);
            only.is_some_and(|label| {
                label != value && values.contains_key(label) && labels.insert(*label)
            })
        };
        token == 0 && values.iter().all(&mut is_other)
    }

    /// What items have in common: the attributes of most of them; and their kinds as far as other
    /// tokens tell.
    fn signature(&self, rows: &[usize], except: Position) -> (BTreeSet<&str>, BTreeSet<Vec<&str>>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut kinds = BTreeSet::new();
        for row in rows.iter().take(500) {
            let Some(of_row) = self.rows.get(*row) else { continue };
            for name in of_row.item.keys() {
                *counts.entry(name).or_default() += 1;
            }
            let labels = self.tokens.get(*row).map(|key| {
                let attribute = |(attribute, tokens): (usize, &Vec<&'r str>)| {
                    let first = tokens.iter().enumerate().find(|(token, text)| {
                        (attribute, *token) != except
                            && is_label(text)
                            && text.chars().any(char::is_alphabetic)
                    });
                    // A value that differs from item to item is no kind.
                    first.map_or("", |(_, text)| *text)
                };
                key.iter().enumerate().map(attribute).collect::<Vec<_>>()
            });
            kinds.extend(labels);
        }
        let half = rows.len().min(500).div_ceil(2);
        let common = counts.into_iter().filter(|(_, count)| *count >= half);
        (common.map(|(name, _)| name).collect(), kinds)
    }

    /// The template of a group.
    fn shape(&self, lengths: &[usize], rows: Vec<usize>) -> Shape {
        let attribute = |(attribute, length): (usize, &usize)| {
            (0..*length).map(|token| self.slot(&rows, (attribute, token), lengths)).collect()
        };
        let key = lengths.iter().enumerate().map(attribute).collect();
        Shape { rows, key }
    }

    fn slot(&self, rows: &[usize], position: Position, lengths: &[usize]) -> Slot {
        let values: BTreeSet<&str> = rows.iter().map(|row| self.token(*row, position)).collect();
        let length = lengths.get(position.0).copied().unwrap_or(1);
        let is_whole_key = lengths.len() == 1 && length == 1;
        if let Some(only) = values.first().filter(|_| values.len() == 1) {
            let is_constant = if only.is_empty() {
                true
            } else if is_whole_key {
                false
            } else if self.is_first(rows, position) {
                is_label(only) && (position.0 == 0 || length > 1 || rows.len() > 1 || is_root(only))
            } else {
                is_label(only) && rows.len() >= 4 || rows.len() >= 50
            };
            if is_constant {
                return Slot::Literal((*only).to_owned());
            }
        }
        let prefix = if is_whole_key { "" } else { self.prefix(rows, position, &values) };
        Slot::Capture { prefix: prefix.to_owned() }
    }

    /// The constant text before a value, as in `userid_{id}`. It is a part of the value, as in
    /// `org_12`, unless an attribute holds the value without it.
    fn prefix<'v>(
        &self,
        rows: &[usize],
        position: Position,
        values: &BTreeSet<&'v str>,
    ) -> &'v str {
        let mut prefix = common_prefix(values);
        while !prefix.is_empty() && !self.is_held_without(rows, position, prefix.len()) {
            let before = prefix.get(..prefix.len() - 1).unwrap_or("");
            let end = before.rfind(SIGNS).map_or(0, |at| at + 1);
            prefix = prefix.get(..end).unwrap_or("");
        }
        prefix
    }

    /// Whether attributes hold the tokens of a position without their first bytes.
    fn is_held_without(&self, rows: &[usize], position: Position, bytes: usize) -> bool {
        let (mut held, mut all) = (0, 0);
        for row in rows.iter().take(PREFIX_ROWS) {
            let Some(value) = self.token(*row, position).get(bytes..) else { continue };
            let item = self.rows.get(*row).map(|row| &row.item);
            all += 1;
            held += usize::from(item.is_some_and(|item| item.values().any(|of| holds(of, value))));
        }
        held * 2 > all
    }

    /// Turns constants into captures where another shape has a capture.
    ///
    /// A few items of one company do not make the company's name a literal.
    fn reconsider(&self, shapes: &mut [Shape]) {
        let mut known: BTreeMap<(usize, Vec<Slot>), BTreeSet<&str>> = BTreeMap::new();
        for shape in shapes.iter() {
            for (attribute, slots) in shape.key.iter().enumerate() {
                for (token, slot) in slots.iter().enumerate().skip(1) {
                    if matches!(slot, Slot::Capture { .. }) {
                        let before = slots.iter().take(token).cloned().collect();
                        let values = known.entry((attribute, before)).or_default();
                        let of_rows = shape.rows.iter().take(2_000);
                        values.extend(of_rows.map(|row| self.token(*row, (attribute, token))));
                    }
                }
            }
        }
        for shape in shapes.iter_mut() {
            let items = shape.rows.len();
            for (attribute, slots) in shape.key.iter_mut().enumerate() {
                for token in 1..slots.len() {
                    let before: Vec<Slot> = slots.iter().take(token).cloned().collect();
                    let values = known.get(&(attribute, before));
                    let Some(Slot::Literal(text)) = slots.get(token) else { continue };
                    let is_value = values
                        .is_some_and(|values| values.contains(text.as_str()) && values.len() > 1);
                    let is_rare = values.is_some() && items < 20 && !text.is_empty();
                    if (is_value || is_rare)
                        && let Some(slot) = slots.get_mut(token)
                    {
                        *slot = Slot::Capture { prefix: String::new() };
                    }
                }
            }
        }
    }
}

/// Where a token is in its attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before other tokens.
    First,
    /// It is the whole value.
    Only,
    /// After other tokens.
    Later,
}

/// Joins shapes that have become equal.
fn merge(shapes: Vec<Shape>) -> Vec<Shape> {
    let mut by_key: BTreeMap<Vec<Vec<Slot>>, Vec<usize>> = BTreeMap::new();
    for shape in shapes {
        by_key.entry(shape.key).or_default().extend(shape.rows);
    }
    by_key
        .into_iter()
        .map(|(key, mut rows)| {
            rows.sort_unstable();
            Shape { rows, key }
        })
        .collect()
}
